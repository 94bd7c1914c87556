"""Terminal and log file are kept apart, down to what C code writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[4]
PROGRAM = """
import atexit, logging, os, sys
from pathlib import Path
atexit.register(lambda: os.write(2, b"last complaint\\n"))
from pipeline.runners.local.logs import terminal_and_log
with terminal_and_log(Path(sys.argv[1])) as console:
    console.print("for the person")
    print("printed by a library")
    os.write(1, b"C code on output\\n")
    os.write(2, b"C code on error\\n")
    logging.getLogger("tfx").info("logged at info")
    if "fail" in sys.argv:
        raise SystemExit("failed inside")
print("printed afterwards")
sys.stderr.write("error afterwards\\n")
"""


def _ended(log: Path, *arguments: str, program: str = PROGRAM) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, str(log), *arguments],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=60,
        umask=0o022,
        check=False,
    )


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs") / "new" / "folder" / "run.log"


@pytest.fixture(scope="module")
def ended(log: Path) -> subprocess.CompletedProcess[str]:
    return _ended(log)


def test_the_person_sees_the_console_and_what_comes_afterwards(
    ended: subprocess.CompletedProcess[str],
) -> None:
    assert ended.stdout.splitlines() == ["for the person", "printed afterwards"]


@pytest.mark.usefixtures("ended")
def test_the_owner_alone_reads_the_log(log: Path) -> None:
    # The folder beside it has the mode of all that is written with the mask of this process.
    assert [oct(path.stat().st_mode & 0o777) for path in (log, log.parent)] == ["0o600", "0o755"]


def test_errors_after_the_run_reach_the_terminal(ended: subprocess.CompletedProcess[str]) -> None:
    assert "error afterwards" in ended.stderr


@pytest.mark.parametrize(
    "text", ["printed by a library", "C code on output", "C code on error", "INFO tfx: logged"]
)
def test_everything_else_is_in_the_log_alone(
    text: str, log: Path, ended: subprocess.CompletedProcess[str]
) -> None:
    assert text in log.read_text()
    assert text not in ended.stdout + ended.stderr


def test_what_a_library_complains_of_while_the_interpreter_ends_goes_to_the_log(
    log: Path, ended: subprocess.CompletedProcess[str]
) -> None:
    assert "last complaint" in log.read_text()
    assert "last complaint" not in ended.stderr


def test_both_streams_come_back_when_the_run_fails(tmp_path: Path) -> None:
    ended = _ended(tmp_path / "run.log", "fail")
    assert ended.returncode == 1
    assert "failed inside" in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
def test_a_full_disk_under_the_log_takes_nothing_from_the_person() -> None:
    # What prints by itself raises on its own.
    own = ("os.write(", "by a library")
    lines = (line for line in PROGRAM.splitlines() if not any(word in line for word in own))
    program = "\n".join(lines)
    ended = _ended(Path("/dev/full"), program=program)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-2:] == ["for the person", "printed afterwards"]
    assert "Traceback" not in ended.stderr
