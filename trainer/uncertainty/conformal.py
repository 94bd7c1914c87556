"""Prediction sets of a binary outcome that hold it with a nominal probability.

Label-conditional (Mondrian) inductive conformal prediction: Vovk V, Gammerman A, Shafer G.
Algorithmic Learning in a Random World, 2nd ed. 2022, section 4.6. The score of nonconformity is
one minus the predicted probability of the level. A level is in the set of a subject if its score
is at most a threshold; the threshold is the quantile of the scores of the calibration subjects
with that level, corrected for the subject itself. So of the subjects with the outcome a share of
at least `coverage` has it in its set, and of those without it likewise: a set for all subjects
alike could leave out every subject with a rare outcome.

The threshold is a sum: one number of the level, and one for each group with enough subjects of the
level that the subject is in (of a slicing, or of a pair of slicings). They are such that the
calibration subjects of each such group are covered in that share: groups overlap, and the largest
of the thresholds of a subject's groups would cover more than was asked for. The idea is that of
Jung C, Noarov G, Ramalingam R, Roth A. Batch multivalid conformal prediction. ICLR 2023 and Gibbs
I, Cherian JJ, Candès EJ. Conformal prediction with conditional guarantees. JRSSB 2025;87:1100-26;
the numbers are found by coordinate descent on the quantile loss.

Where follow-up ended early, subjects have weights (`pipeline.weights`) and the quantile is a
weighted one: Tibshirani RJ, Foygel Barber R, Candès EJ, Ramdas A. Conformal prediction under
covariate shift. NeurIPS 2019. The weight of the new subject is not known; it is taken to be the
largest of the calibration subjects, which can only make sets larger. Unknown outcomes have weight
0 and do not count.

All rests on exchangeability: a new subject is like one drawn from the same population. Another
case mix, another site, later years or wrong weights break it, and coverage must be measured again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.results.uncertainty import FEWEST_OF_GROUP

_ROUNDS = 100
_TOLERANCE = 1e-6
_ROUNDING = 1e-9

_FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Threshold:
    """Largest score of nonconformity with which a level is in the set.

    Attributes:
        of_level: Number of the level; infinite where there are too few subjects to leave any out.
        of_group: What is added for the subjects of each group.
        alone: The threshold if there were no groups, for subjects whose groups are not all known:
            the number of the level promises nothing without what each of its groups adds.
    """

    of_level: float
    of_group: Mapping[int, float]
    alone: float

    def __call__(
        self, members: NDArray[np.bool_], unknown: NDArray[np.bool_] | None = None
    ) -> _FloatArray:
        """The threshold of each subject.

        Args:
            members: Whether the subject is in each group; `[subjects, groups]`.
            unknown: Whether that is not known of some group; `[subjects]`. None where it always is.

        Returns:
            float64 `[subjects]`.
        """
        found = np.full(len(members), self.of_level)
        for group, more in self.of_group.items():
            found = found + more * members[:, group]
        return found if unknown is None else np.where(unknown, self.alone, found)


def fit_threshold(
    scores: NDArray[Any],
    weights: NDArray[Any],
    members: NDArray[np.bool_],
    coverage: float,
    fewest: int = FEWEST_OF_GROUP,
    start: Threshold | None = None,
) -> Threshold:
    """Fits the threshold of a level.

    Args:
        scores: Nonconformity of the calibration subjects that have the level; `[subjects]`.
        weights: Their weights, above 0; `[subjects]`.
        members: Whether each is in each group; `[subjects, groups]`.
        coverage: Share that is to have the level in its set.
        fewest: Fewest subjects of a group with a number of its own.
        start: A threshold of other subjects that is near.

    Examples:
        >>> scores = np.arange(1, 20) / 20
        >>> fit_threshold(scores, np.ones(19), np.zeros((19, 0), bool), coverage=0.9).of_level
        0.9
    """
    score, weight = scores.astype(np.float64), weights.astype(np.float64)
    groups = [int(group) for group in np.flatnonzero(members.sum(axis=0) >= fewest)]
    of_group = {group: (start.of_group.get(group, 0.0) if start else 0.0) for group in groups}
    alone = level = conformal_quantile(score, weight, coverage)
    if not groups or not np.isfinite(level):
        return Threshold(level, {}, alone)
    rest = score - Threshold(0.0, of_group, alone)(members)
    rows = {group: np.flatnonzero(members[:, group]) for group in groups}
    for _ in range(_ROUNDS):
        level = conformal_quantile(rest, weight, coverage)
        largest = 0.0
        for group in groups:
            inside = rows[group]
            step = conformal_quantile(rest[inside] - level, weight[inside], coverage)
            rest[inside] -= step
            of_group[group] += step
            largest = max(largest, abs(step))
        if largest <= _TOLERANCE:
            break
    return Threshold(conformal_quantile(rest, weight, coverage), of_group, alone)


def conformal_quantile(scores: _FloatArray, weights: _FloatArray, coverage: float) -> float:
    """Smallest score that at least a share of the calibration subjects and a new one reach.

    The new subject has the largest weight and an infinite score.

    Args:
        scores: `[subjects]`.
        weights: Above 0; `[subjects]`.
        coverage: The share.

    Returns:
        Infinite where no score is that large.

    Examples:
        >>> conformal_quantile(np.arange(9.0), np.ones(9), 0.9)
        8.0
        >>> conformal_quantile(np.arange(8.0), np.ones(8), 0.9)
        inf
    """
    if not len(scores):
        return float("inf")
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weights[order])
    needed = coverage * (reached[-1] + float(weights.max()))
    place = int(np.searchsorted(reached, needed - _ROUNDING * reached[-1]))
    return float(scores[order[place]]) if place < len(scores) else float("inf")


def members_of(
    slices: Mapping[str, NDArray[Any]], groups: Sequence[Mapping[str, str]], subjects: int
) -> NDArray[np.bool_]:
    """Whether each subject is in each group.

    Args:
        slices: Value of each subject by slicing; text `[subjects]`.
        groups: Each a value by slicing: one slicing, or two of a pair.
        subjects: Number of subjects.

    Returns:
        bool `[subjects, groups]`.
    """
    found = np.ones((subjects, len(groups)), np.bool_)
    for place, group in enumerate(groups):
        for slicing, value in group.items():
            found[:, place] &= slices[slicing] == value
    return found


def with_unknown_group(
    slices: Mapping[str, NDArray[Any]], groups: Sequence[Mapping[str, str]], subjects: int
) -> NDArray[np.bool_]:
    """Whether a subject's value is unknown in a slicing of the groups.

    Args:
        slices: Value of each subject by slicing, empty where unknown; text `[subjects]`.
        groups: Each a value by slicing.
        subjects: Number of subjects.

    Returns:
        bool `[subjects]`.
    """
    found = np.zeros(subjects, np.bool_)
    for slicing in {name for group in groups for name in group}:
        found |= slices[slicing] == ""
    return found
