"""Risks by the horizon and probabilities of being observed, from counts of ends by time.

Times are study days, so ties are frequent. At one time events come first, then the end of
follow-up: who leaves on a day was observed on it. With this order the weighted share of known
labels is Kaplan-Meier's estimate exactly (Satten GA, Datta S. Am Stat 2001;55:207-10), and that of
Aalen and Johansen with competing events.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from components.trial_example_gen.ends import EndKind
from pipeline.estimates import Estimate, exact_interval_at_edge, log_log_interval

Floats = NDArray[np.float64]

_KINDS = (EndKind.EVENT, EndKind.COMPETING, EndKind.COMPLETE, EndKind.CENSORED)


@dataclass(frozen=True)
class EndTable:
    """Ends of the observation of a group of subjects.

    Attributes:
        times: Different times, rising, shape [k].
        counts: Subjects by kind of end at each of them, in the order of `EndKind`, shape [k, 4].
    """

    times: Floats
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, ends: Mapping[tuple[float, int], int]) -> EndTable:
        """Lays out numbers of subjects by time and kind."""
        times = sorted({time for time, _ in ends})
        counts = [[ends.get((time, kind), 0) for kind in _KINDS] for time in times]
        return cls(np.array(times), np.array(counts, np.int64).reshape(len(times), len(_KINDS)))

    def number(self, kind: EndKind) -> int:
        """Subjects with a kind of end."""
        return int(self.counts[:, _KINDS.index(kind)].sum())

    @property
    def subjects(self) -> int:
        """All subjects."""
        return int(self.counts.sum())

    @cached_property
    def observed(self) -> Observed:
        """The probability of being observed."""
        censored = self.counts[:, _KINDS.index(EndKind.CENSORED)]
        left = (self._at_risk - self._events)[censored > 0]
        share = np.cumprod(1 - censored[censored > 0] / left)
        return Observed(self.times[censored > 0], share)

    @property
    def is_determined(self) -> bool:
        """Whether the risk by the horizon can be estimated: someone is observed until then."""
        return self.number(EndKind.COMPLETE) > 0 or self._without_event[-1] == 0

    @cached_property
    def risk(self) -> Estimate:
        """Risk of the event by the horizon, with its interval on the scale of log(-log).

        Kaplan-Meier's estimate, and Aalen and Johansen's with competing events (Aalen OO,
        Johansen S. Scand J Stat 1978;5:141-50). The variance is that of the delta method
        (Marubini E, Valsecchi MG. Analysing Survival Data, 1995, section 10.2), Greenwood's without
        competing events. A risk of 0 or 1 has the exact interval of the subjects whose label is
        known.

        Returns:
            Without a number where it is not determined.
        """
        if not self.is_determined:
            return Estimate()
        happens = self._events > 0
        of_interest = self.counts[happens, 0]
        at_risk, events = self._at_risk[happens], self._events[happens]
        before = np.concatenate([[1.0], self._without_event[happens]])[:-1]
        steps = before * of_interest / at_risk
        value = float(steps.sum())
        known = self.subjects - self.number(EndKind.CENSORED)
        if self.number(EndKind.EVENT) in (0, known):
            return Estimate(value, *exact_interval_at_edge(round(value), known))
        later = value - np.cumsum(steps)
        # Where all at risk have an event at once nothing is left to vary.
        left = np.where(at_risk > events, at_risk - events, np.inf)
        variance = float(
            (later**2 * events / (at_risk * left)).sum()
            + (before**2 * of_interest * (at_risk - of_interest) / at_risk**3).sum()
            - 2 * (later * before * of_interest / at_risk**2).sum()
        )
        free = log_log_interval(1 - value, math.sqrt(max(variance, 0.0)))
        if free.lower is None or free.upper is None:
            return Estimate(value)
        return Estimate(value, 1 - free.upper, 1 - free.lower)

    @cached_property
    def _at_risk(self) -> NDArray[np.int64]:
        """Subjects observed without any event just before each time, shape [k]."""
        ended = self.counts.sum(axis=1)
        return np.asarray(self.subjects - np.cumsum(ended) + ended)

    @cached_property
    def _events(self) -> NDArray[np.int64]:
        """Events of either kind at each time, shape [k]."""
        return np.asarray(self.counts[:, :2].sum(axis=1))

    @cached_property
    def _without_event(self) -> Floats:
        """Probability of no event of either kind just after each time, shape [k]."""
        return np.asarray(np.cumprod(1 - self._events / self._at_risk))


@dataclass(frozen=True)
class Observed:
    """Probability of being observed by time: G, Kaplan-Meier's estimate for the end of follow-up.

    Attributes:
        times: Times at which follow-up ends, rising, shape [k].
        share: G just after each of them, shape [k].
    """

    times: Floats
    share: Floats

    def before(self, time: Floats) -> Floats:
        """G just before times: a subject who leaves on a day was observed on it.

        Args:
            time: Times, shape [n].

        Returns:
            Probabilities, shape [n]; 1 where no subject left before.
        """
        return np.concatenate([[1.0], self.share])[np.searchsorted(self.times, time, side="left")]
