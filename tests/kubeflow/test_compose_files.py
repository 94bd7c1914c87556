"""Both Compose files, loaded by the library that Docker Compose loads them with."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.version import PROJECT
from tests.each import each
from tests.kubeflow.manifest_objects import needed_program

pytestmark = pytest.mark.slow

SERVICE = PROJECT / "kubeflow" / "service" / "compose.yaml"
STORE = PROJECT / "grafana" / "compose.yaml"
VARIABLES = {
    "TRIAL_OWNER_PASSWORD": "owner",
    "TRIAL_WRITER_PASSWORD": "writer",
    "TRIAL_READER_PASSWORD": "reader",
    "GRAFANA_ADMIN_PASSWORD": "admin",
    "TRIAL_ALERT_WEBHOOK": "https://alerts.example.org",
    "TRIAL_IMAGE": "clinical-trial-pipeline:0.2.0",
}
SERVICE_VARIABLES = {
    "TRIAL_SERVICE_IMAGE": "trial-service:0.2.0",
    "TRIAL_STUDY": "ist",
    "TRIAL_REGISTRY": "/srv/registry",
    "TRIAL_TOKENS": "/srv/tokens",
    "TRIAL_METRICS_TOKEN": "/srv/metrics_token",
}
ALL = VARIABLES | SERVICE_VARIABLES


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program in `compose/`, built from its Go module."""
    go = needed_program("go", "install Go as its go.mod asks")
    program = tmp_path_factory.mktemp("compose") / "load"
    ran = subprocess.run(
        [go, "build", "-trimpath", "-o", program, "."],
        cwd=Path(__file__).parent / "compose",
        env={**os.environ, "CGO_ENABLED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return program


def load(loader: Path, file: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [loader, file],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def project(loader: Path, file: Path, variables: dict[str, str]) -> dict[str, Any]:
    """What Compose makes of a file."""
    ran = load(loader, file, variables)
    assert ran.returncode == 0, ran.stderr
    return dict(json.loads(ran.stdout))


def test_the_service_stands_beside_store_and_boards(loader: Path) -> None:
    found = project(loader, SERVICE, ALL)

    assert set(found["services"]) == {"service", "postgres", "migrate", "grafana", "prometheus"}
    service = found["services"]["service"]
    assert service["image"] == "trial-service:0.2.0"
    assert service["command"][:2] == ["ist", "--registry=/registry"]
    assert set(service["networks"]) == {"service"}
    assert service["secrets"] == [{"source": "tokens", "target": "/run/secrets/tokens"}]
    assert found["secrets"]["tokens"]["file"] == "/srv/tokens"
    published = [
        port["host_ip"] for item in found["services"].values() for port in item.get("ports", [])
    ]
    assert published == ["127.0.0.1"] * 3


def test_what_is_mounted_from_the_project_is_there(loader: Path) -> None:
    """Paths of the included file are resolved from its own folder."""
    mounted = [
        Path(volume["source"])
        for item in project(loader, SERVICE, ALL)["services"].values()
        for volume in item.get("volumes", [])
        if volume["type"] == "bind" and volume["source"] != "/srv/registry"
    ]

    assert len(mounted) == 3
    assert [path for path in each(mounted) if not path.is_relative_to(PROJECT)] == []
    assert [path for path in each(mounted) if not path.exists()] == []


@pytest.mark.parametrize("missing", sorted(ALL))
def test_nothing_starts_without_a_variable(loader: Path, missing: str) -> None:
    ran = load(loader, SERVICE, {key: value for key, value in ALL.items() if key != missing})

    assert ran.returncode == 1
    assert f"required variable {missing} is missing a value: give the " in ran.stderr


def test_store_and_boards_stand_alone(loader: Path) -> None:
    found = project(loader, STORE, VARIABLES)

    assert set(found["services"]) == {"postgres", "migrate", "grafana"}


def test_a_word_that_compose_does_not_know_is_refused(loader: Path, tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text(STORE.read_text().replace("restart:", "restarts:"))

    ran = load(loader, path, VARIABLES)

    assert ran.returncode == 1
    assert "restarts" in ran.stderr
