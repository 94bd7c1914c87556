"""The register has what the parts of the project declare that they write, show or answer."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pipeline.outputs.output import Audience, Disclosure, Output, Within, matches
from pipeline.outputs.register import (
    REGISTER,
    outputs_of,
    outputs_within,
    people_facing,
    unregistered,
    written,
)
from pipeline.permissions import account_name
from pipeline.runs.unblinded import open_root
from pipeline.store.models import Base
from pipeline.version import PROJECT
from tests.each import each
from tests.pipeline.cli.command_tree import COMMANDS
from tests.pipeline.runs.test_unblinded import ongoing


def places(within: Within) -> set[str]:
    """All places of the register in one kind of place."""
    return {place for output in outputs_within(within) for place in output.places}


def test_a_name_is_given_once() -> None:
    counted = Counter(output.name for output in REGISTER)
    assert [name for name, count in each(counted.items()) if count > 1] == []


def test_what_writes_an_output_is_a_module() -> None:
    for output in each(REGISTER):
        path = PROJECT / output.written_by.replace(".", "/")
        is_here = path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()
        assert is_here or output.written_by.startswith("tfx.components."), output


def test_patient_level_outputs_are_not_for_people_without_the_data() -> None:
    trusted = (Audience.OWNER, Audience.DATA, Audience.UNBLINDED)
    told = [o for o in REGISTER if o.disclosure in (Disclosure.PATIENT, Disclosure.SECRET)]

    assert [output.name for output in each(told) if output.audience not in trusted] == []
    assert not any(output.is_people_facing for output in told)


def test_tables_are_those_of_the_store() -> None:
    assert places(Within.STORE) == {*Base.metadata.tables, "alembic_version"}


def test_commands_are_those_of_the_command_line() -> None:
    assert {" ".join(words) for words in COMMANDS} == places(Within.TERMINAL)


def test_files_that_options_name_are_those_of_the_command_line() -> None:
    named = {
        f"{' '.join(words)} {option}"
        for words, command in COMMANDS.items()
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
        if option == "--out" or (words, option) == (("forget",), "--forgotten")
    }
    named |= {
        f"{' '.join(words)} {parameter.human_readable_name}"
        for words, command in COMMANDS.items()
        for parameter in command.params
        if isinstance(parameter, click.Argument) and parameter.name == "target"
    }

    assert named == places(Within.CHOSEN)


def test_events_are_those_that_mlflow_gets() -> None:
    files = (PROJECT / "pipeline" / "mlflow").glob("*.py")
    told = {event for file in files for event in _told(ast.parse(file.read_text("utf-8")))}

    assert told == places(Within.MLFLOW) | {"runs/search"}


def _told(module: ast.Module) -> Iterator[str]:
    """Paths of the requests that change something or carry content."""
    calls = (node for node in ast.walk(module) if isinstance(node, ast.Call))
    for call in calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("post", "delete"):
            yield from (str(a.value) for a in call.args if isinstance(a, ast.Constant))


@pytest.mark.parametrize(
    ("pattern", "place", "expected"),
    [
        ("<study>/records/<run>/<Stage>.json", "ist/records/1/DataGate.json", True),
        ("<study>/records/<run>/<Stage>.json", "ist/records/1/run.json", False),
        ("<study>/run.lock", "ist/scoring/run.lock", False),
        ("<a>/part-*.parquet", "x/part-0.parquet", True),
        ("<a>/part-*.parquet", "x/part-0/y.parquet", False),
        ("serving/<v>/**", "serving/1/variables/variables.index", True),
        ("serving/<v>/**", "serving/1", False),
        ("a.b", "aXb", False),
    ],
)
def test_a_pattern_stands_for_places(pattern: str, place: str, expected: bool) -> None:
    assert matches(pattern, place) is expected


def _write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    return path


def names(found: Iterator[tuple[Output, Path]]) -> dict[str, str]:
    return {path.name: output.name for output, path in found}


def test_files_are_found_below_a_root_and_its_registry(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    _write(root / "ist" / "records" / "1" / "page.html")
    _write(root / "logs" / "1.log")
    _write(root / "registry" / "ist" / "champion.json")
    _write(root / "registry-subjects" / "ist" / "m" / "evaluation.json")
    strange = _write(root / "ist" / "strange.csv")

    assert names(written(root)) == {
        "page.html": "page of a run",
        "1.log": "log of a run",
        "champion.json": "pointer to the champion",
        "evaluation.json": "division of a registered model",
    }
    assert list(names(people_facing(root))) == ["page.html", "champion.json"]
    assert list(unregistered(root)) == [strange]


def test_a_registry_may_lie_elsewhere(tmp_path: Path) -> None:
    _write(tmp_path / "models" / "ist" / "champion.json")
    _write(tmp_path / "models-subjects" / "ist" / "m" / "predictions.parquet")
    _write(tmp_path / "runs" / "store.sqlite")

    found = names(written(tmp_path / "runs", tmp_path / "models"))

    assert set(found) == {"champion.json", "predictions.parquet", "store.sqlite"}


def test_what_lies_in_a_root_of_unblinded_runs_is_for_its_named_readers(tmp_path: Path) -> None:
    place = open_root(tmp_path, ongoing(account_name()), "study.yaml", "trial run")
    _write(place / "ist" / "records" / "1" / "page.html")
    _write(place / "registry" / "ist" / "champion.json")
    _write(place / "store.sqlite")

    for root in (tmp_path, place):
        assert {output.audience for output, _ in each(written(root))} == {Audience.UNBLINDED}
        assert list(people_facing(root)) == []
        assert list(unregistered(root)) == []
    assert set(names(written(tmp_path)).values()) == {"root of unblinded runs"}


def test_a_place_is_one_output() -> None:
    """No example of a place is claimed by two outputs."""
    for output in each(REGISTER):
        for place in each(output.places):
            example = _example(place)
            assert outputs_of(output.within, example) == (output,), example


def _example(place: str) -> str:
    text = re.sub(r"<([A-Z])\w*>", r"\1x", place)
    return re.sub(r"<\w+>|\*\*|\*", "x", text)
