"""The gate before scoring as a stage: what it writes, and what it stops with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from tfx.types import artifact_utils, standard_artifacts

from components.artifact_types import GateFindings
from components.skew_gate.executor import Executor
from pipeline.errors import UserError
from tests.components.skew_gate.test_rules import SETTINGS, TRAINING, subjects
from tests.described_subjects import write_examples
from tests.each import each


@pytest.fixture
def findings(tmp_path: Path) -> Path:
    """Folder that the stage writes its findings to."""
    folder = tmp_path / "findings"
    folder.mkdir()
    return folder


def run(findings: Path, now: pd.DataFrame) -> None:
    """Runs the stage on the statistics of subjects who are to be scored."""

    def statistics(name: str, split: str, frame: pd.DataFrame) -> Any:
        artifact = standard_artifacts.ExampleStatistics()
        artifact.uri = str(findings.parent / name)
        artifact.split_names = artifact_utils.encode_split_names([split])
        file = findings.parent / name / f"Split-{split}" / "FeatureStats.pb"
        file.parent.mkdir(parents=True)
        made = tfdv.generate_statistics_from_dataframe(frame, n_jobs=1)
        file.write_bytes(made.SerializeToString())
        return artifact

    examples = standard_artifacts.Examples()
    examples.uri = str(findings.parent / "examples")
    examples.split_names = artifact_utils.encode_split_names(["test"])
    write_examples(now, findings.parent / "examples" / "Split-test")
    output = GateFindings()
    output.uri = str(findings)
    Executor().Do(
        {
            "examples": [examples],
            "statistics": [statistics("now", "test", now)],
            "model_statistics": [statistics("training", "train", TRAINING)],
        },
        {"findings": [output]},
        {"settings": SETTINGS.to_json()},
    )


def rules(findings: Path) -> list[str]:
    content = json.loads((findings / "findings.json").read_text())
    return [item["rule"] for item in each(content) if item["severity"] == "stop"]


def test_most_values_of_another_coding_stop_the_scoring(findings: Path) -> None:
    spelled_out = subjects(200, SEX=["female", "male"] * 100)

    with pytest.raises(UserError) as stopped:
        run(findings, spelled_out)

    assert "feature SEX: most of its values are unknown categories" in str(stopped.value)
    assert "scoring.mostly_new: warn" in str(stopped.value)
    assert rules(findings) == ["mostly_new"]


def test_subjects_like_those_of_the_training_may_be_scored(findings: Path) -> None:
    run(findings, subjects(200))

    assert rules(findings) == []
