"""Intervals and sets of a task: fitted to calibration subjects, applied to others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.results.uncertainty import (
    COVERAGE,
    FEWEST_OF_GROUP,
    LOWER,
    SET_NEGATIVE,
    SET_POSITIVE,
    UPPER,
    GroupThreshold,
    TaskUncertainty,
)
from trainer.uncertainty.conformal import (
    Threshold,
    fit_threshold,
    members_of,
    with_unknown_group,
)
from trainer.uncertainty.venn_abers import VennAbers, fit_venn_abers

Slices = Mapping[str, NDArray[Any]]
"""Value of each subject by slicing, text `[subjects]`; empty where it has none."""

Groups = Sequence[Mapping[str, str]]
"""Each a value by slicing."""

FEWEST_OF_LEVEL = round(COVERAGE / (1 - COVERAGE))
"""Fewest subjects of a level to calibrate on: with fewer each set has the level."""


@dataclass(frozen=True)
class Calibrators:
    """Intervals and sets of a task as functions of the prediction and the groups.

    Attributes:
        interval: The interval.
        negative: Threshold of the level without the outcome.
        positive: Threshold of the level with it.
        groups: The groups that the thresholds know.
    """

    interval: VennAbers
    negative: Threshold
    positive: Threshold
    groups: Groups

    def __call__(self, scores: NDArray[Any], slices: Slices) -> dict[str, NDArray[np.float32]]:
        """Interval and set of subjects.

        Args:
            scores: Predicted probabilities, float32 `[subjects]`.
            slices: Their groups.

        Returns:
            By part (`pipeline.results.uncertainty.PARTS`), float32 `[subjects]`; of a set 1 where
            it has the level, else 0.
        """
        lower, upper = self.interval(scores)
        members = members_of(slices, self.groups, len(scores))
        unknown = with_unknown_group(slices, self._groups_that_count, len(scores))
        probability = scores.astype(np.float64)
        negative, positive = self.negative(members, unknown), self.positive(members, unknown)
        return {
            LOWER: lower,
            UPPER: upper,
            SET_NEGATIVE: (probability <= negative).astype(np.float32),
            SET_POSITIVE: (1 - probability <= positive).astype(np.float32),
        }

    @property
    def _groups_that_count(self) -> Groups:
        """Groups that add to the threshold of a level."""
        counted = self.negative.of_group.keys() | self.positive.of_group.keys()
        return [group for place, group in enumerate(self.groups) if place in counted]

    def to_document(self) -> TaskUncertainty:
        """The content of `uncertainty.json`."""
        return TaskUncertainty(
            starts=tuple(self.interval.starts.tolist()),
            lower=tuple(self.interval.lower.tolist()),
            upper=tuple(self.interval.upper.tolist()),
            negative=_finite(self.negative.of_level),
            positive=_finite(self.positive.of_level),
            groups=tuple(
                GroupThreshold(
                    slice=dict(group),
                    negative=self.negative.of_group.get(place, 0.0),
                    positive=self.positive.of_group.get(place, 0.0),
                )
                for place, group in enumerate(self.groups)
                if group in self._groups_that_count
            ),
            negative_alone=_finite(self.negative.alone),
            positive_alone=_finite(self.positive.alone),
        )


def fit_task(
    scores: NDArray[Any],
    labels: NDArray[Any],
    weights: NDArray[Any],
    slices: Slices,
    groups: Groups,
    smallest_group: int,
    start: Calibrators | None = None,
) -> Calibrators | str:
    """Fits intervals and sets of a task.

    Args:
        scores: Predicted probabilities of subjects that the model was not trained on, float32
            `[subjects]`.
        labels: 1 with the outcome, 0 without; `[subjects]`.
        weights: Weights, 0 where the outcome is unknown; `[subjects]`.
        slices: Groups of the subjects.
        groups: Groups that may get a number of their own.
        smallest_group: Fewest subjects behind a number that is shown.
        start: Those of other subjects, which are near.

    Returns:
        The calibrators, or why there are none: a sentence.
    """
    known = weights > 0
    positive = known & (labels > 0.5)
    fewest = max(smallest_group, FEWEST_OF_LEVEL)
    for level, whose in ((positive, "with"), (known & ~positive, "without")):
        if level.sum() < fewest:
            return (
                f"Fewer than {fewest} subjects {whose} the outcome can be calibrated on: the model "
                "answers probabilities without intervals and sets."
            )
    members = members_of(slices, groups, len(scores))
    probability = scores.astype(np.float64)

    def threshold(level: NDArray[np.bool_], score: NDArray[Any], near: Threshold | None) -> Any:
        of_level = score[level], weights[level], members[level]
        return fit_threshold(*of_level, COVERAGE, FEWEST_OF_GROUP, near)

    return Calibrators(
        fit_venn_abers(scores, labels, weights, smallest_group),
        threshold(known & ~positive, probability, start.negative if start else None),
        threshold(positive, 1 - probability, start.positive if start else None),
        groups,
    )


def groups_in(slices: Slices, slicings: Sequence[Sequence[str]], fewest: int) -> Groups:
    """The groups of some slicings with enough subjects.

    Args:
        slices: Groups of the subjects.
        slicings: Names of slicings, one or a pair each.
        fewest: Fewest subjects of a group.
    """
    found: list[Mapping[str, str]] = []
    for names in slicings:
        values = np.stack([slices[name] for name in names], axis=1)
        belongs = (values != "").all(axis=1)
        distinct, counts = np.unique(values[belongs], axis=0, return_counts=True)
        found += [
            dict(zip(names, map(str, group), strict=True))
            for group, count in zip(distinct, counts, strict=True)
            if count >= fewest
        ]
    return found


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
