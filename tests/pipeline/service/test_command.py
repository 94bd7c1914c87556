"""`trial serve` as a person starts it, where neither TFX nor Beam is installed."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pipeline.cli.main import main
from tests.pipeline.service.hand_made import STUDY, SUBJECT, log_odds, register, risk
from tests.pipeline.service.processes import message
from tests.whole_runs import environment

ABSENT = (
    *("tfx", "apache_beam", "tensorflow_transform", "tfx_bsl", "tensorflow_data_validation"),
    *("tensorflow_model_analysis", "pandas", "scipy", "matplotlib", "sqlalchemy", "statsmodels"),
)
"""What the service's own lock does not have."""

_PROGRAM = f'''
import sys
class Absent:
    """A module that is None in sys.modules would be found by code of Cython."""
    @staticmethod
    def find_spec(name, *more):
        if name.partition(".")[0] in {ABSENT!r}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Absent)
from pipeline.cli.main import main
sys.exit(main(sys.argv[1:]))
'''


_OF_TENSORFLOW = re.compile(
    r"WARNING: All log messages before absl|To enable the following|.*\.cc:\d+\] "
)
"""What TensorFlow 2.21 says before its log is set up, whatever its level."""


@pytest.fixture(scope="module")
def registry(saved_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("command")
    register(folder / "registry", saved_model, folder)
    return folder / "registry"


@pytest.fixture
def process(registry: Path) -> Iterator[subprocess.Popen[str]]:
    command = ["serve", STUDY, "--registry", str(registry), "--port", "0"]
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *command],
        env=environment(TF_CPP_MIN_LOG_LEVEL="3"),
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        yield started
        started.kill()


def test_the_command_serves_without_tfx_and_beam_until_it_is_stopped(
    process: subprocess.Popen[str],
) -> None:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        if not _OF_TENSORFLOW.match(line):
            said.append(message(line))
        if said and said[-1].startswith("Serves"):
            break
    address = re.fullmatch(
        r"Serves stroke, version \d+ \([0-9a-f]{16}\), at (http://127\S+); stop it with Ctrl.C\.",
        "".join(said),
    )
    assert address, said

    body = {"subject": SUBJECT, "contributions": True}
    found = httpx.post(f"{address[1]}/predict", json=body, timeout=60).json()
    assert found["predictions"]["death"]["probability"] == pytest.approx(
        risk(log_odds(60, 30, "F", "Active")), abs=1e-6
    )
    assert httpx.get(f"{address[1]}/", timeout=60).status_code == 200

    process.send_signal(signal.SIGTERM)
    assert process.wait(60) in (0, -signal.SIGTERM)
    assert "Traceback" not in process.stderr.read()


def test_a_registry_without_a_champion_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", STUDY, "--registry", str(tmp_path)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "has no champion of the study stroke" in line


def test_half_of_tls_is_refused(
    registry: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["serve", STUDY, "--registry", str(registry), "--key", str(tmp_path / "key.pem")]
    assert main(command) == 2
    assert "TLS needs both" in capsys.readouterr().err
