"""AUC of the outcomes of any weeks, from counts of ordered pairs between weeks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.monitoring.alarms.watched import WeekOfOutcomes

_FloatArray = NDArray[np.float64]
_BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class RankedPairs:
    """Events beside non-events of all weeks of a year.

    Attributes:
        higher: Weight of pairs in which the event of one week has the higher prediction than the
            non-event of another one, half of it where they are equal, `[k, k]`.
        events: Weight of the events of each week, `[k]`.
        others: Weight of its non-events, `[k]`.
        event_squares: Sum of squares of the events' weights, `[k]`.
        other_squares: Sum of squares of the non-events' weights, `[k]`.
    """

    higher: _FloatArray
    events: _FloatArray
    others: _FloatArray
    event_squares: _FloatArray
    other_squares: _FloatArray

    def auc(self, weeks: _BoolArray) -> float:
        """AUC of the outcomes of some weeks, NaN without an event or a non-event."""
        pairs = self.events[weeks].sum() * self.others[weeks].sum()
        return float(self.higher[np.ix_(weeks, weeks)].sum() / pairs) if pairs > 0 else np.nan

    def size(self, weeks: _BoolArray) -> float:
        """How much an AUC stands on: half the harmonic mean of effective events and non-events."""
        if not self.event_squares[weeks].any() or not self.other_squares[weeks].any():
            return 0.0
        events = self.events[weeks].sum() ** 2 / self.event_squares[weeks].sum()
        others = self.others[weeks].sum() ** 2 / self.other_squares[weeks].sum()
        return harmonic(float(events), float(others))


def harmonic(events: float, others: float) -> float:
    """Half the harmonic mean: the variance of an AUC falls about as its inverse.

    Examples:
        >>> harmonic(30, 60)
        20.0
    """
    return events * others / (events + others) if events > 0 and others > 0 else 0.0


def ranked_pairs(weeks: Sequence[WeekOfOutcomes]) -> RankedPairs:
    """Pairs of k weeks, each of which has at least one outcome."""
    events, others = (
        [_sorted(week, week.outcomes == outcome) for week in weeks] for outcome in (1, 0)
    )
    of_event = np.concatenate([values for values, _ in events])
    weight = np.concatenate([weights for _, weights in events])
    week_of = np.repeat(np.arange(len(weeks)), [len(values) for values, _ in events])
    columns = []
    for values, weights in others:
        below = np.concatenate([[0.0], np.cumsum(weights)])
        lower = below[np.searchsorted(values, of_event, "left")]
        upper = below[np.searchsorted(values, of_event, "right")]
        columns.append(np.bincount(week_of, weight * (lower + upper) / 2, len(weeks)))
    return RankedPairs(
        np.stack(columns, axis=1),
        *(np.array([weights.sum() for _, weights in of]) for of in (events, others)),
        *(np.array([(weights**2).sum() for _, weights in of]) for of in (events, others)),
    )


def _sorted(week: WeekOfOutcomes, rows: _BoolArray) -> tuple[_FloatArray, _FloatArray]:
    values, weights = week.predictions[rows], week.weights[rows]
    order = np.lexsort((weights, values))
    return values[order], weights[order]
