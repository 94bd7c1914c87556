"""Permutation importance of the sources of a model's features.

The values of a source are shuffled between subjects, which removes their association with the
outcome and keeps their distribution; the loss in performance is the importance of the source.
Breiman L. Random forests. Machine Learning 2001;45:5-32; for any model Fisher A, Rudin C, Dominici
F. All models are wrong, but many are useful. JMLR 2019;20(177):1-81.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from notebooks.results.served_model import Predict, unmixed
from pipeline.estimates import Estimate, normal_interval
from pipeline.weights import Weights, error_of_weighted_mean, is_weighted

_FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Loss:
    """Loss in a metric when a source is shuffled; above 0 the model is worse.

    Attributes:
        value: Mean over the repeats.
        spread: Standard deviation of single repeats around it.
        standard_error: Of the mean, from the choice of subjects and of permutations.
    """

    value: float
    spread: float
    standard_error: float

    @property
    def estimate(self) -> Estimate:
        """The mean with its 95 % interval."""
        return normal_interval(self.value, self.standard_error)


@dataclass(frozen=True)
class Importance:
    """How much a task's predictions rely on a source.

    Attributes:
        source: The source.
        task: The task.
        auc: Loss in AUC.
        brier: Rise of the Brier score.
    """

    source: str
    task: str
    auc: Loss
    brier: Loss


def permutation_importance(
    predict: Predict,
    labels: _FloatArray,
    weights: Weights,
    sources: Sequence[str],
    tasks: Sequence[str],
    repeats: int,
    seed: int,
) -> list[Importance]:
    """Loss in AUC and Brier score by shuffling each source between all subjects.

    Args:
        predict: The model, over subjects `0 .. n - 1`.
        labels: 0 or 1, shape [n, tasks].
        weights: Weights, 0 where the label is unknown, shape [n, tasks].
        sources: Names of the sources.
        tasks: Names of the tasks; a task whose known labels are all equal is excluded.
        repeats: Permutations of each source, at least 2.
        seed: Seed of the permutations.

    Returns:
        One for each source and task, by task.
    """
    rng = np.random.default_rng(seed)
    origin = unmixed(len(labels), len(sources))
    before = predict(origin)
    judged = [task for task in range(len(tasks)) if _varies(labels[weights[:, task] > 0, task])]
    scores = {task: _Score.of(before, labels, weights, task) for task in judged}
    weighting = {task: _Weighting.of(labels, weights, task) for task in judged}
    found: list[Importance] = []
    for place, source in enumerate(sources):
        losses: dict[int, list[_Difference]] = {task: [] for task in judged}
        for _ in range(repeats):
            shuffled = origin.copy()
            shuffled[:, place] = rng.permutation(len(labels))
            after = predict(shuffled)
            for task in judged:
                score = _Score.of(after, labels, weights, task)
                losses[task].append(scores[task].minus(score))
        found += [
            _importance(source, tasks[task], losses[task], weighting[task]) for task in judged
        ]
    return sorted(found, key=lambda item: tasks.index(item.task))


@dataclass(frozen=True)
class _Score:
    """A task's performance as means over subjects.

    Attributes:
        above: Share of negatives below each positive, ties counted half; shape [positives].
        below: Share of positives above each negative, likewise; shape [negatives].
        squared: Squared error of each subject; shape [known].
    """

    above: _FloatArray
    below: _FloatArray
    squared: _FloatArray

    @classmethod
    def of(
        cls, probabilities: _FloatArray, labels: _FloatArray, weights: Weights, task: int
    ) -> _Score:
        inside = weights[:, task] > 0
        outcome = labels[inside, task] > 0.5
        predicted, own = probabilities[inside, task], weights[inside, task].astype(np.float64)
        positive, negative = predicted[outcome], predicted[~outcome]
        return cls(
            above=_share_below(positive, negative, own[~outcome]),
            below=1 - _share_below(negative, positive, own[outcome]),
            squared=(predicted - outcome) ** 2,
        )

    def minus(self, other: _Score) -> _Difference:
        return _Difference(
            self.above - other.above, self.below - other.below, other.squared - self.squared
        )


@dataclass(frozen=True)
class _Difference:
    above: _FloatArray
    below: _FloatArray
    squared: _FloatArray


@dataclass(frozen=True)
class _Weighting:
    """Weights of the subjects with a known label; float64."""

    positive: _FloatArray
    negative: _FloatArray
    everyone: _FloatArray

    @classmethod
    def of(cls, labels: _FloatArray, weights: Weights, task: int) -> _Weighting:
        inside = weights[:, task] > 0
        outcome, own = labels[inside, task] > 0.5, weights[inside, task].astype(np.float64)
        return cls(own[outcome], own[~outcome], own)


def _importance(
    source: str, task: str, repeats: Sequence[_Difference], weighting: _Weighting
) -> Importance:
    above = np.stack([item.above for item in repeats])
    below = np.stack([item.below for item in repeats])
    squared = np.stack([item.squared for item in repeats])
    return Importance(
        source,
        task,
        auc=_loss([(above, weighting.positive), (below, weighting.negative)]),
        brier=_loss([(squared, weighting.everyone)]),
    )


def _loss(parts: Sequence[tuple[_FloatArray, _FloatArray]]) -> Loss:
    """Summarizes a loss.

    The variance of a mean of subjects' parts; for the AUC those are the structural components of
    DeLong ER, DeLong DM, Clarke-Pearson DL (Biometrics 1988;44:837-45), of positives and of
    negatives. Each part is averaged over the repeats first, so that its variance includes that of
    the permutations.

    Args:
        parts: Independent sets of parts, each [repeats, subjects], with the subjects' weights. The
            mean of the first is the loss.
    """
    values, weight = parts[0]
    if any(is_weighted(own) for _, own in parts):
        errors = [error_of_weighted_mean(part.mean(axis=0), own) for part, own in parts]
        means = values @ (weight / weight.sum())
        return Loss(float(means.mean()), float(means.std(ddof=1)), math.hypot(*errors))
    variance = sum(float(part.mean(axis=0).var(ddof=1)) / part.shape[1] for part, _ in parts)
    return Loss(
        value=float(values.mean()),
        spread=float(values.mean(axis=1).std(ddof=1)),
        standard_error=float(np.sqrt(variance)),
    )


def _share_below(values: _FloatArray, others: _FloatArray, weight: _FloatArray) -> _FloatArray:
    """Weighted share of the others below each value, ties counted half (Mann-Whitney)."""
    order = np.argsort(others)
    ordered, below = others[order], np.concatenate([[0.0], np.cumsum(weight[order])])
    less = np.searchsorted(ordered, values, side="left")
    at_most = np.searchsorted(ordered, values, side="right")
    share: _FloatArray = (below[less] + below[at_most]) / (2 * below[-1])
    return share


def _varies(labels: _FloatArray) -> bool:
    positives = int((labels > 0.5).sum())
    return min(positives, len(labels) - positives) > 1
