"""Requests are sent as spans: how long they took, and nothing of who was asked about."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from pipeline.observability.address import ENDPOINT
from pipeline.service.app import create_app
from pipeline.service.follower import Follower
from tests.each import each
from tests.pipeline.observability.receiver import Receiver, attributes, receiving
from tests.pipeline.service.hand_made import SUBJECT
from tests.pipeline.service.running import running

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture(scope="module")
def observed(follower: Follower) -> Iterator[Receiver]:
    """What was received of three requests, once the service has stopped."""
    with pytest.MonkeyPatch.context() as patched, receiving() as receiver:
        patched.setenv(ENDPOINT, receiver.address)
        with running(create_app(follower)) as client:
            _ask(client)
        yield receiver


def _ask(client: httpx.Client) -> None:
    context = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    assert client.post("/predict", json={"subject": SUBJECT}, headers=context).status_code == 200
    assert client.post("/predict", json={"subject": {"AGE": "Ulm"}}).status_code == 422
    assert client.get("/secret-of-Ulm?age=93").status_code == 404
    assert client.request("PROPFIND", "/predict").status_code == 405


def test_a_request_is_a_span_with_route_and_status(observed: Receiver) -> None:
    found = [
        (attributes(span)["http.route"], attributes(span)["http.response.status_code"])
        for span in observed.spans
    ]
    assert found[:3] == [("/predict", "200"), ("/predict", "422"), ("other", "404")]
    assert [span["name"] for span in observed.spans][2:] == ["GET other", "_OTHER /predict"]
    for span in each(observed.spans):
        assert span["kind"] == 2
        assert int(span["endTimeUnixNano"]) > int(span["startTimeUnixNano"])


def test_a_request_belongs_to_the_trace_of_its_client(observed: Receiver) -> None:
    first, second, *_ = observed.spans
    assert (first["traceId"], first["parentSpanId"]) == (TRACE, PARENT)
    assert second["traceId"] != TRACE
    assert "parentSpanId" not in second


def test_durations_are_a_histogram_that_adds_up(observed: Receiver) -> None:
    metric = observed.metrics[-1]
    assert (metric["name"], metric["unit"]) == ("http.server.request.duration", "s")
    assert metric["histogram"]["aggregationTemporality"] == 2
    assert sum(int(point["count"]) for point in metric["histogram"]["dataPoints"]) == 4


def test_nothing_of_body_or_address_is_sent(observed: Receiver) -> None:
    assert observed.requests
    assert "ulm" not in observed.text.lower()
    for span in each(observed.spans):
        assert "93" not in map(str, attributes(span).values())
