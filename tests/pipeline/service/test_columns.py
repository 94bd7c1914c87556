"""A request by column is answered as the same subjects are one by one, to the last byte."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import statistics_pb2

from pipeline.service.checked import CheckedRows
from pipeline.service.given import columns_of_rows
from pipeline.service.inputs import Inputs, inputs_of
from pipeline.service.validation import InvalidRowsError, check_rows
from pipeline.service.values import ABSENT, numbers_of, texts_of
from pipeline.skew.flags import reactions
from pipeline.study.load import parse_study
from pipeline.study.study import Study
from tests.pipeline.service.hand_made import CONTENT, SUBJECT

PATH = "/v1/models/stroke:predict"
LARGEST = 2.0**128 - 2.0**104
"""The largest number that the model can read: that of float32."""

_Columns = dict[str, st.SearchStrategy[Any]]
_NUMBERS = st.one_of(
    st.none(),
    st.integers(-5, 130),
    st.floats(18, 120),
    st.sampled_from([float("nan"), float("inf"), LARGEST, int(LARGEST) + 1, 10**400, True]),
    st.sampled_from(["60", "", [60], {}]),
)
_TEXTS = st.one_of(
    st.sampled_from([None, "", " ", "F", " F\n", "M", "D", "Active", "Placebo", "Third"]),
    st.sampled_from([1, True, "a\0b", "\ud800", ["F"], {}]),
)
_COLUMNS: _Columns = {
    **dict.fromkeys(("AGE", "BMI", "HEIGHT"), _NUMBERS),
    **dict.fromkeys(("SEX", "arm"), _TEXTS),
}
_GOOD: _Columns = {
    "AGE": st.one_of(st.none(), st.integers(18, 120), st.floats(18, 120)),
    "BMI": st.one_of(st.none(), st.floats(-1e30, 1e30), st.just(float("nan"))),
    "SEX": st.sampled_from([None, "", "F", " F\n", "M", "D", "æ"]),
    "arm": st.sampled_from(["Active", " Placebo", "Third"]),
}


@st.composite
def subjects(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Subjects that have the same columns, each with any value; half of them can be predicted."""
    values = _GOOD if draw(st.booleans()) else _COLUMNS
    names = draw(st.lists(st.sampled_from(sorted(values)), min_size=1, unique=True))
    if values is _GOOD:
        names = list(dict.fromkeys([*names, "arm"]))
    row = st.fixed_dictionaries({name: values[name] for name in names})
    return draw(st.lists(row, min_size=1, max_size=6))


def by_column(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def answered(client: httpx.Client, body: dict[str, Any]) -> httpx.Response:
    return client.post(PATH, content=json.dumps(body))


@settings(max_examples=150, deadline=None)
@given(subjects())
def test_both_ways_agree(client: httpx.Client, rows: list[dict[str, Any]]) -> None:
    one_by_one = answered(client, {"instances": rows})
    together = answered(client, {"inputs": by_column(rows)})
    assert together.status_code == one_by_one.status_code
    if one_by_one.status_code != 200:
        assert together.content == one_by_one.content
        return
    expected, found = one_by_one.json(), together.json()
    predictions, outputs = expected.pop("predictions"), found.pop("outputs")
    assert json.dumps(found) == json.dumps(expected)
    assert json.dumps(by_column(predictions)) == json.dumps(dict(sorted(outputs.items())))


def test_an_answer_has_what_the_model_says_of_each_subject(client: httpx.Client) -> None:
    rows = [SUBJECT, SUBJECT | {"AGE": None}, SUBJECT | {"AGE": 71}]
    found = answered(client, {"inputs": by_column(rows)}).json()
    assert found["flags"] == [[], ["missing_value:AGE"], ["out_of_range:AGE"]]


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ([1, 2.5, None], []),
        ([LARGEST, -LARGEST], []),
        ([int(LARGEST) + 1, 1], [0]),
        ([1, 10**400], [1]),
        ([1, float("inf")], [1]),
        ([True, 1], [0]),
        ([1, "1", [1]], [1, 2]),
        ([ABSENT, 1], []),
    ],
)
def test_what_is_no_number_is_found(values: list[object], wrong: list[int]) -> None:
    numbers, found = numbers_of({"AGE": values, "SCORE": [1.0] * len(values)})
    assert found == {"AGE": wrong, "SCORE": []}
    assert numbers["SCORE"].tolist() == [1.0] * len(values)
    assert np.flatnonzero(np.isnan(numbers["AGE"])).tolist() == [
        place for place, value in enumerate(values) if place in wrong or value in (None, ABSENT)
    ]


@pytest.mark.parametrize(
    ("values", "wrong"),
    [(["F", None, "F"], []), (["F", "\0", "\0"], [1, 2]), ([1, "F"], [0]), ([ABSENT, "F"], [])],
)
def test_what_is_no_text_is_found(values: list[object], wrong: list[int]) -> None:
    assert texts_of(values)[1] == wrong


def test_a_column_that_one_subject_has_is_absent_of_the_others() -> None:
    found = columns_of_rows([{"AGE": 60}, {"AGE": 70, "SEX": "F"}])
    assert found.values == {"AGE": [60, 70], "SEX": [ABSENT, "F"]}


@pytest.fixture(scope="module")
def renamed() -> tuple[Study, Inputs]:
    """A study with a feature that the model's signature calls by another name."""
    study = parse_study(copy.deepcopy(CONTENT), "the study")
    found = inputs_of(study, statistics_pb2.DatasetFeatureStatistics(), {}).columns
    named = [replace(c, argument="mass") if c.name == "BMI" else c for c in found]
    return study, Inputs(tuple(named))


def _checked(renamed: tuple[Study, Inputs], rows: list[dict[str, object]]) -> CheckedRows:
    study, inputs = renamed
    subjects = [{"arm": "Active", **row} for row in rows]
    return check_rows(study, columns_of_rows(subjects), inputs, reactions(study.scoring))


def test_one_subject_may_name_a_column_as_the_study_and_another_as_the_model(
    renamed: tuple[Study, Inputs],
) -> None:
    found = _checked(renamed, [{"BMI": 1}, {"mass": 2}]).arguments["mass"]
    assert found.tolist() == [1, 2]


def test_a_subject_that_has_a_column_under_both_names_is_an_error(
    renamed: tuple[Study, Inputs],
) -> None:
    with pytest.raises(InvalidRowsError) as raised:
        _checked(renamed, [{"BMI": 1}, {"BMI": 1, "mass": 2}])
    [found] = raised.value.problems
    assert (found.row, found.column, found.problem) == (1, "mass", "given_twice")
