"""Differences of rates after adjustment for baseline characteristics.

A logistic model of the outcome on group and covariates predicts, for every subject of both
groups, the probability of the event under either of them; the mean predictions are compared
(marginal standardisation, g-computation). With random assignment the result estimates the same
difference as the plain one, usually more precisely, also where the model is wrong: Moore KL, van
der Laan MJ. Stat Med 2009;28:39-64; FDA, Adjusting for Covariates in Randomized Clinical Trials,
2023, section III.B. Standard errors are of the sandwich kind: those of the M-estimator that joins
the model's and the means' estimating equations (Stefanski LA, Boos DD. Am Stat 2002;56:29-38), so
that neither the model nor the variance it claims has to be true.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components.trial_analysis.subjects import Factor, TrialSubjects, sampled
from pipeline.estimates import Estimate, log_normal_interval, normal_interval
from pipeline.results.analysis import AdjustedEffect

_EVENTS_A_COEFFICIENT = 10
"""Peduzzi P, et al. J Clin Epidemiol 1996;49:1373-9."""

_FEWEST_WITH_VALUE = 20
"""Values of fewer subjects share a coefficient: each alone could separate the outcomes."""

_SEPARATED = 30.0
"""Log odds beyond what data support: covariates separate the outcomes, so coefficients diverge."""

Floats = NDArray[np.float64]


def design_matrix(
    subjects: TrialSubjects, covariates: Sequence[str], places: NDArray[np.int64]
) -> Floats:
    """Covariates as columns.

    A missing number becomes the mean, with a column of its own that says so; a missing category
    is a value like another. With random assignment neither biases a difference of arms (White
    IR, Thompson SG. Stat Med 2005;24:993-1007).

    Args:
        subjects: The subjects.
        covariates: Names of characteristics.
        places: Which subjects, shape [m].

    Returns:
        Shape [m, columns]; no constant.
    """
    columns: list[Floats] = []
    for name in covariates:
        if name in subjects.numbers:
            columns += _number_columns(subjects.numbers[name][places].astype(np.float64))
        else:
            columns += _category_columns(subjects.categories[name].codes[places])
    return np.column_stack(columns) if columns else np.empty((len(places), 0))


def adjusted_effect(
    subjects: TrialSubjects, task: str, factor: Factor, level: str, covariates: Sequence[str]
) -> AdjustedEffect:
    """A comparison after adjustment.

    Args:
        subjects: The subjects.
        task: Whose outcome.
        factor: What is compared.
        level: The group that is compared with the factor's control.
        covariates: What to adjust for.
    """
    outcome = subjects.outcomes[task]
    treated = factor.of(level)
    places = sampled((treated | factor.of(str(factor.control))) & outcome.known)
    if not covariates:
        return AdjustedEffect(absent="The study file names nothing to adjust for.")
    design = design_matrix(subjects, covariates, places)
    positive = outcome.positive[places].astype(np.float64)
    coefficients = int(np.linalg.matrix_rank(design.T @ design, hermitian=True)) + 1
    rarer = int(min(positive.sum(), len(positive) - positive.sum()))
    if rarer < _EVENTS_A_COEFFICIENT * coefficients:
        return AdjustedEffect(
            absent=(
                f"{len(covariates)} covariates make {coefficients} coefficients, which need "
                f"{_EVENTS_A_COEFFICIENT * coefficients} subjects with and as many without the "
                "event: there are fewer. Name fewer covariates in the study file "
                "(analysis.adjust_for)."
            )
        )
    found = standardised(positive, treated[places], design)
    if found is None:
        return AdjustedEffect(absent="The logistic model has no finite solution on these data.")
    difference, ratio, p_value = found
    return AdjustedEffect(
        absent=None,
        covariates=tuple(covariates),
        subjects=len(places),
        risk_difference=difference,
        risk_ratio=ratio,
        p_value=p_value,
    )


def standardised(
    positive: Floats, treated: NDArray[np.bool_], design: Floats
) -> tuple[Estimate, Estimate, float] | None:
    """Risk difference and risk ratio by marginal standardisation.

    Args:
        positive: 1.0 with the event, shape [m].
        treated: Who belongs to the group that is compared, shape [m].
        design: Covariates, shape [m, columns].

    Returns:
        Difference, ratio, and the p value of the difference; None without a finite solution.
    """
    import statsmodels.api as sm
    from scipy.special import expit

    matrix = np.column_stack([np.ones(len(positive)), treated.astype(np.float64), design])
    with warnings.catch_warnings():
        # What they warn of shows in the result, which is looked at.
        warnings.simplefilter("ignore")
        fit = sm.GLM(positive, matrix, family=sm.families.Binomial()).fit(maxiter=50)
    predictor = matrix @ fit.params
    if not (fit.converged and np.abs(predictor).max() < _SEPARATED):
        return None
    fitted = expit(predictor)
    # Influence of every subject on the coefficients.
    information = (matrix * (fitted * (1 - fitted))[:, None]).T @ matrix / len(positive)
    influence = ((positive - fitted)[:, None] * matrix) @ np.linalg.pinv(information)
    means, influences = zip(
        *(_under(matrix, value, fit.params, influence) for value in (1.0, 0.0)), strict=True
    )
    difference, p_value = _wald(means[0] - means[1], influences[0] - influences[1])
    if min(means) <= 0:
        return difference, Estimate(), p_value
    error = _standard_error(influences[0] / means[0] - influences[1] / means[1])
    return difference, log_normal_interval(math.log(means[0] / means[1]), error), p_value


def _under(
    matrix: Floats, value: float, coefficients: Floats, influence: Floats
) -> tuple[float, Floats]:
    """Mean prediction if everybody were in a group, and every subject's influence on it."""
    from scipy.special import expit

    changed = matrix.copy()
    changed[:, 1] = value
    predicted = expit(changed @ coefficients)
    slope = (changed * (predicted * (1 - predicted))[:, None]).mean(axis=0)
    mean = float(predicted.mean())
    return mean, predicted - mean + influence @ slope


def _wald(value: float, influence: Floats) -> tuple[Estimate, float]:
    error = _standard_error(influence)
    p_value = math.erfc(abs(value) / error / math.sqrt(2)) if error > 0 else 1.0
    return normal_interval(value, error), p_value


def _standard_error(influence: Floats) -> float:
    return float(np.sqrt((influence**2).mean() / len(influence)))


def _number_columns(values: Floats) -> list[Floats]:
    missing = np.isnan(values)
    known = values[~missing]
    spread = known.std() if len(known) else 0.0
    if not spread > 0:
        return []
    columns = [np.where(missing, 0.0, (values - known.mean()) / spread)]
    if missing.any():
        columns.append(missing.astype(np.float64))
    return columns


def _category_columns(codes: NDArray[np.int32]) -> list[Floats]:
    found, sizes = np.unique(codes, return_counts=True)
    rare = found[sizes < _FEWEST_WITH_VALUE]
    together = np.where(np.isin(codes, rare), -2, codes)
    # The most frequent value is what the others are compared with.
    values, sizes = np.unique(together, return_counts=True)
    return [(together == value).astype(np.float64) for value in np.delete(values, np.argmax(sizes))]
