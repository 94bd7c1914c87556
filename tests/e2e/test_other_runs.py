"""Whole runs of other kinds: sites held out, tuned, by TFX's own command line, on real trials."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.pages.write_report import write_report
from pipeline.runs.run_file import read_run_file
from tests.whole_runs import (
    LENIENT,
    REPOSITORY,
    SMALL,
    Run,
    environment,
    run_pipeline,
    small_run,
    study_copy,
)

pytestmark = pytest.mark.slow


def _sites(run: Run, split: str) -> set[bytes]:
    import tensorflow as tf

    files = (run.output("TrialExampleGen", "examples") / f"Split-{split}").glob("*.gz")
    records = tf.data.TFRecordDataset([str(path) for path in files], compression_type="GZIP")
    return {
        tf.train.Example.FromString(record.numpy()).features.feature["site"].bytes_list.value[0]
        for record in records
    }


def test_whole_sites_can_be_held_out_for_the_test_split(tmp_path: Path) -> None:
    held_out = ("001", "002", "003", "004", "005")
    changes = LENIENT | {("split", "holdout_sites"): list(held_out)}
    run = small_run(tmp_path / "runs", study_copy(tmp_path / "study", changes))
    assert run.code == 0, run.terminal
    expected = {site.encode() for site in held_out}
    assert _sites(run, "test") == expected
    assert not (_sites(run, "train") | _sites(run, "eval")) & expected


def test_tuned_hyperparameters_are_those_that_the_model_is_trained_with(tmp_path: Path) -> None:
    run = small_run(tmp_path / "runs", study_copy(tmp_path / "study", LENIENT), "--tune")
    assert run.code == 0, run.terminal
    assert run.statuses["Tuner"] == "done"
    [best] = run.output("Tuner", "best_hyperparameters").glob("*.txt")
    values = json.loads(best.read_text())["values"]
    training = json.loads((run.output("Trainer", "model_run") / "training.json").read_text())
    assert values
    assert {name: training["hyperparameters"][name] for name in values} == values


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
        ),
        capture_output=True,
        text=True,
        timeout=1_500,
        check=False,
    )


def test_tfxs_own_command_line_creates_and_runs_the_pipeline(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    study = study_copy(tmp_path / "study", LENIENT)
    runner = f"--pipeline_path={REPOSITORY / 'pipeline' / 'local_runner.py'}"

    created = _tfx(root, "pipeline", "create", runner, study=study)
    assert created.returncode == 0, created.stdout + created.stderr
    assert 'Pipeline "trial-synthetic" created successfully.' in created.stdout
    assert not (root / "synthetic" / "artifacts").exists()

    twice = _tfx(root, "pipeline", "create", runner, study=study)
    assert twice.returncode == 1
    assert 'Pipeline "trial-synthetic" already exists.' in twice.stderr

    ran = _tfx(root, "run", "create", "--pipeline_name=trial-synthetic", study=study)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "✓ TrialEvaluator" in ran.stdout
    assert "blessed" in ran.stdout
    assert (root / "registry" / "synthetic" / "champion.json").exists()


@pytest.mark.parametrize(
    ("study", "data", "task", "auc"),
    [
        ("ist", "ist", "dead_or_dependent", 0.78),
        ("actg175", "actg175", "event_96_weeks", 0.6),
        ("cdisc_pilot01", "cdisc_pilot01", "dermatologic_event", 0.5),
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
        if not record["slice"] and record["metric"] == "auc"
    }
    assert found[task] > auc
    assert write_report(run.records, read_run_file(run.records)).stat().st_size <= 5_000_000
