"""Times to events by group: curves, log-rank tests, hazard ratios, proportional hazards."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from components.trial_analysis.curves import (
    KaplanMeier,
    exact_median,
    exact_points,
    grid_step,
    kaplan_meier,
    last_shown,
    median_time,
    numbers_at_risk,
    restricted_mean,
    thinned,
)
from components.trial_analysis.disclosure import Disclosure
from components.trial_analysis.subjects import Factor, Times, TrialSubjects, sampled
from components.trial_analysis.wording import survival_sentence
from pipeline.estimates import NORMAL_95, Estimate, log_normal_interval, normal_interval
from pipeline.results.analysis import (
    Comparison,
    EndpointAnalysis,
    HypothesisTest,
    SurvivalComparison,
    SurvivalCurve,
)
from pipeline.study.sections import TimeToEvent

_FEWEST_EVENTS = 5
"""Fewest events in both groups together for a hazard ratio."""

_ENDLESS = 20.0
"""Largest plausible absolute log hazard ratio: beyond it the estimate diverges."""

Shown = Mapping[tuple[str, str], tuple[KaplanMeier, float]]
"""Curve of a factor's level and the last time that it is shown for."""


def endpoint_analysis(
    subjects: TrialSubjects,
    name: str,
    endpoint: TimeToEvent,
    disclosure: Disclosure,
    randomised: bool,
) -> EndpointAnalysis:
    """Curves and comparisons of an endpoint, by every factor.

    Args:
        subjects: The subjects.
        name: The endpoint's name.
        endpoint: The endpoint's section of the study file.
        disclosure: Which groups may be shown.
        randomised: Whether the groups were assigned at random.
    """
    times = subjects.times[name]
    step = grid_step(float(np.nanmax(times.time)))
    shown = _shown_curves(subjects, name, step, disclosure)
    latest = max((ends for _, ends in shown.values()), default=step)
    return EndpointAnalysis(
        endpoint=name,
        title=endpoint.title,
        unit=endpoint.unit,
        horizon=endpoint.horizon,
        curves=tuple(
            _curve(times, factor, level, shown, (step, latest), disclosure)
            for factor in subjects.factors
            for level in factor.levels
        ),
        comparisons=tuple(
            _comparison(times, factor, level, shown, endpoint, randomised)
            for factor in subjects.factors
            for level in factor.treatments
        ),
    )


def log_rank(
    times: Times, treated: NDArray[np.bool_], chosen: NDArray[np.bool_]
) -> HypothesisTest | None:
    """Tests that two groups have the same curve (Mantel N. Cancer Chemother Rep 1966;50:163-70).

    Args:
        times: Times of all subjects.
        treated: Mask of one of the groups.
        chosen: Mask of the subjects of either group who have a time.

    Returns:
        The test; None if its variance is 0.
    """
    from statsmodels.duration.survfunc import survdiff

    try:
        statistic, p_value = survdiff(
            times.time[chosen], times.event[chosen].astype(int), treated[chosen].astype(int)
        )
    except np.linalg.LinAlgError:
        # The statistic's variance is 0, for example where all have the event at the same time.
        return None
    return HypothesisTest(
        name="Log-rank test",
        p_value=float(p_value),
        statistic=float(statistic),
        degrees_of_freedom=1,
    )


def hazard_ratio(
    times: Times, treated: NDArray[np.bool_], places: NDArray[np.int64]
) -> tuple[Estimate, HypothesisTest | None]:
    """Hazard ratio by Cox's model with the group as the only covariate, and whether it is constant.

    Ties are treated as Efron does (J Am Stat Assoc 1977;72:557-65). The test correlates the
    Schoenfeld residuals with the order of the events (Grambsch PM, Therneau TM. Biometrika
    1994;81:515-26).

    Args:
        times: Times of all subjects.
        treated: Mask of the group that is compared.
        places: Subjects of both groups, shape [m].

    Returns:
        The ratio and the test; empty if a group has no events, or all subjects of one group had the
        event before any of the other.
    """
    import statsmodels.api as sm

    time, event = times.time[places], times.event[places]
    group = treated[places].astype(np.float64)
    if not (event[group == 1].any() and event[group == 0].any()):
        return Estimate(), None
    with warnings.catch_warnings():
        # Conditions that cause these warnings are detected in the result.
        warnings.simplefilter("ignore")
        fit = sm.PHReg(time, group[:, None], status=event.astype(int), ties="efron").fit()
    variance = float(np.asarray(fit.cov_params()).ravel()[0])
    logarithm = float(fit.params[0])
    error = math.sqrt(variance) if variance > 0 else math.inf
    if not abs(logarithm) + NORMAL_95 * error < _ENDLESS:
        return Estimate(), None
    ratio = log_normal_interval(logarithm, error)
    residuals = np.asarray(fit.schoenfeld_residuals)[:, 0]
    return ratio, _constant_in_time(time, residuals, variance)


