"""Every command that is given a path in a root of unblinded runs asks who may open it."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
import yaml

from pipeline.cli.main import main
from pipeline.mlflow.follow import tell
from pipeline.mlflow.server import ADDRESS_VARIABLE
from pipeline.permissions import ACCESS_LOG, account_name
from pipeline.runs.unblinded import open_root, read_accesses
from pipeline.study.load import load_study
from pipeline.study.shipped import find_study_file
from tests.each import each
from tests.pipeline.cli.command_tree import COMMANDS
from tests.pipeline.runs.governed import STUDY, add
from tests.pipeline.runs.test_unblinded import ongoing, readers_are

ME = account_name()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return open_root(tmp_path / "runs", ongoing(ME), "study.yaml", "trial run")


def words(names: tuple[str, ...], root: Path) -> list[str]:
    """A command line with a value for each argument, on a root."""
    line = list(names)
    for parameter in COMMANDS[names].params:
        if isinstance(parameter, click.Argument) and parameter.required:
            line.append("value")
        elif isinstance(parameter, click.Option) and parameter.required:
            line += [parameter.opts[0], "value"]
    return [*line, "--root", str(root)]


WITH_ROOT = sorted(
    name
    for name, command in COMMANDS.items()
    if any(parameter.name == "root" for parameter in command.params)
)


@pytest.mark.parametrize("command", WITH_ROOT, ids=" ".join)
def test_every_command_with_a_root_refuses_who_is_not_named(
    command: tuple[str, ...], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readers_are(place, "another")
    assert main(words(command, place)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "for named readers alone" in line
    assert not read_accesses(place)[-1].allowed
    assert read_accesses(place)[-1].command == " ".join(("trial", *command))


def test_a_named_reader_is_recorded_and_sees_the_log(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "20260101T000000", "--root", str(place)]) == 2
    assert "for named readers" not in capsys.readouterr().err
    assert main(["access", "--root", str(place.parent), "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)["entries"]
    assert [(entry["command"], entry["run"]) for entry in each(entries)] == [
        ("trial run", ""),
        ("trial report", "20260101T000000"),
        ("trial access", ""),
    ]


def test_a_run_or_registry_in_it_needs_the_whole_root(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = str(place.parent)
    registry = str(place / "registry")
    for line in (
        ["report", str(place / "synthetic" / "records" / "r1"), "--root", other],
        ["models", "list", "--registry", registry, "--root", other],
        ["verdict", "--study", "s", "--store", f"sqlite:///{place}/store.sqlite", "--root", other],
    ):
        assert main(line) == 2
        assert "give it as the root of the whole command" in capsys.readouterr().err


def test_its_results_go_into_no_other_store(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for store in (f"sqlite:///{tmp_path}/shared.sqlite", "postgresql://w@h/trial"):
        assert main(["export", "--root", str(place), "--store", store]) == 2
        assert "go into a store below this root alone" in capsys.readouterr().err


def test_mlflow_gets_nothing_of_it(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No server is there: with one asked, the message would be another."""
    monkeypatch.setenv(ADDRESS_VARIABLE, "http://127.0.0.1:9")
    add(str(place / "registry"), place / "made", "m1")

    assert main(["models", "mlflow", "--study", STUDY, "--root", str(place)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "MLflow gets none of them" in line
    assert tell(str(place / "registry"), STUDY) == f"{place}: {line.partition(': ')[2]}"
    assert "MLflow gets none" not in str(tell(str(place.parent / "registry"), STUDY))


def test_commands_on_its_models_read_a_study_that_needs_the_arm(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Blinded it would be refused: its population is by the arm."""
    content = load_study(find_study_file("synthetic")).to_content()
    content |= {"conduct": "ongoing", "population": {"column": "TRT01P", "present": True}}
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump(content))

    for command in (["models", "list", "--study", str(study)], ["serve", str(study)]):
        assert main([*command, "--root", str(tmp_path)]) == 2
        assert "column TRT01P of adsl is that of the arm" in capsys.readouterr().err
        assert main([*command, "--root", str(place)]) == 2
        assert "the registry " in capsys.readouterr().err


def test_a_root_without_unblinded_runs_has_no_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["access", "--root", str(tmp_path)]) == 2
    assert "there are no unblinded runs" in capsys.readouterr().err
    assert not (tmp_path / ACCESS_LOG).exists()
