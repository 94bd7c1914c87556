"""`trial synthetic`: writes a synthetic trial."""

from __future__ import annotations

import click

from pipeline.cli.answer import Answer
from pipeline.cli.lazy import Command
from pipeline.cli.logs import log_to_terminal
from pipeline.cli.options import WholeNumber, json_option


@click.command(cls=Command)
@click.option("--subjects", type=WholeNumber(), required=True, help="100 to 1,000,000.")
@click.option("--seed", type=WholeNumber(), help="Seed of the random numbers.")
@click.option("--out", required=True, metavar="FOLDER", help="Folder to write to.")
@click.argument("beam_arguments", metavar="[-- BEAM_OPTION]...", nargs=-1)
@json_option
def synthetic(subjects: int, seed: int | None, out: str, beam_arguments: tuple[str, ...]) -> Answer:
    """Write a seeded synthetic trial as SAS transport files.

    What follows `--` are Beam's pipeline options, for example -- --direct_num_workers=2.
    """
    from pipeline.synthetic.trial import SyntheticTrial
    from pipeline.synthetic.write import write

    log_to_terminal("pipeline.synthetic")
    chosen = SyntheticTrial(subjects) if seed is None else SyntheticTrial(subjects, seed)
    write(chosen, out, beam_arguments)
    return Answer({"subjects": chosen.subjects, "seed": chosen.seed, "written": [out]})
