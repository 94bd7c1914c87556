"""TrialSummary's executor, and what its component is made of."""

from __future__ import annotations

import copy
import json
import logging
import shutil
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types.artifact import Artifact

from components.artifact_types import ProgressSummary, TrialRejects
from components.trial_summary.component import TrialSummary
from components.trial_summary.executor import Executor
from components.trial_summary.settings import TrialSummarySettings
from pipeline.errors import UserError
from pipeline.results.documents import read_result
from pipeline.results.release import RELEASE_FILE, EarlierRelease, Release
from pipeline.results.trial_progress import TrialSummaryDocument
from pipeline.study.study import Study
from tests.components.trial_summary.trial_made_by_hand import SUMMARY, study_of


def execute(study: Study, data: Path, folder: Path, rejects: Path | None = None) -> None:
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
    inputs: dict[str, list[Artifact]] = {}
    if rejects:
        inputs["rejects"] = [TrialRejects()]
        inputs["rejects"][0].uri = str(rejects)
    Executor(context).Do(inputs, {"summary": [artifact]}, properties)


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


@pytest.mark.parametrize("is_held_back", [True, False])
def test_the_summary_of_a_run_that_is_held_back_has_no_number(
    data: Path, tmp_path: Path, is_held_back: bool
) -> None:
    earlier = EarlierRelease(shown="2026-11-29 04:00", data="3fa9c1d2e4b5")
    release = Release(smallest_group=10, earlier=earlier if is_held_back else None)
    (tmp_path / RELEASE_FILE).write_text(release.model_dump_json())
    execute(study_of(), data, tmp_path / "summary", tmp_path)
    document = read_result(TrialSummaryDocument, str(tmp_path / "summary"))
    assert bool(document.records) is not is_held_back
    reasons = [absent.reason for absent in document.absent]
    assert (release.sentence in reasons) is is_held_back


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


def changed_summary(path: str, value: Any) -> Study:
    """The study with one other key below `summary`."""
    summary = copy.deepcopy(SUMMARY)
    *folders, last = path.split(".")
    place: Any = summary
    for name in folders:
        place = place[name]
    place[last] = value
    return study_of(summary=summary)


@pytest.mark.parametrize(
    ("path", "value", "column"),
    [
        ("disposition.completed", "COMPLETED", "STATUS"),
        ("adverse_events.where", {"column": "TRTEMFL", "equals": "YES"}, "TRTEMFL"),
        ("adverse_events.severities", ["mild", "severe"], "SEV"),
        ("safety", {"column": "DOSE", "equals": "Active"}, "DOSE"),
    ],
)
def test_what_only_the_summary_names_and_no_row_has_is_an_error(
    data: Path, tmp_path: Path, path: str, value: Any, column: str
) -> None:
    with pytest.raises(UserError) as caught:
        execute(changed_summary(path, value), data, tmp_path / "summary")
    assert str(caught.value).startswith(f"summary.{path}: no row of dataset ")
    assert f"in column {column}, which holds " in str(caught.value)


def test_a_severity_that_no_subject_had_among_others_is_a_warning(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    study = changed_summary("adverse_events.severities", ["MILD", "MODERATE", "SEVERE"])
    with caplog.at_level(logging.WARNING, "components.trial_summary.executor"):
        execute(study, data, tmp_path / "summary")
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith(
        "summary.adverse_events.severities: no row of dataset ae has MODERATE in column SEV"
    )


def test_the_gates_severity_of_levels_is_that_of_the_summary(data: Path, tmp_path: Path) -> None:
    summary = {"safety": {"column": "DOSE", "equals": "Active"}}
    for severity, messages in (("warn", 1), ("ignore", 0)):
        study = study_of(summary=summary, gate={"levels": severity})
        execute(study, data, tmp_path / severity)
        document = read_result(TrialSummaryDocument, str(tmp_path / severity))
        assert len(document.absent_levels) == messages


def test_early_in_a_trial_a_dataset_may_still_be_empty(tmp_path: Path, data: Path) -> None:
    early = shutil.copytree(data, tmp_path / "early")
    header = (early / "ae.csv").read_text().splitlines()[0]
    (early / "ae.csv").write_text(header + "\n")
    execute(study_of(), early, tmp_path / "summary")
    document = read_result(TrialSummaryDocument, str(tmp_path / "summary"))
    assert any("TRTEMFL" in message for message in document.absent_levels)
