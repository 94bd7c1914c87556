"""The distance of a feature's distribution from that of the data a model was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Measure = Literal[
    "Jensen-Shannon divergence",
    "L-infinity distance",
    "change in the share of missing values",
]


@dataclass(frozen=True)
class Distance:
    """Distance of a feature's distribution from that of the champion's train data.

    Attributes:
        feature: Name of the feature.
        measure: The distance measure.
        value: From 0 (the same) to 1; None if a side has no value of the feature.
    """

    feature: str
    measure: Measure
    value: float | None

    def exceeds(self, limit: float) -> bool:
        """Whether the feature has drifted by more than a limit."""
        return self.value is not None and self.value > limit
