"""Options that choose a registered model to validate, and how it is updated."""

from __future__ import annotations

import click

from pipeline.cli.options import variable_option
from pipeline.results.validation import UpdateMethod

_UPDATES: dict[str, UpdateMethod] = {
    "recalibration_in_the_large": "recalibration_in_the_large",
    "logistic": "logistic_recalibration",
}

model_option = variable_option(
    "--model",
    metavar="STUDY[/ID]",
    help="The registered model: the champion of a study, or one of its registrations. As the study "
    "file says (`validation`) if not given.",
)

update_option = variable_option(
    "--update",
    type=click.Choice(tuple(_UPDATES)),
    help="Also register an updated model beside it, which does not become the champion.",
)


def update_method(update: str | None) -> UpdateMethod | None:
    """How the model is updated, from the value of `--update`."""
    return _UPDATES[update] if update else None
