"""What the data notebook tells of a run that ended early."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from notebooks.data.view import DataView
from notebooks.opened_run import open_run
from tests.notebooks.hand_made_groups import RUN, write_run


@pytest.fixture
def view(tmp_path: Path) -> DataView:
    write_run(tmp_path, status="failed", failed_stage="TrialEvaluator")
    return DataView(open_run(RUN, tmp_path))


def test_what_is_there_is_told(view: DataView) -> None:
    assert "400" in view.subjects()._repr_html_()
    assert "no objections" in view.gate()._repr_html_()


@pytest.mark.parametrize(
    ("cell", "stage"),
    [
        ("anomalies", "ExampleValidator"),
        ("statistics", "StatisticsGen"),
        ("distributions", "StatisticsGen"),
        ("drift", "StatisticsGen"),
        ("missing_by_arm", "TrialExampleGen"),
        ("missing_by_site", "TrialExampleGen"),
    ],
)
def test_what_the_run_did_not_get_to_is_said_in_words(
    view: DataView, cell: str, stage: str
) -> None:
    told = getattr(view, cell)()._repr_html_()
    assert f"This run did not get to {stage}" in told
    assert "It ended as failed at TrialEvaluator" in told


def test_what_made_the_gate_stop_a_run_is_told(tmp_path: Path) -> None:
    folder = write_run(tmp_path, status="failed", failed_stage="DataGate")
    findings = [
        {"rule": "anomalies", "severity": "warn", "message": "SEX is not in the schema."},
        {"rule": "leakage", "severity": "stop", "message": "AGE tells the outcome."},
    ]
    (folder / "DataGate.json").write_text(
        json.dumps({"stage": "DataGate", "started": "", "findings": findings})
    )

    told = DataView(open_run(RUN, tmp_path)).gate()._repr_html_()

    assert "The gate stopped this run" in told
    assert "AGE tells the outcome." in told
    assert told.index("AGE tells the outcome.") < told.index("SEX is not in the schema.")
