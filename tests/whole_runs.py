"""Whole runs, started as a person starts them, and what they leave behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[1]
SUBJECTS = 4_500
"""Size of the synthetic trial that the runs are made on."""

SUBJECT_KEY = "a key that only the tests know"
"""Of runs that must not depend on the checkout's own key."""


def accept_signals() -> None:
    """Lets a child be ended by signals; to be called in it before its program starts.

    Tests that run in the background ignore interrupts, those under nohup ignore hangups, and a
    child would inherit it.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@dataclass(frozen=True)
class Run:
    """A run that has ended.

    Attributes:
        code: Exit code.
        terminal: Standard output.
        errors: Standard error.
        root: Folder that it wrote below.
        study: Name of the study.
        seconds: Wall time.
    """

    code: int
    terminal: str
    errors: str
    root: Path
    study: str
    seconds: float

    @property
    def id(self) -> str:
        """What the terminal calls the run."""
        found = re.search(r"  run (\S+)\n", self.terminal)
        assert found, f"no run was announced:\n{self.terminal}\n{self.errors}"
        return found[1]

    @property
    def records(self) -> Path:
        """Folder of the run's records."""
        return self.root / self.study / "records" / self.id

    @property
    def log(self) -> str:
        """The run's log."""
        return (self.root / "logs" / f"{self.id}.log").read_text(errors="replace")

    @property
    def stages(self) -> dict[str, dict[str, Any]]:
        """Records of the stages by stage."""
        found = (path for path in self.records.glob("*.json") if path.name != "run.json")
        return {path.stem: json.loads(path.read_text()) for path in found}

    @property
    def statuses(self) -> dict[str, str]:
        """How each stage stands."""
        return {stage: record["status"] for stage, record in self.stages.items()}

    @property
    def file(self) -> dict[str, Any]:
        """Content of run.json."""
        return json.loads((self.records / "run.json").read_text())

    def output(self, stage: str, name: str) -> Path:
        """Folder of an output of a stage."""
        return Path(self.file["outputs"][stage][name])

    @property
    def metrics_text(self) -> str:
        """metrics.json as it was written."""
        return (self.output("TrialEvaluator", "verdict") / "metrics.json").read_text()

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """Records of metrics.json."""
        return json.loads(self.metrics_text)["records"]

    @property
    def verdict(self) -> dict[str, Any]:
        """Content of verdict.json."""
        return json.loads((self.output("TrialEvaluator", "verdict") / "verdict.json").read_text())

    @property
    def counts(self) -> dict[str, Any]:
        """Content of counts.json of TrialExampleGen."""
        return self.file_of("TrialExampleGen", "rejects", "counts.json")

    def file_of(self, stage: str, name: str, file: str) -> dict[str, Any]:
        """Content of a JSON file in an output of a stage."""
        return json.loads((self.output(stage, name) / file).read_text())


def environment(**extra: str) -> dict[str, str]:
    """The process's environment without choices for a run, and with others."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("TRIAL_")}
    return {**kept, "PYTHONPATH": str(REPOSITORY), "COLUMNS": "160", **extra}


def command(root: Path, *arguments: str) -> list[str]:
    """The command line of a run."""
    return [sys.executable, "-m", "pipeline.local_runner", "--root", str(root), *arguments]


def run_pipeline(root: Path, *arguments: str, study: str = "synthetic", **extra: str) -> Run:
    """Runs the pipeline to its end in a process of its own.

    Args:
        root: Folder to write below.
        arguments: Further command line.
        study: Name of the study that is run, to find what it wrote.
        extra: Environment variables.

    Returns:
        The run.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    ended = subprocess.run(
        command(root, *arguments),
        cwd=root.parent,
        env=environment(**extra),
        capture_output=True,
        text=True,
        timeout=1_500,
        check=False,
    )
    seconds = time.monotonic() - start
    return Run(ended.returncode, ended.stdout, ended.stderr, root, study, seconds)


def study_copy(
    folder: Path, changes: Mapping[Sequence[str], Any], study: str = "synthetic"
) -> Path:
    """Copies a shipped study and its schema, changed in places.

    Args:
        folder: Where to.
        changes: Key path to new value.
        study: Name of the shipped study.

    Returns:
        Path of the copied study file.
    """
    shipped = REPOSITORY / "schema" / study
    content = yaml.safe_load((shipped / "study.yaml").read_text())
    for path, value in changes.items():
        place = content
        for key in path[:-1]:
            place = place.setdefault(key, {})
        place[path[-1]] = value
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schema.pbtxt").write_bytes((shipped / "schema.pbtxt").read_bytes())
    copied = folder / "study.yaml"
    copied.write_text(yaml.safe_dump(content, sort_keys=False))
    return copied


def split_study(folder: Path) -> Path:
    """Copies the synthetic trial's study file; its models are evaluated on a test split."""
    changes: dict[Sequence[str], Any] = {
        ("thresholds",): [{"metric": "auc", "at_least": 0.55}],
        ("evaluation",): {"scheme": "split", "default_thresholds": False},
    }
    return study_copy(folder, changes)


SMALL = 1_000
"""Size of the synthetic trial where the quality of the model does not matter."""

LENIENT: dict[Sequence[str], Any] = {
    ("thresholds",): [{"metric": "auc", "at_least": 0.3}],
    ("evaluation",): {"scheme": "split", "default_thresholds": False},
    ("gate", "minimum"): {
        split: {"subjects": 50, "events": 3} for split in ("train", "eval", "test")
    },
}
"""Changes of a study file after which a small trial passes gate and thresholds."""


def small_run(root: Path, study_file: Path, *arguments: str, **extra: str) -> Run:
    """Runs a changed synthetic trial of few subjects, trained for a few steps."""
    small = ("--study", str(study_file), "--subjects", str(SMALL), "--steps", "40")
    return run_pipeline(root, *small, *arguments, **extra)
