"""A real MLflow server on a port of this machine, read over its REST interface."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.pipeline.runs.governed import STUDY

_SECONDS_TO_START = 180


@dataclass(frozen=True)
class Mlflow:
    """A running server.

    Attributes:
        address: Its address.
        folder: What it has written.
        access: Name and password of a user; None where everyone may ask.
    """

    address: str
    folder: Path
    access: tuple[str, str] | None = None

    def ask(self, path: str, **given: str) -> dict[str, Any]:
        """What it answers."""
        answer = httpx.get(
            f"{self.address}/api/2.0/mlflow/{path}", params=given, timeout=60, auth=self.access
        )
        return dict(answer.raise_for_status().json())

    def post(self, path: str, **content: Any) -> dict[str, Any]:
        """Tells it something."""
        answer = httpx.post(
            f"{self.address}/api/2.0/mlflow/{path}", json=content, timeout=60, auth=self.access
        )
        return dict(answer.raise_for_status().json())

    def rename(self, study: str, name: str) -> None:
        """Gives experiment and registered model of a study another name, where there are any."""
        url = f"{self.address}/api/2.0/mlflow"
        content = {"name": study, "new_name": name}
        httpx.post(f"{url}/registered-models/rename", json=content, timeout=60)
        given = {"experiment_name": study}
        found = httpx.get(f"{url}/experiments/get-by-name", params=given, timeout=60).json()
        if "experiment" in found:
            identifier = found["experiment"]["experiment_id"]
            self.post("experiments/update", experiment_id=identifier, new_name=name)

    def runs(self, study: str = STUDY) -> list[dict[str, Any]]:
        """Its runs of a study."""
        experiment = self.ask("experiments/get-by-name", experiment_name=study)["experiment"]
        found = self.post("runs/search", experiment_ids=[experiment["experiment_id"]])
        return list(found["runs"])

    def versions(self, study: str = STUDY) -> dict[str, dict[str, Any]]:
        """Versions of a study's registered model, by the id of their model."""
        found = self.ask("model-versions/search", filter=f"name='{study}'")["model_versions"]
        made = {tags(version)["trial.model"]: version for version in found}
        assert len(made) == len(found)
        return made

    def aliases(self, study: str = STUDY) -> dict[str, str]:
        """The model of each alias."""
        registered_model = self.ask("registered-models/get", name=study)["registered_model"]
        by_version = {version["version"]: model for model, version in self.versions(study).items()}
        found = registered_model.get("aliases", [])
        return {alias["alias"]: by_version[alias["version"]] for alias in found}

    def everything(self, study: str = STUDY) -> tuple[Any, ...]:
        """All that it holds of a study, with the times of its changes."""
        registered_model = self.ask("registered-models/get", name=study)
        return self.runs(study), self.versions(study), registered_model


def tags(thing: dict[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in thing["tags"]}


@contextmanager
def running(
    program: Path, folder: Path, port: int, access: tuple[str, str] | None = None
) -> Iterator[Mlflow]:
    """Runs a server on what it finds in a folder.

    Args:
        program: The program `mlflow`.
        folder: The folder.
        port: Its port.
        access: Name and password of its administrator: it then asks who one is.
    """
    variables = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [
                *(program, "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"),
                *("--artifacts-destination", folder / "artifacts", "--workers", "1"),
                *("--host", "127.0.0.1", "--port", str(port)),
                *(("--app-name", "basic-auth") if access else ()),
            ],
            env={
                **variables,
                "MLFLOW_DISABLE_TELEMETRY": "true",
                "DO_NOT_TRACK": "true",
                **(_users(folder, *access) if access else {}),
            },
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(f"http://127.0.0.1:{port}", server, folder / "log")
        mlflow = Mlflow(f"http://127.0.0.1:{port}", folder, access)
        # The first question about models takes longer than a client of ours waits for an answer.
        mlflow.ask("registered-models/search", max_results="1")
        yield mlflow
    finally:
        # Uvicorn's workers are in its group.
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _users(folder: Path, name: str, password: str) -> dict[str, str]:
    """Variables of the application that asks who one is."""
    settings = folder / "users.ini"
    settings.write_text(
        "[mlflow]\n"
        "default_permission = NO_PERMISSIONS\n"
        f"database_uri = sqlite:///{folder}/users.db\n"
        f"admin_username = {name}\n"
        f"admin_password = {password}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
    return {
        "MLFLOW_AUTH_CONFIG_PATH": str(settings),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "a secret of the test",
    }


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text()
        try:
            if httpx.get(f"{address}/health", timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.3)
    raise AssertionError(log.read_text())
