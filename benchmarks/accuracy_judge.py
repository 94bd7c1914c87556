"""Judges the scores of all divisions of a study by its standard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

import numpy as np

from benchmarks.accuracy_division import OURS, SCIKIT_LEARN, Scores
from benchmarks.accuracy_sites import (
    SiteComparison,
    ours_minus_trial,
)
from benchmarks.accuracy_statistics import (
    CalibrationCheck,
    Difference,
    auc,
    best_model,
    brier,
    check_calibration,
    paired_difference,
)

Metric = Literal["auc", "brier"]


TITLES: dict[Metric, str] = {"auc": "ROC AUC", "brier": "Brier score"}


_MEASURES = {"auc": auc, "brier": brier}


SLOPES = (0.9, 1.1)


MOST_ECE = 0.015


MOST_BRIER_DIFFERENCE = 0.002


LEAST_OVER_TRIAL = 0.005


MOST_SERVED_DIFFERENCE = 1e-5
"""Probabilities of the saved model are float32."""


@dataclass(frozen=True)
class Standard:
    """Criteria of a study.

    Attributes:
        divisions: Seeds of the split, from 1.
        least_auc_difference: Smallest difference of the AUC to the best of scikit-learn's models.
        calibration: Whether calibration slope and error are judged.
    """

    divisions: int
    least_auc_difference: float
    calibration: bool


STANDARDS = {
    "ist": Standard(divisions=5, least_auc_difference=-0.005, calibration=True),
    "actg175": Standard(divisions=20, least_auc_difference=-0.01, calibration=False),
}


@dataclass(frozen=True)
class Comparison:
    """One metric of one task.

    Attributes:
        task: Name of the task.
        metric: The metric.
        subjects: Known labels in a test split, mean over the divisions.
        events: Positive ones among them, mean over the divisions.
        values: Per model, the metric in each division.
        means: Per model, its mean.
        best: The best of scikit-learn's models by its mean.
        difference: Difference of this project's model to it.
        limit: Limit of the difference: at least for AUC, at most for Brier.
        met: Whether it is met.
    """

    task: str
    metric: Metric
    subjects: float
    events: float
    values: dict[str, list[float]]
    means: dict[str, float]
    best: str
    difference: Difference
    limit: float
    met: bool


@dataclass(frozen=True)
class Judged:
    """Results of one study.

    Attributes:
        study: Its name.
        divisions: Number of divisions.
        comparisons: All tasks and metrics.
        calibration: Per task and model, over the test splits of all divisions.
        calibration_met: Per task, whether calibration meets the criteria; empty without criteria.
        served_difference: Largest distance of the saved model's probabilities.
        sites: Hospitals held out.
        runs: Sizes, chosen epoch and seconds of each division.
    """

    study: str
    divisions: int
    comparisons: tuple[Comparison, ...]
    calibration: dict[str, dict[str, CalibrationCheck]]
    calibration_met: dict[str, bool]
    served_difference: float
    sites: SiteComparison | None
    runs: tuple[dict[str, Any], ...]

    @property
    def served_met(self) -> bool:
        """Whether the saved model's predictions equal those of the fit."""
        return self.served_difference <= MOST_SERVED_DIFFERENCE

    @property
    def sites_met(self) -> bool:
        """Whether the model is better than the trial's own prediction, if that is a criterion."""
        return self.sites is None or ours_minus_trial(self.sites).mean >= LEAST_OVER_TRIAL

    @property
    def met(self) -> bool:
        """Whether every criterion is met."""
        comparisons = all(comparison.met for comparison in self.comparisons)
        calibrated = all(self.calibration_met.values())
        return comparisons and calibrated and self.served_met and self.sites_met


def judge(study: str, scored: Sequence[Scores], sites: SiteComparison | None) -> Judged:
    """Compares the scores of a study with its standard.

    Args:
        study: One of `STANDARDS`.
        scored: Scores of its divisions.
        sites: Of hospitals held out.

    Returns:
        The judgement.
    """
    standard = STANDARDS[study]
    tasks = scored[0].tasks
    comparisons = tuple(
        _compare(task, metric, scored, standard.least_auc_difference)
        for metric in TITLES
        for task in tasks
    )
    calibration = {task: _pooled_calibration(task, scored) for task in tasks}
    judged = tasks if standard.calibration else ()
    return Judged(
        study=study,
        divisions=len(scored),
        comparisons=comparisons,
        calibration=calibration,
        calibration_met={task: _is_calibrated(calibration[task][OURS]) for task in judged},
        served_difference=max(
            found.served_difference for found in scored if found.served_difference is not None
        ),
        sites=sites,
        runs=tuple(_run(found) for found in scored),
    )


def _compare(
    task: str, metric: Metric, scored: Sequence[Scores], least_auc_difference: float
) -> Comparison:
    measure = _MEASURES[metric]
    values = {
        model: [measure(*found.of_task(task, model)) for found in scored]
        for model in (OURS, *SCIKIT_LEARN)
    }
    means = {model: fmean(found) for model, found in values.items()}
    best = best_model(
        {model: means[model] for model in SCIKIT_LEARN}, higher_is_better=metric == "auc"
    )
    ratio = fmean(found.split_sizes["test"] / found.split_sizes["train"] for found in scored)
    difference = paired_difference(values[OURS], values[best], ratio)
    limit = least_auc_difference if metric == "auc" else MOST_BRIER_DIFFERENCE
    labels = [found.of_task(task, OURS)[0] for found in scored]
    return Comparison(
        task=task,
        metric=metric,
        subjects=fmean(len(known) for known in labels),
        events=fmean(float(known.sum()) for known in labels),
        values=values,
        means=means,
        best=best,
        difference=difference,
        limit=limit,
        met=difference.mean >= limit if metric == "auc" else difference.mean <= limit,
    )


def _pooled_calibration(task: str, scored: Sequence[Scores]) -> dict[str, CalibrationCheck]:
    found: dict[str, CalibrationCheck] = {}
    for model in scored[0].probabilities:
        labels, probabilities, weights = zip(
            *(one.of_task(task, model) for one in scored), strict=True
        )
        # In one division each label may have been observed, in another not.
        own = [
            np.ones(len(label)) if weight is None else weight
            for label, weight in zip(labels, weights, strict=True)
        ]
        found[model] = check_calibration(
            np.concatenate(labels),
            np.concatenate(probabilities),
            None if all(weight is None for weight in weights) else np.concatenate(own),
        )
    return found


def _is_calibrated(check: CalibrationCheck) -> bool:
    return SLOPES[0] <= check.slope <= SLOPES[1] and check.ece <= MOST_ECE


def _run(scores: Scores) -> dict[str, Any]:
    return {
        "seed": scores.division.seed,
        "split_sizes": scores.split_sizes,
        "best_epoch": scores.best_epoch,
        "seconds": scores.seconds,
    }
