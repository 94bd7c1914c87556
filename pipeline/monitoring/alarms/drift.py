"""Looks at distributions: of a feature, of its missing values, of the predicted risk.

A likelihood-ratio test (G) between the counts of the training and those of the last 13 weeks, or of
as many more weeks as hold 100 subjects. Every look has its own share of the error (Bonferroni's
inequality): whatever the looks have in common, and the training's noise, they spend no more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtri, xlogy

from pipeline.monitoring.alarms.spending import WINDOW, YEAR
from pipeline.monitoring.alarms.state import Direction, Look
from pipeline.monitoring.alarms.watched import Counts, WatchedInput
from pipeline.monitoring.alarms.weeks import check_weeks, grown, years

_FloatArray = NDArray[np.float64]

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
    rows = np.array([_row(week.counts, names) for week in weeks]).reshape(len(weeks), -1)
    dates = [week.week for week in weeks]
    values: list[Look] = []
    missing: list[Look] = []
    for places, numbers in years(dates):
        spent = grown(lambda week: week / YEAR, numbers)
        for at, share in zip(places, spent, strict=True):
            window = _window(dates, rows, at)
            if window is None:
                continue
            boundary = _quantile(share * error)
            ordered = bool(watched.order)
            if look := _look_at_values(dates[at], boundary, names, training, window, ordered):
                values.append(look)
            if watched.kind == "drift":
                missing.append(_look_at_missing(dates[at], boundary, training, window))
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


def _row(counts: Counts, names: Sequence[str]) -> _FloatArray:
    """Counts of the bins, and of missing values at the end."""
    return np.array([*(counts.bins.get(name, 0.0) for name in names), counts.missing], np.float64)


def _window(dates: Sequence[dt.date], rows: _FloatArray, at: int) -> _FloatArray | None:
    """Counts of the last weeks; None if a year of them has too few subjects."""
    ago = np.array([(dates[at] - date).days // 7 for date in dates[: at + 1]])
    behind = rows[: at + 1]
    for weeks in (WINDOW, *sorted(set(ago[ago >= WINDOW] + 1))):
        if weeks > YEAR:
            break
        window: _FloatArray = behind[ago < weeks].sum(axis=0)
        if window.sum() >= FEWEST:
            return window
    return None


def _look_at_values(
    week: dt.date,
    boundary: float,
    names: Sequence[str],
    training: _FloatArray,
    window: _FloatArray,
    ordered: bool,
) -> Look | None:
    both = np.stack([training[:-1], window[:-1]])
    if both.sum(axis=1).min() < FEWEST:
        return None
    shares = both / both.sum(axis=1, keepdims=True)
    change = shares[1] - shares[0]
    most = int(np.abs(change).argmax())
    return Look(
        week,
        "training",
        evidence=_evidence(_joined(both, ordered)),
        boundary=boundary,
        estimate=float(shares[1, most]),
        expected=float(shares[0, most]),
        subjects=int(both[1].sum()),
        direction=_direction(shares) if ordered else "other",
        bin=names[most],
    )


def _direction(shares: _FloatArray) -> Direction:
    """Whether values of the second row are above or below those of the first more often."""
    below = np.cumsum(shares[0]) - shares[0] / 2
    return "higher" if shares[1] @ below > 0.5 else "lower"


def _look_at_missing(
    week: dt.date, boundary: float, training: _FloatArray, window: _FloatArray
) -> Look:
    both = np.array([[side[-1], side[:-1].sum()] for side in (training, window)])
    shares = both[:, 0] / both.sum(axis=1)
    return Look(
        week,
        "training",
        evidence=_evidence(_joined(both, ordered=True)),
        boundary=boundary,
        estimate=float(shares[1]),
        expected=float(shares[0]),
        subjects=int(both[1].sum()),
        direction="more" if shares[1] > shares[0] else "fewer",
    )


def _joined(both: _FloatArray, ordered: bool) -> _FloatArray:
    """Bins joined until enough subjects are expected in each: neighbours, or the rarest ones."""
    expected = both.sum(axis=0) / both.sum() * both.sum(axis=1).min()
    order = np.arange(both.shape[1]) if ordered else np.argsort(expected, kind="stable")
    groups: list[list[int]] = [[]]
    for at in order:
        if groups[-1] and expected[groups[-1]].sum() >= _FEWEST_EXPECTED:
            groups.append([])
        groups[-1].append(int(at))
    if len(groups) > 1 and expected[groups[-1]].sum() < _FEWEST_EXPECTED:
        last = groups.pop()
        groups[-1] += last
    return np.stack([both[:, group].sum(axis=1) for group in groups], axis=1)


def _evidence(both: _FloatArray) -> float:
    """Normal quantile of the two-sided p of a G test between two rows of counts."""
    if both.shape[1] < 2:
        return 0.0
    expected = both.sum(axis=1, keepdims=True) * both.sum(axis=0) / both.sum()
    statistic = max(2 * float(xlogy(both, both / expected).sum()), 0.0)
    return _quantile(max(float(chdtrc(both.shape[1] - 1, statistic)), _LOWEST_P))


def _quantile(p: float) -> float:
    """Standard errors from the middle of a normal distribution that have a two-sided p."""
    return float(-ndtri(p / 2))
