"""Whether the final model predicts as the models of the folds do.

The served model is trained on all subjects, so no evaluation has seen it. Each subject was also
in the training of the procedures that predict other folds; what these predict for it is what
the final model would predict if it had been trained on a few subjects less. How much one such
procedure differs from the mean of the others is known, and the final model may differ from the
mean no more than `TOLERANCE` times as much as the procedure that differs most.

This is stated for three numbers on the scale of log odds: the mean difference (a wrong intercept),
the slope of the regression on the mean of the procedures (a wrong calibration slope), and the
correlation with it (features in a wrong order).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.results.final_fit import Departure, FinalFit, TaskAgreement

TOLERANCE = 3.0
_LEAST = {"shift": 0.05, "slope": 0.10, "correlation": 0.02}
"""What may always differ: rounding of a procedure that hardly varies must not stop a push."""


@dataclasses.dataclass(frozen=True)
class FoldLogits:
    """Calibrated logits of the procedures of all folds and repeats.

    Attributes:
        logits: For all subjects, float `[procedures, subjects, tasks]`.
        trained: Subjects that each was trained on, bool `[procedures, subjects]`.
    """

    logits: NDArray[np.float64]
    trained: NDArray[np.bool_]


def compare(
    final: NDArray[np.float64],
    folds: FoldLogits,
    out_of_fold: NDArray[np.float64],
    tasks: Sequence[str],
) -> FinalFit:
    """Compares the final model with the procedures of the folds.

    Args:
        final: Logits of its signature for all subjects, float64 `[subjects, tasks]`.
        folds: The procedures.
        out_of_fold: Mean over the repeats of the out-of-fold logits, float64 `[subjects, tasks]`.
        tasks: Names of the tasks.

    Returns:
        The comparison.
    """
    usual = [_departures_of_procedures(folds, task) for task in range(len(tasks))]
    everyone = np.ones(len(final), bool)
    found = {}
    for task, name in enumerate(tasks):
        mean = _mean(folds.logits[:, :, task], folds.trained)
        own = _departures(final[:, task], mean, everyone)
        difference = final[:, task] - out_of_fold[:, task]
        found[name] = TaskAgreement(
            mean_difference=float(difference.mean()),
            spread_of_difference=float(difference.std()),
            departures={
                what: Departure(value=own[what], bound=_bound(what, [p[what] for p in usual[task]]))
                for what in _LEAST
            },
        )
    return FinalFit(tasks=found)


def require_agreement(found: FinalFit) -> None:
    """Stops the run if the final model departs from the procedures of the folds.

    Raises:
        UserError: It does; the message names tasks and numbers.
    """
    beyond = [
        f"{task}: {what} {departure.value:+.3f}, bound {departure.bound:.3f}"
        for task, agreement in found.tasks.items()
        for what, departure in agreement.departures.items()
        if abs(departure.value) > departure.bound
    ]
    if beyond:
        raise UserError(
            "The final model does not predict as the models of the folds do, on the scale of log "
            f"odds: {'; '.join(beyond)}. Its metrics would not be those of the evaluation, so it "
            "is not pushed. Run again with another seed; if it stays, report it as a fault."
        )


def _departures_of_procedures(folds: FoldLogits, task: int) -> list[Mapping[str, float]]:
    """Of each procedure from the mean of the others that were trained on the same subjects."""
    logits, trained = folds.logits[:, :, task], folds.trained
    found = []
    for procedure in range(len(logits)):
        others = trained.copy()
        others[procedure] = False
        rows = trained[procedure] & others.any(axis=0)
        found.append(_departures(logits[procedure], _mean(logits, others), rows))
    return found


def _mean(logits: NDArray[np.float64], included: NDArray[np.bool_]) -> NDArray[np.float64]:
    counts = np.maximum(included.sum(axis=0), 1)
    return np.asarray(np.sum(logits * included, axis=0) / counts)


def _departures(
    logits: NDArray[np.float64], mean: NDArray[np.float64], rows: NDArray[np.bool_]
) -> Mapping[str, float]:
    """Mean difference, slope minus 1, correlation minus 1."""
    own, other = logits[rows], mean[rows]
    shift = float(np.mean(own - other))
    own, other = own - own.mean(), other - other.mean()
    covariance, variance = float(own @ other), float(other @ other)
    slope = covariance / variance if variance else 1.0
    product = np.sqrt(float(own @ own) * variance)
    correlation = covariance / product if product else 1.0
    return {"shift": shift, "slope": slope - 1.0, "correlation": correlation - 1.0}


def _bound(what: str, usual: Sequence[float]) -> float:
    return max(TOLERANCE * max(map(abs, usual)), _LEAST[what])
