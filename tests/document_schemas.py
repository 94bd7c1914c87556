"""Whether a document that a stage wrote fits its published schema."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from pipeline.schemas import DOCUMENT_SCHEMAS
from pipeline.version import PROJECT


def check_document(name: str, content: object) -> None:
    """Fails where the content has another form than the schema, or keys that it does not know."""
    path = PROJECT / DOCUMENT_SCHEMAS / f"{Path(name).stem}.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    for part in (schema, *schema.get("$defs", {}).values()):
        if "properties" in part:
            part["additionalProperties"] = False
    jsonschema.validate(content, schema)
