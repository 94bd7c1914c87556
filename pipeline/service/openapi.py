"""The service's OpenAPI document, made from the champion's columns."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from pipeline.names import SUBJECT_HASH
from pipeline.service.champion import Champion
from pipeline.service.inputs import Input
from pipeline.service.problems import MEDIA_TYPE
from pipeline.service.pseudonyms import PATTERN
from pipeline.study.blinded import title_with_conduct
from pipeline.version import code_version

_REF = "#/components/schemas/"
_TENSOR = {
    "type": "object",
    "required": ["name", "shape", "datatype", "data"],
    "properties": {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer"}},
        "datatype": {"type": "string"},
        "data": {"type": "array", "items": {}},
    },
}
_PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457). No member holds a value of a subject.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "error": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "row": {"type": "integer"},
                    "column": {"type": "string"},
                    "problem": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


def openapi_document(app: FastAPI, champion: Champion) -> dict[str, Any]:
    """The document of the endpoints, with the columns of a champion.

    Args:
        app: The application.
        champion: The champion.
    """
    study = champion.study
    document = get_openapi(
        title=f"Predictions of {title_with_conduct(study) or study.study}",
        version=f"{code_version()}+model.{champion.version}",
        description=_description(champion),
        routes=app.routes,
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas |= {
        "Problem": _PROBLEM,
        "Subject": _subject(champion),
        "Request": {
            "type": "object",
            "required": ["subject"],
            "additionalProperties": False,
            "properties": {
                "subject": {"$ref": f"{_REF}Subject"},
                "contributions": {"type": "boolean", "default": False},
                "arms": {
                    "type": "boolean",
                    "default": False,
                    "description": "Also predict under each arm of a randomised trial.",
                },
            },
        },
        "Answer": _answer(champion),
    }
    bodies = {
        "/predict": {"$ref": f"{_REF}Request"},
        ":predict": _tensorflow_serving_body(),
        "/infer": _open_inference_body(),
    }
    for path, methods in document["paths"].items():
        for operation in methods.values():
            if parameters := _parameters(path, champion):
                operation["parameters"] = parameters
            operation["responses"] = _responses(path, operation["responses"])
        for ending, schema in bodies.items():
            if path.endswith(ending):
                methods["post"]["requestBody"] = {
                    "required": True,
                    "content": {"application/json": {"schema": schema}},
                }
    return document


def _parameters(path: str, champion: Champion) -> list[dict[str, Any]]:
    """The parts of a path that name the model; each has one value."""
    values = {"model": champion.study.study, "version": str(champion.version)}
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "enum": [value]},
        }
        for name, value in values.items()
        if f"{{{name}}}" in path
    ]


def _description(champion: Champion) -> str:
    stated = champion.study.card
    parts = [
        f"Intended use: {stated.purpose}" if stated.purpose else "",
        f"Users: {stated.users}" if stated.users else "",
        f"Not for: {stated.not_for}" if stated.not_for else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _subject(champion: Champion) -> dict[str, Any]:
    columns = champion.inputs.all
    schema: dict[str, Any] = {
        "type": "object",
        "description": "The subject's columns by name; null or absent where missing.",
        "additionalProperties": False,
        "properties": {
            **{column.name: _column(column) for column in columns},
            SUBJECT_HASH: {
                "type": ["string", "null"],
                "pattern": PATTERN,
                "description": "The subject's pseudonym, for the prediction log alone.",
            },
        },
    }
    # The arm is never assumed; what else is missing is flagged or refused.
    if required := [column.name for column in columns if column.is_arm]:
        schema["required"] = required
    return schema


def _column(column: Input) -> dict[str, Any]:
    described = f"{column.source}; for {column.used_for}" if column.used_for else column.source
    schema: dict[str, Any] = {"title": column.title, "description": described}
    if column.kind == "number":
        schema["type"] = ["number", "null"]
        if column.lower is not None:
            schema |= {"minimum": column.lower, "maximum": column.upper}
        return schema
    schema["type"] = "string" if column.is_arm else ["string", "null"]
    if column.shown:
        # No enumeration: other categories are flagged or refused as the study file says.
        schema["examples"] = list(column.shown)
    return schema


def _answer(champion: Champion) -> dict[str, Any]:
    level = {"type": "string", "enum": ["without_outcome", "with_outcome"]}
    probability = {"type": "number", "minimum": 0, "maximum": 1}
    task = {
        "type": "object",
        "required": ["title", "probability", "interval", "set"],
        "properties": {
            "title": {"type": "string"},
            "probability": probability,
            "interval": {
                "type": ["object", "null"],
                "properties": {"lower": probability, "upper": probability},
            },
            "set": {"type": ["array", "null"], "items": level},
            "why_no_interval": {"type": "string"},
            "contributions": {"type": "object"},
        },
    }
    text = {"type": "string"}
    predictions = {"type": "object", "properties": dict.fromkeys(champion.tasks, task)}
    arm = {"type": "object", "properties": {"arm": text, "predictions": predictions}}
    return {
        "type": "object",
        "required": ["model", "predictions", "flags", "groups", "not_told"],
        "properties": {
            "model": {
                "type": "object",
                "properties": dict.fromkeys(("study", "id", "version", "digest"), text),
            },
            "assumed_arm": text,
            "predictions": predictions,
            "arms": {"type": "array", "items": arm},
            "groups": {
                "type": "object",
                "description": "The group by slicing; null where its column is not given.",
                "properties": {
                    name: {"type": ["string", "null"]} for name in champion.study.slicing.by
                },
            },
            "not_told": {
                "type": "array",
                "description": "What the columns given do not show.",
                "items": {"type": "string", "enum": ["population", "landmark"]},
            },
            "flags": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "flag": text,
                        "feature": {"type": ["string", "null"]},
                        "title": text,
                    },
                },
            },
        },
    }


def _tensorflow_serving_body() -> dict[str, Any]:
    subject = {"$ref": f"{_REF}Subject"}
    return {
        "type": "object",
        "properties": {
            "signature_name": {"type": "string"},
            "instances": {"type": "array", "minItems": 1, "items": subject},
            "inputs": {"type": "object", "additionalProperties": {"type": "array", "items": {}}},
        },
    }


def _open_inference_body() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": "string"},
            "parameters": {"type": "object"},
            "inputs": {"type": "array", "minItems": 1, "items": _TENSOR},
            "outputs": {"type": "array", "items": {"type": "object"}},
        },
    }


def _responses(path: str, found: dict[str, Any]) -> dict[str, Any]:
    problem = {
        "description": "Problem details",
        "content": {MEDIA_TYPE: {"schema": {"$ref": f"{_REF}Problem"}}},
    }
    kept = {status: content for status, content in found.items() if status != "422"}
    if path == "/predict":
        kept["200"] = {
            "description": "The prediction",
            "content": {"application/json": {"schema": {"$ref": f"{_REF}Answer"}}},
        }
    return {**kept, "default": problem}
