"""The data notebook on a run that ended early."""

from __future__ import annotations

from pathlib import Path

import pytest

from notebooks.data.view import DataView
from notebooks.opened_run import open_run
from pipeline.results.findings import Finding
from pipeline.runs.stage_record import StageRecord
from tests.notebooks.hand_made_groups import RUN, write_run


@pytest.fixture
def view(tmp_path: Path) -> DataView:
    write_run(tmp_path, status="failed", failed_stage="TrialEvaluator")
    return DataView(open_run(RUN, tmp_path))


def test_what_the_run_wrote_is_shown(view: DataView) -> None:
    assert "400" in view.subjects()._repr_html_()
    assert "No finding of the data gate is outside its limit" in view.gate()._repr_html_()


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
def test_a_stage_that_the_run_did_not_reach_is_named(view: DataView, cell: str, stage: str) -> None:
    page = getattr(view, cell)()._repr_html_()
    assert f"This run did not reach {stage}" in page
    assert "It ended as failed at TrialEvaluator" in page


def test_the_findings_that_stopped_a_run_are_shown(tmp_path: Path) -> None:
    folder = write_run(tmp_path, status="failed", failed_stage="DataGate")
    findings = [
        Finding(rule="anomalies", severity="warn", message="SEX is not in the schema."),
        Finding(rule="leakage", severity="stop", message="AGE tells the outcome."),
    ]
    StageRecord(run=RUN, stage="DataGate", findings=findings).write(folder)

    page = DataView(open_run(RUN, tmp_path)).gate()._repr_html_()

    assert "The gate stopped this run" in page
    assert "AGE tells the outcome." in page
    assert page.index("AGE tells the outcome.") < page.index("SEX is not in the schema.")
