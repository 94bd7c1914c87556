"""Limits of requests, who may ask, what is counted, and a bug that shows nothing of a subject."""

from __future__ import annotations

import hashlib
import logging
import re
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.service.app import create_app
from pipeline.service.follower import Follower, Served
from pipeline.service.gate import Limits
from pipeline.service.model import ColumnsModel
from pipeline.service.openapi import openapi_document
from pipeline.service.telemetry import Telemetry
from pipeline.service.tokens import Tokens, read_tokens
from tests.each import each
from tests.pipeline.service.hand_made import STUDY, SUBJECT
from tests.pipeline.service.running import problem, running


def test_a_large_body_is_refused(follower: Follower) -> None:
    with running(create_app(follower, limits=Limits(most_bytes=100))) as client:
        assert client.post("/predict", json={"subject": SUBJECT}).status_code == 200
        long = {"subject": SUBJECT | {"SEX": "F" * 100}}
        assert "at most 100 bytes" in problem(client.post("/predict", json=long), 413)["detail"]
        # Its length is not known before it has come.
        parts = iter([b'{"subject":', b" " * 100])
        problem(client.post("/predict", content=parts), 413)


def test_a_body_that_does_not_come_is_not_waited_for(follower: Follower) -> None:
    with running(create_app(follower, limits=Limits(seconds=0.1))) as client:
        assert client.base_url.port is not None
        with socket.create_connection((client.base_url.host, client.base_url.port)) as slow:
            slow.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{")
            assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")


class Broken(ColumnsModel):
    """A model with a bug, whose message quotes a value."""

    def predict(self, arguments: Mapping[str, Any], *_: Any) -> dict[str, Any]:
        raise RuntimeError(f"the age {arguments['AGE'][0]}")


def test_a_bug_is_a_problem_and_its_message_stays_inside(
    follower: Follower, caplog: pytest.LogCaptureFixture
) -> None:
    champion = follower.served.champion
    assert champion is not None
    broken = Follower.__new__(Follower)
    model = Broken(**vars(champion.model))
    broken.served = Served(replace(champion, model=model))
    with running(create_app(broken)) as client, caplog.at_level(logging.INFO):
        answer = client.post("/predict", json={"subject": SUBJECT | {"AGE": 61.25}})

    assert "log says where" in problem(answer, 500)["detail"]
    assert re.search(r"Unexpected RuntimeError at .*test_gate\.py:\d+", caplog.text)
    assert "61.25" not in answer.text + caplog.text


class TestTokens:
    TOKENS = Tokens(
        {
            hashlib.sha256(b"caller").hexdigest(): "predict",
            hashlib.sha256(b"keeper").hexdigest(): "admin",
        }
    )

    @pytest.mark.parametrize(
        ("token", "predicts", "looks"),
        [(None, 401, 401), ("other", 401, 401), ("caller", 200, 403), ("keeper", 200, 200)],
    )
    def test_a_token_opens_what_its_scope_says(
        self, follower: Follower, token: str | None, predicts: int, looks: int
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with running(create_app(follower, self.TOKENS)) as client:
            client.headers.update(headers)
            body = {"subject": SUBJECT}
            assert client.post("/predict", json=body).status_code == predicts
            assert client.get("/v1/models/stroke/metadata").status_code == predicts
            assert client.get("/v2/models/stroke").status_code == predicts
            assert client.get("/openapi.json").status_code == predicts
            assert client.get("/metrics").status_code == looks
            assert client.get("/v2/health/ready").status_code == 200

    def test_each_endpoint_but_health_needs_one(self, follower: Follower) -> None:
        assert follower.served.champion
        app = create_app(follower, self.TOKENS)
        paths = openapi_document(app, follower.served.champion)["paths"]
        asked = [(method, path) for path, methods in paths.items() for method in methods]
        with running(app) as client:
            for method, path in each(asked):
                answer = client.request(method, path.format(model=STUDY, version="1"))
                expected = 200 if path.startswith("/v2/health/") else 401
                assert answer.status_code == expected, path

    def test_without_a_token_it_is_said_how_to_bring_one(self, follower: Follower) -> None:
        with running(create_app(follower, self.TOKENS)) as client:
            answer = client.post("/predict", json={"subject": SUBJECT})
        problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"

    def test_a_file_has_a_token_a_line(self, tmp_path: Path) -> None:
        digest = hashlib.sha256(b"caller").hexdigest()
        path = tmp_path / "tokens"
        path.write_text(f"# of the ward\n\npredict {digest}  # tablets\n")
        assert read_tokens(path).scopes == {digest: "predict"}

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("predict secret\n", "line 1: expected `predict` or `admin` and the SHA-256"),
            ("# none\n", "no token in it"),
        ],
    )
    def test_another_file_is_refused(self, tmp_path: Path, text: str, expected: str) -> None:
        path = tmp_path / "tokens"
        path.write_text(text)
        with pytest.raises(UserError, match=expected) as raised:
            read_tokens(path)
        assert "secret" not in str(raised.value)


def counted(client: httpx.Client) -> dict[str, float]:
    """Value of each metric with its labels."""
    lines = client.get("/metrics").text.splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def test_requests_flags_and_risks_are_counted(follower: Follower) -> None:
    champion = follower.served.champion
    assert champion is not None
    with running(create_app(follower)) as client:
        client.post("/predict", json={"subject": SUBJECT})
        client.post("/predict", json={"subject": SUBJECT | {"AGE": 75}})
        client.post("/predict", json={"subject": SUBJECT | {"AGE": "x"}})
        client.get("/somewhere")
        found = counted(client)

    requests = "trial_service_requests_total"
    assert found[f'{requests}{{endpoint="/predict",status="200"}}'] == 2
    assert found[f'{requests}{{endpoint="/predict",status="422"}}'] == 1
    assert found[f'{requests}{{endpoint="other",status="404"}}'] == 1
    assert found['trial_service_request_seconds_count{endpoint="/predict"}'] == 3
    assert found['trial_service_flags_total{flag="out_of_range"}'] == 1
    # The risks of death are .34 and .51.
    of = f'task="death",version="{champion.version}"'
    below = [
        found[f'trial_service_predicted_risk_bucket{{le="{end}",{of}}}']
        for end in ("0.3", "0.4", "0.6")
    ]
    assert below == [0, 1, 2]
    model = f'id="{champion.entry.id}",study="stroke",version="{champion.version}"'
    assert found[f"trial_service_model{{{model}}}"] == 1
    assert found["trial_service_registry_answers"] == 1
    assert found['trial_service_study{study="stroke"}'] == 1


def test_a_flag_that_no_subject_has_had_is_counted_from_zero_on(follower: Follower) -> None:
    """Prometheus takes no first value of a counter for a growth."""
    text = Telemetry(follower).text().decode()
    assert 'trial_service_flags_total{flag="unknown_category"} 0.0' in text
    assert 'trial_service_flags_total{flag="group_too_small"} 0.0' in text


def test_each_of_many_differences_is_counted_once(follower: Follower) -> None:
    telemetry = Telemetry(follower)
    for _ in range(250):
        telemetry.note_differences("death", "other", np.array([0.03, -0.3], np.float32))
    text = telemetry.text().decode()
    bucket = "trial_service_shadow_difference_bucket"
    assert f'{bucket}{{id="other",le="0.02",task="death"}} 250.0' in text
    assert f'{bucket}{{id="other",le="+Inf",task="death"}} 500.0' in text
