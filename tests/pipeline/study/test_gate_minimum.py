"""`gate.minimum` given in part keeps the other defaults."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from pipeline.study.sections import Gate

DEFAULTS = {
    "train": {"subjects": 100, "events": 10},
    "eval": {"subjects": 30, "events": 5},
    "test": {"subjects": 30, "events": 5},
}
PLACES = [(split, key) for split in DEFAULTS for key in ("subjects", "events")]


ALL = [place for n in range(7) for place in itertools.combinations(PLACES, n)]


@pytest.mark.parametrize("given", ALL)
def test_every_number_that_is_not_given_keeps_its_default(given: Any) -> None:
    minimum: dict[str, dict[str, int]] = {}
    expected = {split: dict(numbers) for split, numbers in DEFAULTS.items()}
    for split, key in given:
        minimum.setdefault(split, {})[key] = 3
        expected[split][key] = 3

    gate = Gate.model_validate({"minimum": minimum})

    assert gate.minimum.model_dump() == expected
    assert {k: v.model_dump() for k, v in gate.minimum.by_split().items()} == expected