def _constant_in_time(
    time: NDArray[np.float64], residuals: NDArray[np.float64], variance: float
) -> HypothesisTest | None:
    from scipy.stats import chi2, rankdata

    known = ~np.isnan(residuals)
    order = rankdata(time[known])
    centred = order - order.mean()
    spread = float((centred**2).sum())
    if not spread > 0:
        return None
    moved = float((centred * residuals[known]).sum())
    statistic = int(known.sum()) * variance * moved**2 / spread
    return HypothesisTest(
        name="Grambsch and Therneau's test of proportional hazards",
        p_value=float(chi2.sf(statistic, 1)),
        statistic=statistic,
        degrees_of_freedom=1,
    )


def _shown_curves(
    subjects: TrialSubjects, endpoint: str, step: float, disclosure: Disclosure
) -> Shown:
    times = subjects.times[endpoint]
    shown: dict[tuple[str, str], tuple[KaplanMeier, float]] = {}
    for factor in subjects.factors:
        for level in factor.levels:
            if disclosure.shows_times(endpoint, factor, level):
                curve = kaplan_meier(times, factor.of(level) & times.known)
                ends = _end_of(curve, step, disclosure)
                if ends is not None:
                    shown[factor.name, level] = curve, ends
    return shown


def _end_of(curve: KaplanMeier, step: float, disclosure: Disclosure) -> float | None:
    if disclosure.is_exact:
        return float(curve.observed[-1]) if len(curve.observed) else None
    return last_shown(curve, step, disclosure.smallest)


def _curve(
    times: Times,
    factor: Factor,
    level: str,
    shown: Shown,
    limits: tuple[float, float],
    disclosure: Disclosure,
) -> SurvivalCurve:
    step, latest = limits
    inside = factor.of(level)
    if (factor.name, level) not in shown:
        return SurvivalCurve(
            factor=factor.name,
            level=level,
            subjects=None,
            events=None,
            unknown=None,
            points=(),
            ends=None,
            at_risk=(),
            median=Estimate(),
        )
    curve, ends = shown[factor.name, level]
    return SurvivalCurve(
        factor=factor.name,
        level=level,
        subjects=len(curve.observed),
        events=int(curve.events.sum()),
        unknown=int((inside & ~times.known).sum()),
        points=exact_points(curve) if disclosure.is_exact else thinned(curve, step, ends),
        ends=ends,
        at_risk=numbers_at_risk(curve, latest, smallest=0, fewest_left=0)
        if disclosure.is_exact
        else numbers_at_risk(curve, latest, disclosure.smallest),
        median=exact_median(curve) if disclosure.is_exact else median_time(curve, step, ends),
    )


def _comparison(
    times: Times,
    factor: Factor,
    level: str,
    shown: Shown,
    endpoint: TimeToEvent,
    randomised: bool,
) -> SurvivalComparison:
    comparison = Comparison(factor=factor.name, level=level, control=str(factor.control))
    sides = [(factor.name, side) for side in (level, comparison.control)]
    if any(side not in shown for side in sides):
        return _no_comparison(comparison, "A group is too small to be shown.")
    curves = [shown[side][0] for side in sides]
    if sum(curve.events.sum() for curve in curves) < _FEWEST_EVENTS:
        return _no_comparison(comparison, f"Fewer than {_FEWEST_EVENTS} subjects had the event.")
    treated = factor.of(level)
    chosen = (treated | factor.of(comparison.control)) & times.known
    places = sampled(chosen)
    ratio, proportional = hazard_ratio(times, treated, places)
    until = min(shown[side][1] for side in sides)
    found = SurvivalComparison(
        comparison=comparison,
        log_rank=log_rank(times, treated, chosen),
        hazard_ratio=ratio,
        proportional_hazards=proportional,
        restricted_mean_difference=_mean_difference(curves[0], curves[1], until),
        restricted_to=until,
        subjects=len(places),
        absent=None,
        says="",
    )
    return found.model_copy(update={"says": survival_sentence(found, endpoint, randomised)})


def _mean_difference(group: KaplanMeier, control: KaplanMeier, until: float) -> Estimate:
    (mean, variance), (other, other_variance) = (
        restricted_mean(curve, until) for curve in (group, control)
    )
    return normal_interval(mean - other, math.sqrt(variance + other_variance))


def _no_comparison(comparison: Comparison, reason: str) -> SurvivalComparison:
    return SurvivalComparison(
        comparison=comparison,
        log_rank=None,
        hazard_ratio=Estimate(),
        proportional_hazards=None,
        restricted_mean_difference=Estimate(),
        restricted_to=None,
        subjects=None,
        absent=reason,
        says=f"{comparison.text}: not compared. {reason}",
    )
