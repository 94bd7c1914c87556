"""The JSON Schemas of the study file and of a run's documents, generated from their models.

`python -m pipeline.schemas` regenerates them: `schema/study-file.schema.json`, by which an editor
completes and checks a study file, and one schema a document in `docs/schemas/`.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from pipeline.results.card import Card
from pipeline.results.documents import documents
from pipeline.results.trail import Pointer, TrailEntry
from pipeline.runs.entries import StoredEntry
from pipeline.runs.run_file import RunFile
from pipeline.runs.stage_record import StageRecord
from pipeline.store.pending import ExportFile
from pipeline.study.study import Study
from pipeline.version import PROJECT

STUDY_FILE_SCHEMA = Path("schema/study-file.schema.json")
DOCUMENT_SCHEMAS = Path("docs/schemas")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ATTRIBUTE = re.compile(r"    (\w+): (.*)")


def schemas() -> dict[Path, str]:
    """All schemas by their path below the project's folder."""
    found = {STUDY_FILE_SCHEMA: _schema(Study, "A study file")}
    for name, content in _documents():
        path = DOCUMENT_SCHEMAS / f"{Path(name).stem}.schema.json"
        found[path] = _schema(content, name)
    return found


def write_schemas(root: Path) -> None:
    """Writes all schemas below a folder."""
    for path, text in schemas().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def attributes(documented: type) -> dict[str, str]:
    """Descriptions of attributes from the docstrings of a class and of its bases.

    Examples:
        >>> from pipeline.study.study import Study
        >>> attributes(Study.model_fields["subject"].annotation)["column"]
        'Its subject key.'
    """
    found: dict[str, str] = {}
    for base in reversed(documented.__mro__):
        if not base.__module__.startswith("pydantic"):
            found |= dict(_attributes_of(base.__doc__ or ""))
    return found


def _attributes_of(docstring: str) -> Iterator[tuple[str, str]]:
    _, _, section = inspect.cleandoc(docstring).partition("\nAttributes:\n")
    name, words = "", ""
    for line in section.splitlines():
        if line and not line.startswith("    "):
            break
        if found := _ATTRIBUTE.fullmatch(line):
            if name:
                yield name, words
            name, words = found[1], found[2]
        elif line.strip():
            words += f" {line.strip()}"
    if name:
        yield name, words


class _Described(GenerateJsonSchema):
    """Adds the descriptions from a docstring's section Attributes to the keys."""

    def model_schema(self, schema: core_schema.ModelSchema) -> dict[str, Any]:
        """The schema of a model."""
        made = super().model_schema(schema)
        _describe(made, schema["cls"])
        return made

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> dict[str, Any]:
        """The schema of a dataclass."""
        made = super().dataclass_schema(schema)
        _describe(made, schema["cls"])
        return made


def _describe(made: dict[str, Any], documented: type) -> None:
    made["description"] = inspect.cleandoc(documented.__doc__ or "").partition("\n\nAttributes:")[0]
    keys = _keys(documented)
    for name, words in attributes(documented).items():
        described = made.get("properties", {}).get(keys.get(name, name))
        if described is not None:
            described["description"] = words


def _keys(documented: type) -> dict[str, str]:
    """The key of each field whose name in the file differs."""
    if not issubclass(documented, BaseModel):
        return {}
    found: dict[str, str] = {}
    for name, field in documented.model_fields.items():
        alias = field.validation_alias
        if isinstance(alias, AliasChoices):
            alias = str(alias.choices[0])
        if isinstance(alias, str):
            found[name] = alias
    return found


def _schema(content: Any, title: str) -> str:
    made = TypeAdapter(content).json_schema(schema_generator=_Described)
    made = {"$schema": _DIALECT, **made, "title": title}
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _documents() -> Iterator[tuple[str, Any]]:
    yield from documents()
    yield "card.json", Card
    yield "run.json", RunFile
    yield "stage-record.json", StageRecord
    yield "export.json", ExportFile
    yield "champion.json", Pointer
    yield "registry-entry.json", StoredEntry
    yield "trail-entry.json", TrailEntry


if __name__ == "__main__":
    write_schemas(PROJECT)
