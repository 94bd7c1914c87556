"""The service's Helm chart, as Helm renders and installs it."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.kubeflow.manifest_objects import SERVICE, Object, kubernetes_release, needed_program
from tests.kubeflow.spec_walker import REPOSITORY

CHART = SERVICE / "chart"
EXAMPLE_VALUES = CHART / "example.yaml"
RELEASE = "trial-service"
"""Name and namespace of the release, as those of the overlay `example`."""

_VERSION = "v3.22.0"
_BUILT = REPOSITORY / ".tools" / f"helm-{_VERSION}"


@cache
def helm_program() -> Path:
    """Helm, built once from its Go module."""
    if not (_BUILT / "helm").exists():
        go = needed_program("go", "install Go as its go.mod asks")
        ran = subprocess.run(
            [go, "install", "-trimpath", f"helm.sh/helm/v3/cmd/helm@{_VERSION}"],
            env={**os.environ, "CGO_ENABLED": "0", "GOBIN": str(_BUILT)},
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            pytest.fail(ran.stderr)
    return _BUILT / "helm"


def helm(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs Helm."""
    return subprocess.run([helm_program(), *arguments], capture_output=True, text=True, check=False)


def template(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Renders the chart with the values of the example and further arguments."""
    release = ("template", RELEASE, CHART, f"--namespace={RELEASE}", f"--values={EXAMPLE_VALUES}")
    return helm(*release, f"--kube-version={kubernetes_release()}", *arguments)


def rendered_objects(*arguments: str | Path) -> list[Object]:
    """The objects of the chart with the values of the example and further arguments."""
    ran = template(*arguments)
    if ran.returncode:
        pytest.fail(ran.stderr)
    return [item for item in yaml.safe_load_all(ran.stdout) if item]
