"""A person's choices, and what is said when they can't be carried out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.beam.choices import Runner
from pipeline.beam.options import BeamSettings
from pipeline.cli.commands.run import parse_settings
from pipeline.config import Settings
from pipeline.errors import UserError
from pipeline.local_runner import main

REPOSITORY = Path(__file__).parents[2]
HEAVY = ("tensorflow", "tfx", "apache_beam")


@pytest.fixture(autouse=True)
def _no_choices_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("TRIAL_"):
            monkeypatch.delenv(name)


def test_without_any_choice_the_synthetic_trial_runs_below_runs() -> None:
    assert parse_settings([]) == Settings()
    assert Settings().study == "synthetic"
    assert Settings().root == Path("runs")


def test_the_command_line_sets_every_choice() -> None:
    settings = parse_settings(
        [
            *("--study", "ist", "--data", "d", "--root", "r", "--subjects", "200"),
            *("--seed", "7", "--steps", "30", "--tune", "--runner=flink"),
            *("--workers=4", "--master=flink:8081", "--worker-pool=localhost:5", "--beam=--x=1"),
        ]
    )
    assert settings == Settings(
        study="ist",
        data="d",
        root=Path("r"),
        subjects=200,
        seed=7,
        steps=30,
        tune=True,
        beam=BeamSettings(
            runner=Runner.FLINK,
            workers=4,
            master="flink:8081",
            worker_pool="localhost:5",
            options=("--x=1",),
        ),
    )


def test_the_environment_sets_what_the_command_line_leaves_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in {
        "TRIAL_STUDY": "ist",
        "TRIAL_DATA": "d",
        "TRIAL_ROOT": "r",
        "TRIAL_SUBJECTS": "200",
        "TRIAL_SEED": "7",
        "TRIAL_STEPS": "30",
        "TRIAL_TUNE": "1",
        "TRIAL_RUNNER": "flink",
        "TRIAL_WORKERS": "4",
        "TRIAL_MASTER": "flink:8081",
        "TRIAL_WORKER_POOL": "localhost:5",
        "TRIAL_BEAM": "--x=1 --y='2 3'",
    }.items():
        monkeypatch.setenv(name, text)
    assert parse_settings([]) == Settings(
        study="ist",
        data="d",
        root=Path("r"),
        subjects=200,
        seed=7,
        steps=30,
        tune=True,
        beam=BeamSettings(
            runner=Runner.FLINK,
            workers=4,
            master="flink:8081",
            worker_pool="localhost:5",
            options=("--x=1", "--y=2 3"),
        ),
    )


def test_the_command_line_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAL_SEED", "7")
    assert parse_settings(["--seed", "8"]).seed == 8


def test_an_empty_environment_variable_is_no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAL_STEPS", "")
    assert parse_settings([]).steps is None


def test_zero_steps_are_a_choice_of_their_own() -> None:
    assert parse_settings(["--steps", "0"]).steps == 0


@pytest.mark.parametrize(("text", "tune"), [("1", True), ("true", True), ("0", False)])
def test_tuning_is_switched_by_the_environment(
    text: str, tune: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAL_TUNE", text)
    assert parse_settings([]).tune is tune


def test_without_a_choice_beam_runs_in_memory() -> None:
    assert parse_settings([]).beam == BeamSettings(runner=Runner.IN_MEMORY)


@pytest.mark.parametrize("option", ["--steps", "--seed", "--subjects"])
@pytest.mark.parametrize("text", ["many", "-5", "1.5"])
def test_a_number_that_is_none_ends_with_2_and_names_the_option(
    option: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([f"{option}={text}"]) == 2
    assert f"argument {option}: expected a whole number, 0 or more" in capsys.readouterr().err


def test_a_number_that_is_none_in_the_environment_names_the_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRIAL_STEPS", "many")
    with pytest.raises(UserError, match="TRIAL_STEPS: expected a whole number, 0 or more"):
        parse_settings([])


def _in_a_process(*arguments: str, **extra: str) -> tuple[int, str, list[str]]:
    """Exit code, everything printed, and which heavy libraries were imported."""
    probe = (
        "import json, sys\n"
        "from pipeline.local_runner import main\n"
        "code = main(sys.argv[1:])\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "print(json.dumps([code, heavy]))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", probe, *arguments],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **extra},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    *printed, last = ended.stdout.splitlines()
    code, heavy = json.loads(last)
    return code, "\n".join([*printed, ended.stderr]), heavy


def test_help_lists_the_options_without_loading_a_heavy_library() -> None:
    code, printed, heavy = _in_a_process("--help")
    assert code == 0
    assert "--subjects" in printed
    assert heavy == []


def test_an_unknown_study_is_refused_at_once_with_the_shipped_names(tmp_path: Path) -> None:
    code, printed, heavy = _in_a_process("--study", "nosuch", "--root", str(tmp_path))
    assert code == 2
    assert "There is no study nosuch." in printed
    assert "synthetic" in printed
    assert heavy == []
    assert list(tmp_path.iterdir()) == []


def test_a_broken_study_file_is_refused_at_once_with_its_name_and_key(tmp_path: Path) -> None:
    broken = tmp_path / "study.yaml"
    broken.write_text("study: broken\ntitel: A misspelt key\n")
    code, printed, heavy = _in_a_process("--study", str(broken), "--root", str(tmp_path / "runs"))
    assert code == 2
    assert f"{broken}, line 2: titel" in printed
    assert "Traceback" not in printed
    assert heavy == []


def test_a_data_folder_that_is_absent_is_refused_without_a_heavy_library(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    code, printed, heavy = _in_a_process("--data", str(absent), "--root", str(tmp_path / "runs"))
    assert code == 2
    assert "does not exist" in printed
    assert heavy == []


def test_a_study_without_data_says_how_to_name_its_folder(tmp_path: Path) -> None:
    code, printed, heavy = _in_a_process("--study", "ist", "--root", str(tmp_path / "runs"))
    assert code == 2
    assert "--data" in printed
    assert heavy == []
