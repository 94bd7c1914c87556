"""The run that the everyday tests share."""

from __future__ import annotations

import pytest

from tests.whole_runs import SUBJECTS, Run, run_pipeline


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The synthetic trial, run on a fresh root by the command that a person would type."""
    root = tmp_path_factory.mktemp("whole") / "runs"
    return run_pipeline(root, "--subjects", str(SUBJECTS))


@pytest.fixture(scope="session")
def second_run(first_run: Run) -> Run:
    """The same command once more on the same root."""
    return run_pipeline(first_run.root, "--subjects", str(SUBJECTS))
