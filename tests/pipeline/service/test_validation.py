"""What is wrong with a subject's columns is reported by name, never by value."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.runs.registry import Registry
from pipeline.service.app import create_app
from pipeline.service.follower import Follower
from tests.pipeline.service.hand_made import STUDY, SUBJECT, register
from tests.pipeline.service.running import problem, problems, running


def predict(client: httpx.Client, **columns: Any) -> httpx.Response:
    """Asks for a prediction of the subject with other columns."""
    # As ASCII: half of a surrogate pair can be sent in no other way.
    return client.post("/predict", content=json.dumps({"subject": SUBJECT | columns}))


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"HEIGHT": 180}, (0, "HEIGHT", "unknown_column")),
        ({"AGE": "60"}, (0, "AGE", "wrong_type")),
        ({"AGE": True}, (0, "AGE", "wrong_type")),
        ({"AGE": [60]}, (0, "AGE", "wrong_type")),
        ({"AGE": 1e300}, (0, "AGE", "wrong_type")),
        ({"SEX": 1}, (0, "SEX", "wrong_type")),
        ({"SEX": "a\0b"}, (0, "SEX", "wrong_type")),
        ({"SEX": "\ud800"}, (0, "SEX", "wrong_type")),
        # The study file says that an age is from 18 to 120.
        ({"AGE": 17.9}, (0, "AGE", "impossible_number")),
        ({"AGE": 121}, (0, "AGE", "impossible_number")),
        ({"arm": None}, (0, "arm", "arm_missing")),
        ({"arm": " "}, (0, "arm", "arm_missing")),
    ],
)
def test_a_wrong_column_is_an_error(
    client: httpx.Client, columns: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    assert problems(predict(client, **columns)) == {expected}


def test_no_arm_is_filled_in(client: httpx.Client) -> None:
    subject = {name: value for name, value in SUBJECT.items() if name != "arm"}
    answer = client.post("/predict", json={"subject": subject})
    assert problems(answer) == {(0, "arm", "arm_missing")}


def test_all_problems_of_all_subjects_are_reported_at_once(client: httpx.Client) -> None:
    body = {"instances": [SUBJECT, SUBJECT | {"AGE": "x", "SEX": 1}, SUBJECT | {"AGE": None}]}
    answer = client.post("/v1/models/stroke:predict", json=body)
    assert problems(answer) == {(1, "AGE", "wrong_type"), (1, "SEX", "wrong_type")}


@pytest.mark.parametrize(
    ("columns", "flags"),
    [
        ({"AGE": 71}, [("out_of_range", "AGE")]),
        ({"AGE": 39}, [("out_of_range", "AGE")]),
        ({"AGE": 70}, []),
        ({"AGE": None}, [("missing_value", "AGE")]),
        ({"SEX": "D"}, [("unknown_category", "SEX")]),
        # One training subject had it.
        ({"SEX": "X"}, []),
        # Read without outer blanks, as the data are.
        ({"SEX": " F\N{NO-BREAK SPACE}"}, []),
        ({"SEX": ""}, [("missing_value", "SEX")]),
        ({"arm": "Third"}, [("unknown_category", "arm")]),
    ],
)
def test_a_subject_unlike_those_of_the_training_is_flagged(
    client: httpx.Client, columns: dict[str, Any], flags: list[tuple[str, str]]
) -> None:
    answer = predict(client, **columns)
    assert answer.status_code == 200
    assert [(flag["flag"], flag["feature"]) for flag in answer.json()["flags"]] == flags


@pytest.fixture(scope="module")
def strict(saved_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Follower:
    """Of a study that refuses what others flag, but ignores what is missing."""
    folder = tmp_path_factory.mktemp("strict")
    scoring = {
        **{"unknown_category": "refuse", "out_of_range": "refuse"},
        **{"missing_value": "ignore"},
    }
    register(folder / "registry", saved_model, folder, scoring=scoring)
    return Follower(Registry(str(folder / "registry")), STUDY)


def test_the_study_file_says_what_is_refused_and_what_is_ignored(strict: Follower) -> None:
    with running(create_app(strict)) as client:
        assert problems(predict(client, AGE=71)) == {(0, "AGE", "out_of_range")}
        assert problems(predict(client, SEX="D")) == {(0, "SEX", "unknown_category")}
        assert predict(client, AGE=None).json()["flags"] == []


SECRET = "73219.4417"
"""A value that stands nowhere else."""


@pytest.mark.parametrize(
    "columns",
    [
        {"AGE": SECRET},
        {"AGE": float(SECRET)},
        {"AGE": [SECRET]},
        {"SEX": {SECRET: SECRET}},
        {"SEX": float(SECRET)},
        {"SEX": SECRET + "\0"},
        {"HEIGHT": SECRET},
        {"BMI": float(SECRET), "SEX": SECRET},
    ],
)
def test_a_value_is_in_no_error_no_log_and_no_metric(
    client: httpx.Client, columns: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    subject = SUBJECT | columns
    with caplog.at_level(logging.DEBUG, logger="pipeline"):
        answers = [
            client.post("/predict", json={"subject": subject}),
            client.post("/v1/models/stroke:predict", json={"instances": [subject]}),
            client.post("/predict", content=f'{{"subject": {{"AGE": {SECRET}'),
        ]
        metrics = client.get("/metrics").text

    assert all(answer.status_code in (200, 400, 422) for answer in answers)
    shown = "".join([*(answer.text for answer in answers), metrics, caplog.text])
    assert SECRET[:7] not in shown


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"subject": {"AGE": 60, "AGE": 61}}',
        b'{"subject": []}',
        b'{"subject": {}, "contributions": 1}',
        b'{"subject": {}, "more": 1}',
        b"[" * 100_000,
        b'{"subject": {"AGE": ' + b"9" * 5000 + b"}}",
    ],
    ids=range(10),
)
def test_another_body_is_malformed(client: httpx.Client, body: bytes) -> None:
    problem(client.post("/predict", content=body), 400)
