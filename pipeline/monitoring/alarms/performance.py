"""Looks at the performance of a task: calibration in the large and AUC.

Both are tests between two samples. The training has as much noise as its number of subjects gives
it, and the same noise at every look. Its outcomes are compared with all of the year, and what came
in the last 13 weeks with the training and the earlier weeks of the year together: monitoring of a
change after a stable sample, of Chu CSJ, Stinchcombe M, White H. Monitoring structural change.
Econometrica 1996;64:1045-1065, with the moving window of Leisch F, Hornik K, Kuan CM. Monitoring
structural changes with the generalized fluctuation test. Econometric Theory 2000;16:835-854.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from pipeline.monitoring.alarms.boundary import boundaries
from pipeline.monitoring.alarms.ranking import RankedPairs, harmonic, ranked_pairs
from pipeline.monitoring.alarms.spending import SHARES, Test, spent_on_change, spent_on_level
from pipeline.monitoring.alarms.state import Comparison, Look
from pipeline.monitoring.alarms.watched import Reference, WatchedTask, WeekOfOutcomes
from pipeline.monitoring.alarms.weeks import Pair, Sizes, check_weeks, grown, pairs, years

_FloatArray = NDArray[np.float64]

FEWEST = 20
"""Events, and subjects without the event, that came: with fewer nothing is judged, since neither
mean nor AUC is near a normal distribution."""

_LENT = 100.0
"""Subjects' worth of the training's variance of errors in that of what came: a variance of few
subjects is too often far too small."""

_LOWEST_VARIANCE = 1e-12
"""Of a difference of means: predictions may all be right."""

_MOST_AUC = 0.999
"""The logit of an AUC has no end."""

_COMPARED: Sequence[tuple[Comparison, Callable[[int], float], tuple[Test, Test]]] = (
    ("training", spent_on_level, ("calibration", "auc")),
    ("earlier", spent_on_change, ("calibration change", "auc change")),
)


@dataclass(frozen=True)
class TaskLooks:
    """All looks at a task, by week.

    Attributes:
        calibration: At mean prediction minus observed rate.
        auc: At the AUC.
    """

    calibration: tuple[Look, ...]
    auc: tuple[Look, ...]


def task_looks(watched: WatchedTask, error: float) -> TaskLooks:
    """Looks at one task.

    Args:
        watched: The task.
        error: Error of a year over all that is watched, divided by the number of tasks.

    Raises:
        ValueError: A week is not a Monday or there twice; prediction, outcome or weight out of
            range.
    """
    check_weeks([week.week for week in watched.weeks])
    known = sorted((_known(week) for week in watched.weeks), key=lambda week: week.week)
    weeks = [week for week in known if len(week.outcomes)]
    calibration: list[Look] = []
    auc: list[Look] = []
    for places, numbers in years([week.week for week in weeks]):
        year = _Year.of([weeks[at] for at in places], numbers, watched.reference)
        for comparison, spending, (of_mean, of_auc) in _COMPARED:
            calibration += year.looks(comparison, spending, SHARES[of_mean] * error, "calibration")
            if watched.reference.has_auc():
                auc += year.looks(comparison, spending, SHARES[of_auc] * error, "auc")
    by_week = [tuple(sorted(looks, key=lambda look: look.week)) for looks in (calibration, auc)]
    return TaskLooks(*by_week)


def _known(week: WeekOfOutcomes) -> WeekOfOutcomes:
    """A week without those who are censored."""
    predictions, outcomes, weights = (
        np.asarray(values, np.float64) for values in (week.predictions, week.outcomes, week.weights)
    )
    rows = weights > 0
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError(f"week {week.week}: weights must be finite and not below 0")
    if not np.isin(outcomes[rows], (0, 1)).all():
        raise ValueError(f"week {week.week}: outcomes must be 0 or 1 where the weight is above 0")
    if not ((predictions[rows] >= 0) & (predictions[rows] <= 1)).all():
        raise ValueError(f"week {week.week}: predictions must be from 0 to 1")
    return WeekOfOutcomes(week.week, predictions[rows], outcomes[rows], weights[rows])


@dataclass(frozen=True, eq=False)
class _Year:
    weeks: Sequence[WeekOfOutcomes]
    numbers: Sequence[int]
    reference: Reference
    sizes: Sizes
    errors: _FloatArray
    """By week the sums of errors times weight, of errors and of their squares times the weight's
    square, `[3, k]`."""
    subjects: NDArray[np.int64]
    """Events and non-events by week, `[2, k]`."""
    ranked: RankedPairs

    @staticmethod
    def of(weeks: Sequence[WeekOfOutcomes], numbers: Sequence[int], reference: Reference) -> _Year:
        errors = [(week.weights, week.predictions - week.outcomes) for week in weeks]
        return _Year(
            weeks,
            numbers,
            reference,
            Sizes(
                reference.subjects,
                np.array([weights.sum() for weights, _ in errors]),
                np.array([(weights**2).sum() for weights, _ in errors]),
            ),
            np.array(
                [
                    [weights**of_weight @ found**of_error for weights, found in errors]
                    for of_weight, of_error in ((1, 1), (2, 1), (2, 2))
                ]
            ),
            np.array([[(week.outcomes == side).sum() for week in weeks] for side in (1, 0)]),
            ranked_pairs(weeks),
        )

    def looks(
        self, comparison: Comparison, spending: Callable[[int], float], error: float, kind: str
    ) -> list[Look]:
        compared = [
            pair
            for pair in pairs(self.numbers, comparison)
            if self.subjects[:, pair.now.weeks].sum(axis=1).min() >= FEWEST
        ]
        spent = grown(spending, [self.numbers[pair.at] for pair in compared])
        limits = boundaries(
            self.sizes.correlations(compared),
            [share * error for share in spent],
            two_sided=kind == "calibration",
        )
        look = self._calibration if kind == "calibration" else self._auc
        return [look(pair, comparison, limit) for pair, limit in zip(compared, limits, strict=True)]

    def _calibration(self, pair: Pair, comparison: Comparison, boundary: float) -> Look:
        reference = self.reference
        now, variance = self._error(pair.now.weeks)
        in_training = reference.subjects
        earlier = self.sizes.effective(pair.before) - in_training
        before, before_variance = reference.mean_error, reference.error_variance
        if earlier > 0:
            mean, of_weeks = self._error(pair.before.weeks)
            both = in_training + earlier
            before = (in_training * before + earlier * mean) / both
            before_variance = (in_training * before_variance + earlier * of_weeks) / both
        variance /= self.sizes.effective(pair.now)
        variance += before_variance / self.sizes.effective(pair.before)
        return Look(
            self.weeks[pair.at].week,
            comparison,
            evidence=float(abs(now - before) / np.sqrt(max(variance, _LOWEST_VARIANCE))),
            boundary=boundary,
            estimate=now,
            expected=before,
            subjects=int(self.subjects[:, pair.now.weeks].sum()),
            direction="too_high" if now > before else "too_low",
        )

    def _error(self, weeks: NDArray[np.bool_]) -> tuple[float, float]:
        """Mean error of some weeks, and the variance of errors of subjects in them."""
        weight, squares = self.sizes.weight[weeks].sum(), self.sizes.squares[weeks].sum()
        sums, of_squares, of_both = self.errors[:, weeks].sum(axis=1)
        mean = sums / weight
        # The variance of a weighted mean: who has a large weight may have large errors as well.
        own = max(float((of_both - 2 * mean * of_squares) / squares + mean**2), 0.0)
        effective = weight**2 / squares
        lent = _LENT * self.reference.error_variance
        return float(mean), (lent + effective * own) / (_LENT + effective)

    def _auc(self, pair: Pair, comparison: Comparison, boundary: float) -> Look:
        reference = self.reference
        before, spread = reference.auc or 0.0, reference.auc_error or 0.0
        in_training = harmonic(reference.events, reference.subjects - reference.events)
        now, size = self.ranked.auc(pair.now.weeks), self.ranked.size(pair.now.weeks)
        earlier = self.ranked.size(pair.before.weeks)
        if earlier > 0:
            of_weeks = self.ranked.auc(pair.before.weeks)
            before = (in_training * before + earlier * of_weeks) / (in_training + earlier)
        # The variance of an AUC of one harmonic size, as the training has it.
        unit = spread**2 * in_training
        variance = unit / size + unit / (in_training + earlier)
        # A ratio near 1 is skewed; its logit is less so.
        scores = logit(np.clip([now, before], 1 - _MOST_AUC, _MOST_AUC))
        slope = 1 / (before * (1 - before)) if 0 < before < 1 else np.inf
        return Look(
            self.weeks[pair.at].week,
            comparison,
            evidence=float((scores[1] - scores[0]) / (slope * np.sqrt(variance))),
            boundary=boundary,
            estimate=now,
            expected=before,
            subjects=int(self.subjects[:, pair.now.weeks].sum()),
            direction="lower" if now < before else "higher",
        )
