"""`trial validate` on Flink gives what the model's predictions say, and what it gives in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.each import each
from tests.flink.conftest import Flink
from tests.flink.in_memory import assert_close, evaluate_in_memory
from tests.shifted_trial import SHIFT, SUBJECTS, expected_metrics, write_trial
from tests.validation_runs import Ended, run_validation

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def validated(flink: Flink, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("validated")
    study = write_trial(folder / "second")
    ended = run_validation(folder, study, *flink.arguments)
    assert ended.code == 0, ended.terminal
    return ended


def test_the_metrics_are_those_of_the_models_predictions(validated: Ended) -> None:
    assert validated.metric("auc")["subjects"] == SUBJECTS
    for name, value in each(expected_metrics(validated.root.parent / "second").items()):
        assert validated.metric(name)["value"] == pytest.approx(value, abs=1e-6), name


def test_metrics_intervals_and_curves_are_those_of_memory(validated: Ended, tmp_path: Path) -> None:
    study = validated.root.parent / "second" / "study.yaml"
    (run_file,) = validated.root.glob("second/validation/records/*/run.json")
    outputs = json.loads(run_file.read_text())["outputs"]
    in_memory = evaluate_in_memory(outputs, study, tmp_path)

    for name in ("metrics.json", "curves.json"):
        found: dict[str, Any] = json.loads(
            Path(outputs["TrialEvaluator"]["verdict"], name).read_text()
        )
        assert_close(found, json.loads((in_memory / name).read_text()), name)


def test_recalibration_in_the_large_recovers_the_shift(validated: Ended) -> None:
    (task,) = validated.validation["tasks"]
    intercept = task["updates"][0]["intercept"]
    assert intercept["lower"] < SHIFT < intercept["upper"]
