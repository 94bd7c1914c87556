"""What follows about planted subjects from the statistics that the registry keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from pipeline.skew.coarse_statistics import coarse_statistics
from tests.described_subjects import columns_of, described
from tests.each import each

SMALLEST = 20
PLANTED: dict[str, float | str] = {
    "AGE": 103.25,
    "WEIGHT": 31.75,
    "CREATININE": 987.5,
    "RACE": "PLANTRACE",
}
"""The oldest and the lightest subject, the one with the worst kidneys, and one of a race."""


def planted_trial(extreme: float = 1.0) -> pd.DataFrame:
    random = np.random.default_rng(19)
    frame = pd.DataFrame(
        {
            "AGE": random.integers(40, 90, 400).astype(float),
            "WEIGHT": random.normal(80, 8, 400).astype(np.float32).astype(float),
            "CREATININE": random.lognormal(4.3, 0.3, 400).astype(np.float32).astype(float),
            "RACE": random.choice(["WHITE", "BLACK"], 400),
        }
    )
    for place, (name, value) in enumerate(PLANTED.items()):
        frame.loc[place, name] = value if isinstance(value, str) else value * extreme
    return frame


def held(message: Any) -> Iterator[float | str]:
    """Every number and text of a message, whatever field it is in."""
    for field, value in message.ListFields():
        # Newer releases of protobuf warn of the field's own label.
        parts = value if hasattr(value, "append") or hasattr(value, "add") else [value]
        for part in parts:
            if field.message_type is None:
                yield part if isinstance(part, str) else float(part)
            else:
                yield from held(part)


def found_in(statistics: Any, planted: Iterable[float | str]) -> set[float | str]:
    """Which of the values are in statistics, numbers to six digits."""
    parts = list(held(statistics))
    numbers = np.array([part for part in parts if isinstance(part, float)])
    return {
        value
        for value in each(planted)
        if (value in parts if isinstance(value, str) else np.isclose(numbers, value, 1e-6, 0).any())
    }


def test_no_planted_subject_is_found_and_all_are_without_protection() -> None:
    frame = planted_trial()
    exact = described(frame)
    coarse = coarse_statistics(exact, columns_of(frame), SMALLEST)

    assert found_in(exact, PLANTED.values()) == set(PLANTED.values())
    assert found_in(coarse, PLANTED.values()) == set()


def test_how_extreme_a_subject_is_changes_mean_and_deviation_alone() -> None:
    one, other = (planted_trial(extreme) for extreme in (1.0, 1.0625))
    kept = [
        coarse_statistics(described(frame), columns_of(frame), SMALLEST) for frame in (one, other)
    ]
    assert kept[0] != kept[1]

    for statistics in each(kept):
        for feature in statistics.datasets[0].features:
            feature.num_stats.ClearField("mean")
            feature.num_stats.ClearField("std_dev")

    assert kept[0] == kept[1]
