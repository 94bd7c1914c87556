"""TrialAnalysis' executor on a small trial that went through TrialExampleGen."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from tfx.types import channel_utils, standard_artifacts
from tfx.types.artifact import Artifact

from components.trial_analysis.component import TrialAnalysis
from components.trial_analysis.settings import TrialAnalysisSettings
from pipeline.errors import UserError
from pipeline.results.analysis import Analysis
from pipeline.results.documents import read_result
from pipeline.study.load import parse_study
from pipeline.study.study import Study
from tests.components.trial_analysis.analysis_runs import execute, make_examples
from tests.death_study import NUMBER_AT_BASELINE, TEXT, TEXT_AFTER, TEXT_AT_BASELINE, death_study

STUDY = death_study(
    {
        "USUBJID": TEXT,
        "ARM": TEXT_AT_BASELINE,
        "AGE": NUMBER_AT_BASELINE,
        "DIED": TEXT_AFTER,
        "DAYS": {"type": "number", "known": "after"},
    },
    arm={"columns": ["ARM"], "control": "Placebo"},
    landmark="baseline",
    analysis={
        "randomised": True,
        "time_to_event": {
            "death": {
                "title": "Death",
                "time": "DAYS",
                "event": {"column": "DIED", "equals": "Y"},
                "horizon": 100,
            }
        },
    },
)


def study(**changes: Any) -> Study:
    return parse_study({**STUDY, **changes}, "study.yaml")


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """Of 60 with placebo every third died, of 60 with the drug every fourth, a day apart."""
    folder = tmp_path_factory.mktemp("trial")
    rows = ["USUBJID,ARM,AGE,DIED,DAYS"]
    for number in range(120):
        arm, every = ("Placebo", 3) if number < 60 else ("Active", 4)
        died = "Y" if number % every == 0 else "N"
        rows.append(f"S{number},{arm},{40 + number % 30},{died},{2 * number % 120 + 1}")
    (folder / "dm.csv").write_text("\n".join(rows) + "\n")
    return make_examples(study(), folder, folder)


def test_the_analysis_is_of_all_splits_together(examples: Artifact, tmp_path: Path) -> None:
    found = read_result(Analysis, str(execute(examples, study(), tmp_path / "analysis")))
    assert found.subjects == 120
    rates = {rate.level: (rate.events, rate.subjects) for rate in found.tasks[0].rates}
    assert rates == {"Placebo": (20, 60), "Active": (15, 60)}


def test_times_beyond_the_horizon_are_censored_at_it(examples: Artifact, tmp_path: Path) -> None:
    found = read_result(Analysis, str(execute(examples, study(), tmp_path / "analysis")))
    [endpoint] = found.endpoints
    events = {curve.level: curve.events for curve in endpoint.curves}
    # Days 1, 7, ... 97 of 115 with placebo; 1, 9, ... 97 of 113 with the drug.
    assert events == {"Placebo": 17, "Active": 13}
    assert max(curve.ends or 0 for curve in endpoint.curves) <= 100


def test_the_same_examples_give_the_same_document(examples: Artifact, tmp_path: Path) -> None:
    first, second = (
        (execute(examples, study(), tmp_path / name) / "analysis.json").read_bytes()
        for name in ("first", "second")
    )
    assert first == second


def test_its_record_says_how_many_subjects_it_saw(
    examples: Artifact, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        execute(examples, study(), tmp_path / "analysis")
    rows = [getattr(record, "rows", None) for record in caplog.records]
    assert {"subjects": 120} in rows


def test_examples_of_another_study_file_are_refused(examples: Artifact, tmp_path: Path) -> None:
    tasks = {"relapse": STUDY["tasks"]["death"]}
    with pytest.raises(UserError, match="no example has a value of label_relapse"):
        execute(examples, study(tasks=tasks), tmp_path / "analysis")


def test_settings_of_another_form_are_refused() -> None:
    with pytest.raises(UserError, match="TrialAnalysisSettings"):
        TrialAnalysisSettings.from_json("{}")


def test_the_component_reads_examples_and_gives_an_analysis() -> None:
    node = TrialAnalysis(
        examples=channel_utils.as_channel([standard_artifacts.Examples()]),
        settings=TrialAnalysisSettings.of(study()),
    )
    assert set(node.inputs) == {"examples"}
    assert node.outputs["analysis"].type_name == "trial.ResearcherAnalysis"
