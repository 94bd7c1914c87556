"""Data passed between the accuracy benchmark's processes: divisions of a trial and scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.weights import is_weighted

OURS = "ours"
SCIKIT_LEARN = ("logistic regression", "random forest", "gradient boosting")


@dataclass(frozen=True)
class Division:
    """One division of a trial into train, eval and test.

    Attributes:
        study: Name of a shipped study.
        data: Folder of the trial's data.
        seed: Seed of the division.
        holdout_sites: If given, the test split is these sites' subjects.
        baselines: Which of scikit-learn's models to fit as well.
        check_served: Whether to score the test split with the saved model too.
        training_seed: Seed of this project's training and of scikit-learn's.
    """

    study: str
    data: Path
    seed: int
    baselines: tuple[str, ...] = SCIKIT_LEARN
    holdout_sites: tuple[str, ...] = ()
    check_served: bool = False
    training_seed: int = 0


@dataclass(frozen=True)
class Scores:
    """Predictions of every model on one test split; kept in memory only, since they are patients'.

    Attributes:
        division: The division.
        tasks: Names of the tasks.
        subjects: Pseudonyms, bytes `[subjects]`.
        labels: 0 or 1, float32 `[subjects, tasks]`.
        weights: Weights, 0 where the label is unknown, float32 `[subjects, tasks]`.
        probabilities: Per model float64 `[subjects, tasks]`.
        split_sizes: Subjects of each split.
        subject_key: Secret that the pseudonyms were made with.
        served_difference: Largest difference between the saved model's probabilities and those of
            the fit; None if it was not checked.
        best_epoch: Epoch that eval chose; 0 is the linear start.
        seconds: Wall time of each part.
    """

    division: Division
    tasks: tuple[str, ...]
    subjects: NDArray[Any]
    labels: NDArray[Any]
    weights: NDArray[Any]
    probabilities: dict[str, NDArray[Any]]
    split_sizes: dict[str, int]
    subject_key: bytes = field(repr=False)
    served_difference: float | None
    best_epoch: int
    seconds: dict[str, float]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether the label is known, `[subjects, tasks]`."""
        return self.weights > 0

    def of_task(
        self, task: str, model: str
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]:
        """Labels, probabilities and weights `[known subjects]` of one task and model.

        The weights are None where each is 1.
        """
        column = self.tasks.index(task)
        rows = self.known[:, column]
        weights = self.weights[rows, column]
        return (
            self.labels[rows, column],
            self.probabilities[model][rows, column],
            weights if is_weighted(weights) else None,
        )
