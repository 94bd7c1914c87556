"""Calibration curve, ROC curve and confusion matrices of a group of subjects.

They go into `curves.json`, in the `verdict` output beside `metrics.json`:

    {"smallest_group": 100,
     "curves": [
       {"task": "dead_14_days", "slice": {"sex": "F"}, "model": "challenger",
        "subjects": 1804, "positives": 211,
        "calibration": [{"mean_prediction": 0.021, "observed_rate": 0.017, "lower": 0.007,
                         "upper": 0.039, "subjects": 180}, ...],
        "roc": [{"threshold": 1.0, "false_positive_rate": 0.0, "true_positive_rate": 0.0}, ...],
        "confusion": [{"decision_threshold": 0.1, "true_positives": 170, "false_positives": 540,
                       "true_negatives": 1053, "false_negatives": 41}, ...],
        "smooth": [{"prediction": 0.021, "observed_rate": 0.018, "lower": 0.012,
                    "upper": 0.027}, ...],
        "decision": [{"threshold": 0.1, "net_benefit": 0.061, "lower": 0.052, "upper": 0.07,
                      "treat_all": 0.019, "over_all": 0.042, "over_all_lower": 0.034,
                      "over_all_upper": 0.05}, ...]}]}

`slice` is empty for all subjects, `model` is `challenger` or `champion`. Calibration bins have
rising predictions and about equally many subjects, ten where the group is large enough; the
interval is Wilson's of 95 %. Where subjects are weighted (`pipeline.weights`), rates are weighted
and intervals are of the effective number of subjects; numbers of subjects stay counts, and
`weighted` has the observed rate. The ROC curve starts at 0 and ends at 1; it is empty where all
subjects have the same outcome or are too few for a point in between. `smooth` is the smoothed
calibration curve (`components.evaluator.smooth_calibration`), `decision` the decision curve
(`components.evaluator.decision_curve`) at the inner points of the ROC curve. `stability` says how
predictions vary between training samples (`pipeline.results.stability`); it is null unless subjects
were predicted out of fold in several repeats. `referral` says what leaving the subjects with the
widest intervals to people gains (`pipeline.results.referral`), where there are intervals. Lists are
empty if a prediction is not a number. Only groups that `metrics.json` shows are there.

No number concerns fewer subjects than the smallest group, not even by subtraction: the subjects
in order of their predictions are cut once, at the decision thresholds (whose rates
`metrics.json` gives) and elsewhere so that each part holds the smallest group, and all bins and
points begin and end at these cuts. The smoothed curve has at most four parameters and lies between
the means of the outer bins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluator.cuts import Cuts, weight_below
from components.evaluator.decision_curve import Treated, decision_point
from components.evaluator.fold_scores import ModelScores
from components.evaluator.performance import (
    false_positive_rate,
    observed_rate,
    sensitivity,
)
from components.evaluator.records import number_or_none
from components.evaluator.score_table import ScoreTable
from components.evaluator.smooth_calibration import smooth_calibration
from pipeline.estimates import wilson_interval_of_bin
from pipeline.results.clinical_curves import DecisionPoint, SmoothPoint
from pipeline.results.curve_points import CalibrationBin, Confusion, RocPoint, WeightedOutcomes
from pipeline.results.referral import ReferralPoint
from pipeline.results.stability import Stability, stability_of
from pipeline.weights import effective_size

MOST_DECISIONS = 40
"""About the largest number of points of a decision curve, without the study's thresholds."""

_THRESHOLD_DIGITS = 4


