"""Runs that the data gate stops, and models that the thresholds refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.runs.registry import Registry
from pipeline.study.load import load_study
from tests.verdict_texts import text_of
from tests.whole_runs import LENIENT, Run, small_run, study_copy

pytestmark = pytest.mark.slow

# The reason for leaving the trial, together with a task of whether a subject left.
LEAK = {
    ("features", "DCSREAS"): {"kind": "category"},
    ("tasks", "discontinued"): {
        "kind": "outcome",
        "title": "Left the trial early",
        "state": {"positive": {"column": "EOSSTT", "equals": "DISCONTINUED"}},
    },
    # The curated schema has no such column: that is not what is to be found here.
    ("gate", "anomalies"): "warn",
}


def _left_behind(run: Run) -> tuple[object, list[Path]]:
    registry = Registry(str(run.root / "registry"))
    serving = run.root / "synthetic" / "serving"
    return registry.history("synthetic"), sorted(serving.iterdir())


@pytest.fixture(scope="module")
def refused(champion: Run) -> tuple[Run, object, object]:
    """A run whose threshold no model can reach, and what lay there before and after."""
    before = _left_behind(champion)
    impossible = [{"metric": "auc", "tasks": ["worsening"], "at_least": 0.999}]
    changes = LENIENT | {("thresholds",): impossible}
    run = small_run(champion.root, study_copy(champion.root.parent / "strict", changes))
    return run, before, _left_behind(run)


def test_a_refused_model_is_a_finished_run(refused: tuple[Run, object, object]) -> None:
    run = refused[0]
    assert run.code == 0, run.terminal
    assert not run.verdict["blessed"]
    assert (run.output("TrialEvaluator", "blessing") / "NOT_BLESSED").exists()


def test_a_refusal_is_reported_with_task_metric_value_and_threshold(
    refused: tuple[Run, object, object],
) -> None:
    [reason] = refused[0].verdict["reasons"]
    assert (reason["task"], reason["metric"]) == ("worsening", "auc")
    assert (
        f"✗ First worsening on study days 29 to 180: AUC overall is {reason['value']:.3g}"
        in refused[0].terminal
    )
    told = refused[0].verdict["tasks"]["worsening"]
    assert (told["verdict"], len(told["reasons"])) == ("refused", 1)
    assert text_of(told["reasons"][0]) == text_of(reason)
    assert "below 0.999" in refused[0].terminal


def test_a_refused_model_is_neither_pushed_nor_registered(
    refused: tuple[Run, object, object],
) -> None:
    run, before, after = refused
    assert after == before
    assert f"serving   {run.root}" not in run.terminal


def test_drift_against_the_champions_data_stops_the_run_before_training(champion: Run) -> None:
    before = _left_behind(champion)
    safety = {"column": "SAFFL", "equals": "Y"}
    older = {
        ("population",): {"all": [safety, {"column": "AGE", "at_least": 60}]},
        ("gate", "drift"): "stop",
        ("gate", "drift_limit"): 0.2,
    }
    run = small_run(champion.root, study_copy(champion.root.parent / "older", LENIENT | older))
    assert run.code == 2, run.terminal
    assert "The data gate stopped the run of synthetic before training" in run.terminal
    assert "feature Age (years) [AGE] differs from the champion's train data" in run.terminal
    gate = run.stages["DataGate"]
    assert gate["status"] == "failed"
    drifted = [f for f in gate["findings"] if f["rule"] == "drift" and f["severity"] == "stop"]
    assert "AGE" in {finding["feature"] for finding in drifted}
    assert "Trainer" not in run.stages
    assert _left_behind(champion) == before


def test_a_column_that_gives_a_label_away_stops_the_run(tmp_path: Path) -> None:
    changes = LENIENT | LEAK | {("datasets", "adsl", "columns", "DCSREAS"): {"known": "baseline"}}
    run = small_run(tmp_path / "runs", study_copy(tmp_path / "leak", changes))
    assert run.code == 2, run.terminal
    told = "feature DCSREAS alone predicts task Left the trial early [discontinued]"
    assert told in " ".join(run.terminal.split())
    assert "Traceback" not in run.terminal
    gate = run.stages["DataGate"]
    assert gate["status"] == "failed"
    assert "leakage" in gate["error"]
    [leak] = [finding for finding in gate["findings"] if finding["severity"] == "stop"]
    assert (leak["rule"], leak["feature"], leak["task"]) == ("leakage", "DCSREAS", "discontinued")
    assert "Trainer" not in run.stages


def test_the_same_column_declared_honestly_is_refused_when_the_study_file_is_read(
    tmp_path: Path,
) -> None:
    changes = LENIENT | LEAK
    with pytest.raises(UserError, match=r"features\.DCSREAS: column DCSREAS is known `after`"):
        load_study(study_copy(tmp_path / "honest", changes))
