"""Codes of missing values that no row has are counted: the true code would be taken for a value."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from components.trial_example_gen.levels import absent_codes
from pipeline.reading.missing_codes import MissingCodeFinder
from tests.components.trial_example_gen.hand_made_trial import hand_made_study


def absent(codes: list[Any], values: pa.Array, *, as_texts: bool) -> list[tuple[str, ...]]:
    study = hand_made_study({"datasets.lb.columns.LBSTRESN.missing": codes})
    found: Counter[tuple[str, ...]] = Counter()
    finder = MissingCodeFinder(study, "lb")
    for batch in (values[:1], values[1:]):
        found += finder.find("LBSTRESN", batch, as_texts=as_texts)
    plan: Any = SimpleNamespace(
        study=study, datasets={"lb": SimpleNamespace(names=["LBSTRESN", "LBTESTCD"])}
    )
    return [item.levels for item in absent_codes(plan, found)]


@pytest.mark.parametrize(
    ("codes", "values", "as_texts", "expected"),
    [
        ([9, 99], pa.array([1.0, 9.0, None]), False, [("99",)]),
        (["9"], pa.array([1.0, 9.0]), False, []),
        (["UNK"], pa.array([1.0, 9.0]), False, [("UNK",)]),
        ([9, 99], pa.array(["1", "09", None]), False, [("99",)]),
        (["UNK", "NK"], pa.array(["UNK", "A"]), True, [("NK",)]),
        (["9"], pa.array([1.0, 9.0]), True, []),
        ([9], pa.array([1.0, 2.0, None]), True, [("9",)]),
    ],
)
def test_codes_that_no_row_has_are_absent(
    codes: list[Any], values: pa.Array, as_texts: bool, expected: list[tuple[str, ...]]
) -> None:
    assert absent(codes, values, as_texts=as_texts) == expected


def test_an_absent_code_is_named_by_its_place_and_is_not_needed() -> None:
    study = hand_made_study({"datasets.lb.columns.LBSTRESN.missing": [99]})
    plan: Any = SimpleNamespace(study=study, datasets={"lb": SimpleNamespace(names=["LBSTRESN"])})

    (item,) = absent_codes(plan, Counter())

    assert item.key == "datasets.lb.columns.LBSTRESN.missing"
    assert not item.needed