@dataclass(frozen=True)
class Curves:
    """The curves of a group, as in `curves.json`; see this module's docstring."""

    calibration: tuple[CalibrationBin, ...] = ()
    roc: tuple[RocPoint, ...] = ()
    confusion: tuple[Confusion, ...] = ()
    smooth: tuple[SmoothPoint, ...] = ()
    decision: tuple[DecisionPoint, ...] = ()
    stability: Stability | None = None
    weighted: WeightedOutcomes | None = None
    referral: tuple[ReferralPoint, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """JSON-like content."""
        lists = ("calibration", "roc", "confusion", "smooth", "decision")
        return {
            **{
                name: [item.model_dump(exclude_unset=True) for item in getattr(self, name)]
                for name in lists
            },
            "stability": self.stability.model_dump() if self.stability else None,
            **({"weighted": self.weighted.model_dump()} if self.weighted else {}),
            **({"referral": [p.model_dump() for p in self.referral]} if self.referral else {}),
        }


def curves_of(table: ScoreTable, decision_thresholds: Sequence[float], smallest: int) -> Curves:
    """Computes the curves of a group.

    Args:
        table: Predictions and outcomes of its subjects.
        decision_thresholds: Probabilities from which a prediction is positive.
        smallest: Fewest subjects that a bin or a step between two points holds.

    Returns:
        The curves.
    """
    if table.subjects < smallest or np.isnan(table.score[-1]):
        return Curves()
    thresholds = sorted(set(decision_thresholds))
    cuts = Cuts(table, thresholds, smallest)
    edges = cuts.calibration_edges()
    points = cuts.roc_cuts(edges)
    bins = tuple(_bins(table, edges))
    return Curves(
        calibration=bins,
        roc=tuple(_roc(table, points, cuts.fixed)),
        confusion=tuple(_confusion(table, threshold) for threshold in thresholds),
        smooth=smooth_calibration(table, bins),
        decision=tuple(_decision(table, points, cuts.fixed)),
        weighted=_weighted(table),
    )


def fold_curves_of(
    scores: ModelScores, decision_thresholds: Sequence[float], smallest: int, folds: int
) -> Curves:
    """Computes the curves of a group that was predicted out of fold.

    The decision curve is the mean over the repeats, the stability is of their differences; the
    other curves are of the first repeat, in which each subject has one prediction.

    Args:
        scores: Predictions and outcomes of its subjects.
        decision_thresholds: Probabilities from which a prediction is positive.
        smallest: Fewest subjects behind a number.
        folds: Folds of a repeat.
    """
    curves = curves_of(scores.first_repeat, decision_thresholds, smallest)
    if not curves.calibration or not scores.valid:
        return curves
    # A subject is in this table once a repeat, so a step holds at least the smallest group.
    table = ScoreTable.merged(scores.repeats)
    cuts = Cuts(table, sorted(set(decision_thresholds)), smallest * len(scores.repeats))
    found = []
    for cut, threshold in _thinned(table, cuts.roc_cuts(cuts.calibration_edges()), cuts.fixed):
        treated = Treated.of(scores.score >= table.score[cut], scores.outcome, scores.weight)
        found.append(decision_point(threshold, treated, folds))
    stability = stability_of(scores.score, 1 - 1 / folds, smallest)
    return replace(curves, decision=tuple(found), stability=stability)


def _bins(table: ScoreTable, edges: Sequence[int]) -> Iterator[CalibrationBin]:
    starts = np.array([0, *edges])
    subjects, weights, positives, predicted, effective = (
        np.add.reduceat(values, starts)
        for values in (
            table.count,
            table.weight,
            table.positive_weight,
            table.weight * table.probability,
            table.squares,
        )
    )
    for count, weight, positive, total, squares in zip(
        subjects, weights, positives, predicted, effective, strict=True
    ):
        # Without weights the number of subjects and of events, to the last digit.
        share = weight / squares if table.sums else 1
        lower, upper = wilson_interval_of_bin(positive * share, weight * share)
        yield CalibrationBin(
            mean_prediction=float(total / weight),
            observed_rate=float(positive / weight),
            lower=lower,
            upper=upper,
            subjects=int(count),
        )


def _roc(table: ScoreTable, cuts: Sequence[int], fixed: dict[int, float]) -> Iterator[RocPoint]:
    if not (cuts and table.positives and table.negatives):
        return
    true, false = (_share_from(of) for of in (table.positive_weight, table.negative_weight))
    yield RocPoint(threshold=1.0, false_positive_rate=0.0, true_positive_rate=0.0)
    for cut in reversed(cuts):
        yield RocPoint(
            threshold=_threshold(table, cut, fixed),
            false_positive_rate=float(false[cut]),
            true_positive_rate=float(true[cut]),
        )
    yield RocPoint(threshold=0.0, false_positive_rate=1.0, true_positive_rate=1.0)


def _decision(
    table: ScoreTable, cuts: Sequence[int], fixed: dict[int, float]
) -> Iterator[DecisionPoint]:
    for cut, threshold in _thinned(table, cuts, fixed):
        yield decision_point(threshold, Treated.from_cut(table, cut))


def _thinned(
    table: ScoreTable, cuts: Sequence[int], fixed: dict[int, float]
) -> Iterator[tuple[int, float]]:
    """Cuts of the decision curve with their thresholds below 1, where the odds are finite."""
    step = -(-len(cuts) // MOST_DECISIONS)
    for place, cut in enumerate(cuts):
        threshold = _threshold(table, cut, fixed)
        if threshold < 1 and (cut in fixed or place % step == 0):
            yield cut, threshold


def _threshold(table: ScoreTable, cut: int, fixed: dict[int, float]) -> float:
    return fixed.get(cut, round(float(table.probability[cut]), _THRESHOLD_DIGITS))


def _share_from(weights: NDArray[Any]) -> NDArray[np.float64]:
    """Share of the weight that is not below a cut."""
    below = weight_below(weights)
    return (below[-1] - below) / below[-1]


def _weighted(table: ScoreTable) -> WeightedOutcomes | None:
    if table.sums is None:
        return None
    effective = effective_size(table.everyone, float(table.squares.sum()))
    return WeightedOutcomes(
        observed_rate=observed_rate(table),
        # Its further digits could disclose how few subjects were lost.
        effective_subjects=float(f"{effective:.3g}"),
    )


def _confusion(table: ScoreTable, threshold: float) -> Confusion:
    first = int(np.searchsorted(table.score, np.float32(threshold), side="left"))
    true, false = int(table.positive[first:].sum()), int(table.negative[first:].sum())
    rates = {}
    if table.sums:
        rates = {
            "true_positive_rate": number_or_none(sensitivity(table, threshold)),
            "false_positive_rate": number_or_none(false_positive_rate(table, threshold)),
        }
    return Confusion(
        decision_threshold=threshold,
        true_positives=true,
        false_positives=false,
        true_negatives=table.negatives - false,
        false_negatives=table.positives - true,
        **rates,
    )
