"""The commands of 0.1.0, which scripts and manifests may still call."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.whole_runs import REPOSITORY, environment


@pytest.mark.parametrize(
    ("old", "today"),
    [
        (["-m", "pipeline.local_runner"], "run"),
        (["pipeline/local_runner.py"], "run"),
        (["kubeflow/compile.py"], "compile"),
        (["-m", "pipeline.draft", "study"], "draft study"),
        (["-m", "pipeline.draft", "schema"], "draft schema"),
        (["-m", "pipeline.synthetic"], "synthetic"),
        (["-m", "pipeline.store", "migrate"], "store migrate"),
        (["-m", "pipeline.store", "export"], "export"),
        (["-m", "notebooks"], "notebooks"),
    ],
)
def test_an_old_form_is_a_command_of_trial(old: list[str], today: str) -> None:
    ended = subprocess.run(
        [sys.executable, *old, "--help"],
        cwd=REPOSITORY,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.startswith(f"Usage: trial {today} ")
