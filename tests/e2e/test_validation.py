"""A registered model made by hand, validated by the command on a trial with other names.

The trial's outcomes are drawn from the model's own risk, shifted on the logit scale: recalibration
in the large must recover the shift.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from components.evaluator.champion import VALIDATION
from pipeline.runs.registry import Registry
from pipeline.titles import NAMES
from tests.components.registered_model.hand_made_model import STUDY, content_of
from tests.each import each
from tests.shifted_trial import SHIFT, SUBJECTS, expected_metrics, predictions, write_trial
from tests.validation_runs import Ended, run_validation
from tests.verdict_texts import note_texts

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def validated(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("validated")
    study = write_trial(folder / "second [x]")
    ended = run_validation(folder, study, "--update", "recalibration_in_the_large")
    assert ended.code == 0, ended.terminal
    return ended


def test_recalibration_in_the_large_recovers_the_shift(validated: Ended) -> None:
    (task,) = validated.validation["tasks"]
    large = task["updates"][0]

    assert large["method"] == "recalibration_in_the_large"
    assert large["intercept"]["lower"] < SHIFT < large["intercept"]["upper"]
    assert large["log_loss_gain"]["lower"] > 0
    assert task["observed_to_expected"]["lower"] > 1


def test_all_subjects_are_evaluated(validated: Ended) -> None:
    assert validated.validation["subjects"] == SUBJECTS
    assert validated.metric("auc")["subjects"] == SUBJECTS
    assert validated.metric("auc")["lower"] > 0.5
    assert validated.metric("calibration_in_the_large")["upper"] < 0


def test_the_metrics_are_those_of_the_models_predictions(validated: Ended) -> None:
    for name, value in each(expected_metrics(validated.root.parent / "second [x]").items()):
        assert validated.metric(name)["value"] == pytest.approx(value, abs=1e-6), name


@pytest.mark.parametrize("group", [{}, {"gender": "F"}])
def test_what_the_models_sets_are_worth_in_this_trial_is_measured(
    validated: Ended, group: dict[str, str]
) -> None:
    died, predicted = predictions(validated.root.parent / "second [x]", **group)

    found = validated.metric("coverage_positive", **group)

    assert found["value"] == pytest.approx(np.mean(predicted[died] >= 0.2), abs=1e-6)
    assert found["lower"] < found["value"] < found["upper"]
    without = validated.metric("coverage_negative", **group)["value"]
    assert without == pytest.approx(np.mean(predicted[~died] <= 0.3), abs=1e-6)
    page = Path(validated.answer["paths"]["page"]).read_text()
    assert "nothing was promised of them" in page
    assert "Coverage with the outcome" in page


def test_the_case_mix_is_beside_that_of_the_training(validated: Ended) -> None:
    age, gender = validated.validation["case_mix"]

    assert (age["name"], gender["name"]) == ("AGEYR", "GENDER")
    assert age["training"]["mean"] == pytest.approx(55)
    assert age["validation"]["mean"] == pytest.approx(65, abs=1)
    assert {item["value"] for item in gender["validation"]["values"]} == {"F", "M"}
    assert validated.validation["tasks"][0]["observed_rate_in_training"] == pytest.approx(0.25)


def test_the_registered_model_stays_as_it_was(validated: Ended) -> None:
    after = content_of(validated.registry)

    assert {name: after[name] for name in validated.before} == validated.before
    assert Registry(str(validated.registry)).champion(STUDY) == validated.model


def test_the_updated_model_is_registered_with_its_origin(validated: Ended) -> None:
    (updated,) = Registry(str(validated.registry)).updates(STUDY)

    assert validated.answer["paths"]["updated"] == updated.model_uri
    assert updated.origin is not None
    assert updated.origin.model == validated.model.id
    assert updated.origin.study == "second"
    assert set(updated.origin.tasks) == {"death"}
    assert updated.origin.tasks["death"].slope == 1


def test_the_verdict_says_that_no_champion_was_compared(validated: Ended) -> None:
    verdict = json.loads(Path(validated.answer["paths"]["verdict"]).read_text())
    assert note_texts(verdict) == [VALIDATION.text(NAMES)]


def test_the_page_says_what_was_found(validated: Ended) -> None:
    page = Path(validated.answer["paths"]["page"]).read_text()

    assert "External validation of a registered model" in page
    assert "It predicts too little" in page
    assert "Net benefit by group, with 95 % intervals" in page
    # The model was registered before: no task of it is blessed, or refused, here.
    assert "blessed" not in page.lower()
    assert "Would predict better after recalibration in the large" in page


def test_the_store_has_it_as_a_validation(validated: Ended) -> None:
    with closing(sqlite3.connect(validated.root / "store.sqlite")) as store:
        runs = store.execute("SELECT study, kind FROM runs").fetchall()
        benefits = store.execute(
            "SELECT slice, decision_threshold FROM validation_estimates "
            "WHERE measure = 'net_benefit' ORDER BY slice"
        ).fetchall()
        models = store.execute("SELECT count(*) FROM models").fetchone()
    assert runs == [("second", "validation")]
    assert benefits == [("", 0.3), ("F", 0.3), ("M", 0.3)]
    assert models == (0,)


def test_a_validation_is_no_run_of_its_study(validated: Ended) -> None:
    assert list(validated.root.glob("second/validation/records/*/run.json"))
    assert not list(validated.root.glob("second/records/*"))  # may be empty
