"""`trial synthetic`: writes a synthetic trial."""

from __future__ import annotations

from dataclasses import replace

import click

from pipeline.cli.answer import Answer
from pipeline.cli.lazy import Command
from pipeline.cli.logs import log_to_terminal
from pipeline.cli.options import WholeNumber, json_option


@click.command(cls=Command)
@click.option("--subjects", type=WholeNumber(), required=True, help="100 to 1,000,000.")
@click.option("--seed", type=WholeNumber(), help="Seed of the random numbers.")
@click.option("--out", required=True, metavar="FOLDER", help="Folder to write to.")
@click.option(
    "--change",
    "changes",
    multiple=True,
    metavar="KIND:MONTH:SIZE",
    help="What changes from a month of randomisation on: population, assay, concept, signal, site "
    "or feed, such as concept:2024-01:0.5; repeatable.",
)
@click.option("--enrolled-from", metavar="MONTH", help="Only subjects randomised from 2024-01 on.")
@click.option("--enrolled-until", metavar="MONTH", help="Only subjects randomised before 2024-01.")
@click.argument("beam_arguments", metavar="[-- BEAM_OPTION]...", nargs=-1)
@json_option
def synthetic(
    subjects: int,
    seed: int | None,
    out: str,
    changes: tuple[str, ...],
    beam_arguments: tuple[str, ...],
    enrolled_from: str | None,
    enrolled_until: str | None,
) -> Answer:
    """Write a seeded synthetic trial as SAS transport files.

    What follows `--` are Beam's pipeline options, for example -- --direct_num_workers=2.
    """
    from pipeline.synthetic.changes import Change
    from pipeline.synthetic.trial import SyntheticTrial
    from pipeline.synthetic.write import write

    log_to_terminal("pipeline.synthetic")
    chosen = SyntheticTrial(
        subjects,
        changes=tuple(map(Change.of, changes)),
        enrolled_from=enrolled_from,
        enrolled_until=enrolled_until,
    )
    if seed is not None:
        chosen = replace(chosen, seed=seed)
    write(chosen, out, beam_arguments)
    return Answer({"subjects": chosen.subjects, "seed": chosen.seed, "written": [out]})
