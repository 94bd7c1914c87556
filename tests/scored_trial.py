"""Subjects without any outcome, scored by the command with the model made by hand.

Of 300 subjects the first five have what no training subject had: their ages are 40 to 70 in the
training data, their sexes F and M, and nothing is missing.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from pipeline.results.registration import RegisteredModel
from tests.components.registered_model.hand_made_model import (
    MISSING_AGE,
    STUDY,
    register_by_hand,
)
from tests.whole_runs import environment

SUBJECTS = 300
CONTENT: dict[str, Any] = {
    "study": STUDY,
    "title": "The first trial",
    "datasets": {
        "subjects": {
            "file": "subjects.csv",
            "format": "csv",
            "rows": "one_per_subject",
            "columns": {
                "ID": {"type": "text"},
                "AGE": {"type": "number", "known": "baseline"},
                "SEX": {"type": "text", "known": "baseline"},
                "CONSENT": {"type": "text"},
                "LASTDY": {"type": "number"},
            },
        },
        "deaths": {
            "file": "deaths.csv",
            "format": "csv",
            "rows": "many_per_subject",
            "day": "DAY",
            "columns": {"ID": {"type": "text"}, "DAY": {"type": "number"}},
        },
    },
    "subject": {"dataset": "subjects", "column": "ID", "exit_day": "LASTDY"},
    "population": {"column": "CONSENT", "equals": "Y"},
    "features": {"AGE": {"kind": "number"}, "SEX": {"kind": "category"}},
    "tasks": {
        "death": {
            "kind": "outcome",
            "title": "Death within a year",
            "horizon": 365,
            "event": {"dataset": "deaths"},
        }
    },
    "slicing": {"smallest_group": 20},
}
SCHEMA = """
feature { name: "AGE" type: FLOAT presence { min_count: 1 } value_count { min: 1 max: 1 } }
feature { name: "SEX" type: BYTES presence { min_count: 1 } value_count { min: 1 max: 1 } }
"""
FLAGGED = {
    "S001": ["out_of_range:AGE"],
    "S002": ["unknown_category:SEX"],
    "S003": ["missing_value:AGE"],
    "S004": ["outside_population"],
}
"""Flags of the subjects who have some."""


def subject_rows() -> list[tuple[str, float | str, str, str]]:
    """Key, age, sex and consent of each subject."""
    rows: list[tuple[str, float | str, str, str]] = [
        (f"S{number:03d}", 40 + number % 31, "FM"[number % 2], "Y") for number in range(SUBJECTS)
    ]
    rows[1] = ("S001", 75, "M", "Y")
    rows[2] = ("S002", 50, "X", "Y")
    rows[3] = ("S003", "", "F", "Y")
    rows[4] = ("S004", 60, "M", "N")
    return rows


def write_subjects(folder: Path, **changes: Any) -> Path:
    """Writes study file, curated schema and the subjects: no death, no day of exit.

    Returns:
        The study file.
    """
    folder.mkdir(parents=True)
    with (folder / "subjects.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["ID", "AGE", "SEX", "CONSENT"])
        writer.writerows(subject_rows())
    (folder / "schema.pbtxt").write_text(SCHEMA)
    study = folder / "study.yaml"
    study.write_text(yaml.safe_dump({**CONTENT, **changes}))
    return study


def risk(age: float | str, sex: str) -> float:
    """What the model made by hand predicts of death."""
    known = MISSING_AGE if age == "" else float(age)
    return float(1 / (1 + np.exp(4.5 - known / 20 - 0.5 * (sex == "F"))))


@dataclass(frozen=True)
class Scored:
    """A scoring that has ended.

    Attributes:
        code: Exit code.
        answer: The JSON document on standard output.
        terminal: Standard error: what a person sees.
        root: Folder that it wrote below.
        model: The registered model.
    """

    code: int
    answer: dict[str, Any]
    terminal: str
    root: Path
    model: RegisteredModel

    def path(self, name: str) -> Path:
        """A path of the answer."""
        return Path(self.answer["paths"][name])

    @property
    def summary(self) -> dict[str, Any]:
        """Content of scoring.json."""
        found: dict[str, Any] = json.loads(self.path("summary").read_text())
        return found

    @property
    def predictions(self) -> pd.DataFrame:
        """The file of predictions, by pseudonym."""
        path = self.path("predictions")
        read = pd.read_csv if path.suffix == ".csv" else pd.read_parquet
        return read(path).set_index("subject_hash")


def run_scoring(folder: Path, study: Path, *arguments: str) -> Scored:
    """Registers the model and scores the subjects beside the study file.

    Args:
        folder: Gets the registry and the root of the run.
        study: Study file, beside its data.
        arguments: Further options of the command.
    """
    registry, trained = folder / "registry", folder / "trained"
    trained.mkdir(parents=True)
    model = register_by_hand(registry, trained)
    ended = ended_command(folder, "score", study, study.parent, "--registry", registry, *arguments)
    answer = json.loads(ended.stdout)
    return Scored(ended.returncode, answer, ended.stderr, folder / "runs", model)


def ended_command(
    folder: Path, command: str, *arguments: str | Path
) -> subprocess.CompletedProcess[str]:
    """Ends `trial score`, `outcomes` or `monitor`, whose root is the folder `runs`.

    Args:
        folder: Folder of the root.
        command: Name of the command.
        arguments: What it is given.
    """
    return subprocess.run(
        [
            *(sys.executable, "-m", "pipeline.cli", command, *arguments),
            *("--root", folder / "runs", "--json"),
        ],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def score_record_and_monitor(folder: Path) -> Scored:
    """Scores the subjects, records their outcomes, monitors: by a log that has none of them."""
    study = write_subjects(folder / "new")
    scored = run_scoring(folder, study)
    assert scored.code == 0, scored.terminal
    (study.parent / "deaths.csv").write_text("ID,DAY\nS001,20\n")
    subjects = study.parent / "subjects.csv"
    header, *rows = subjects.read_text().splitlines()
    later = [f"{header},LASTDY", *(f"{row},400" for row in rows)]
    subjects.write_text("\n".join(later) + "\n")
    log = ("--prediction-log", folder / "log")
    recorded = ended_command(folder, "outcomes", study, study.parent, *log)
    assert recorded.returncode == 0, recorded.stderr
    monitored = ended_command(folder, "monitor", study, "--registry", folder / "registry", *log)
    assert monitored.returncode == 0, monitored.stderr
    return scored
