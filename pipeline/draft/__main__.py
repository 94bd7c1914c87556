"""Drafts a study file and a schema: `python -m pipeline.draft`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.draft.data_files import free_name
from pipeline.draft.schema import draft_schema
from pipeline.draft.study import draft_study
from pipeline.errors import UserError
from pipeline.study.load import load_study

if TYPE_CHECKING:
    pass

logger = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        argv: Arguments without the program's name; those of the process where not given.

    Returns:
        0, or 2 where the user has to put something right.
    """
    arguments = _parser().parse_args(argv)
    # What libraries have to say on being imported is of no use to who drafts a file.
    logging.basicConfig(format="%(message)s", level=logging.ERROR)
    warnings.simplefilter("ignore", FutureWarning)
    logging.getLogger("pipeline.draft").setLevel(logging.INFO)
    # TensorFlow reads these when it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    try:
        if arguments.what == "study":
            _write_study(arguments.data, arguments.out, arguments.force)
        else:
            out = arguments.out or arguments.study.with_name("schema.pbtxt")
            _write_schema(arguments.study, arguments.data, out, arguments.force)
    except UserError as error:
        logger.error("%s", error)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipeline.draft", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="what", required=True)
    study = commands.add_parser("study", help="draft a study file from data files")
    study.add_argument("--data", type=Path, required=True, help="folder of the data files")
    study.add_argument("--out", type=Path, required=True, help="the study file to write")
    schema = commands.add_parser("schema", help="draft a curated schema from a study file")
    schema.add_argument("--study", type=Path, required=True, help="the study file")
    schema.add_argument("--data", type=Path, required=True, help="folder of the study's data")
    schema.add_argument("--out", type=Path, help="default: schema.pbtxt beside the study file")
    for command in (study, schema):
        command.add_argument("--force", action="store_true", help="overwrite an existing file")
    return parser


def _write_study(data: Path, out: Path, force: bool) -> None:
    _refuse_to_overwrite(out, force)
    name = free_name(out.resolve().parent.name, ())
    _write(out, draft_study(data, name))
    logger.info("%s is drafted. Decide its TODOs, then draft the schema.", out)


def _write_schema(study_file: Path, data: Path, out: Path, force: bool) -> None:
    _refuse_to_overwrite(out, force)
    _write(out, draft_schema(load_study(study_file), data))
    logger.info("%s is drafted. Look it through before it judges other data.", out)


def _refuse_to_overwrite(out: Path, force: bool) -> None:
    if out.exists() and not force:
        raise UserError(f"{out} exists. Give another --out, or --force to overwrite it.")


def _write(out: Path, text: str) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    # Workers must find the functions by their module's name, which is not `__main__`.
    from pipeline.draft.__main__ import main as run

    sys.exit(run())
