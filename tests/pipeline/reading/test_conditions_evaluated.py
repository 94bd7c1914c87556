"""Conditions over rows: Kleene's three-valued logic, and types that can't be compared."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.reading.evaluate import check_types, evaluate, is_true
from pipeline.study.conditions import Condition

T, F, U = True, False, None
TRUTH = [T, F, U]


def condition(content: dict[str, Any]) -> Condition:
    return Condition.model_validate(content)


def rows(**columns: list[Any]) -> pa.Table:
    types = {
        name: pa.string() if any(isinstance(v, str) for v in values) else pa.float64()
        for name, values in columns.items()
    }
    return pa.table({name: pa.array(values, types[name]) for name, values in columns.items()})


def truth(name: str) -> dict[str, Any]:
    return {"column": name, "equals": 1}


def as_rows(values: list[bool | None]) -> list[float | None]:
    return [None if value is None else float(value) for value in values]


PAIRS = [(a, b) for a in TRUTH for b in TRUTH]
TABLE = rows(a=as_rows([a for a, _ in PAIRS]), b=as_rows([b for _, b in PAIRS]))


def test_all_is_false_with_one_false_and_true_only_with_all_true() -> None:
    found = evaluate(condition({"all": [truth("a"), truth("b")]}), TABLE).to_pylist()
    assert found == [T, F, U, F, F, F, U, F, U]


def test_any_is_true_with_one_true_and_false_only_with_all_false() -> None:
    found = evaluate(condition({"any": [truth("a"), truth("b")]}), TABLE).to_pylist()
    assert found == [T, T, T, T, F, U, T, U, U]


def test_not_turns_true_and_false_around_and_leaves_unknown() -> None:
    found = evaluate(condition({"not": truth("a")}), rows(a=as_rows(TRUTH))).to_pylist()
    assert found == [F, T, U]


@given(st.lists(st.tuples(st.sampled_from(TRUTH), st.sampled_from(TRUTH)), min_size=1))
def test_not_all_is_any_not(pairs: list[tuple[bool | None, bool | None]]) -> None:
    table = rows(a=as_rows([a for a, _ in pairs]), b=as_rows([b for _, b in pairs]))
    not_all = condition({"not": {"all": [truth("a"), truth("b")]}})
    any_not = condition({"any": [{"not": truth("a")}, {"not": truth("b")}]})
    assert evaluate(not_all, table).to_pylist() == evaluate(any_not, table).to_pylist()


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        ({"equals": 2}, [F, T, F, U]),
        ({"in": [1, 3]}, [T, F, T, U]),
        ({"at_least": 2}, [F, T, T, U]),
        ({"at_most": 2}, [T, T, F, U]),
        ({"above": 2}, [F, F, T, U]),
        ({"below": 2}, [T, F, F, U]),
        ({"at_least": 2, "below": 3}, [F, T, F, U]),
        ({"above_column": "y"}, [F, F, T, U]),
        ({"below_column": "y"}, [T, F, F, U]),
        ({"present": True}, [T, T, T, F]),
        ({"present": False}, [F, F, F, T]),
    ],
)
def test_a_comparison_with_a_missing_value_is_unknown(
    comparison: dict[str, Any], expected: list[bool | None]
) -> None:
    table = rows(x=[1.0, 2.0, 3.0, None], y=[2.0, 2.0, 2.0, 2.0])
    assert evaluate(condition({"column": "x", **comparison}), table).to_pylist() == expected


def test_a_missing_column_to_compare_with_makes_a_comparison_unknown() -> None:
    table = rows(x=[1.0], y=[None])
    assert evaluate(condition({"column": "x", "above_column": "y"}), table).to_pylist() == [U]


def test_text_is_compared_exactly() -> None:
    table = rows(x=["Y", "y", "Y ", None])
    assert evaluate(condition({"column": "x", "equals": "Y"}), table).to_pylist() == [T, F, F, U]


def test_no_condition_is_true_for_every_row() -> None:
    assert evaluate(None, rows(x=[1.0, None])).to_pylist() == [T, T]


def test_unknown_is_not_true() -> None:
    assert is_true(truth_of_a := condition(truth("a")), rows(a=as_rows(TRUTH))).tolist() == [
        True,
        False,
        False,
    ]
    assert truth_of_a.column == "a"


TYPES = {"TEXT": "text", "AGE": "number", "DAY": "date"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"column": "TEXT", "equals": 1}, r"TEXT holds text: compare it with text \(in quotes\)"),
        ({"column": "TEXT", "in": ["a", 1]}, "TEXT holds text"),
        ({"column": "TEXT", "at_least": 1}, "TEXT holds text"),
        ({"column": "AGE", "equals": "61"}, "AGE holds a number: compare it with numbers"),
        ({"column": "AGE", "in": [61, "62"]}, "AGE holds a number"),
        ({"column": "AGE", "above_column": "TEXT"}, "TEXT holds text: only columns of numbers"),
        ({"column": "TEXT", "below_column": "AGE"}, "TEXT holds text: only columns of numbers"),
        ({"column": "DAY", "above": 5}, "DAY holds a date: only `present`"),
        ({"column": "DAY", "equals": "2014-01-01"}, "DAY holds a date: only `present`"),
    ],
)
def test_a_comparison_that_a_columns_type_can_not_answer_is_refused(
    content: dict[str, Any], message: str
) -> None:
    nested = condition({"any": [{"not": content}, {"column": "AGE", "above": 1}]})
    with pytest.raises(UserError, match=rf"^population: column {message}"):
        check_types(nested, TYPES, "population")


@pytest.mark.parametrize(
    "content",
    [
        {"column": "TEXT", "in": ["a", "b"]},
        {"column": "AGE", "equals": 61},
        {"column": "AGE", "at_least": 61.5},
        {"column": "DAY", "present": True},
        {"column": "TEXT", "present": False},
    ],
)
def test_a_comparison_that_fits_its_column_passes(content: dict[str, Any]) -> None:
    check_types(condition(content), TYPES, "population")
