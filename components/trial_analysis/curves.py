"""Kaplan-Meier curves that disclose no single subject.

An exact curve steps at every event, so its steps disclose subjects and their days. Here the
estimates use all data, but

- they are given at times of a round grid, not at the days of events;
- the curve steps only where at least five further subjects had the event since its last step
  (O'Keefe CM, et al. Confidentialising survival analysis output in a remote data access system.
  J Priv Confid 2012;4(1); OpenSAFELY's rounded curves delay events in the same way, to six);
- it ends where fewer subjects than the study's smallest group are still under observation;
- numbers at risk stand at a few round times, each only if it is reached by that group's size
  and at least five subjects, or none, have left since the last one that is shown.

For the owner of the data it is exact: it steps at every event, up to the last time of any subject.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from components.trial_analysis.subjects import Times
from pipeline.estimates import Estimate, log_log_interval
from pipeline.results.analysis import AtRisk, CurvePoint

_FEWEST_A_STEP = 5
_GRID = 100
_RISK_TIMES = 5

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class KaplanMeier:
    """Product-limit estimate of a group (Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457-81).

    Attributes:
        times: Different times of events, rising, shape [k].
        survival: Share without the event just after each of them, shape [k].
        error: Greenwood's standard error of it, shape [k].
        events: Subjects with the event at each of them, shape [k].
        at_risk: Subjects under observation without the event just before, shape [k].
        observed: Time of every subject, event or not, rising, shape [n].
    """

    times: Floats
    survival: Floats
    error: Floats
    events: Floats
    at_risk: Floats
    observed: Floats

    @cached_property
    def _events_by(self) -> Floats:
        return np.concatenate([[0.0], np.cumsum(self.events)])

    def events_by(self, time: float) -> int:
        """Subjects with the event at or before a time."""
        return int(self._events_by[np.searchsorted(self.times, time, side="right")])

    def at_risk_at(self, time: float) -> int:
        """Subjects under observation without the event just before a time."""
        return len(self.observed) - int(np.searchsorted(self.observed, time, side="left"))

    def at(self, time: float) -> Estimate:
        """Estimate at a time, with its interval unless it is 0 or 1."""
        place = int(np.searchsorted(self.times, time, side="right")) - 1
        if place < 0:
            return Estimate(value=1.0)
        return log_log_interval(float(self.survival[place]), float(self.error[place]))


def kaplan_meier(times: Times, chosen: NDArray[np.bool_]) -> KaplanMeier:
    """Estimates the curve of a group.

    Args:
        times: Times of all subjects.
        chosen: Subjects of the group who have a time; at least one.
    """
    from statsmodels.duration.survfunc import SurvfuncRight

    time, event = times.time[chosen], times.event[chosen]
    observed = np.sort(time)
    if not event.any():
        nothing = np.empty(0)
        return KaplanMeier(nothing, nothing, nothing, nothing, nothing, observed)
    found = SurvfuncRight(time, event.astype(np.float64))
    happened = found.n_events > 0
    return KaplanMeier(
        times=found.surv_times[happened],
        survival=found.surv_prob[happened],
        error=np.nan_to_num(found.surv_prob_se[happened]),
        events=found.n_events[happened],
        at_risk=np.asarray(found.n_risk[happened], np.float64),
        observed=observed,
    )


def last_shown(curve: KaplanMeier, step: float, smallest: int) -> float | None:
    """Last time of the grid at which enough subjects are still under observation."""
    if len(curve.observed) < smallest:
        return None
    return math.floor(curve.observed[-smallest] / step) * step


def grid_step(latest: float) -> float:
    """Distance of the grid's times: a round number, with about a hundred steps up to the latest."""
    return round_number(latest / _GRID)


