"""A study whose owner asks for an internal report: nothing else of the run changes."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.internal_report import INTERNAL_REPORT_FILE
from pipeline.pages.report import INTERNAL
from tests.whole_runs import REPOSITORY, Run, environment, run_pipeline, study_copy

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def internal_run(first_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The first run's trial again, with an internal report."""
    folder = tmp_path_factory.mktemp("internal")
    shutil.copytree(first_run.root / "data", folder / "runs" / "data")
    study = study_copy(folder / "study", {("disclosure",): "internal"})
    run = run_pipeline(folder / "runs", "--study", str(study), "--subjects", "2500")
    assert run.code == 0, run.terminal
    return run


def report(run: Run) -> list[Path]:
    subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "report", str(run.records)],
        cwd=REPOSITORY,
        env=environment(),
        check=True,
        capture_output=True,
    )
    return sorted(run.records.glob("report*.html"))


def test_a_second_file_is_written_for_its_owner_alone(internal_run: Run) -> None:
    public, internal = report(internal_run)
    assert internal.name == INTERNAL_REPORT_FILE
    assert stat.S_IMODE(internal.stat().st_mode) == 0o600
    assert INTERNAL in internal.read_text()
    assert INTERNAL not in public.read_text()


def test_a_public_study_has_no_internal_report(first_run: Run) -> None:
    (public,) = report(first_run)
    assert public.name == "report.html"


@pytest.mark.parametrize(
    ("stage", "output"),
    [
        ("TrialEvaluator", "verdict"),
        ("TrialAnalysis", "analysis"),
        ("TrialSummary", "summary"),
        ("TrialExampleGen", "rejects"),
        ("DataGate", "findings"),
    ],
)
def test_every_other_document_has_the_same_bytes(
    first_run: Run, internal_run: Run, stage: str, output: str
) -> None:
    files = sorted(first_run.output(stage, output).rglob("*.json"))
    assert files
    for file in files:
        other = internal_run.output(stage, output) / file.relative_to(
            first_run.output(stage, output)
        )
        assert other.read_bytes() == file.read_bytes()
