"""`trial draft`: drafts a study file from data files, and a schema from a study file."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.answer import Answer
from pipeline.cli.lazy import Command, LazyGroup
from pipeline.cli.logs import log_to_terminal
from pipeline.cli.options import force_option, json_option, path_option
from pipeline.errors import UserError


@click.group(cls=LazyGroup)
def draft() -> None:
    """Draft a study file and a curated schema."""


@draft.command(cls=Command)
@path_option("--data", required=True, help="Folder of the data files.")
@path_option("--out", required=True, help="The study file to write.")
@force_option
@json_option
def study(data: Path, out: Path, force: bool) -> Answer:
    """Draft a study file from data files.

    Writes down what can be seen in the files: formats, columns, types, candidates. The rest, above
    all when each column is known, is left as a TODO: the study file is refused until it is
    decided.
    """
    from pipeline.draft.data_files import free_name
    from pipeline.draft.study import draft_study

    _refuse_to_overwrite(out, force)
    log_to_terminal("pipeline.draft")
    name = free_name(out.resolve().parent.name, ())
    _write(out, draft_study(data, name))
    click.echo(f"{out} is drafted. Decide its TODOs, then draft the schema.", err=True)
    return Answer({"written": [str(out)]})


@draft.command(cls=Command)
@path_option("--study", "study_file", required=True, help="The study file.")
@path_option("--data", required=True, help="Folder of the study's data.")
@path_option("--out", help="File to write; schema.pbtxt beside the study file if not given.")
@force_option
@json_option
def schema(study_file: Path, data: Path, out: Path | None, force: bool) -> Answer:
    """Draft a curated schema from a study file.

    Makes the examples in a temporary folder and derives the schema from the statistics of the
    train split.
    """
    from pipeline.draft.schema import draft_schema
    from pipeline.study.load import load_study

    out = out or study_file.with_name("schema.pbtxt")
    _refuse_to_overwrite(out, force)
    log_to_terminal("pipeline.draft")
    _write(out, draft_schema(load_study(study_file), data))
    click.echo(f"{out} is drafted. Review it before it validates other data.", err=True)
    return Answer({"written": [str(out)]})


def _refuse_to_overwrite(out: Path, force: bool) -> None:
    if out.exists() and not force:
        raise UserError(f"{out} exists. Give another --out, or --force to overwrite it.")


def _write(out: Path, text: str) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
