"""An MLflow server in trouble: the registry stands, one line says why, and no secret is in it."""

from __future__ import annotations

import base64
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.mlflow.answers import Nothing
from pipeline.mlflow.follow import follow, tell
from pipeline.mlflow.server import MlflowError, Server, server_of
from tests.pipeline.mlflow.answering import answering
from tests.pipeline.runs.governed import STUDY, champion_id, registered

SECRET = "s3cret-token"


@pytest.fixture
def root(tmp_path: Path) -> str:
    """Root of a registry with one model."""
    place = str(tmp_path / "registry")
    registered(place, tmp_path, "a")
    return place


def surroundings(address: str, **others: str) -> dict[str, str]:
    return {"TRIAL_MLFLOW": address, **others}


def test_a_host_that_can_be_none_is_not_reached_and_the_registry_stands(root: str) -> None:
    problem = tell(root, STUDY, surroundings("https://mlflow..example.org"))

    assert problem is not None
    assert "it can't be reached" in problem
    assert champion_id(root)


def test_without_an_address_nothing_is_sent(root: str) -> None:
    assert server_of({}) is None
    assert server_of({"TRIAL_MLFLOW": " "}) is None
    assert tell(root, STUDY, {}) is None


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, "Wrong password", "refuses the access (401): check TRIAL_MLFLOW_TOKEN"),
        (403, "", "refuses the access (403)"),
        (500, "<html>Traceback</html>", "it answers 500."),
        (
            400,
            '{"error_code": "INVALID_PARAMETER_VALUE", "message": "no \\u001b[31m name."}',
            "it answers 400: INVALID_PARAMETER_VALUE, no [31m name.",
        ),
        (200, "<html>A page</html>", "answers something else than MLflow does"),
        (200, "{}", "answers something else than MLflow does"),
    ],
)
def test_what_the_server_answers_is_reported_and_the_registry_stands(
    root: str, status: int, body: str, said: str
) -> None:
    with answering(status, body) as server:
        problem = tell(root, STUDY, surroundings(server.address, TRIAL_MLFLOW_TOKEN=SECRET))

    assert problem is not None
    assert said in problem
    assert server.address in problem
    assert "`trial models mlflow` makes up for it" in problem
    assert SECRET not in problem
    assert "\n" not in problem
    assert champion_id(root)
    assert len(server.asked) == 1


def test_a_server_that_does_not_answer_is_waited_for_once_and_not_for_ever(root: str) -> None:
    with answering() as server:
        server.may_answer.clear()
        with pytest.raises(MlflowError, match=r"no answer within 0\.3 s"):
            follow(root, STUDY, Server(server.address, seconds=0.3))
        assert len(server.asked) == 1


def test_a_server_that_is_not_there_is_reported(root: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        problem = tell(root, STUDY, surroundings(address))

    assert f"{address}: it can't be reached" in str(problem)


def test_a_redirection_is_not_followed(root: str) -> None:
    with answering(200) as other, answering(302, "", f"{other.address}/login") as server:
        problem = tell(root, STUDY, surroundings(server.address, TRIAL_MLFLOW_TOKEN=SECRET))

    assert "it redirects (302)" in str(problem)
    assert other.asked == []


def test_token_and_password_are_sent_as_headers() -> None:
    basic = {"TRIAL_MLFLOW_USER": "ada", "TRIAL_MLFLOW_PASSWORD": "a:b ö"}
    with answering() as server:
        for given in ({"TRIAL_MLFLOW_TOKEN": SECRET}, basic, {}):
            found = server_of(surroundings(f"{server.address}/", **given))
            assert found is not None
            assert SECRET not in repr(found)
            found.get(Nothing, "experiments/get-by-name", {"experiment_name": "a&b"})

    path = "/api/2.0/mlflow/experiments/get-by-name?experiment_name=a%26b"
    named = base64.b64encode("ada:a:b ö".encode()).decode()
    expected = [f"Bearer {SECRET}", f"Basic {named}", None]
    assert server.asked == [(path, header) for header in expected]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"TRIAL_MLFLOW": f"https://ada:{SECRET}@mlflow.example.org"}, "a user, a password"),
        ({"TRIAL_MLFLOW": f"https://mlflow.example.org/?token={SECRET}"}, "or parameters"),
        ({"TRIAL_MLFLOW": f"https://mlflow.example.org/#{SECRET}"}, "or parameters"),
        ({"TRIAL_MLFLOW": f"ftp://{SECRET}"}, "http:// or https://"),
        ({"TRIAL_MLFLOW": SECRET}, "http:// or https://"),
        ({"TRIAL_MLFLOW": f"https://host:{SECRET}"}, "an invalid address"),
        ({"TRIAL_MLFLOW": f"https://host/a\n{SECRET}"}, "http:// or https://"),
        ({"TRIAL_MLFLOW_TOKEN": SECRET, "TRIAL_MLFLOW_USER": "ada"}, "exclude each other"),
        ({"TRIAL_MLFLOW_PASSWORD": SECRET}, "go together"),
        ({"TRIAL_MLFLOW_USER": "ada"}, "go together"),
        ({"TRIAL_MLFLOW_USER": "a:b", "TRIAL_MLFLOW_PASSWORD": SECRET}, "no colon"),
        ({"TRIAL_MLFLOW_TOKEN": f"{SECRET}\r\nHost: other"}, "characters that no token has"),
        ({"TRIAL_MLFLOW": "http://mlflow.example.org", "TRIAL_MLFLOW_TOKEN": SECRET}, "TLS"),
    ],
)
def test_an_invalid_setting_is_refused_and_not_repeated(given: dict[str, str], said: str) -> None:
    with pytest.raises(UserError) as refused:
        server_of({"TRIAL_MLFLOW": "https://mlflow.example.org", **given})

    assert said in str(refused.value)
    assert SECRET not in str(refused.value)


def test_without_a_secret_an_address_without_tls_will_do() -> None:
    found = server_of({"TRIAL_MLFLOW": "http://mlflow.svc:5000/prefix/"})

    assert found == Server("http://mlflow.svc:5000/prefix")
    assert replace(found, authorization="a") != found
