"""The JSON Schemas of study file and documents: current, explained, and of use to an editor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pipeline.documents import StrictModel
from pipeline.schemas import DOCUMENT_SCHEMAS, STUDY_FILE_SCHEMA, attributes, schemas
from pipeline.study.shipped import SCHEMAS
from pipeline.version import PROJECT
from tests.each import each

STUDIES = sorted(path.parent.name for path in SCHEMAS.glob("*/study.yaml"))
GENERATED = schemas()


def checked_in(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((PROJECT / path).read_text(encoding="utf-8"))
    return content


def study_file(study: str) -> dict[str, Any]:
    """Its content as an editor has it: dates are text."""
    loaded = yaml.safe_load((SCHEMAS / study / "study.yaml").read_text(encoding="utf-8"))
    content: dict[str, Any] = json.loads(json.dumps(loaded, default=str))
    return content


def problems(content: object) -> list[str]:
    """Key path of each problem that an editor would underline."""
    validator = jsonschema.Draft202012Validator(checked_in(STUDY_FILE_SCHEMA))
    return [".".join(map(str, error.absolute_path)) for error in validator.iter_errors(content)]


def described(schema: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Object, key and description of every key."""
    for name, part in {"": schema, **schema.get("$defs", {})}.items():
        for key, value in part.get("properties", {}).items():
            yield name, key, value.get("description", "")


@pytest.mark.parametrize("path", GENERATED, ids=str)
def test_the_checked_in_schema_is_what_the_models_generate(path: Path) -> None:
    assert (PROJECT / path).read_text(encoding="utf-8") == GENERATED[path], "run `make schemas`"


def test_no_schema_of_a_document_is_left_over() -> None:
    found = {path.name for path in (PROJECT / DOCUMENT_SCHEMAS).iterdir()}

    assert found == {path.name for path in GENERATED if path.parent == DOCUMENT_SCHEMAS}


@pytest.mark.parametrize("path", GENERATED, ids=str)
def test_every_schema_is_a_valid_one(path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(checked_in(path))


@pytest.mark.parametrize("path", GENERATED, ids=str)
def test_every_key_is_explained(path: Path) -> None:
    assert [place for *place, words in each(described(checked_in(path))) if not words] == []


@pytest.mark.parametrize("study", STUDIES)
def test_a_shipped_study_file_is_valid_by_the_schema_that_it_names(study: str) -> None:
    path = SCHEMAS / study / "study.yaml"
    first = path.read_text(encoding="utf-8").splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")

    assert (path.parent / named).resolve() == (PROJECT / STUDY_FILE_SCHEMA).resolve()
    assert problems(study_file(study)) == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda content: content.update(titel="A trial"), ""),
        (lambda content: content.pop("subject"), ""),
        (lambda content: content["datasets"]["adsl"].update(format="xlsx"), "datasets.adsl.format"),
        (lambda content: content["gate"].update(drift="halt"), "gate.drift"),
        (lambda content: content.update(landmark={"day": "28"}), "landmark"),
    ],
    ids=["unknown key", "missing key", "unknown format", "unknown severity", "text for a number"],
)
def test_what_is_wrong_in_a_study_file_is_found_by_its_schema(
    change: Callable[[dict[str, Any]], Any], place: str
) -> None:
    content = study_file("synthetic")
    content.setdefault("gate", {})
    change(content)

    assert problems(content) == [place]


class _Base(StrictModel):
    """A base.

    Attributes:
        first: Of the base,
            in two lines.
    """

    first: int


class _Derived(_Base):
    """A class that adds to it.

    Attributes:
        second: Its own: with a colon.

    Example:
        third: no attribute.
    """

    second: int


def test_docstrings_explain_attributes_of_a_class_and_of_its_bases() -> None:
    assert attributes(_Derived) == {
        "first": "Of the base, in two lines.",
        "second": "Its own: with a colon.",
    }
