"""Runs on a root of their own, which are ended or starved while they work."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.subject_key import KEY_VARIABLE
from tests.campaign.holds import Hold
from tests.whole_runs import REPOSITORY, SUBJECT_KEY, environment

_LONGEST_SECONDS = 900
_POLL_SECONDS = 0.02
STUDY = "synthetic"


class Warm:
    """The process of `tests.campaign.warm`.

    Args:
        folder: Where what the runs write to their terminals is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        with (folder / "warm.log").open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.campaign.warm"],
                cwd=REPOSITORY,
                env=environment(**{KEY_VARIABLE: SUBJECT_KEY}),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, f"the process that forks runs has ended: {self._folder / 'warm.log'}"
        return json.loads(line)

    def start(
        self, arguments: Sequence[str], limits: Mapping[str, int], hold: Hold | None
    ) -> Started:
        """Forks a run."""
        assert self._process.stdin
        self._count += 1
        terminal, errors, reached = (
            self._folder / f"{self._count}.{name}" for name in ("out", "err", "reached")
        )
        request = {
            "folder": str(self._folder),
            "terminal": str(terminal),
            "errors": str(errors),
            "environment": {"COLUMNS": "160", "TMPDIR": str(self._folder / "tmp")},
            "limits": dict(limits),
            "hold": hold and {"stage": hold.stage, "point": hold.point, "reached": str(reached)},
            "arguments": list(arguments),
        }
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return Started(self, self._answer()["pid"], terminal, errors, reached)

    def status(self) -> int:
        """How the run ended that was started last."""
        return int(self._answer()["status"])

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


@contextmanager
def warm_process(folder: Path) -> Iterator[Warm]:
    """The process, which has ended afterwards."""
    warm = Warm(folder)
    try:
        yield warm
    finally:
        warm.close()


@dataclass
class Started:
    """A run that is under way.

    Attributes:
        warm: What has forked it.
        pid: Its supervisor, which leads its session.
        terminal: File of its standard output.
        errors: File of its standard error.
        reached: File that is there while it waits at the point at which it is held.
    """

    warm: Warm
    pid: int
    terminal: Path
    errors: Path
    reached: Path

    @property
    def workers(self) -> list[int]:
        """The supervisor's children: the process that does the work."""
        try:
            listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        except FileNotFoundError:
            return []
        return [int(number) for number in listed.split()]

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it does anything any more."""
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    @property
    def is_held(self) -> bool:
        """Whether it waits at its point."""
        return self.reached.exists()

    def wait(self, seconds: float = _LONGEST_SECONDS) -> bool:
        """Waits for a moment, or until it is held or has ended.

        Returns:
            Whether one of the two came first.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.is_held or self.has_ended:
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def release(self) -> None:
        """Lets it go on from its point."""
        self.reached.unlink()

    def signal(self, number: signal.Signals) -> None:
        """Sends the supervisor a signal, as a terminal or systemd does."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kills it with all that it has started, as a machine does that stops."""
        # The supervisor first: it would record how the others died.
        for pid in sorted(session(self.pid), key=lambda pid: pid != self.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def session(leader: int) -> list[int]:
    """The living processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, of = path.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(of) == leader and state != "Z":
            found.append(int(path.parent.name))
    return found


@dataclass(frozen=True)
class Ended:
    """A run that has ended.

    Attributes:
        name: What was done to it.
        code: Exit code; the negative number of the signal that killed it.
        terminal: Standard output.
        errors: Standard error.
        run: Its id; empty where it named none.
        root: Folder that it wrote below.
        survivors: Processes of it that still ran.
    """

    name: str
    code: int
    terminal: str
    errors: str
    run: str
    root: Path
    survivors: list[int] = field(default_factory=list)

    @property
    def records(self) -> Path:
        """Folder of its records; that of all runs where it named no id."""
        return self.root / STUDY / "records" / self.run

    @property
    def file(self) -> dict[str, Any]:
        """Content of its run.json."""
        return json.loads((self.records / "run.json").read_text(encoding="utf-8"))

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """How it ended and where, by the store."""
        with sqlite3.connect(self.root / "store.sqlite") as store:
            statement = "SELECT status, failed_stage FROM outcomes WHERE run = ? ORDER BY ended"
            return store.execute(statement, [self.run]).fetchall()

    @property
    def statuses(self) -> dict[str, str]:
        """How each stage stands."""
        return {stage: record["status"] for stage, record in self._stages.items()}

    @property
    def _stages(self) -> dict[str, dict[str, Any]]:
        return {
            path.stem: json.loads(path.read_text(encoding="utf-8"))
            for path in self.records.glob("*.json")
            if path.name != "run.json"
        }

    @property
    def seconds(self) -> dict[str, float]:
        """How long each stage took."""
        return {stage: float(record["seconds"]) for stage, record in self._stages.items()}

    @property
    def beside_stages(self) -> float:
        """Seconds that it took beside its stages."""
        started, ended = (datetime.fromisoformat(self.file[name]) for name in ("started", "ended"))
        return (ended - started).total_seconds() - sum(self.seconds.values())

    @property
    def said(self) -> str:
        """All that a person sees."""
        return self.terminal + self.errors


class Root:
    """A folder of runs of one study on one trial.

    Args:
        warm: Starts its runs.
        path: The folder.
        arguments: Further command line of each run.
    """

    def __init__(self, warm: Warm, path: Path, arguments: Sequence[str]) -> None:
        self.path = path
        self._warm = warm
        self._arguments = ("--root", str(path), "--stages-at-once", "1", *arguments)
        self.ended: list[Ended] = []

    @property
    def own(self) -> Path:
        """The study's folder."""
        return self.path / STUDY

    def _records(self) -> set[str]:
        return {path.name for path in (self.own / "records").glob("*")}

    @contextmanager
    def running(
        self,
        name: str,
        limits: Mapping[str, int] | None = None,
        arguments: Sequence[str] = (),
        hold: Hold | None = None,
    ) -> Iterator[Started]:
        """A run, which has ended when this block is left; it is kept in `ended`."""
        before = self._records()
        started = self._warm.start((*self._arguments, *arguments), limits or {}, hold)
        yield started
        code = self._warm.status()
        deadline = time.monotonic() + 10
        while (survivors := session(started.pid)) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        terminal = started.terminal.read_text(errors="replace")
        found = re.search(r"  run (\S+)\n", terminal)
        run = found[1] if found else max(self._records() - before, default="")
        errors = started.errors.read_text(errors="replace")
        self.ended.append(Ended(name, code, terminal, errors, run, self.path, survivors))

    def whole(self, name: str) -> Ended:
        """A run to its end."""
        with self.running(name):
            pass
        return self.ended[-1]
