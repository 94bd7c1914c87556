"""`trial`: help without slow imports, one way to fail, one place for exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli import main as cli
from pipeline.cli.answer import Answer, ExitCode, stdout_to_stderr
from pipeline.cli.main import main, trial
from pipeline.cli.options import WholeNumber
from pipeline.version import code_version
from tests.pipeline.cli.command_tree import COMMANDS, HEAVY
from tests.whole_runs import REPOSITORY, environment

_PROBE = f"""
import json, sys
from pipeline.cli.main import main
codes = [main([*words, "--help"]) for words in json.loads(sys.argv[1])]
print(json.dumps([codes, [name for name in {HEAVY!r} if name in sys.modules]]))
"""


@pytest.fixture(autouse=True)
def _no_choices_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("TRIAL_"):
            monkeypatch.delenv(name)


class TestHelp:
    def test_no_help_imports_a_slow_library(self) -> None:
        words = [[], *map(list, COMMANDS)]
        ended = subprocess.run(
            [sys.executable, "-c", _PROBE, json.dumps(words)],
            cwd=REPOSITORY,
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        codes, heavy = json.loads(ended.stdout.splitlines()[-1])
        assert heavy == []
        assert codes == [0] * len(words)

    def test_the_help_of_trial_names_every_command(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["--help"]) == 0
        listed = capsys.readouterr().out
        for words in COMMANDS:
            assert re.search(rf"^  {words[0]} ", listed, re.MULTILINE)

    @pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
    def test_every_parameter_is_explained(self, words: tuple[str, ...]) -> None:
        command = COMMANDS[words]
        assert command.help
        for parameter in command.params:  # may be empty
            if isinstance(parameter, click.Option):
                assert parameter.help, parameter.name
            elif parameter.name != "beam_arguments":
                assert parameter.human_readable_name in command.help

    def test_options_of_beam_are_explained_for_the_synthetic_trial(self) -> None:
        assert "--direct_num_workers=2" in (COMMANDS["synthetic",].help or "")

    @pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
    def test_every_command_answers_a_machine(self, words: tuple[str, ...]) -> None:
        assert "--json" in {name for item in COMMANDS[words].params for name in item.opts}

    def test_an_option_means_the_same_variable_everywhere(self) -> None:
        variables: dict[str, set[object]] = {}
        for command in COMMANDS.values():
            for parameter in command.params:
                if parameter.envvar:
                    variables.setdefault(parameter.opts[0], set()).add(parameter.envvar)
        assert variables
        for option, names in variables.items():
            assert names == {f"TRIAL_{option[2:].replace('-', '_').upper()}"}

    def test_the_version_is_the_projects(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--version"]) == 0
        assert capsys.readouterr().out == f"trial {code_version()}\n"


def _required(command: click.Command) -> list[str]:
    """Options without which a command can't be parsed."""
    return [
        word
        for parameter in command.params
        if parameter.required
        for word in ([parameter.opts[0], "1"] if isinstance(parameter, click.Option) else ["1"])
    ]


