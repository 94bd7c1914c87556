"""Arms stand side by side only where the trial is randomised, as predictions."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2

from pipeline.names import SUBJECT_HASH
from pipeline.runs.registry import Registry
from pipeline.service.app import create_app
from pipeline.service.follower import Follower
from pipeline.service.given import columns_of_rows
from pipeline.service.inputs import inputs_of
from pipeline.service.subject_columns import columns_of_arm
from pipeline.service.validation import InvalidRowsError, check_rows
from pipeline.skew.flags import reactions
from pipeline.study.load import parse_study
from pipeline.study.study import Study
from tests.each import each
from tests.pipeline.service.hand_made import CONTENT, STUDY, SUBJECT, log_odds, register, risk
from tests.pipeline.service.running import problem, problems, running

FORM = {name: str(value) for name, value in SUBJECT.items()}
SIDE_BY_SIDE = "Predictions under each arm"


@pytest.fixture(scope="module")
def randomised(
    saved_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("randomised")
    analysis = {"randomised": True, "adjust_for": ["AGE"]}
    register(folder / "registry", saved_model, folder, analysis=analysis)
    with running(create_app(Follower(Registry(str(folder / "registry")), STUDY))) as client:
        yield client


def asked(client: httpx.Client, **columns: Any) -> httpx.Response:
    return client.post("/predict", json={"subject": SUBJECT | columns, "arms": True})


def test_each_arm_has_the_prediction_of_the_same_values(randomised: httpx.Client) -> None:
    answer = asked(randomised).json()
    assert [found["arm"] for found in answer["arms"]] == ["Active", "Placebo"]
    for found in each(answer["arms"]):
        death = found["predictions"]["death"]
        expected = risk(log_odds(60, 30, "F", found["arm"]))
        assert death["probability"] == pytest.approx(expected, abs=1e-6)
        assert death["interval"]["lower"] == pytest.approx(expected - 0.05, abs=1e-6)
    assert answer["assumed_arm"] == "Active"


def test_the_arm_must_be_named_all_the_same(randomised: httpx.Client) -> None:
    assert problems(asked(randomised, arm=None)) == {(0, "arm", "arm_missing")}


def test_arms_are_shown_only_to_whom_asks_for_them(randomised: httpx.Client) -> None:
    answer = randomised.post("/predict", json={"subject": SUBJECT}).json()
    assert "arms" not in answer


def test_a_pseudonym_is_no_column_of_the_arms(randomised: httpx.Client) -> None:
    subject = SUBJECT | {SUBJECT_HASH: 32 * "a"}
    answer = randomised.post("/predict", json={"subject": subject, "arms": True}).json()
    assert len(answer["arms"]) == 2


def test_without_randomisation_no_arms_are_side_by_side(client: httpx.Client) -> None:
    assert "analysis.randomised" in problem(asked(client), 400)["detail"]
    assert SIDE_BY_SIDE not in client.post("/", data=FORM).text


def test_the_page_words_them_as_predictions_and_not_as_benefit(randomised: httpx.Client) -> None:
    text = " ".join(randomised.post("/", data=FORM).text.split())
    assert SIDE_BY_SIDE in text
    # The risks are .34 and .28.
    assert '<th scope="row">Active</th><td class="end">34</td>' in text
    assert '<th scope="row">Placebo</th><td class="end">28</td>' in text
    assert "The difference of two rows is not the benefit that an arm would have" in text


@pytest.fixture(scope="module")
def two_treatments() -> Study:
    """A study whose arm is of two columns, one of which is a feature too."""
    made = copy.deepcopy(CONTENT)
    made["datasets"]["subjects"]["columns"] |= {
        "ASPIRIN": {"type": "text", "known": "baseline"},
        "HEPARIN": {"type": "text", "known": "baseline"},
    }
    made["arm"] = {"columns": ["ASPIRIN", "HEPARIN"], "control": "N/N"}
    made["features"]["aspirin"] = {"kind": "category", "column": "ASPIRIN"}
    return parse_study(made, "the study")


def test_features_of_the_arms_own_columns_follow_the_arm(two_treatments: Study) -> None:
    assert columns_of_arm(two_treatments, "Y/N") == {"arm": "Y/N", "aspirin": "Y"}
    # Which of the three parts belong together is not known.
    assert columns_of_arm(two_treatments, "Y/2/N") is None


@pytest.mark.parametrize(("aspirin", "is_wrong"), [("Y", False), (None, False), ("N", True)])
def test_a_feature_that_says_another_arm_is_an_error(
    two_treatments: Study, aspirin: str | None, is_wrong: bool
) -> None:
    nothing_seen = statistics_pb2.DatasetFeatureStatistics()
    inputs = inputs_of(two_treatments, nothing_seen, {})
    rows = [{"AGE": 60, "arm": "Y/N", "aspirin": aspirin}]
    found = []
    try:
        check_rows(two_treatments, columns_of_rows(rows), inputs, reactions(two_treatments.scoring))
    except InvalidRowsError as error:
        found = [(problem.column, problem.problem) for problem in error.problems]
    assert found == [("aspirin", "another_arm")] * is_wrong


def test_only_the_arm_that_was_given_is_counted(randomised: httpx.Client) -> None:
    def predictions() -> float:
        lines = randomised.get("/metrics").text.splitlines()
        name = 'trial_service_predicted_risk_count{task="death"'
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    before = predictions()
    asked(randomised)
    assert predictions() == before + 1
