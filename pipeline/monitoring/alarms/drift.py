"""Looks at distributions: of a feature, of its missing values, of the predicted risk.

A likelihood-ratio test (G) between the counts of the training and those of the last 13 weeks, or of
as many more weeks as hold 100 subjects. Every look has its own share of the error (Bonferroni's
inequality): whatever the looks have in common, and the training's noise, they spend no more.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import add

from scipy.special import chdtrc, ndtri

from pipeline.monitoring.alarms.spending import WINDOW, YEAR
from pipeline.monitoring.alarms.state import Direction, Look
from pipeline.monitoring.alarms.watched import Counts, WatchedInput
from pipeline.monitoring.alarms.weeks import check_weeks, grown, years

_Bin = tuple[float, float]
"""Subjects, or their share, in training and since."""

FEWEST = 100
"""Subjects of a window: with fewer nothing is judged."""

_FEWEST_EXPECTED = 5.0
"""Subjects that are expected in a bin on either side: smaller ones are joined."""

_LOWEST_P = 1e-300


@dataclass(frozen=True)
class InputLooks:
    """All looks at a feature or at the predicted risk of a task, by week.

    Attributes:
        values: At the distribution of values that are there.
        missing: At the share of missing values; empty for a predicted risk, which is never missing.
    """

    values: tuple[Look, ...]
    missing: tuple[Look, ...]


def input_looks(watched: WatchedInput, error: float) -> InputLooks:
    """Looks at one feature, or at the predicted risk of a task.

    Args:
        watched: What is watched.
        error: Error of a year of each of its distributions: of the values, of missing ones.

    Raises:
        ValueError: A week is not a Monday or there twice, or a count is below 0.
    """
    check_weeks([week.week for week in watched.weeks])
    found = sorted(watched.weeks, key=lambda week: week.week)
    weeks = [week for week in found if _subjects(week.counts)]
    if any(count < 0 for week in weeks for count in _all_counts(week.counts)):
        raise ValueError(f"{watched.name}: counts must not be below 0")
    names = _names(watched)
    training = _row(watched.training, names)
    values: list[Look] = []
    missing: list[Look] = []
    if sum(training) < FEWEST:
        return InputLooks((), ())
    rows = [_row(week.counts, names) for week in weeks]
    dates = [week.week for week in weeks]
    for places, numbers in years(dates):
        spent = grown(lambda week: week / YEAR, numbers)
        for at, share in zip(places, spent, strict=True):
            window = _window(dates, rows, at)
            if sum(window) < FEWEST:
                continue
            boundary, sides = _quantile(share * error), list(zip(training, window, strict=True))
            if look := _look_at_values(dates[at], boundary, names, sides, bool(watched.order)):
                values.append(look)
            if watched.kind == "drift":
                missing.append(_look_at_missing(dates[at], boundary, sides))
    return InputLooks(tuple(values), tuple(missing))


def _all_counts(counts: Counts) -> list[float]:
    return [*counts.bins.values(), counts.missing]


def _subjects(counts: Counts) -> float:
    return sum(_all_counts(counts))


def _names(watched: WatchedInput) -> list[str]:
    """Bins in their order, those that have none behind them by name."""
    seen = {name for week in watched.weeks for name in week.counts.bins} | set(
        watched.training.bins
    )
    return [*watched.order, *sorted(seen - set(watched.order))]


def _row(counts: Counts, names: Sequence[str]) -> list[float]:
    """Counts of the bins, and of missing values at the end."""
    return [*(counts.bins.get(name, 0.0) for name in names), counts.missing]


def _window(dates: Sequence[dt.date], rows: Sequence[list[float]], at: int) -> list[float]:
    """Counts of the last weeks: of as many as hold enough subjects, but of a year at most."""
    found = [0.0] * len(rows[at])
    for place in range(at, -1, -1):
        ago = (dates[at] - dates[place]).days // 7
        if ago >= WINDOW and (ago >= YEAR or sum(found) >= FEWEST):
            break
        found = list(map(add, found, rows[place]))
    return found


def _look_at_values(
    week: dt.date, boundary: float, names: Sequence[str], sides: Sequence[_Bin], ordered: bool
) -> Look | None:
    bins = sides[:-1]
    before, now = (sum(side) for side in zip(*bins, strict=True))
    if min(before, now) < FEWEST:
        return None
    shares = [(training / before, since / now) for training, since in bins]
    most = max(range(len(shares)), key=lambda at: abs(shares[at][1] - shares[at][0]))
    return Look(
        week,
        "training",
        evidence=_evidence(_joined(bins, ordered)),
        boundary=boundary,
        estimate=shares[most][1],
        expected=shares[most][0],
        subjects=int(now),
        direction=_direction(shares) if ordered else "other",
        bin=names[most],
    )


def _direction(shares: Sequence[_Bin]) -> Direction:
    """Whether values of the second side are above or below those of the first more often."""
    above, below = 0.0, 0.0
    for training, now in shares:
        above += now * (below + training / 2)
        below += training
    return "higher" if above > 0.5 else "lower"


def _look_at_missing(week: dt.date, boundary: float, sides: Sequence[_Bin]) -> Look:
    before, now = (sum(side) for side in zip(*sides, strict=True))
    missing = sides[-1]
    estimate, expected = missing[1] / now, missing[0] / before
    return Look(
        week,
        "training",
        evidence=_evidence(_joined([missing, (before - missing[0], now - missing[1])], True)),
        boundary=boundary,
        estimate=estimate,
        expected=expected,
        subjects=int(now),
        direction="more" if estimate > expected else "fewer",
    )


def _joined(bins: Sequence[_Bin], ordered: bool) -> list[_Bin]:
    """Bins joined until enough subjects are expected in each: neighbours, or the rarest ones."""
    totals = [sum(side) for side in zip(*bins, strict=True)]
    fewest = min(totals) / sum(totals)
    groups: list[_Bin] = [(0.0, 0.0)]
    for training, now in bins if ordered else sorted(bins, key=sum):
        if sum(groups[-1]) * fewest >= _FEWEST_EXPECTED:
            groups.append((0.0, 0.0))
        groups[-1] = (groups[-1][0] + training, groups[-1][1] + now)
    if len(groups) > 1 and sum(groups[-1]) * fewest < _FEWEST_EXPECTED:
        training, now = groups.pop()
        groups[-1] = (groups[-1][0] + training, groups[-1][1] + now)
    return groups


def _evidence(bins: Sequence[_Bin]) -> float:
    """Normal quantile of the two-sided p of a G test between two sides of bins."""
    if len(bins) == 1:
        return 0.0
    totals = [sum(side) for side in zip(*bins, strict=True)]
    everything = sum(totals)
    statistic = 2 * sum(
        count * math.log(count * everything / (total * sum(found)))
        for found in bins
        for count, total in zip(found, totals, strict=True)
        if count > 0
    )
    return _quantile(max(float(chdtrc(len(bins) - 1, max(statistic, 0.0))), _LOWEST_P))


def _quantile(p: float) -> float:
    """Standard errors from the middle of a normal distribution that have a two-sided p."""
    return float(-ndtri(p / 2))
