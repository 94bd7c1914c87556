"""TrialSummary's executor, and what its component is made of."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor

from components.artifact_types import ProgressSummary
from components.trial_summary.component import TrialSummary
from components.trial_summary.executor import Executor
from components.trial_summary.settings import TrialSummarySettings
from pipeline.errors import UserError
from pipeline.results.documents import read_result
from pipeline.results.trial_progress import TrialSummaryDocument
from pipeline.study.study import Study
from tests.components.trial_summary.trial_made_by_hand import SUMMARY, study_of


def execute(study: Study, data: Path, folder: Path) -> None:
    artifact = ProgressSummary()
    artifact.uri = str(folder)
    context = BaseBeamExecutor.Context(
        make_beam_pipeline_fn=lambda: beam.Pipeline(runner=FnApiRunner()),
        tmp_dir=str(folder.parent),
        unique_id="1",
    )
    properties = {
        "settings": TrialSummarySettings.of(study).to_json(),
        "data_root": str(data),
        "fingerprint": "of the data",
    }
    Executor(context).Do({}, {"summary": [artifact]}, properties)


def test_the_summary_is_read_as_a_document(data: Path, tmp_path: Path) -> None:
    execute(study_of(), data, tmp_path / "summary")
    document = read_result(TrialSummaryDocument, str(tmp_path / "summary"))
    assert document.smallest_group == 10
    assert {record.section for record in document.records} == {
        "enrolment",
        "disposition",
        "exposure",
        "adverse_events",
        "endpoint",
        "completeness",
    }


def test_what_is_absent_is_logged(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "components.trial_summary.executor"):
        execute(study_of(summary={}), data, tmp_path / "summary")
    messages = [record.getMessage() for record in caplog.records]
    assert (
        "Missing from the summary's exposure: the study file's `summary` does not describe it."
        in messages
    )


def test_a_file_that_ends_too_early_is_reported_as_what_it_is(data: Path, tmp_path: Path) -> None:
    trial = tmp_path / "trial"
    trial.mkdir()
    for path in data.iterdir():
        (trial / path.name).write_bytes(path.read_bytes())
    with (trial / "qs.csv").open("a") as file:
        file.write('S00,"Week')
    with pytest.raises(UserError, match=r"qs\.csv"):
        execute(study_of(), trial, tmp_path / "summary")
    assert not (tmp_path / "summary" / "summary.json").exists()


def test_a_second_attempt_does_not_meet_what_the_first_left(data: Path, tmp_path: Path) -> None:
    left = tmp_path / "summary" / "problems.json"
    left.parent.mkdir()
    left.write_text(json.dumps(["an old problem"]))
    execute(study_of(), data, tmp_path / "summary")
    assert not left.exists()


def test_what_training_alone_reads_is_no_part_of_the_parameters() -> None:
    study = study_of(training={"steps": 7}, thresholds=[{"metric": "auc", "at_least": 0.6}])
    assert TrialSummarySettings.of(study) == TrialSummarySettings.of(study_of())


def test_other_data_are_another_execution() -> None:
    settings = TrialSummarySettings.of(study_of(summary=SUMMARY))
    component = TrialSummary(settings=settings, data_root="/trial", fingerprint="of the data")
    assert component.exec_properties["fingerprint"] == "of the data"
    assert component.outputs["summary"].type is ProgressSummary
