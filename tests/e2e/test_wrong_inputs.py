"""Mistakes in what a run is given end it at once, in one sentence, with exit code 2."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.study.shipped import SCHEMAS
from pipeline.synthetic.trial import SyntheticTrial
from pipeline.synthetic.write import write
from tests.whole_runs import environment

# Runs the command and tells afterwards whether TensorFlow came in.
_PROBE = """
import json, sys
from pipeline.local_runner import main
code = main(sys.argv[1:])
print(json.dumps([code, "tensorflow" in sys.modules]))
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole synthetic trial."""
    folder = tmp_path_factory.mktemp("trial") / "data"
    write(SyntheticTrial(100), str(folder))
    return folder


@pytest.fixture
def data(written: Path, tmp_path: Path) -> Path:
    """A copy of it, for a test to damage."""
    return shutil.copytree(written, tmp_path / "data")


def _refused(tmp_path: Path, *arguments: str) -> str:
    """What the terminal says of a run that is refused before TensorFlow is imported."""
    ended = subprocess.run(
        [sys.executable, "-c", _PROBE, "--root", str(tmp_path / "runs"), *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    *lines, last = ended.stdout.splitlines()
    assert json.loads(last) == [2, False], ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr
    assert ended.stderr == ""
    [line] = lines
    return line


def test_a_missing_file_is_named(tmp_path: Path, data: Path) -> None:
    next(data.glob("adtte-*")).unlink()
    line = _refused(tmp_path, "--data", str(data))
    assert line.startswith(f"Not started. Dataset adtte: no file adtte-*.xpt in {data}.")


def test_a_missing_column_is_named_with_its_file(tmp_path: Path, data: Path) -> None:
    [adsl] = data.glob("adsl-*")
    content = adsl.read_bytes()
    # The column's name in the file's header, padded to eight characters.
    assert content.count(b"SEVBL   ") == 1
    adsl.write_bytes(content.replace(b"SEVBL   ", b"SEVBASE "))
    line = _refused(tmp_path, "--data", str(data))
    assert line.startswith(f"Not started. {adsl}: no column SEVBL (did you mean SEVBASE?)")


def test_a_study_without_a_curated_schema_is_refused_with_how_to_draft_one(
    tmp_path: Path, data: Path
) -> None:
    study = tmp_path / "study.yaml"
    study.write_text((SCHEMAS / "synthetic" / "study.yaml").read_text())
    line = _refused(tmp_path, "--study", str(study), "--data", str(data))
    assert "no curated schema" in line
    assert "trial draft schema" in line
