"""Bodies of requests and answers as JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.service.bodies import JsonAnswer, read_json
from pipeline.service.problems import ProblemError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.just(":"))
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False)
"""Of larger whole numbers the nearest float is read."""
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda parts: st.lists(parts) | st.dictionaries(TEXTS, parts),
)


@given(st.dictionaries(TEXTS, VALUES), st.booleans(), st.sampled_from([None, 2]))
def test_a_body_holds_what_was_written(
    content: dict[str, Any], is_ascii: bool, indent: int | None
) -> None:
    body = json.dumps(content, ensure_ascii=is_ascii, indent=indent).encode()
    assert read_json(body) == content


@pytest.mark.parametrize(
    "body",
    [
        '{"a": 1, "a": 1}',
        '{"inputs": [{"a": 1}, {"b": 1, "b": 2}]}',
        '{"a": {"b": [1, {"c": 2}]}, "a": {}}',
        '{"a": "11:30", "a": "12:30:15"}',
        r'{"a": 1, "a": "11\u003a30"}',
        r'{"a": 1, "a": "11\u003A30"}',
        r'{"a": 1, "\u0061": 2}',
    ],
)
def test_a_key_that_stands_twice_is_refused(body: str) -> None:
    with pytest.raises(ProblemError) as refused:
        read_json(body.encode())
    assert "stands twice" in refused.value.detail


def test_a_number_that_is_none_is_nan_in_a_request_and_null_in_an_answer() -> None:
    assert math.isnan(read_json(b'{"AGE": NaN}')["AGE"])
    assert JsonAnswer({"risk": math.nan}).body == b'{"risk":null}'


def test_lists_in_lists_are_read() -> None:
    depth = 300
    body = b'{"a": ' + b"[" * depth + b"]" * depth + b"}"
    assert read_json(body).keys() == {"a"}


def test_lists_in_lists_without_end_are_refused() -> None:
    body = b'{"a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    with pytest.raises(ProblemError) as refused:
        read_json(body)
    assert refused.value.kind == "malformed-request"
