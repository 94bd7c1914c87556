"""A mistake of the user ends every command with its message and exit code 2."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from pipeline.cli.answer import Answer
from pipeline.cli.lazy import Command
from pipeline.cli.main import main
from pipeline.errors import UserError
from tests.pipeline.cli.test_main import NOWHERE

TEXT = "TEXT_FILE"
"""Stands for a text file in the table below."""


MISTAKES = {
    "unknown study": ["run", "--study", "nosuch"],
    "study file that is not there": ["run", "--study", f"{NOWHERE}/study.yaml"],
    "study file that is text": ["run", "--study", f"{TEXT}.yaml"],
    "data folder that is not there": ["run", "--data", NOWHERE],
    "data folder that is a file": ["run", "--data", TEXT],
    "unknown runner": ["run", "--runner", "nosuch"],
    "workers that are no number": ["run", "--workers", "many"],
    "master without a cluster": ["run", "--master", "flink:8081"],
    "root below a file": ["run", "--subjects", "100", "--root", TEXT],
    "store that is a text file": ["run", "--subjects", "100", "--store", f"sqlite:///{TEXT}"],
    "store that is no address": ["run", "--subjects", "100", "--store", "nonsense"],
    "report of an unknown run": ["report", "nosuch"],
    "report below nowhere": ["report", "--root", NOWHERE],
    "report below a file": ["report", "--root", TEXT],
    "notebooks of an unknown run": ["notebooks", "nosuch"],
    "notebooks below a file": ["notebooks", "--root", TEXT],
    "unknown notebook": ["notebooks", "--only", "nosuch"],
    "freeze of no study": ["freeze", "--study", f"{NOWHERE}/s.yaml"],
    "freeze below a file": ["freeze", "--root", TEXT],
    "boards without a store": ["boards", "--root", NOWHERE],
    "boards below a file": ["boards", "--root", TEXT],
    "boards of a text file": ["boards", "--store", f"sqlite:///{TEXT}"],
    "boards of no address": ["boards", "--store", "nonsense"],
    "export of an unknown run": ["export", "nosuch"],
    "export below a file": ["export", "--root", TEXT],
    "migration of a text file": ["store", "migrate", f"sqlite:///{TEXT}"],
    "migration of a folder": ["store", "migrate", "sqlite:////"],
    "migration of a file below a file": ["store", "migrate", f"sqlite:///{TEXT}/store.sqlite"],
    "migration of no address": ["store", "migrate", "nonsense"],
    "migration of another database": ["store", "migrate", "mysql://host/trial"],
    "draft of no data": ["draft", "study", "--data", NOWHERE, "--out", "study.yaml"],
    "draft over a file": ["draft", "study", "--data", NOWHERE, "--out", TEXT],
    "schema of no study": ["draft", "schema", "--study", f"{NOWHERE}/s.yaml", "--data", NOWHERE],
    "synthetic trial too small": ["synthetic", "--subjects", "5", "--out", "data"],
    "synthetic trial into a file": ["synthetic", "--subjects", "100", "--out", TEXT],
    "package of an unknown study": ["compile", "--study", "nosuch"],
    "package without settings": ["compile", "--settings", f"{NOWHERE}/settings.yaml"],
    "package by settings that are text": ["compile", "--settings", TEXT],
    "package of a validation that tunes": ["compile", "--validate", "--tune"],
    "package of a scoring that tunes": ["compile", "--score", "--tune"],
    "package of a scoring and a validation": ["compile", "--score", "--validate"],
    "package of a scoring that updates": ["compile", "--score", "--update", "logistic"],
    "scoring by the model of another study": [
        "score",
        "synthetic",
        ".",
        "--model",
        "ist/" + 16 * "0",
    ],
    "preparation of a prediction log in a file": ["predictions", "prepare", "sqlite:///log"],
    "a prediction log with a password": [
        *("predictions", "prepare", "postgresql://user:secret@host/database"),
    ],
    "a prediction log that is not prepared expires": [
        *("predictions", "expire", "--prediction-log", "postgresql://user@127.0.0.1:1/database"),
        *("--keep-days", "1"),
    ],
    "a retention period of no day": [
        *("predictions", "expire", "--prediction-log", NOWHERE, "--keep-days", "0"),
    ],
    "scoring into no prediction log": ["score", "synthetic", ".", "--out", "store"],
    "scoring of original keys into a prediction log": [
        *("score", "synthetic", ".", "--out", "store", "--prediction-log", "predictions"),
        "--with-subject",
    ],
    "scoring into a prediction log that is none": [
        *("score", "synthetic", ".", "--out", "store", "--prediction-log", "gs://bucket/log"),
    ],
    "package of a training with a model": ["compile", "--model", "first"],
    "package of a training that updates": ["compile", "--update", "logistic"],
    "validation of a model that is none": ["validate", "--model", "first/x/y"],
    "submission of no package": ["submit", "--package", "x.yaml", "--endpoint", "http://h"],
    "submission of text": ["submit", "--package", TEXT, "--endpoint", "http://h"],
    "jars of no folder": ["flink", "up", "--jars", NOWHERE],
}


def mistake_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> list[str]:
    """The command line of a mistake, run in an empty folder with a text file beside it."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    text = tmp_path / "notes"
    for file in (text, tmp_path / "notes.yaml"):
        file.write_text("These are notes of the trial, not what was asked for.\n")
    return [word.replace(TEXT, str(text)) for word in MISTAKES[name]]


