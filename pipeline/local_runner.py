"""Runs the pipeline on this machine: `python -m pipeline.local_runner`, or TFX's own CLI.

TFX's CLI runs this file as a script without arguments, so every choice can also be made by
an environment variable (TRIAL_STUDY, TRIAL_DATA, TRIAL_ROOT, ...).
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and Path(sys.path[0]).resolve() == Path(__file__).resolve().parent:
    # As a script this file's own folder comes first on the path, where pipeline.py would
    # hide the package of that name.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
import os
import shlex
import signal
from collections.abc import Callable, Sequence

from pipeline.beam.options import BEAM_CHOICES, add_beam_arguments, parse_beam_options
from pipeline.config import Settings
from pipeline.errors import UserError
from pipeline.study.load import load_study
from pipeline.study.shipped import find_study_file

_ENVIRONMENT_PREFIX = "TRIAL_"


def parse_settings(arguments: Sequence[str] | None) -> Settings:
    """Reads a person's choices from the command line, then from the environment.

    Args:
        arguments: Command line; None is the process's own.

    Returns:
        The choices.

    Raises:
        UserError: An environment variable holds something else than was expected.
    """
    defaults = Settings()
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.local_runner",
        description="Run the whole pipeline on this machine.",
        epilog="Each option can also be set as TRIAL_<OPTION> in the environment.",
    )
    parser.add_argument("--study", help="shipped study, or path of a study file")
    parser.add_argument("--data", help="folder of the study's data")
    parser.add_argument("--root", type=Path, help="folder that everything is written below")
    parser.add_argument("--subjects", type=_whole, help="size of the synthetic trial")
    parser.add_argument("--seed", type=_whole, help="seed of training and of the synthetic trial")
    parser.add_argument("--steps", type=_whole, help="training steps; 0 until eval stops it")
    parser.add_argument(
        "--tune", action="store_true", default=None, help="search hyperparameters first"
    )
    parser.add_argument(
        "--store", help="address of the SQL store; a SQLite file below the root if not given"
    )
    add_beam_arguments(parser)
    parser.add_argument(
        "--beam", action="append", metavar="OPTION", help="a further option of Beam; repeatable"
    )
    chosen = vars(parser.parse_args(arguments))
    beam_options = chosen.pop("beam") or shlex.split(os.environ.get("TRIAL_BEAM", ""))
    kinds: dict[str, Callable[[str], object]] = {
        "root": Path,
        "subjects": _whole,
        "seed": _whole,
        "steps": _whole,
        "tune": _flag,
    }
    for name, value in chosen.items():
        text = os.environ.get(_ENVIRONMENT_PREFIX + name.upper())
        if value is None and text:
            chosen[name] = _converted(name, text, kinds.get(name, str))
    given = {name: value for name, value in chosen.items() if value is not None}
    beam = parse_beam_options(
        [f"{option}={given.pop(name)}" for name, option in BEAM_CHOICES.items() if name in given]
        + beam_options
    )
    return Settings(**{**vars(defaults), **given, "beam": beam})


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the pipeline.

    Returns:
        0 when the run came to its end, 1 when a stage failed, 2 for a mistake in the input,
        130 when it was interrupted.
    """
    try:
        settings = parse_settings(arguments)
        load_study(find_study_file(settings.study))
        from pipeline.runners.local.run import run

        return run(settings)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return 128 + signal.SIGINT


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError("expected a whole number, 0 or more")
    return int(text)


def _flag(text: str) -> bool:
    return text.lower() in ("1", "true", "yes")


def _converted(name: str, text: str, kind: Callable[[str], object]) -> object:
    try:
        return kind(text)
    except argparse.ArgumentTypeError as error:
        raise UserError(f"{_ENVIRONMENT_PREFIX}{name.upper()}: {error}.") from error


if __name__ == "__main__":
    sys.exit(main())
