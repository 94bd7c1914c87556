"""What the alarms of a study found."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

Kind = Literal["calibration", "auc", "drift", "risk_drift", "missing"]
"""What is watched: mean prediction beside the observed rate, AUC, a feature's distribution, that of
the predicted risk, a feature's share of missing values."""

Direction = Literal["too_high", "too_low", "higher", "lower", "other", "more", "fewer"]
"""`too_high`, `too_low`: predictions, compared with what was observed. `lower`: the AUC. `higher`,
`lower`: values. `other`: categories. `more`, `fewer`: missing values."""

Comparison = Literal["training", "earlier"]
"""With what a look compares: all outcomes of the year with the training; or the last 13 weeks with
the training and all earlier weeks of the year together, which finds what changes later."""


@dataclass(frozen=True)
class Look:
    """One look at one thing in one week.

    Attributes:
        week: Monday of the week after which was looked.
        comparison: With what was compared.
        evidence: Distance from the reference in standard errors; of distributions the normal
            quantile of the same two-sided p.
        boundary: The evidence from which the alarm fires.
        estimate: Mean prediction minus observed rate, AUC, share of missing values, or share of
            the bin that changed most.
        expected: The same of the reference.
        subjects: Subjects of the estimate.
        direction: Where the estimate lies from the reference.
        bin: The bin that changed most; empty where there are no bins.
    """

    week: dt.date
    comparison: Comparison
    evidence: float
    boundary: float
    estimate: float
    expected: float
    subjects: int
    direction: Direction
    bin: str = ""

    @property
    def beyond(self) -> bool:
        """Whether the evidence is at or beyond the boundary."""
        return self.evidence >= self.boundary


@dataclass(frozen=True)
class Alarm:
    """One thing that is watched.

    An alarm that fired stays on until 52 weeks have passed since its evidence was last beyond the
    boundary. A new model starts without alarms.

    Attributes:
        kind: What is watched.
        name: Name of the task or of the feature.
        fired: Whether the alarm is on.
        since: Week of the first look that fired of those that keep it on; None if not fired.
        last: Week of the last look beyond its boundary; None if there is none.
        direction: Of the look that it fired at; None if not fired.
        looks: All looks, by week; empty as long as too few subjects came to judge.
        reason: One sentence for people: what was found, or why nothing is judged yet.
    """

    kind: Kind
    name: str
    fired: bool
    since: dt.date | None
    last: dt.date | None
    direction: Direction | None
    looks: tuple[Look, ...]
    reason: str

    @property
    def judged(self) -> bool:
        """Whether enough came to look at."""
        return bool(self.looks)

    @property
    def evidence(self) -> float | None:
        """Evidence of the newest look that is closest to its boundary; None before any look."""
        newest = self._newest()
        return newest.evidence if newest else None

    @property
    def boundary(self) -> float | None:
        """The boundary of the same look."""
        newest = self._newest()
        return newest.boundary if newest else None

    def _newest(self) -> Look | None:
        if not self.looks:
            return None
        newest = [look for look in self.looks if look.week == self.looks[-1].week]
        return max(newest, key=lambda look: look.evidence - look.boundary)
