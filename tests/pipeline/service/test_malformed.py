"""Whatever is sent, the answer is a prediction or a problem, and never a fault of the service."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.service.bodies import MOST_SUBJECTS
from pipeline.service.problems import MEDIA_TYPE
from tests.pipeline.service.hand_made import FEATURES, SUBJECT

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    # With half surrogate pairs.
    st.text(st.characters(codec=None, exclude_categories=()), max_size=5),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
NAMES = st.sampled_from(FEATURES) | st.text(max_size=4)
SUBJECTS = st.dictionaries(NAMES, VALUES, max_size=5).map(lambda found: SUBJECT | found)
TENSORS = st.fixed_dictionaries(
    {},
    optional={
        "name": NAMES | VALUES,
        "shape": VALUES | st.just([1]),
        "datatype": st.sampled_from(["FP32", "BYTES", "INT64"]) | VALUES,
        "data": st.lists(VALUES, max_size=2) | VALUES,
        "parameters": VALUES,
    },
)
BODIES: dict[str, st.SearchStrategy[Any]] = {
    "/predict": st.fixed_dictionaries({"subject": SUBJECTS | VALUES}) | VALUES,
    "/v1/models/stroke:predict": st.fixed_dictionaries(
        {},
        optional={
            "instances": st.lists(SUBJECTS | VALUES, max_size=2) | VALUES,
            "inputs": st.dictionaries(NAMES, st.lists(VALUES, max_size=2)) | VALUES,
            "signature_name": st.sampled_from(["columns", "columns_contributions"]) | VALUES,
        },
    ),
    "/v2/models/stroke/infer": st.fixed_dictionaries(
        {"inputs": st.lists(TENSORS, max_size=5) | VALUES},
        optional={"id": VALUES, "outputs": VALUES, "parameters": VALUES},
    ),
}


def check(answer: httpx.Response) -> None:
    """Fails on a fault of the service."""
    assert answer.status_code in (200, 400, 404, 422), answer.text
    if answer.status_code != 200:
        assert answer.headers["content-type"] == MEDIA_TYPE
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", BODIES)
def test_any_json_is_a_prediction_or_a_problem(client: httpx.Client, path: str) -> None:
    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(BODIES[path])
    def ask(body: Any) -> None:
        check(client.post(path, content=json.dumps(body)))

    ask()


@pytest.mark.parametrize("form", ["instances", "inputs"])
def test_more_subjects_than_a_request_may_have_are_refused(client: httpx.Client, form: str) -> None:
    many = MOST_SUBJECTS + 1
    body: dict[str, Any] = (
        {"instances": [{}] * many} if form == "instances" else {"inputs": {"AGE": [60] * many}}
    )

    answer = client.post("/v1/models/stroke:predict", content=json.dumps(body))

    assert answer.status_code == 400
    assert "at most 10,000 subjects" in answer.text


def test_subjects_with_a_name_of_their_own_each_take_no_memory(client: httpx.Client) -> None:
    """Every name for every subject would be 100 million values: 800 MB."""
    instances = [{f"c{row}": 1} for row in range(MOST_SUBJECTS)]
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]

    answer = client.post("/v1/models/stroke:predict", content=json.dumps({"instances": instances}))

    highest = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert (answer.status_code, "unknown_column" in answer.text) == (422, True)
    assert highest < 200e6


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(body=st.binary(max_size=60), path=st.sampled_from([*BODIES, "/"]))
def test_any_bytes_are_a_problem(client: httpx.Client, body: bytes, path: str) -> None:
    check(client.post(path, content=body)) if path != "/" else _check_page(client, body)


def _check_page(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/", content=body)
    assert answer.status_code in (400, 422), answer.text
