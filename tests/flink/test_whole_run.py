"""The whole pipeline on Flink gives what it gives in memory.

What is counted is the same: examples byte for byte, rejects, counts of the statistics,
vocabularies. What is added up in floating point is the same within 1e-6, since a cluster adds in
another order; a model is therefore evaluated on both runners, not trained on both.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conserved_counts import assert_conserved
from tests.each import each
from tests.flink import artifacts
from tests.flink.conftest import Flink
from tests.flink.in_memory import assert_close, evaluate_in_memory

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
SUBJECTS = 300
SMALLEST_GROUP = 10
"""Of so few subjects the shipped studies would show next to no metrics."""
LENIENT: dict[str, Any] = {
    "thresholds": [{"metric": "auc", "at_least": 0.3}],
    "gate": {
        "minimum": {split: {"subjects": 20, "events": 1} for split in ("train", "eval", "test")}
    },
}
"""What lets a trial of few subjects, and a model of few steps, through to the end."""

EVALUATION: dict[str, dict[str, Any]] = {
    "synthetic": {"scheme": "cross_fit", "folds": 3, "repeats": 2, "default_thresholds": False},
    "actg175": {"scheme": "split", "default_thresholds": False},
}
"""A trial is evaluated out of fold, the other one on a test split."""


@dataclass(frozen=True)
class Trial:
    """A trial to run.

    Attributes:
        study: Name of the shipped study.
        arguments: Of the local runner.
    """

    study: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Runs:
    """The same run in both places.

    Attributes:
        trial: The trial.
        flink: Outputs of the run on Flink, folder by stage and name.
        memory: Outputs of the run in memory.
    """

    trial: Trial
    flink: dict[str, dict[str, str]]
    memory: dict[str, dict[str, str]]

    def folders(self, stage: str, name: str) -> tuple[Path, Path]:
        """An output of Flink's run and of the other one."""
        return Path(self.flink[stage][name]), Path(self.memory[stage][name])


@pytest.fixture(scope="module", params=["synthetic", "actg175"])
def runs(
    request: pytest.FixtureRequest, flink: Flink, tmp_path_factory: pytest.TempPathFactory
) -> Runs:
    """A synthetic trial with rows of events, and a real one."""
    folder = tmp_path_factory.mktemp(request.param)
    arguments = ["--study", str(_study_copy(folder, request.param)), "--steps", "40"]
    if request.param == "synthetic":
        arguments += ["--subjects", str(SUBJECTS)]
    else:
        arguments += ["--data", str(request.getfixturevalue("trial_data_dir") / request.param)]
    trial = Trial(request.param, tuple(arguments))
    return Runs(
        trial,
        flink=_run(folder / "flink", trial, *flink.arguments),
        memory=_run(folder / "memory", trial),
    )


def _study_copy(folder: Path, study: str) -> Path:
    shipped = REPOSITORY / "schema" / study
    content = yaml.safe_load((shipped / "study.yaml").read_text()) | LENIENT
    content["evaluation"] = EVALUATION[study]
    content["slicing"]["smallest_group"] = SMALLEST_GROUP
    (folder / "schema.pbtxt").write_bytes((shipped / "schema.pbtxt").read_bytes())
    copied = folder / "study.yaml"
    copied.write_text(yaml.safe_dump(content, sort_keys=False))
    return copied


def _run(root: Path, trial: Trial, *arguments: str) -> dict[str, dict[str, str]]:
    """Runs the pipeline as a person does; outputs of its stages."""
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pipeline.local_runner", "--root", str(root)),
            *(*trial.arguments, *arguments),
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    (run_file,) = (root / trial.study / "records").glob("*/run.json")
    return json.loads(run_file.read_text())["outputs"]


def test_each_split_holds_the_same_examples_byte_for_byte(runs: Runs) -> None:
    flink, memory = map(artifacts.examples, runs.folders("TrialExampleGen", "examples"))

    assert {split: len(records) for split, records in flink.items()} == {
        split: len(records) for split, records in memory.items()
    }
    assert flink == memory
    out_of_fold = EVALUATION[runs.trial.study]["scheme"] == "cross_fit"
    filled = ["train"] if out_of_fold else ["train", "eval", "test"]
    assert sorted(split for split, records in memory.items() if records) == sorted(filled)


def test_the_same_rows_are_rejected_and_the_same_subjects_counted(runs: Runs) -> None:
    flink, memory = map(artifacts.rejects, runs.folders("TrialExampleGen", "rejects"))

    assert flink == memory
    _, counts = flink
    assert_conserved(counts, by_arm=True)


def test_both_trials_are_weighted_and_their_risks_by_the_horizon_are_equal(runs: Runs) -> None:
    """The weights themselves are in the examples, which are equal byte for byte."""
    flink, memory = (
        json.loads((folder / "counts.json").read_text())["censoring"]
        for folder in runs.folders("TrialExampleGen", "rejects")
    )

    weighted = [task for task, found in memory.items() if not found["is_complete"]]
    for task in each(weighted):
        for arm, found in each(memory[task]["arms"].items()):
            assert flink[task]["arms"][arm]["risk"] == found["risk"]
            assert flink[task]["arms"][arm]["largest_weight"] == found["largest_weight"]
    assert max(arm["largest_weight"] for t in weighted for arm in memory[t]["arms"].values()) > 1


def test_what_the_statistics_count_is_equal(runs: Runs) -> None:
    flink, memory = map(artifacts.counts_of_statistics, runs.folders("StatisticsGen", "statistics"))

    assert flink == memory
    assert memory


def test_what_the_statistics_compute_is_close(runs: Runs) -> None:
    flink, memory = map(
        artifacts.moments_of_statistics, runs.folders("StatisticsGen", "statistics")
    )

    assert_close(flink, memory, "statistics")


def test_the_trials_summary_is_the_same(runs: Runs) -> None:
    flink, memory = runs.folders("TrialSummary", "summary")

    assert (flink / "summary.json").read_text() == (memory / "summary.json").read_text()


def test_analyzers_find_the_same_vocabularies_and_close_numbers(runs: Runs) -> None:
    flink, memory = map(artifacts.analyzed, runs.folders("Transform", "transform_graph"))

    assert flink.vocabularies == memory.vocabularies
    assert_close(flink.numbers, memory.numbers, "analyzers")
    assert memory.numbers


def test_one_model_has_the_same_metrics_and_intervals_on_both(runs: Runs, tmp_path: Path) -> None:
    on_flink = Path(runs.flink["TrialEvaluator"]["verdict"])
    in_memory = evaluate_in_memory(runs.flink, Path(runs.trial.arguments[1]), tmp_path)

    for name in ("metrics.json", "curves.json"):
        found = json.loads((on_flink / name).read_text())
        assert_close(found, json.loads((in_memory / name).read_text()), name)
    risks, expected = (
        json.loads((folder / "verdict.json").read_text())["risks"]
        for folder in (on_flink, in_memory)
    )
    assert_close(risks, expected, "risks")
    assert expected
