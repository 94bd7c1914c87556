"""The form of conditions in a study file."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.study.conditions import Condition

DEAD = {"column": "DIED", "equals": "Y"}
OLD = {"column": "AGE", "above": 80}


def condition(content: dict[str, Any]) -> Condition:
    return Condition.model_validate(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "expected one of: column with a comparison, all, any, not"),
        ({"column": "AGE"}, "column AGE needs a comparison: equals, in, at_least"),
        ({"equals": 1}, "a comparison needs the key `column`"),
        ({**DEAD, "any": [OLD]}, "either a column with its comparison, or all/any/not"),
        ({"all": [DEAD], "any": [OLD]}, "expected one of"),
        ({"any": []}, "at least 1 item"),
        ({"column": "AGE", "in": []}, "at least 1 item"),
        ({"column": "AGE", "equal": 1}, "Extra inputs are not permitted"),
        ({"column": "AGE", "equals": [1]}, "expected a text or a number"),
    ],
)
def test_a_condition_has_one_form(content: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        condition(content)


def test_a_number_stays_a_number_and_text_stays_text() -> None:
    assert condition({"column": "X", "in": [1, "1", 1.5]}).is_in == (1, "1", 1.5)
    assert [type(v) for v in condition({"column": "X", "in": [1, "1"]}).is_in or ()] == [int, str]


def test_a_condition_names_what_it_judges_and_what_it_compares_with() -> None:
    nested = condition(
        {"any": [DEAD, {"not": {"all": [OLD, {"column": "cd420", "above_column": "cd40"}]}}]}
    )
    assert list(nested.judged_columns()) == ["DIED", "AGE", "cd420"]
    assert list(nested.reference_columns()) == ["cd40"]
    assert list(nested.columns()) == ["DIED", "AGE", "cd420", "cd40"]


def test_a_condition_survives_being_written_and_read_again() -> None:
    original = condition({"not": {"column": "OCCODE", "in": [1, 2]}})
    written = original.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    assert written == {"not": {"column": "OCCODE", "in": [1, 2]}}
    assert condition(written) == original
