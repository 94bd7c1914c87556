"""Which hyperparameters are searched, and which studies leave nothing to search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.study.study import Study

SEARCHED = ("depth", "width", "dropout", "learning_rate", "weight_decay", "penalty")
"""Hyperparameters that are searched, unless the study file chooses them."""


def check_tuning(study: Study) -> None:
    """Checks that hyperparameters of a study can be searched, as far as its file decides.

    Args:
        study: The study.

    Raises:
        UserError: It chooses all hyperparameters that are searched.
    """
    if study.training.hyperparameters.given.keys() >= set(SEARCHED):
        raise UserError(
            "--tune: the study file chooses all hyperparameters that are searched "
            f"({', '.join(SEARCHED)}). Run without --tune, or leave one out of "
            "`training.hyperparameters`."
        )
