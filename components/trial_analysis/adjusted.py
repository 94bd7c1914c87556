"""Differences of rates after adjustment for baseline characteristics.

A logistic model of the outcome on group and covariates predicts, for every subject of both
groups, the probability of the event under either of them; the mean predictions are compared
(marginal standardisation, g-computation). With random assignment the result estimates the same
difference as the plain one, usually more precisely, also where the model is wrong: Moore KL, van
der Laan MJ. Stat Med 2009;28:39-64; FDA, Adjusting for Covariates in Randomized Clinical Trials,
2023, section III.B. Standard errors are of the sandwich kind: those of the M-estimator that joins
the model's and the means' estimating equations (Stefanski LA, Boos DD. Am Stat 2002;56:29-38), so
that neither the model nor the variance it claims has to be true. Where subjects are weighted
(`pipeline.weights`), all of the equations are.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.trial_analysis.design import (
    Design,
    covariate_columns,
    independent_columns,
    independent_design,
    separating_covariates,
)
from components.trial_analysis.subjects import Factor, TrialSubjects, sampled
from pipeline.estimates import Estimate, log_normal_interval, normal_interval
from pipeline.results.analysis import AdjustedEffect

_EVENTS_A_COEFFICIENT = 10
"""Peduzzi P, et al. J Clin Epidemiol 1996;49:1373-9."""

_SEPARATED = 30.0
"""Log odds beyond what data support: covariates separate the outcomes, so coefficients diverge."""

_ENDLESS_ODDS = 15.0
"""Log odds ratio of the groups that is beyond any data: it grows as long as the search goes on."""

Floats = NDArray[np.float64]


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
    group = treated[places]
    if group.all() or not group.any():
        return AdjustedEffect(absent="In one of the groups no outcome is known.")
    design = independent_design(covariate_columns(subjects, covariates, places), group)
    positive = outcome.positive[places].astype(np.float64)
    absent = _refusal(design, positive, group)
    weight = outcome.weights_of(places)
    found = None if absent else standardised(positive, group, design.columns, weight)
    if found is None:
        absent = absent or _no_solution(design, positive, group)
        return AdjustedEffect(absent=absent, dropped=design.dropped)
    difference, ratio, p_value = found
    return AdjustedEffect(
        absent=None,
        covariates=tuple(covariate.name for covariate in design.kept),
        dropped=design.dropped,
        subjects=len(places),
        risk_difference=difference,
        risk_ratio=ratio,
        p_value=p_value,
    )


def _refusal(design: Design, positive: Floats, group: NDArray[np.bool_]) -> str | None:
    """Why no model is fitted; None where one is."""
    if not design.kept:
        reasons = "; ".join(covariate.says({}) for covariate in design.dropped)
        return f"No covariate is left to adjust for: {reasons}."
    coefficients = design.columns.shape[1] + 1
    rarer = int(min(positive.sum(), len(positive) - positive.sum()))
    if rarer < _EVENTS_A_COEFFICIENT * coefficients:
        return (
            f"{len(design.kept)} covariates make {coefficients} coefficients, which need "
            f"{_EVENTS_A_COEFFICIENT * coefficients} subjects with and as many without the "
            "event: there are fewer. Name fewer covariates in the study file "
            "(analysis.adjust_for)."
        )
    if any(part.min() == part.max() for part in (positive[group], positive[~group])):
        return (
            "In one of the groups no subject, or every subject, had the event: the logistic model "
            "has no finite solution."
        )
    return None


def _no_solution(design: Design, positive: Floats, group: NDArray[np.bool_]) -> str:
    names = separating_covariates(positive, group, design.kept)
    if not names:
        return "The logistic model has no finite solution on these data."
    return (
        f"The logistic model has no finite solution: {', '.join(names)} "
        f"{'separates' if len(names) == 1 else 'separate'} subjects with and without the event. "
        f"Leave {'it' if len(names) == 1 else 'them'} out of the study file's analysis.adjust_for."
    )


def standardised(
    positive: Floats,
    treated: NDArray[np.bool_],
    design: Floats,
    weight: NDArray[np.floating[Any]] | None = None,
) -> tuple[Estimate, Estimate, float] | None:
    """Risk difference and risk ratio by marginal standardisation.

    Args:
        positive: 1.0 with the event, shape [m].
        treated: Who belongs to the group that is compared, shape [m].
        design: Covariates, shape [m, columns]. A column that depends on the constant, the group
            and the columns before it is ignored.
        weight: Weights, shape [m]; None where each has weight 1.

    Returns:
        Difference, ratio, and the p value of the difference; None without a finite solution.
    """
    import statsmodels.api as sm
    from scipy.special import expit

    group = treated.astype(np.float64)
    matrix = independent_columns(np.column_stack([np.ones(len(positive)), group, design]))
    with warnings.catch_warnings():
        # What they warn of shows in the result, which is looked at.
        warnings.simplefilter("ignore")
        family = sm.families.Binomial()
        fit = sm.GLM(positive, matrix, family=family, freq_weights=weight).fit(maxiter=50)
    predictor = matrix @ fit.params
    if not (fit.converged and np.abs(predictor).max() < _SEPARATED):
        return None
    # The search ends where every prediction is as good as certain, and "converges" there.
    separated = np.array_equal(predictor > 0, positive > 0)
    if separated or not abs(fit.params[1]) < _ENDLESS_ODDS:
        return None
    fitted = expit(predictor)
    # Of mean 1, so that means over the subjects are weighted means.
    own = np.ones(1) if weight is None else (weight / weight.mean(dtype=np.float64))
    # Influence of every subject on the coefficients.
    information = (matrix * (own * fitted * (1 - fitted))[:, None]).T @ matrix / len(positive)
    try:
        influence = np.linalg.solve(
            information, ((own * (positive - fitted))[:, None] * matrix).T
        ).T
    except np.linalg.LinAlgError:
        return None
    means, influences = zip(
        *(_under(matrix, value, fit.params, influence, own) for value in (1.0, 0.0)), strict=True
    )
    difference, p_value = _wald(means[0] - means[1], influences[0] - influences[1])
    error = _standard_error(influences[0] / means[0] - influences[1] / means[1])
    return difference, log_normal_interval(math.log(means[0] / means[1]), error), p_value


def _under(
    matrix: Floats, value: float, coefficients: Floats, influence: Floats, weight: Floats
) -> tuple[float, Floats]:
    """Mean prediction if all subjects were in a group, and every subject's influence on it."""
    from scipy.special import expit

    changed = matrix.copy()
    changed[:, 1] = value
    predicted = expit(changed @ coefficients)
    slope = (changed * (weight * predicted * (1 - predicted))[:, None]).mean(axis=0)
    mean = float((weight * predicted).mean())
    return mean, weight * (predicted - mean) + influence @ slope


def _wald(value: float, influence: Floats) -> tuple[Estimate, float]:
    error = _standard_error(influence)
    p_value = math.erfc(abs(value) / error / math.sqrt(2)) if error > 0 else 1.0
    return normal_interval(value, error), p_value


def _standard_error(influence: Floats) -> float:
    return float(np.sqrt((influence**2).mean() / len(influence)))
