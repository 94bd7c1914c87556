"""What the Tuner searches, and which studies leave it nothing to search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.study.study import Study

SEARCHED = ("depth", "width", "dropout", "learning_rate", "weight_decay", "penalty")
"""Hyperparameters that the Tuner searches, unless the study file chooses them."""

NO_EVAL_SPLIT = (
    "--tune: this run is evaluated out of fold, so there is no eval split, and hyperparameters "
    "tuned on all subjects would be evaluated on the same subjects. Run without --tune, or with "
    "`evaluation: {scheme: split}` in the study file."
)


def check_tuning(study: Study) -> None:
    """Checks that hyperparameters of a study can be searched, as far as its file decides.

    Args:
        study: The study.

    Raises:
        UserError: It has no eval split, or chooses all hyperparameters that are searched.
    """
    if study.evaluation.scheme in ("cross_fit", "internal_external"):
        raise UserError(NO_EVAL_SPLIT)
    if study.training.hyperparameters.given.keys() >= set(SEARCHED):
        raise UserError(
            "--tune: the study file chooses all hyperparameters that are searched "
            f"({', '.join(SEARCHED)}). Run without --tune, or leave one out of "
            "`training.hyperparameters`."
        )
