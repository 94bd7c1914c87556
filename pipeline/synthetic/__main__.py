"""Writes the synthetic trial: `python -m pipeline.synthetic`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from pipeline.errors import UserError
from pipeline.synthetic.trial import SyntheticTrial
from pipeline.synthetic.write import write

logger = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        argv: Arguments without the program's name; those of the process where not given.

    Returns:
        0, or 2 where the user has to put something right.
    """
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.synthetic",
        description="Writes a seeded synthetic trial as SAS transport files.",
    )
    parser.add_argument("--subjects", type=int, required=True, help="100 to 1,000,000")
    parser.add_argument("--seed", type=int, default=SyntheticTrial.seed, help="default %(default)s")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="where to write")
    parser.add_argument(
        "beam_args",
        nargs="*",
        metavar="-- BEAM_OPTION",
        help="Beam's pipeline options, for example -- --direct_num_workers=2",
    )
    arguments = parser.parse_args(argv)
    logging.basicConfig(format="%(message)s")
    logging.getLogger("pipeline.synthetic").setLevel(logging.INFO)
    try:
        trial = SyntheticTrial(subjects=arguments.subjects, seed=arguments.seed)
        write(trial, arguments.out, arguments.beam_args)
    except UserError as error:
        logger.error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    # Workers must find the functions by their module's name, which is not `__main__`.
    from pipeline.synthetic.__main__ import main as run

    sys.exit(run())
