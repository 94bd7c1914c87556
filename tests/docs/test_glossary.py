"""The glossary of CONTRIBUTING.md: every name that it gives exists where it says."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from pipeline.schemas import DOCUMENT_SCHEMAS, STUDY_FILE_SCHEMA
from pipeline.store.models import Base
from pipeline.version import PROJECT
from tests.each import each

_NAME = re.compile(r"`([^`]+)`")


def glossary() -> list[list[str]]:
    text = (PROJECT / "CONTRIBUTING.md").read_text("utf-8").split("\n## Glossary\n")[1]
    lines = [line for line in text.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def names(column: int) -> list[str]:
    return sorted({name for row in glossary() for name in _NAME.findall(row[column])})


@cache
def schema(document: str) -> dict[str, Any]:
    path = DOCUMENT_SCHEMAS / f"{document.removesuffix('.json')}.schema.json"
    content: dict[str, Any] = json.loads(
        (PROJECT / (path if document else STUDY_FILE_SCHEMA)).read_text("utf-8")
    )
    return content


def forms(node: Any, root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schemas that a value may have: references followed, alternatives listed."""
    if not isinstance(node, dict):
        return
    if "$ref" in node:
        yield from forms(root["$defs"][node["$ref"].rpartition("/")[2]], root)
    for part in (*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())):
        yield from forms(part, root)
    yield node


def below(node: Any, step: str, root: dict[str, Any]) -> Iterator[Any]:
    for form in forms(node, root):
        if step == "[]":
            yield from filter(None, (form.get("items"),))
        elif step == "*":
            yield from filter(None, (form.get("additionalProperties"),))
            yield from form.get("patternProperties", {}).values()
        elif step in form.get("properties", {}):
            yield form["properties"][step]


def is_key(name: str) -> bool:
    document, _, path = name.rpartition(":")
    root = schema(document)
    nodes = [root]
    for step in re.findall(r"\[\]|\*|\w+", path):
        nodes = [found for node in nodes for found in below(node, step, root)]
    return bool(nodes)


def is_in_code(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    try:
        if importlib.util.find_spec(name):
            return True
    except ModuleNotFoundError:
        pass
    return hasattr(importlib.import_module(module), attribute)


def test_the_glossary_has_terms_with_a_meaning_each_once() -> None:
    terms = [row[0] for row in glossary()]
    assert len(terms) >= 40
    assert len(set(terms)) == len(terms)
    assert all(len(row) == 5 and row[1].rstrip(")").endswith(".") for row in each(glossary()))


@pytest.mark.parametrize("name", names(2))
def test_a_key_is_one_of_the_study_file_or_of_a_document(name: str) -> None:
    assert is_key(name)


@pytest.mark.parametrize("name", ["slices", "thresholds[].where", "verdict.json:place", "tasks[]"])
def test_a_former_or_wrong_key_is_none(name: str) -> None:
    assert not is_key(name)


@pytest.mark.parametrize("name", names(3))
def test_a_name_in_code_exists(name: str) -> None:
    assert is_in_code(name)


@pytest.mark.parametrize("name", names(4))
def test_a_column_is_one_of_the_store(name: str) -> None:
    table, _, column = name.partition(".")
    assert column in Base.metadata.tables[table].columns
