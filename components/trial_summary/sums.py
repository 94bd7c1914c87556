"""What the summary is computed from: counts and sums that add up over subjects."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

Key = tuple[str, ...]


@dataclass
class Moments:
    """Number, sum and sum of squares of values."""

    number: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, values: np.ndarray) -> None:
        """Adds values, float64 `[n]`, without missing ones."""
        self.number += len(values)
        self.total += float(values.sum())
        self.squares += float((values * values).sum())

    def merge(self, other: Moments) -> None:
        """Adds what another one has seen."""
        self.number += other.number
        self.total += other.total
        self.squares += other.squares


@dataclass
class Sums:
    """Counts of subjects, and moments of values, by what they are of.

    Attributes:
        counts: The first part of a key says what is counted; see `bucket.py`.
        moments: The same for values.
        orders: Smallest number that orders a visit.
    """

    counts: Counter[Key] = field(default_factory=Counter)
    moments: dict[Key, Moments] = field(default_factory=dict)
    orders: dict[Key, float] = field(default_factory=dict)

    def add_values(self, key: Key, values: np.ndarray) -> None:
        """Adds values, float64 `[n]`, without missing ones."""
        self.moments.setdefault(key, Moments()).add(values)

    def add_order(self, key: Key, order: float) -> None:
        """Notes a number that orders a visit."""
        self.orders[key] = min(order, self.orders.get(key, order))

    def merge(self, other: Sums) -> None:
        """Adds what another one has seen."""
        self.counts.update(other.counts)
        for key, moments in other.moments.items():
            self.moments.setdefault(key, Moments()).merge(moments)
        for key, order in other.orders.items():
            self.add_order(key, order)
