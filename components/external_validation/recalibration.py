"""Simple updates of a model's predictions, and what they would gain on new subjects.

Recalibration in the large changes the intercept alone: a logistic regression of the outcome with
the logit of the prediction as offset. Logistic recalibration changes intercept and slope: the logit
is the covariate (Cox, Biometrika 1958;45:562-5; Steyerberg et al., Stat Med 2004;23:2567-86,
methods 2 and 3). Both keep the order of the predictions, so the area under the ROC curve stays.

An update that is tried on the subjects that it was fitted to looks better than it is. So subjects
are divided into folds, each fold's predictions are updated by a fit to the other folds, and the
loss with and without the update is compared subject by subject. The interval of the mean difference
is Student's, its variance multiplied by `1 + 1 / (folds - 1)`, since the fits of the folds share
subjects (Nadeau & Bengio, Machine Learning 2003;52:239-81, with their ratio of test to training
part).

Subjects may be weighted (`pipeline.weights`): fits maximise the weighted likelihood, their standard
errors are of the sandwich kind (White H. Econometrica 1982;50:1-25), and means are weighted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.estimates import NORMAL_95, Estimate, normal_interval, student_interval
from pipeline.log_odds import clip_probability
from pipeline.results.outcomes import LEAST_EVENTS
from pipeline.results.validation import (
    UPDATE_METHODS,
    ModelUpdate,
    NetBenefitGain,
    UpdateMethod,
)
from pipeline.weights import error_of_weighted_mean, is_weighted, weighted_mean

MOST_FOLDS = 10
_MOST_STEPS = 100
_CONVERGED = 1e-10
"""Change of the deviance below which a fit has converged."""

_Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Recalibration:
    """A linear function of the logit.

    Attributes:
        intercept: Its value at logit 0.
        slope: Its slope.
        intercept_error: Standard error of the intercept.
        slope_error: Standard error of the slope; 0 where it is fixed at 1.
    """

    intercept: float
    slope: float
    intercept_error: float
    slope_error: float

    def apply(self, logit: _Numbers) -> _Numbers:
        """Updated probabilities."""
        return 1 / (1 + np.exp(-(self.intercept + self.slope * logit)))


def recalibrate(
    method: UpdateMethod, logit: _Numbers, outcome: _Numbers, weight: _Numbers | None = None
) -> Recalibration | None:
    """Fits an update by maximum likelihood.

    Args:
        method: The update.
        logit: Logits of the predictions, `[subjects]`.
        outcome: 1 or 0, `[subjects]`.
        weight: Weights, `[subjects]`; None where each is 1.

    Returns:
        The update with Wald's standard errors; None where no finite estimate exists.
    """
    # Imported on use: it takes a second to load.
    import statsmodels.api as sm

    free = method == "logistic_recalibration"
    if not _has_finite_fit(logit, outcome, free):
        return None
    ones = np.ones_like(logit)
    design = np.column_stack([ones, logit]) if free else ones[:, None]
    offset = np.zeros_like(logit) if free else logit
    weighted = weight is not None and is_weighted(weight)
    fit = sm.GLM(
        outcome,
        design,
        family=sm.families.Binomial(),
        offset=offset,
        var_weights=weight if weighted else None,
    ).fit(
        start_params=_nearly_fitted(design, offset, outcome, ones if weight is None else weight),
        maxiter=_MOST_STEPS,
        tol=_CONVERGED,
        # HC0 is the sandwich.
        cov_type="HC0" if weighted else "nonrobust",
    )
    if not fit.converged:
        return None
    slope, slope_error = (fit.params[1], fit.bse[1]) if free else (1.0, 0.0)
    return Recalibration(float(fit.params[0]), float(slope), float(fit.bse[0]), float(slope_error))


def _nearly_fitted(design: _Numbers, offset: _Numbers, outcome: _Numbers, weight: _Numbers) -> Any:
    """Coefficients near the maximum of the likelihood, from any distance.

    Iteratively reweighted least squares diverges where predictions are far off.
    """
    from scipy import optimize, special

    def loss(coefficients: _Numbers) -> tuple[float, _Numbers]:
        linear = offset + design @ coefficients
        residual = special.expit(linear) - outcome
        return (
            float(weight @ (np.logaddexp(0.0, linear) - outcome * linear)),
            design.T @ (weight * residual),
        )

    return optimize.minimize(loss, np.zeros(design.shape[1]), jac=True, method="BFGS").x


def _has_finite_fit(logit: _Numbers, outcome: _Numbers, free: bool) -> bool:
    """Whether the maximum likelihood is at finite coefficients (Albert & Anderson 1984).

    An intercept needs both outcomes; a slope too needs that no threshold of the logit separates
    them.
    """
    positive, negative = logit[outcome > 0], logit[outcome == 0]
    if not (len(positive) and len(negative)):
        return False
    return not free or bool(positive.min() < negative.max() and negative.min() < positive.max())


def deal_folds(hashes: Sequence[bytes], outcome: _Numbers) -> NDArray[np.int64] | None:
    """Fold of each subject: those with and those without the outcome are dealt in the hash's order.

    Returns:
        Numbers of folds, `[subjects]`; None where fewer than two subjects have, or have not, the
        outcome.
    """
    positives = int(outcome.sum())
    folds = min(MOST_FOLDS, positives, len(outcome) - positives)
    if folds < 2:
        return None
    order = np.lexsort((np.asarray(hashes, dtype=bytes), outcome))
    dealt = np.empty(len(outcome), np.int64)
    dealt[order] = np.arange(len(order)) % folds
    return dealt


def updates(
    logit: _Numbers,
    outcome: _Numbers,
    fold: NDArray[np.int64],
    decision_thresholds: Sequence[float],
    weight: _Numbers | None = None,
) -> tuple[ModelUpdate, ...]:
    """Each simple update with its gain, estimated out of fold.

    Args:
        logit: Logits of the predictions, `[subjects]`.
        outcome: 1 or 0, `[subjects]`.
        fold: Fold of each subject, from `deal_folds`.
        decision_thresholds: Where the net benefit is compared.
        weight: Weights, `[subjects]`; None where each is 1.

    Returns:
        The updates that can be fitted to all subjects and to all folds.
    """
    own = np.ones_like(logit) if weight is None else weight
    found = (
        _update(method, logit, outcome, own, fold, decision_thresholds) for method in UPDATE_METHODS
    )
    return tuple(update for update in found if update)


def _update(
    method: UpdateMethod,
    logit: _Numbers,
    outcome: _Numbers,
    weight: _Numbers,
    fold: NDArray[np.int64],
    decision_thresholds: Sequence[float],
) -> ModelUpdate | None:
    fit = recalibrate(method, logit, outcome, weight)
    updated = _out_of_fold(method, logit, outcome, weight, fold)
    if fit is None or updated is None:
        return None
    present = 1 / (1 + np.exp(-logit))
    folds = int(fold.max()) + 1

    def gain(score: Callable[[_Numbers], _Numbers]) -> Estimate:
        return _mean(score(updated) - score(present), weight, folds)

    return ModelUpdate(
        method=method,
        intercept=normal_interval(fit.intercept, fit.intercept_error),
        slope=normal_interval(fit.slope, fit.slope_error)
        if method == "logistic_recalibration"
        else None,
        log_loss_gain=gain(lambda p: np.where(outcome > 0, np.log(p), np.log1p(-p))),
        brier_gain=gain(lambda p: -((p - outcome) ** 2)),
        net_benefit_gains=tuple(
            NetBenefitGain(
                decision_threshold=threshold,
                gain=gain(lambda p, at=threshold: benefit(p, outcome, at)),  # type: ignore[misc]
            )
            for threshold in decision_thresholds
        ),
    )


def benefit(probability: _Numbers, outcome: _Numbers, threshold: float) -> _Numbers:
    """Each subject's part of the net benefit (Vickers & Elkin, Med Decis Making 2006;26:565-74).

    Their mean is the net benefit: true positives minus false positives weighted by the odds of the
    threshold, per subject.
    """
    flagged = probability >= threshold
    odds = threshold / (1 - threshold)
    return np.where(flagged, np.where(outcome > 0, 1.0, -odds), 0.0)


def observed_to_expected(
    probability: _Numbers, outcome: _Numbers, weight: _Numbers | None = None
) -> Estimate:
    """Ratio of observed to expected outcomes; its logarithm has the error `√((1 - O/n) / O)`.

    Debray et al., BMJ 2017;356:i6460. Of weighted subjects the error is that of the weighted
    observed rate, relative to it; without weights the two are the same. Of few events, or few
    others, it has no interval.
    """
    weight = np.ones_like(outcome) if weight is None else weight
    observed, expected = float((weight * outcome).sum()), float((weight * probability).sum())
    if not (observed and expected):
        return Estimate()
    ratio = observed / expected
    events = int((outcome > 0).sum())
    if min(events, len(outcome) - events) < LEAST_EVENTS:
        return Estimate(ratio)
    total = float(weight.sum())
    error = math.sqrt((1 - observed / total) / observed)
    if is_weighted(weight):
        influence = weight * (outcome - observed / total)
        error = math.sqrt(float(influence @ influence)) / observed
    reach = NORMAL_95 * error
    return Estimate(ratio, ratio * math.exp(-reach), ratio * math.exp(reach))


def _out_of_fold(
    method: UpdateMethod,
    logit: _Numbers,
    outcome: _Numbers,
    weight: _Numbers,
    fold: NDArray[np.int64],
) -> _Numbers | None:
    updated = np.empty_like(logit)
    for number in range(int(fold.max()) + 1):
        held = fold == number
        fit = recalibrate(method, logit[~held], outcome[~held], weight[~held])
        if fit is None:
            return None
        updated[held] = fit.apply(logit[held])
    return clip_probability(updated)


def _mean(gain: _Numbers, weight: _Numbers, folds: int) -> Estimate:
    mean, square = float(gain.mean()), float(gain.var(ddof=1)) / len(gain)
    if is_weighted(weight):
        mean, square = weighted_mean(gain, weight), error_of_weighted_mean(gain, weight) ** 2
    variance = square * (1 + 1 / (folds - 1))
    return Estimate(mean, *student_interval(mean, math.sqrt(variance), len(gain) - 1))