class TestCommandLine:
    """Mistakes in the command line: one line, exit code 2, nothing is run."""

    @pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
    def test_an_unknown_option(
        self, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main([*words, "--stpes", "4"]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        [line] = said.err.splitlines()
        assert line.startswith(f"trial {' '.join(words)}: No such option '--stpes'")
        assert line.endswith(f"See `trial {' '.join(words)} --help`.")

    @pytest.mark.parametrize("words", sorted(set(COMMANDS) - {("synthetic",)}), ids=" ".join)
    def test_an_argument_too_many(
        self, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main([*words, *_required(COMMANDS[words]), "one", "two", "three"]) == 2
        [line] = capsys.readouterr().err.splitlines()
        assert "unexpected extra argument" in line

    @pytest.mark.parametrize(
        ("words", "option"),
        [
            (words, parameter.opts[0])
            for words, command in COMMANDS.items()
            for parameter in command.params
            if isinstance(parameter.type, WholeNumber)
        ],
    )
    @pytest.mark.parametrize("text", ["lots", "-5", "1.5", "", "²", "9" * 5000, str(2**31)])
    def test_a_number_that_is_none(
        self,
        words: tuple[str, ...],
        option: str,
        text: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert main([*words, f"{option}={text}"]) == 2
        [line] = capsys.readouterr().err.splitlines()
        assert f"argument {option}: expected a whole number" in line
        assert len(line) < 250

    @pytest.mark.parametrize(
        ("words", "name"),
        [
            (words, parameter.opts[0])
            for words, command in COMMANDS.items()
            for parameter in command.params
            if parameter.required
        ],
    )
    def test_a_missing_value(
        self, words: tuple[str, ...], name: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        required = [item.opts[0] for item in COMMANDS[words].params if item.required]
        options = [item for item in required if item.startswith("-") and item != name]
        # Of two values without an option the second one is missing.
        places = [item for item in required if not item.startswith("-")]
        before = places[: places.index(name)] if name in places else places
        given = [*before, *(word for option in options for word in (option, "1"))]
        assert main([*words, *given]) == 2
        [line] = capsys.readouterr().err.splitlines()
        assert f"argument {name if name.startswith('-') else name.upper()} is missing" in line

    def test_an_unknown_command(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["rnu"]) == 2
        [line] = capsys.readouterr().err.splitlines()
        assert line.startswith("trial: No such command 'rnu'")

    @pytest.mark.parametrize("words", [[], ["draft"], ["store"], ["flink"]])
    def test_a_group_alone_lists_its_commands(
        self, words: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(words) == 2
        assert "Commands:" in capsys.readouterr().err

    @given(text=st.text())
    def test_a_whole_number_is_what_int_reads_or_a_usage_error(self, text: str) -> None:
        try:
            number = WholeNumber().convert(text, None, None)
        except click.BadParameter:
            assert not re.fullmatch("[0-9]{1,9}", text)
        else:
            assert 0 <= number == int(text) < 2**31

    @given(number=st.integers(0, 2**31 - 1), smallest=st.integers(0, 2**31 - 1))
    def test_a_whole_number_has_a_smallest_one(self, number: int, smallest: int) -> None:
        if number >= smallest:
            assert WholeNumber(smallest).convert(str(number), None, None) == number
        else:
            with pytest.raises(click.BadParameter):
                WholeNumber(smallest).convert(str(number), None, None)


NOWHERE = "/nowhere"


class TestUnexpected:
    @pytest.fixture
    def fails(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        """Lets every command fail with an exception."""

        def prepare(error: BaseException) -> None:
            def main_of_click(*_: object, **__: object) -> None:
                raise error

            monkeypatch.setattr(trial, "main", main_of_click)

        return prepare

    def test_is_one_line_with_the_log_and_without_the_message(
        self, fails: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fails(ValueError("subject 4711"))
        assert main(["report"]) == 1
        [line] = capsys.readouterr().err.splitlines()
        found = re.fullmatch(r"Unexpected ValueError; see (\S+)\.", line)
        assert found
        log = Path(found[1])
        assert "ValueError: subject 4711" in log.read_text()
        assert log.stat().st_mode & 0o077 == 0
        log.unlink()

    def test_is_json_too(self, fails: Any, capsys: pytest.CaptureFixture[str]) -> None:
        fails(ValueError("subject 4711"))
        assert main(["report", "--json"]) == 1
        document = json.loads(capsys.readouterr().out)
        assert document["exit_code"] == 1
        assert document["error"].startswith("Unexpected ValueError;")

    @pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
    def test_an_interrupt_ends_with_130(
        self, fails: Any, error: BaseException, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fails(error)
        assert main(["run"]) == 130
        assert capsys.readouterr().err == "Interrupted.\n"


class TestJson:
    def test_whatever_is_printed_meanwhile_goes_to_standard_error(
        self, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with stdout_to_stderr():
            sys.stdout.write("of Python\n")
            os.write(1, b"of a library in C\n")
        sys.stdout.write("afterwards\n")
        said = capfd.readouterr()
        assert said.out == "afterwards\n"
        assert said.err == "of Python\nof a library in C\n"

    def test_without_it_nothing_of_it_is_written(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        answer = Answer({"written": ["x"]}, ExitCode.DONE)
        monkeypatch.setattr(trial, "main", lambda *_, **__: answer)
        assert cli.main(["report"]) == 0
        assert capsys.readouterr().out == ""
        assert cli.main(["report", "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {
            "command": "report",
            "exit_code": 0,
            "written": ["x"],
        }

    def test_freeze_says_when_and_whether_a_result_had_been_seen(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["freeze", "--root", str(tmp_path), "--json"]) == 0

        answer = json.loads(capfd.readouterr().out)
        assert answer["before_first_result"] is True
        assert answer["at"].startswith("20")

    def test_migration_boards_and_export_say_what_they_wrote(
        self, tmp_path: Path, local_run: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        store = f"sqlite:///{tmp_path / 'other.sqlite'}"
        out = tmp_path / "boards.html"

        def answer(*words: str) -> dict[str, object]:
            assert main([*words, "--json"]) == 0
            return json.loads(capfd.readouterr().out)

        assert answer("store", "migrate", store) == {
            "command": "store migrate",
            "exit_code": 0,
            "store": store,
            "roles": {},
        }
        exported = answer("export", "--root", str(local_run), "--store", store)
        assert exported["rows"]
        assert answer("boards", "--store", store, "--out", str(out))["written"] == [str(out)]
        assert out.exists()