class TestMistakes:
    """What the user must fix: exit code 2, a message without a traceback, nothing written."""

    @pytest.mark.parametrize("name", MISTAKES)
    def test_is_reported_with_exit_code_2(
        self,
        name: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        assert main(mistake_in(tmp_path, monkeypatch, name)) == 2
        said = capfd.readouterr()
        message = said.err + said.out
        assert message.strip()
        assert "Traceback" not in message
        assert "Usage:" not in message
        assert "Unexpected" not in message
        left = {path.name for path in (tmp_path / "work").rglob("*") if path.is_file()}
        assert {name for name in left if not name.endswith((".log", ".xpt", ".parquet"))} <= {
            "manifest.json"
        }

    @pytest.mark.parametrize("name", MISTAKES)
    def test_is_reported_as_json_too(
        self,
        name: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        words = mistake_in(tmp_path, monkeypatch, name)
        assert main([*words, "--json"]) == 2
        document = json.loads(capfd.readouterr().out)
        assert document["exit_code"] == 2
        assert document["error"]
        assert words[0] == document["command"].split()[0]

    @pytest.mark.parametrize(
        "words",
        [
            ["boards", "--store", f"sqlite:///{TEXT}"],
            ["export", "--store", f"sqlite:///{TEXT}"],
            ["store", "migrate", f"sqlite:///{TEXT}"],
            ["run", "--subjects", "100", "--store", f"sqlite:///{TEXT}"],
        ],
        ids=lambda words: words[0],
    )
    def test_a_text_file_as_store_says_what_to_do(
        self, words: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str], local_run: Path
    ) -> None:
        text = tmp_path / "notes"
        text.write_text("These are notes of the trial, not what was asked for.\n")
        given = [word.replace(TEXT, str(text)) for word in words]
        root = [] if words[0] == "store" else ["--root", str(local_run)]
        assert main([*given, *root]) == 2
        said = capfd.readouterr()
        assert f"{text} is not a SQLite database. Name another file" in said.out + said.err
        assert text.read_text().startswith("These are notes")


def _command(error: BaseException) -> click.Command:
    """A command that is given a path and fails."""

    @click.command(cls=Command)
    @click.option("--out", type=click.Path(path_type=Path))
    def fail(out: Path) -> Answer:
        del out
        raise error

    return fail


class TestPathsOfTheUser:
    """An error of the system at a path that the user named is his or hers to fix."""

    @pytest.mark.parametrize(
        "error", [PermissionError(13, "Permission denied"), OSError(28, "No space left on device")]
    )
    @pytest.mark.parametrize("below", [".", "logs/run.log", ".."])
    def test_at_below_or_above_the_path(self, error: OSError, below: str, tmp_path: Path) -> None:
        named = tmp_path / "root"
        failing = OSError(error.errno, error.strerror, str(named / below))
        with pytest.raises(UserError, match=rf"{error.strerror}\. \w+"):
            _command(failing).main(["--out", str(named)], standalone_mode=False)

    def test_at_another_path_it_is_unexpected(self, tmp_path: Path) -> None:
        failing = PermissionError(13, "Permission denied", str(tmp_path / "other"))
        with pytest.raises(PermissionError):
            _command(failing).main(["--out", str(tmp_path / "root")], standalone_mode=False)
