"""Submitting a package: what is sent, and what is said when it can't be."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from pipeline.cli.main import main
from pipeline.runners.kubeflow import submit
from pipeline.runners.kubeflow.submit import TOKEN_VARIABLE
from tests.each import each
from tests.http_server import running

HEALTH = "GET /apis/v2beta1/healthz"
EXPERIMENTS = "GET /apis/v2beta1/experiments"
RUNS = "POST /apis/v2beta1/runs"
RECURRING = "/apis/v2beta1/recurringruns"
RUN = "0f6f4f6a-1c5e-4b57-9a8e-1f1f0e7d4c11"
PACKAGE = {
    "pipelineInfo": {"name": "trial-tiny"},
    "schemaVersion": "2.1.0",
    "root": {
        "inputDefinitions": {
            "parameters": {
                "data_root": {"parameterType": "STRING"},
                "steps": {"parameterType": "NUMBER_INTEGER"},
            }
        }
    },
}


@dataclass(frozen=True)
class Answer:
    status: int
    body: object

    @property
    def content(self) -> bytes:
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode()


@dataclass
class Endpoint:
    """A server with given answers, which keeps the requests."""

    address: str
    answers: dict[str, Answer]
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)

    @property
    def submitted(self) -> dict[str, Any]:
        return self._sent(RUNS)

    @property
    def scheduled(self) -> dict[str, Any]:
        return self._sent(f"POST {RECURRING}")

    def _sent(self, to: str) -> dict[str, Any]:
        (body,) = (body for what, _, body in self.asked if what == to)
        assert isinstance(body, dict)
        return body


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            what = f"{self.command} {self.path.partition('?')[0]}"
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.asked.append((what, headers, json.loads(body) if body else None))
            answer = found.answers.get(what, Answer(404, "404 page not found"))
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = answer  # noqa: N815 (the library's names)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Endpoint(
        f"http://127.0.0.1:{server.server_port}",
        {
            HEALTH: Answer(200, {"multi_user": False}),
            EXPERIMENTS: Answer(
                200, {"experiments": [{"experiment_id": "7", "display_name": "Default"}]}
            ),
            RUNS: Answer(200, {"run_id": RUN}),
            f"GET {RECURRING}": Answer(200, {}),
            f"POST {RECURRING}": Answer(200, {"recurring_run_id": "9"}),
        },
    )
    with running(server):
        yield found


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "package.yaml"
    path.write_text(yaml.safe_dump(PACKAGE))
    return path


@pytest.fixture
def submitted(
    endpoint: Endpoint,
    package: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, str]]:
    """Submits the package with further options; gives the exit code and what was said."""
    # kfp's client reads a person's context there.
    monkeypatch.setattr("kfp.client.client.Client._LOCAL_KFP_CONTEXT", str(tmp_path / "context"))
    monkeypatch.setattr(submit, "TOKEN_FILE", tmp_path / "token")
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)

    def run(*options: str, address: str = "") -> tuple[int, str]:
        code = main(
            [
                "submit",
                "--endpoint",
                address or endpoint.address,
                "--package",
                str(package),
                *options,
            ]
        )
        said = capsys.readouterr()
        return code, said.out if code == 0 else said.err

    return run


def test_the_run_and_its_page_are_shown(endpoint: Endpoint, submitted: Any) -> None:
    assert submitted() == (0, f"run {RUN}\n{endpoint.address}/#/runs/details/{RUN}\n")


def test_the_package_is_sent_as_it_was_compiled(endpoint: Endpoint, submitted: Any) -> None:
    submitted()
    assert endpoint.submitted["pipeline_spec"]["pipelineInfo"] == {"name": "trial-tiny"}
    assert endpoint.submitted["pipeline_spec"]["schemaVersion"] == "2.1.0"


def test_what_kubernetes_must_know_goes_with_the_package(
    endpoint: Endpoint, submitted: Any, package: Path
) -> None:
    platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": {"a": {}}}}}}  # type: ignore[var-annotated]
    package.write_text(yaml.safe_dump_all([PACKAGE, platform]))
    submitted()
    sent = endpoint.submitted["pipeline_spec"]
    assert sent["platform_spec"] == platform
    assert sent["pipeline_spec"]["pipelineInfo"] == {"name": "trial-tiny"}


def test_values_have_the_types_of_the_form(
    endpoint: Endpoint, submitted: Any, tmp_path: Path
) -> None:
    file = tmp_path / "parameters.yaml"
    file.write_text("data_root: s3://trial/data\nsteps: 5\n")
    submitted("--parameters", str(file), "--set", "steps=40")
    assert endpoint.submitted["runtime_config"]["parameters"] == {
        "data_root": "s3://trial/data",
        "steps": 40,
    }


def test_tasks_run_under_the_manifests_service_account(endpoint: Endpoint, submitted: Any) -> None:
    submitted()
    assert endpoint.submitted["service_account"] == "trial-runner"


def test_a_token_is_sent_as_bearer(
    endpoint: Endpoint, submitted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "a-token")
    submitted()
    assert {headers["authorization"] for _, headers, _ in endpoint.asked} == {"Bearer a-token"}


def test_a_pods_own_token_is_sent(endpoint: Endpoint, submitted: Any, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a-pods-token\n")
    submitted()
    assert {h["authorization"] for _, h, _ in endpoint.asked} == {"Bearer a-pods-token"}


def test_an_unknown_parameter_is_refused_with_those_there_are(submitted: Any) -> None:
    code, said = submitted("--set", "stepps=4")
    assert code == 2
    assert said == "The package has no parameter stepps; it has: data_root, steps.\n"


@pytest.mark.parametrize("value", ["many", "", "-5", "--5", "5.0", "0x5", "2147483648", "9" * 30])
def test_a_number_that_is_none_is_refused(submitted: Any, value: str) -> None:
    code, said = submitted("--set", f"steps={value}")
    assert code == 2
    expected = "expected a whole number from 0 to 2147483647"
    assert said == f"Parameter steps: {expected}, found {value!r}.\n"


def test_a_line_that_sets_nothing_is_refused(submitted: Any) -> None:
    code, said = submitted("--set", "steps")
    assert (code, said) == (2, "--set steps: expected name=value.\n")


@pytest.mark.parametrize(("line", "found"), [("data_root:", "None"), ("data_root: 0012", "10")])
def test_what_yaml_takes_for_something_else_than_text_is_refused(
    submitted: Any, tmp_path: Path, line: str, found: str
) -> None:
    file = tmp_path / "parameters.yaml"
    file.write_text(f"{line}\n")
    code, said = submitted("--parameters", str(file))
    assert code == 2
    assert said.startswith(f"Parameter data_root: expected text, found {found}: put it in quotes")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "the parameters can't be read: No such file or directory."),
        (b"steps: [", "not valid YAML: "),
        ("data_root: größer".encode("latin-1"), "not valid YAML: "),
        (b"steps 500", "expected lines such as `steps: 500`."),
    ],
)
def test_a_file_of_parameters_that_is_none_is_refused(
    submitted: Any, tmp_path: Path, content: bytes | None, problem: str
) -> None:
    file = tmp_path / "parameters.yaml"
    if content:
        file.write_bytes(content)
    code, said = submitted("--parameters", str(file))
    assert code == 2
    assert said.startswith(f"{file}: {problem}")


def test_a_package_that_is_not_there_is_named(submitted: Any, package: Path) -> None:
    package.unlink()
    code, said = submitted()
    assert code == 2
    assert said == (
        f"{package}: the package can't be read (No such file or directory): "
        "`make compile` writes it.\n"
    )


def test_another_yaml_file_is_no_package(submitted: Any, package: Path) -> None:
    package.write_text("steps: 5\n")
    code, said = submitted()
    assert code == 2
    assert "not a compiled package" in said


def test_a_package_by_another_ending_is_refused(submitted: Any, package: Path) -> None:
    # kfp's client knows what it is given by the ending.
    code, said = submitted("--package", str(package.rename(package.with_suffix(".txt"))))
    assert code == 2
    assert said.endswith("package.txt: expected the .yaml file that `make compile` wrote.\n")


def test_a_package_that_was_edited_by_hand_is_refused_before_anything_is_sent(
    endpoint: Endpoint, submitted: Any, package: Path
) -> None:
    package.write_text(yaml.safe_dump(PACKAGE | {"retries": 3}))
    code, said = submitted()
    assert code == 2
    assert '"retries"' in said
    assert said.endswith("compile it again.\n")
    assert endpoint.asked == []


def test_a_recurring_run_and_its_page_are_shown(endpoint: Endpoint, submitted: Any) -> None:
    assert submitted("--cron", "0 3 * * *") == (
        0,
        f"recurring run 9\n{endpoint.address}/#/recurringrun/details/9\n",
    )


def test_a_recurring_run_starts_at_the_minute_and_never_twice(
    endpoint: Endpoint, submitted: Any
) -> None:
    submitted("--cron", "0 3 * * *")
    sent = endpoint.scheduled
    # Kubeflow's schedules begin with seconds: five fields would run each hour.
    assert sent["trigger"] == {"cron_schedule": {"cron": "0 0 3 * * *"}}
    assert sent["mode"] == "ENABLE"
    assert sent["max_concurrency"] == 1
    assert sent["no_catchup"] is True


def test_a_recurring_run_is_filed_as_a_run_is(endpoint: Endpoint, submitted: Any) -> None:
    submitted("--cron", "0 3 * * *", "--set", "steps=40")
    sent = endpoint.scheduled
    assert sent["display_name"] == "trial-tiny"
    assert sent["experiment_id"] == "7"
    assert sent["service_account"] == "trial-runner"
    assert sent["pipeline_spec"]["pipelineInfo"] == {"name": "trial-tiny"}
    assert sent["runtime_config"]["parameters"] == {"steps": 40}


def test_a_second_recurring_run_of_the_package_is_refused(
    endpoint: Endpoint, submitted: Any
) -> None:
    endpoint.answers[f"GET {RECURRING}"] = Answer(
        200, {"recurringRuns": [{"recurring_run_id": "4", "display_name": "trial-tiny"}]}
    )
    code, said = submitted("--cron", "0 3 * * *")
    assert code == 2
    assert said == (
        f"{endpoint.address}: there is a recurring run trial-tiny already, and both would run: "
        f"delete it first ({endpoint.address}/#/recurringrun/details/4).\n"
    )
    assert not [what for what, *_ in each(endpoint.asked) if what.startswith("POST")]


@pytest.mark.parametrize("cron", ["0 0 3 * * *", "@daily", "3"])
def test_a_schedule_of_other_fields_is_refused_before_anything_is_sent(
    endpoint: Endpoint, submitted: Any, cron: str
) -> None:
    code, said = submitted("--cron", cron)
    assert code == 2
    assert said.startswith(f"The schedule is {cron!r}: expected minute, hour, day of the month")
    assert endpoint.asked == []


def test_a_schedule_that_the_endpoint_refuses_is_reported_in_its_words(
    endpoint: Endpoint, submitted: Any
) -> None:
    answer = {"code": 3, "message": "Schedule cron is not supported (minute 61)"}
    endpoint.answers[f"POST {RECURRING}"] = Answer(400, answer)
    code, said = submitted("--cron", "61 3 * * *")
    assert code == 2
    assert "refused: Schedule cron is not supported (minute 61)" in said


def test_an_endpoint_that_is_down_is_one_line(package: Path) -> None:
    # No server listens on the discard port. A process of its own shows all that is printed.
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pipeline.cli", "submit"),
            *("--endpoint", "http://127.0.0.1:9", "--package", package),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        "http://127.0.0.1:9: Kubeflow Pipelines does not answer ([Errno 111] Connection refused). "
        "Check the address and that it can be reached from here, such as by kubectl port-forward.\n"
    )


def test_an_address_that_is_none_is_refused(submitted: Any) -> None:
    code, said = submitted(address="ml-pipeline:8888")
    assert code == 2
    assert "expected one that begins with http:// or https://" in said


def test_an_expired_token_is_one_line(endpoint: Endpoint, submitted: Any) -> None:
    endpoint.answers[HEALTH] = Answer(401, {"error": "token expired", "code": 16})
    code, said = submitted()
    assert code == 2
    assert said == (
        f"{endpoint.address}: the token is missing or has expired: put a new one into "
        f"{TOKEN_VARIABLE} (such as from `kubectl create token`).\n"
    )


def test_a_token_that_expires_meanwhile_is_the_same_line(
    endpoint: Endpoint, submitted: Any
) -> None:
    endpoint.answers[RUNS] = Answer(401, {"error": "token expired", "code": 16})
    code, said = submitted()
    assert code == 2
    assert "the token is missing or has expired" in said
    assert said.count("\n") == 1


def test_missing_rights_are_reported_in_the_endpoints_words(
    endpoint: Endpoint, submitted: Any
) -> None:
    answer = {"code": 7, "message": "User 'ana' is not authorized to create runs in 'trials'."}
    endpoint.answers[RUNS] = Answer(403, answer)
    code, said = submitted()
    assert code == 2
    assert "may not do this: User 'ana' is not authorized to create runs in 'trials'." in said
    assert said.count("\n") == 1


def test_an_older_backend_is_one_line(endpoint: Endpoint, submitted: Any) -> None:
    # Kubeflow Pipelines 1 knows /apis/v1beta1 alone.
    endpoint.answers.clear()
    code, said = submitted()
    assert code == 2
    assert said == (
        f"{endpoint.address}: this is no Kubeflow Pipelines 2: an older release, or another "
        "address, answers (Not Found). The package needs release 2.0 or later.\n"
    )


def test_a_page_to_log_in_is_no_endpoint(endpoint: Endpoint, submitted: Any) -> None:
    endpoint.answers[HEALTH] = Answer(200, "<html><form>Log in</form></html>")
    code, said = submitted()
    assert code == 2
    assert "a page answers, not Kubeflow Pipelines" in said


def test_several_users_ask_for_a_profile(endpoint: Endpoint, submitted: Any) -> None:
    endpoint.answers[HEALTH] = Answer(200, {"multi_user": True})
    code, said = submitted()
    assert code == 2
    assert "name the profile" in said


def test_a_profile_is_handed_on(endpoint: Endpoint, submitted: Any) -> None:
    endpoint.answers[HEALTH] = Answer(200, {"multi_user": True})
    endpoint.answers[EXPERIMENTS] = Answer(
        200,
        {"experiments": [{"experiment_id": "7", "display_name": "Default", "namespace": "trials"}]},
    )
    code, _ = submitted("--namespace", "trials")
    assert code == 0
    assert endpoint.submitted["experiment_id"] == "7"


def test_a_refused_package_is_reported_in_the_endpoints_words(
    endpoint: Endpoint, submitted: Any
) -> None:
    answer = {"code": 3, "message": "Failed to create a run: resolver executors not implemented"}
    endpoint.answers[RUNS] = Answer(400, answer)
    code, said = submitted()
    assert code == 2
    assert "refused: Failed to create a run: resolver executors not implemented" in said


def test_a_backend_that_fails_is_no_traceback(endpoint: Endpoint, submitted: Any) -> None:
    endpoint.answers[RUNS] = Answer(500, {"message": "database is locked"})
    code, said = submitted()
    assert code == 2
    assert "Kubeflow Pipelines failed (500): database is locked" in said


@pytest.mark.parametrize("options", [(), ("--cron", "0 3 * * *")])
def test_a_package_is_parsed_once_before_the_client_parses_it(
    submitted: Any, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    parsed: list[str] = []

    def safe_load_all(text: str) -> Any:
        parsed.append(text)
        return yaml.safe_load_all(text)

    reader = SimpleNamespace(safe_load_all=safe_load_all, YAMLError=yaml.YAMLError)
    monkeypatch.setattr("pipeline.runners.kubeflow.form.yaml", reader)

    assert submitted(*options)[0] == 0
    assert len(parsed) == 1
