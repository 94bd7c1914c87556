"""A new user's way: the commands of the documentation, in order, on a trial as if it were new."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.whole_runs import REPOSITORY, Run, environment

pytestmark = pytest.mark.slow

DECISIONS = (
    ("title: TODO  # the trial's", "title: AIDS Clinical Trials Group Study 175  # the"),
    ("    known: TODO", "    known: baseline"),
    # What the codebook says is measured at week 20 and week 96, and whether it was.
    ("cd420: {type: number}", "cd420: {type: number, known: day 175}"),
    ("cd820: {type: number}", "cd820: {type: number, known: day 175}"),
    ("cd496: {type: number,", "cd496: {type: number, known: after,"),
    ("      r: {type: text}", "      r: {type: text, known: after}"),
    ("  cd420: {kind: number}\n", ""),
    ("  cd820: {kind: number}\n", ""),
    ("  cd496: {kind: number}\n", ""),
    ("  r: {kind: category}\n", ""),
    ("control: TODO", 'control: "0"'),
    ("first_day: TODO", "first_day: 0"),
    ("title: TODO  # what the event is, and", "title: Event within 96 weeks  # and"),
    ("horizon: TODO", "horizon: 672"),
    ("where: {column: cens, equals: TODO}", 'where: {column: cens, equals: "1"}'),
    ("landmark_day: TODO", "landmark_day: after"),
    ("randomised: TODO", "randomised: true"),
    ("title: TODO  # what the event is\n", "title: CD4 decline by half, AIDS or death\n"),
    ("event: {column: cens, equals: TODO}", 'event: {column: cens, equals: "1"}'),
)
"""What is written in the draft, and what a person who has read the codebook makes of it."""


def documented_commands() -> list[list[str]]:
    """The commands of the section that shows how to bring data of one's own."""
    text = (REPOSITORY / "docs" / "study-file.md").read_text(encoding="utf-8")
    section = text.partition("## Bring your own")[2].partition("### In an editor")[0]
    blocks = re.findall(r"```\n(.*?)```", section, re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


def decide(study_file: Path) -> None:
    """Replaces what the draft leaves open."""
    text = study_file.read_text()
    for drafted, decision in DECISIONS:
        assert text.count(drafted) == 1, drafted
        text = text.replace(drafted, decision)
    study_file.write_text(text)


def test_documented_commands_lead_from_a_folder_of_data_to_a_finished_run(
    tmp_path: Path, trial_data_dir: Path
) -> None:
    draft_study, draft_schema, run = documented_commands()
    assert [words[:3] for words in (draft_study, draft_schema)] == [
        ["trial", "draft", "study"],
        ["trial", "draft", "schema"],
    ]
    (tmp_path / "schema").mkdir()

    def execute(words: list[str]) -> subprocess.CompletedProcess[str]:
        data = str(trial_data_dir / "actg175")
        words = [data if word == "FOLDER" else word for word in words[1:]]
        return subprocess.run(
            [sys.executable, "-m", "pipeline.cli", *words],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=1_500,
            check=False,
        )

    assert execute(draft_study).returncode == 0
    study_file = tmp_path / "schema" / "mytrial" / "study.yaml"
    undecided = execute(draft_schema)
    assert undecided.returncode == 2
    drafted = [line.partition("#")[0] for line in study_file.read_text().splitlines()]
    todos = sum(line.count("TODO") for line in drafted)
    assert undecided.stderr.count("TODO is still to be decided.") == todos > 5
    decide(study_file)
    assert execute(draft_schema).returncode == 0
    ended = execute(run)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    finished = Run(ended.returncode, ended.stdout, ended.stderr, tmp_path / "runs", "mytrial", 0)
    assert "blessed" in finished.terminal
    assert set(finished.statuses.values()) == {"done"}
    [auc] = [
        record["value"]
        for record in finished.metrics
        if record["metric"] == "auc"
        and record["model"] == "challenger"
        and not record["slice"]
        and record["task"] == "event_within_horizon"
    ]
    assert auc > 0.6