def thinned(curve: KaplanMeier, step: float, ends: float) -> tuple[CurvePoint, ...]:
    """The curve's steps that may be shown, up to a time.

    Args:
        curve: The estimate.
        step: Distance of the grid's times.
        ends: Last time that is shown.
    """
    points: dict[float, Estimate] = {0.0: Estimate(value=1.0)}
    shown_events = 0
    for place in range(round(ends / step) + 1):
        time = place * step
        events = curve.events_by(time)
        if events - shown_events >= _FEWEST_A_STEP:
            points[time] = curve.at(time)
            shown_events = events
    return tuple(CurvePoint(time=time, survival=found) for time, found in points.items())


def exact_points(curve: KaplanMeier) -> tuple[CurvePoint, ...]:
    """The curve's steps at every event."""
    start = CurvePoint(time=0.0, survival=Estimate(value=1.0))
    steps = (CurvePoint(time=float(t), survival=curve.at(float(t))) for t in curve.times)
    return (start, *steps)


def median_time(curve: KaplanMeier, step: float, ends: float) -> Estimate:
    """Time by which half of the group had the event, up to a time, on the curve's grid."""
    places = range(round(ends / step) + 1)
    return _median([(place * step, curve.at(place * step)) for place in places])


def exact_median(curve: KaplanMeier) -> Estimate:
    """Time of the event by which half of the group had it."""
    return _median([(float(time), curve.at(float(time))) for time in curve.times])


def _median(grid: Sequence[tuple[float, Estimate]]) -> Estimate:
    """The times at which a curve and the bounds of its interval fall to a half.

    Brookmeyer R, Crowley J. Biometrics 1982;38:29-41.
    """

    def reached(end: Callable[[Estimate], float | None]) -> float | None:
        values = ((time, end(found)) for time, found in grid)
        return next((time for time, value in values if value is not None and value <= 0.5), None)

    value = reached(lambda found: found.value)
    if value is None:
        return Estimate()
    return Estimate(
        value=value,
        lower=reached(lambda found: found.lower),
        upper=reached(lambda found: found.upper),
    )


def numbers_at_risk(
    curve: KaplanMeier, latest: float, smallest: int, fewest_left: int = _FEWEST_A_STEP
) -> tuple[AtRisk, ...]:
    """Subjects at risk at a few round times.

    Args:
        curve: The estimate.
        latest: Last time that any group's curve is shown for.
        smallest: Smallest number of subjects that is shown.
        fewest_left: Smallest difference of two successive numbers, other than 0.
    """
    distance = round_number(latest / _RISK_TIMES)
    shown: list[AtRisk] = []
    shown_at_risk = len(curve.observed)
    for place in range(math.floor(latest / distance) + 1):
        time = place * distance
        subjects = curve.at_risk_at(time)
        left = shown_at_risk - subjects
        if subjects < smallest or 0 < left < fewest_left:
            shown.append(AtRisk(time=time, subjects=None))
        else:
            shown.append(AtRisk(time=time, subjects=subjects))
            shown_at_risk = subjects
    return tuple(shown)


def restricted_mean(curve: KaplanMeier, until: float) -> tuple[float, float]:
    """Mean time without the event up to a time: the area under the curve, and its variance.

    Klein JP, Moeschberger ML. Survival Analysis, 2nd ed., formulas 4.5.1 and 4.5.2.
    """
    inside = curve.times <= until
    times = np.concatenate([[0.0], curve.times[inside], [until]])
    heights = np.concatenate([[1.0], curve.survival[inside]])
    areas = heights * np.diff(times)
    after = np.cumsum(areas[::-1])[::-1][1:]
    events, at_risk = curve.events[inside], curve.at_risk[inside]
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = after**2 * events / (at_risk * (at_risk - events))
    # Without subjects at risk the curve is 0, and so is the area after it.
    return float(areas.sum()), float(np.nansum(np.where(at_risk > events, terms, 0.0)))


def round_number(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, ... (or 0.1, 0.2, ...) that is not below."""
    if not least > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(
        power * leading for leading in (1, 2, 5, 10) if power * leading >= least * (1 - 1e-9)
    )
