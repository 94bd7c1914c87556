"""Runs that several files share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole_runs import (
    LENIENT,
    SUBJECTS,
    Run,
    run_pipeline,
    small_run,
    split_study,
    study_copy,
)


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The synthetic trial, run on a fresh root and evaluated on its test split."""
    folder = tmp_path_factory.mktemp("whole")
    study = ("--study", str(split_study(folder / "study")))
    return run_pipeline(folder / "runs", *study, "--subjects", str(SUBJECTS))


@pytest.fixture(scope="session")
def lenient_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study file whose data and model are good enough for a small trial."""
    return study_copy(tmp_path_factory.mktemp("lenient") / "study", LENIENT)


@pytest.fixture(scope="session")
def champion(lenient_study: Path) -> Run:
    """A run on a fresh root whose model became the champion; tests run further on its root."""
    run = small_run(lenient_study.parents[1] / "runs", lenient_study)
    assert run.code == 0, run.terminal
    assert run.verdict["blessed"]
    return run
