"""The OpenAPI document is valid, and describes what the champion reads."""

from __future__ import annotations

from typing import Any

import httpx
import jsonschema
import pytest
from openapi_spec_validator import validate

from tests.pipeline.service.hand_made import SUBJECT


@pytest.fixture(scope="module")
def document(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def schema_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A schema that stands by itself."""
    return {"$ref": f"#/components/schemas/{name}", "components": document["components"]}


def test_it_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_the_columns_have_types_ranges_and_categories(document: dict[str, Any]) -> None:
    subject = document["components"]["schemas"]["Subject"]

    assert subject["properties"] == {
        "AGE": {
            "title": "Age (years)",
            "description": "subjects, AGE",
            "type": ["number", "null"],
            "minimum": 18.0,
            "maximum": 120.0,
        },
        "BMI": {"title": "BMI", "description": "subjects, BMI", "type": ["number", "null"]},
        # One subject alone had X.
        "SEX": {
            "title": "SEX",
            "description": "subjects, SEX",
            "type": ["string", "null"],
            "examples": ["F", "M"],
        },
        "arm": {
            "title": "arm",
            "description": "subjects, arm",
            "type": "string",
            "examples": ["Active", "Placebo"],
        },
        "subject_hash": {
            "type": ["string", "null"],
            "pattern": "^[0-9a-f]{32}$",
            "description": "The subject's pseudonym, for the prediction log alone.",
        },
    }
    assert subject["required"] == ["arm"]
    assert subject["additionalProperties"] is False


@pytest.mark.parametrize("contributions", [False, True])
def test_an_answer_is_what_it_says(
    client: httpx.Client, document: dict[str, Any], contributions: bool
) -> None:
    body = {"subject": SUBJECT | {"AGE": 75}, "contributions": contributions}
    jsonschema.validate(body, schema_of(document, "Request"))
    answer = client.post("/predict", json=body).json()
    jsonschema.validate(answer, schema_of(document, "Answer"))


def test_a_problem_is_what_it_says(client: httpx.Client, document: dict[str, Any]) -> None:
    problem = client.post("/predict", json={"subject": {"AGE": "x"}}).json()
    jsonschema.validate(problem, schema_of(document, "Problem"))


def test_all_protocols_are_in_it(document: dict[str, Any]) -> None:
    assert set(document["paths"]) >= {
        "/predict",
        "/v1/models/{model}",
        "/v1/models/{model}/metadata",
        "/v1/models/{model}:predict",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/{model}",
        "/v2/models/{model}/infer",
        "/metrics",
    }


def test_the_model_is_named_by_the_path_alone(document: dict[str, Any]) -> None:
    named = document["paths"]["/v1/models/{model}"]["get"]["parameters"]
    assert named == [
        {
            "name": "model",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "enum": ["stroke"]},
        }
    ]
    of_version = document["paths"]["/v1/models/{model}/versions/{version}"]["get"]["parameters"]
    assert [parameter["name"] for parameter in of_version] == ["model", "version"]
