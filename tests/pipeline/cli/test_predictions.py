"""`trial predictions`, as a person runs it."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from components.trial_example_gen.subject_hashes import subject_hash
from pipeline.cli.main import main
from pipeline.predictions.open_log import open_log
from pipeline.subject_key import KEY_VARIABLE
from tests.pipeline.predictions.hand_made import STUDY, add, subjects_of

KEY = "a key of the subjects, for this test"
JANE, JOHN = (subject_hash(STUDY, name, KEY.encode()).decode() for name in ("Jane", "John"))


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A log with two subjects, of which the environment has the key."""
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    made = str(tmp_path / "predictions")
    add(open_log(made), JANE, JOHN)
    return made


def left(address: str) -> set[str | None]:
    return set(subjects_of(open_log(address).read(STUDY)))


def test_a_subject_is_forgotten_by_its_original_key(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["predictions", "forget", STUDY, "Jane", "--prediction-log", address, "--json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 2
    assert left(address) == {JOHN}


def test_a_subject_is_forgotten_by_its_pseudonym(address: str) -> None:
    command = ["predictions", "forget", STUDY, "--pseudonym", JANE, "--prediction-log", address]
    assert main(command) == 0
    assert left(address) == {JOHN}


def test_subjects_are_read_from_standard_input(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("Jane\n\nJohn\n"))
    assert main(["predictions", "forget", STUDY, "-", "--prediction-log", address]) == 0
    assert left(address) == set()


def test_without_the_subject_key_no_subject_is_looked_for(
    address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(KEY_VARIABLE)
    monkeypatch.setattr("pipeline.config.SUBJECT_KEY_FILE", tmp_path / "none" / "subject_key")
    assert main(["predictions", "forget", STUDY, "Jane", "--prediction-log", address]) == 2
    assert left(address) == {JANE, JOHN}
    assert not (tmp_path / "none").exists()


def test_what_is_older_than_the_retention_period_is_removed(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    today = datetime.now(UTC).date()
    for days in (9, 20):
        add(open_log(address), f"{days} days", run=f"run-{days}", day=today - timedelta(days))
    monkeypatch.setenv("TRIAL_PREDICTION_LOG", address)
    monkeypatch.setenv("TRIAL_KEEP_DAYS", "10")

    assert main(["predictions", "expire", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] >= 2
    assert "9 days" in left(address)
    assert "20 days" not in left(address)
