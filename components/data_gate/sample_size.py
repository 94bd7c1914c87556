"""Whether a trial is large enough to train a model on: criteria of Riley et al.

Riley RD, Ensor J, Snell KIE, et al. Calculating the sample size required for developing a clinical
prediction model. BMJ 2020;368:m441, with the criteria of Riley et al. 2019 (Statistics in Medicine
38:1276-1296) that the R package pmsampsize 1.1.3 computes for a binary outcome: a shrinkage of
at least .9, an optimism of the apparent Nagelkerke R² of at most .05, and the overall risk within
±.05.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.data_gate.rules import Columns
from pipeline.results.censoring import CensoredTask
from pipeline.results.counts import Counts, LabelCounts
from pipeline.results.findings import Finding
from pipeline.study.features import MIN_CATEGORY_COUNT
from pipeline.study.sections import Gate
from pipeline.titles import called

_SHRINKAGE = 0.9
_OPTIMISM = 0.05
_MARGIN = 0.05
_NORMAL_QUANTILE = 1.96
"""Rounded as in the paper and in pmsampsize."""


@dataclass(frozen=True)
class RequiredSize:
    """Subjects that each criterion asks for.

    Attributes:
        shrinkage: For an expected uniform shrinkage of at least .9.
        optimism: For a difference of at most .05 between apparent and adjusted Nagelkerke R².
        overall_risk: For an overall risk within ±.05 of its true value.
    """

    shrinkage: int
    optimism: int
    overall_risk: int

    @property
    def subjects(self) -> int:
        """The largest of them."""
        return max(self.shrinkage, self.optimism, self.overall_risk)


def largest_r_squared(prevalence: float) -> float:
    """Largest possible Cox-Snell R² of a binary outcome.

    Args:
        prevalence: Share of subjects with the outcome, between 0 and 1.

    Examples:
        >>> round(largest_r_squared(0.5), 2), round(largest_r_squared(0.05), 2)
        (0.75, 0.33)
    """
    log_likelihood = prevalence * math.log(prevalence) + (1 - prevalence) * math.log1p(-prevalence)
    return -math.expm1(2 * log_likelihood)


def required_size(parameters: int, prevalence: float, r_squared: float) -> RequiredSize:
    """Subjects with a known outcome that training a model needs.

    Args:
        parameters: Predictor parameters, at least 1.
        prevalence: Share of subjects with the outcome, between 0 and 1.
        r_squared: Anticipated Cox-Snell R² of the model, above 0 and below .9.

    Examples:
        >>> required_size(24, 0.174, 0.288)
        RequiredSize(shrinkage=623, optimism=662, overall_risk=221)
    """
    largest = largest_r_squared(prevalence)
    return RequiredSize(
        shrinkage=_size_for_shrinkage(parameters, r_squared, _SHRINKAGE),
        optimism=_size_for_shrinkage(
            parameters, r_squared, r_squared / (r_squared + _OPTIMISM * largest)
        ),
        overall_risk=math.ceil((_NORMAL_QUANTILE / _MARGIN) ** 2 * prevalence * (1 - prevalence)),
    )


def _size_for_shrinkage(parameters: int, r_squared: float, shrinkage: float) -> int:
    return math.ceil(parameters / ((shrinkage - 1) * math.log(1 - r_squared / shrinkage)))


def predictor_parameters(columns: Columns) -> int:
    """Coefficients that a linear model of the transformed features has, without the intercept.

    One for each number and one if values of it are missing; for each category one less than its
    levels, with rare levels as one and missing values as one. A lower bound for a network.
    """
    of_numbers = sum(1 + int(columns.missing[name].any()) for name in columns.numbers)
    of_categories = sum(
        max(_levels(codes, columns.missing[name]) - 1, 0)
        for name, codes in columns.categories.items()
    )
    return of_numbers + of_categories


def _levels(codes: NDArray[np.int64], missing: NDArray[np.bool_]) -> int:
    counts = np.bincount(codes[~missing])
    rare = (counts > 0) & (counts < MIN_CATEGORY_COUNT)
    return int((counts >= MIN_CATEGORY_COUNT).sum() + rare.any() + missing.any())


def sample_size(
    columns: Columns, counts: Counts, gate: Gate, smallest_group: int
) -> Iterator[Finding]:
    """Compares each task's subjects with a known label with the number that training needs.

    Args:
        columns: Features of the subjects for training; they give the predictor parameters.
        counts: Labels of each task.
        gate: Severity and anticipated fit.
        smallest_group: Fewest subjects that a number is shown for.
    """
    parameters = predictor_parameters(columns)
    if not parameters:
        return
    for task in columns.labels:
        labels = counts.tasks[task]["train"]
        if 0 < labels.positives < labels.known:
            rate = _weighted_rate(counts.censoring.get(task), smallest_group)
            prevalence = labels.positives / labels.known if rate is None else rate
            name = called(task, columns.task_titles)
            yield _finding(task, name, labels, prevalence, parameters, gate)


def _weighted_rate(task: CensoredTask | None, smallest_group: int) -> float | None:
    """Weighted share with the outcome, of all subjects; None without weights.

    None as well where it may not be shown: beside the share of known labels it would say how many
    were censored.
    """
    if task is None or task.is_complete:
        return None
    whole = task.published(smallest_group).whole
    rate = whole.weighted if whole else None
    return rate if rate is not None and 0 < rate < 1 else None


def _finding(
    task: str, name: str, labels: LabelCounts, prevalence: float, parameters: int, gate: Gate
) -> Finding:
    fit = gate.anticipated_fit * largest_r_squared(prevalence)
    needed = required_size(parameters, prevalence, fit).subjects
    enough = labels.known >= needed
    per_parameter = min(labels.positives, labels.known - labels.positives) / parameters
    advice = (
        " Expect predictions that are too extreme and vary with the training sample: name fewer "
        "features, or read the result as exploratory."
    )
    return Finding(
        rule="sample_size",
        severity="ok" if enough else gate.sample_size,
        message=(
            f"task {name}: {labels.known:,} subjects with a known label for training; at least "
            f"{needed:,} are needed (Riley et al. 2020, BMJ 368:m441) for {parameters} predictor "
            f"parameters, an observed rate of {prevalence:.3f} and an anticipated Cox-Snell R² of "
            f"{fit:.3f}. There are {per_parameter:.1f} subjects of the rarer outcome per "
            f"parameter; a network has more parameters.{'' if enough else advice}"
        ),
        task=task,
        split="train",
        value=labels.known,
        limit=needed,
    )
