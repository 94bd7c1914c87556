"""Whole runs of other kinds: by TFX's own command line, tuned, sites held out, real trials."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.pages.write_report import write_report
from pipeline.runs.run_file import read_run_file
from tests.predicted_risks import departures
from tests.prediction_sets import uncovered
from tests.verdict_texts import note_texts
from tests.whole_runs import (
    LENIENT,
    REPOSITORY,
    SMALL,
    Run,
    environment,
    run_pipeline,
    study_copy,
)

pytestmark = pytest.mark.slow


SETS = {"ist": 40, "actg175": 20, "cdisc_pilot01": 0, "cdisc_pilot01_sdtm": 0}
"""Levels and groups at least whose coverage by prediction sets a run tells, by study."""

HELD_OUT = ("001", "002", "003", "004", "005")


@dataclass(frozen=True)
class ByTfx:
    """What TFX's own command line made of a study that is tuned and tested on whole sites.

    Attributes:
        created: Creation of the pipeline.
        ran_on_creation: Whether the creation ran a stage.
        created_twice: The same command once more.
        run: The run.
    """

    created: subprocess.CompletedProcess[str]
    ran_on_creation: bool
    created_twice: subprocess.CompletedProcess[str]
    run: Run


def _tfx(root: Path, *arguments: str, study: Path) -> subprocess.CompletedProcess[str]:
    """TFX's command line; it hands no arguments on, so the environment has the choices."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("tfx")), *arguments, "--engine=local"],
        cwd=root.parent,
        env=environment(
            LOCAL_HOME=str(root.parent / "tfx"),
            TRIAL_ROOT=str(root),
            TRIAL_STUDY=str(study),
            TRIAL_SUBJECTS=str(SMALL),
            TRIAL_STEPS="40",
            TRIAL_TUNE="1",
        ),
        capture_output=True,
        text=True,
        timeout=1_500,
        check=False,
    )


@pytest.fixture(scope="module")
def by_tfx(tmp_path_factory: pytest.TempPathFactory) -> ByTfx:
    folder = tmp_path_factory.mktemp("tfx")
    root = folder / "runs"
    changes = LENIENT | {("split", "holdout_sites"): list(HELD_OUT)}
    study = study_copy(folder / "study", changes)
    creation = (
        *("pipeline", "create"),
        f"--pipeline_path={REPOSITORY / 'pipeline' / 'local_runner.py'}",
    )
    created = _tfx(root, *creation, study=study)
    ran_on_creation = (root / "synthetic" / "artifacts").exists()
    created_twice = _tfx(root, *creation, study=study)
    ran = _tfx(root, "run", "create", "--pipeline_name=trial-synthetic", study=study)
    run = Run(ran.returncode, ran.stdout, ran.stderr, root, "synthetic", 0)
    return ByTfx(created, ran_on_creation, created_twice, run)


def test_tfxs_own_command_line_creates_the_pipeline(by_tfx: ByTfx) -> None:
    created = by_tfx.created
    assert created.returncode == 0, created.stdout + created.stderr
    assert 'Pipeline "trial-synthetic" created successfully.' in created.stdout
    assert not by_tfx.ran_on_creation


def test_tfxs_own_command_line_creates_no_pipeline_twice(by_tfx: ByTfx) -> None:
    assert by_tfx.created_twice.returncode == 1
    assert 'Pipeline "trial-synthetic" already exists.' in by_tfx.created_twice.stderr


def test_tfxs_own_command_line_runs_the_pipeline(by_tfx: ByTfx) -> None:
    run = by_tfx.run
    assert run.code == 0, run.terminal + run.errors
    assert "✓ TrialEvaluator" in run.terminal
    assert "blessed" in run.terminal
    assert (run.root / "registry" / "synthetic" / "champion.json").exists()


def _sites(run: Run, split: str) -> set[bytes]:
    import tensorflow as tf

    files = (run.output("TrialExampleGen", "examples") / f"Split-{split}").glob("*.gz")
    records = tf.data.TFRecordDataset([str(path) for path in files], compression_type="GZIP")
    return {
        tf.train.Example.FromString(record.numpy()).features.feature["site"].bytes_list.value[0]
        for record in records
    }


def test_whole_sites_can_be_held_out_for_the_test_split(by_tfx: ByTfx) -> None:
    expected = {site.encode() for site in HELD_OUT}
    assert _sites(by_tfx.run, "test") == expected
    assert not (_sites(by_tfx.run, "train") | _sites(by_tfx.run, "eval")) & expected


def test_tuned_hyperparameters_are_those_that_the_model_is_trained_with(by_tfx: ByTfx) -> None:
    run = by_tfx.run
    assert run.statuses["Tuner"] == "done"
    [best] = run.output("Tuner", "best_hyperparameters").glob("*.txt")
    values = json.loads(best.read_text())["values"]
    training = json.loads((run.output("Trainer", "model_run") / "training.json").read_text())
    assert values
    assert {name: training["hyperparameters"][name] for name in values} == values


@pytest.mark.parametrize(
    ("study", "data", "task", "auc"),
    [
        ("ist", "ist", "dead_or_dependent", 0.78),
        ("actg175", "actg175", "event_96_weeks", 0.6),
        ("cdisc_pilot01", "cdisc_pilot01", "dermatologic_event", 0.5),
        ("cdisc_pilot01_sdtm", "cdisc_pilot01", "dermatologic_event", 0.5),
    ],
)
def test_a_real_trial_runs_to_a_verdict(
    study: str, data: str, task: str, auc: float, tmp_path: Path, trial_data_dir: Path
) -> None:
    """What can be reached: .80 on IST, .72 on ACTG 175, .71 on CDISC Pilot 01 (254 subjects)."""
    folder = trial_data_dir / data
    if not folder.is_dir():
        pytest.skip(f"the data of {study} are absent from TRIAL_DATA_DIR")
    run = run_pipeline(tmp_path / "runs", "--study", study, "--data", str(folder), study=study)
    assert run.code == 0, run.terminal
    assert run.verdict["judged"]
    assert run.verdict["blessed"] or run.verdict["reasons"]
    found = {
        record["task"]: record["value"]
        for record in run.metrics
        if not record["slice"] and record["metric"] == "auc" and record["model"] == "challenger"
    }
    assert found[task] > auc
    compared, departing = departures(run)
    assert compared >= 6
    assert departing == []
    # Of CDISC Pilot 01 no group has subjects enough.
    groups, uncovering = uncovered(run)
    assert (groups >= SETS[study], uncovering) == (True, [])
    told = [note for note in note_texts(run.verdict) if "but the risk by the horizon is" in note]
    judged = [risk["outcome"] for risk in run.verdict.get("risks", ())]
    assert len(told) == judged.count("fails")
    assert told == []
    assert write_report(run.records, read_run_file(run.records)).stat().st_size <= 5_000_000
