"""Intervals and sets of all tasks of a model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.results.uncertainty import (
    COVERAGE,
    FEWEST_OF_GROUP,
    PARTS,
    TaskUncertainty,
    Uncertainty,
)
from trainer.uncertainty.task import Calibrators, Groups, Slices, fit_task, groups_in


@dataclasses.dataclass(frozen=True)
class Labelled:
    """Subjects with what intervals and sets are fitted to.

    Attributes:
        labels: 0 or 1, float32 `[subjects, tasks]`.
        weights: 0 where the label is unknown, float32 `[subjects, tasks]`.
        slices: Value of each subject by slicing, text `[subjects]`.
    """

    labels: NDArray[Any]
    weights: NDArray[Any]
    slices: Slices

    def take(self, rows: NDArray[Any]) -> Labelled:
        """The subjects at these positions."""
        return Labelled(
            self.labels[rows],
            self.weights[rows],
            {name: values[rows] for name, values in self.slices.items()},
        )


@dataclasses.dataclass(frozen=True)
class ModelUncertainty:
    """Intervals and sets of the tasks, or why there are none.

    Attributes:
        tasks: By task.
    """

    tasks: Mapping[str, Calibrators | str]

    def __call__(self, scores: NDArray[Any], slices: Slices) -> dict[str, NDArray[np.float32]]:
        """Interval and set of subjects.

        Args:
            scores: Predicted probabilities, float32 `[subjects, tasks]`.
            slices: Their groups.

        Returns:
            By part (`pipeline.results.uncertainty.PARTS`), float32 `[subjects, tasks]`;
            not-a-number for a task without.
        """
        found = {part: np.full(scores.shape, np.nan, np.float32) for part in PARTS}
        for column, calibrators in enumerate(self.tasks.values()):
            if isinstance(calibrators, str):
                continue
            for part, values in calibrators(scores[:, column], slices).items():
                found[part][:, column] = values
        return found

    def to_document(self, out_of_fold: bool) -> Uncertainty:
        """The content of `uncertainty.json`."""
        return Uncertainty(
            coverage=COVERAGE,
            out_of_fold=out_of_fold,
            tasks={
                task: TaskUncertainty(why_not=found)
                if isinstance(found, str)
                else found.to_document()
                for task, found in self.tasks.items()
            },
        )


@dataclasses.dataclass(frozen=True)
class Fit:
    """How intervals and sets are fitted.

    Attributes:
        tasks: Names of the tasks.
        slicings: Names of slicings, one or a pair each, whose groups sets are conditional on.
        smallest_group: Fewest subjects behind a number that is shown.
    """

    tasks: Sequence[str]
    slicings: Sequence[Sequence[str]]
    smallest_group: int

    def __call__(self, scores: NDArray[Any], subjects: Labelled) -> ModelUncertainty:
        """Fits to subjects that the model was not trained on.

        Args:
            scores: Predicted probabilities, float32 `[subjects, tasks]`.
            subjects: The subjects.
        """
        groups = groups_in(subjects.slices, self.slicings, FEWEST_OF_GROUP)
        return self._fit(scores, subjects, groups, None)

    def cross_fitted(
        self,
        scores: NDArray[Any],
        folds: NDArray[Any],
        subjects: Labelled,
        near: ModelUncertainty,
    ) -> dict[str, NDArray[np.float32]]:
        """Interval and set of each subject, fitted to the subjects of the other folds.

        Args:
            scores: Out-of-fold probabilities, float32 `[subjects, repeats, tasks]`.
            folds: Fold in each repeat, int `[subjects, repeats]`.
            subjects: The subjects.
            near: What was fitted to all subjects.

        Returns:
            By part, float32 `[subjects, repeats, tasks]`; not-a-number for a task that can't be
            fitted without one of the folds.
        """
        groups = groups_in(subjects.slices, self.slicings, FEWEST_OF_GROUP)
        found = {part: np.full(scores.shape, np.nan, np.float32) for part in PARTS}
        for repeat in range(folds.shape[1]):
            of_repeat = scores[:, repeat]
            for fold in np.unique(folds[:, repeat]):
                left_out = folds[:, repeat] == fold
                others = subjects.take(~left_out)
                fitted = self._fit(of_repeat[~left_out], others, groups, near)
                parts = fitted(of_repeat[left_out], subjects.take(left_out).slices)
                for part, values in parts.items():
                    found[part][left_out, repeat] = values
        return {part: _whole_tasks(values) for part, values in found.items()}

    def _fit(
        self,
        scores: NDArray[Any],
        subjects: Labelled,
        groups: Groups,
        near: ModelUncertainty | None,
    ) -> ModelUncertainty:
        found: dict[str, Calibrators | str] = {}
        for column, task in enumerate(self.tasks):
            start = near.tasks[task] if near else None
            found[task] = (
                start
                if isinstance(start, str)
                else fit_task(
                    scores[:, column],
                    subjects.labels[:, column],
                    subjects.weights[:, column],
                    subjects.slices,
                    groups,
                    self.smallest_group,
                    start,
                )
            )
        return ModelUncertainty(found)


def _whole_tasks(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without the tasks that some subjects have no value of."""
    incomplete = np.isnan(values).any(axis=(0, 1))
    return np.where(incomplete, np.float32(np.nan), values)
