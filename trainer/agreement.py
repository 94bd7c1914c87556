"""Whether the final model predicts as the models of the folds do.

The served model is trained on all subjects, so no evaluation has seen it. Its signature is
compared with the out-of-fold predictions of the same subjects, by three measures on the scale of
log odds: the mean difference (a wrong intercept), the ratio of the standard deviations (a wrong
calibration slope) and the correlation (features or tasks in a wrong order).

The final model has seen the subjects that it is compared on, so it departs from the out-of-fold
predictions as a matter of course. So do the procedures of the folds on their own training
subjects; each of them is one more sample of how much a fit by the same procedure departs. The
final model may be no further from their mean than a further one of them would be with a
probability of `1 - FALSE_ALARM`: the prediction interval of one more observation, by Student's t
(Geisser 1993, "Predictive inference", section 2.2). It is wider than needed, since the final model
shares more subjects with each procedure than these do with each other. With few procedures the
interval is wide: two folds in one repeat notice little.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.results.final_fit import Departure, FinalFit, Measure, TaskAgreement

FALSE_ALARM = 0.001
"""Probability that a further procedure's measure lies outside the bound, on either side."""

_LEAST: Mapping[Measure, float] = {"shift": 0.05, "spread": 0.1, "correlation": 0.1}
"""What may always differ: rounding of a procedure that hardly varies must not stop a push."""

_SMALLEST_DEVIATION = 1e-3
"""Log odds that vary less are those of a constant model."""


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
    """Compares the final model with the out-of-fold predictions.

    Args:
        final: Logits of its signature for all subjects, float64 `[subjects, tasks]`.
        folds: The procedures of the folds.
        out_of_fold: Mean over the repeats of the out-of-fold logits, float64 `[subjects, tasks]`.
        tasks: Names of the tasks.

    Returns:
        The comparison.
    """
    return FinalFit(
        tasks={
            name: _compare_task(
                final[:, task],
                FoldLogits(folds.logits[:, :, task], folds.trained),
                out_of_fold[:, task],
            )
            for task, name in enumerate(tasks)
        }
    )


def require_agreement(found: FinalFit) -> None:
    """Stops the run if the final model departs from the out-of-fold predictions.

    Raises:
        UserError: It does; the message names tasks and numbers.
    """
    beyond = [
        f"{task}: {measure} {departure.value:+.3f}, bound {departure.bound:.3f}"
        for task, agreement in found.tasks.items()
        for measure, departure in agreement.departures.items()
        if _is_beyond(measure, departure)
    ]
    if beyond:
        raise UserError(
            "The final model does not predict as the models of the folds do, on the scale of log "
            f"odds: {'; '.join(beyond)}. Its metrics would not be those of the evaluation, so it "
            "is not pushed. Run again with another seed; if it stays, report it as a fault."
        )


def _compare_task(
    final: NDArray[np.float64], folds: FoldLogits, out_of_fold: NDArray[np.float64]
) -> TaskAgreement:
    own = _measures(final, out_of_fold)
    procedures = [
        _measures(logits[rows], out_of_fold[rows])
        for logits, rows in zip(folds.logits, folds.trained, strict=True)
    ]
    difference = final - out_of_fold
    return TaskAgreement(
        mean_difference=float(difference.mean()),
        spread_of_difference=float(difference.std()),
        departures={
            measure: _departure(
                own[measure], [values[measure] for values in procedures], _LEAST[measure]
            )
            for measure in _LEAST
        },
    )


def _measures(
    logits: NDArray[np.float64], out_of_fold: NDArray[np.float64]
) -> Mapping[Measure, float]:
    deviations = [max(float(values.std()), _SMALLEST_DEVIATION) for values in (logits, out_of_fold)]
    products = (logits - logits.mean()) * (out_of_fold - out_of_fold.mean())
    correlation = float(products.mean()) / math.prod(deviations)
    return {
        "shift": float(np.mean(logits - out_of_fold)),
        "spread": math.log(deviations[0] / deviations[1]),
        "correlation": math.atanh(min(max(correlation, -1.0 + 1e-9), 1.0 - 1e-9)),
    }


def _departure(own: float, procedures: Sequence[float], least: float) -> Departure:
    from scipy import stats

    count = len(procedures)
    quantile = float(stats.t.ppf(1.0 - FALSE_ALARM / 2.0, count - 1))
    further = quantile * float(np.std(procedures, ddof=1)) * math.sqrt(1.0 + 1.0 / count)
    return Departure(value=own - float(np.mean(procedures)), bound=max(further, least))


def _is_beyond(measure: Measure, departure: Departure) -> bool:
    if measure == "correlation":
        # The final model has more subjects than a fold's: a closer agreement is no fault.
        return departure.value < -departure.bound
    return abs(departure.value) > departure.bound
