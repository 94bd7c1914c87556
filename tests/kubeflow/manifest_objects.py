"""The manifests as kustomize renders them, and Kubernetes' own schemas of what they may hold."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.kubeflow.spec_walker import REPOSITORY

KUBEFLOW = REPOSITORY / "kubeflow"


def _overlays(part: str) -> list[str]:
    """Overlays of a part, as folders below `kubeflow`."""
    folders = (KUBEFLOW / part / "overlays").iterdir()
    return sorted(str(folder.relative_to(KUBEFLOW)) for folder in folders)


MANIFESTS = KUBEFLOW / "manifests"
STANDALONE, MULTI_USER = "manifests/overlays/standalone", "manifests/overlays/multi-user"
OVERLAYS = _overlays("manifests")
"""All of the pipeline."""
SERVICE = KUBEFLOW / "service"
EXAMPLE, KSERVE = "service/overlays/example", "service/overlays/kserve"
SERVICE_OVERLAYS = _overlays("service")
"""All of the prediction service."""
UNPRIVILEGED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
"""Security context of every container."""
API_SERVER = Path(__file__).parent / "apiserver"
"""Go module that names the release of Kubernetes."""

_PROMETHEUS_MONITORS = (
    "github.com/prometheus-operator/prometheus-operator@v0.92.1",
    "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
)
_KSERVE_SERVICES = (
    "github.com/kserve/kserve@v0.16.0",
    "config/crd/full/serving.kserve.io_inferenceservices.yaml",
)

Object = dict[str, Any]


def needed_program(name: str, where_from: str) -> str:
    """Path of a program; the test fails where it is missing."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is missing: {where_from}")
    return found


@cache
def rendered(folder: str) -> str:
    """What would be applied of a folder below `kubeflow`."""
    kubectl = needed_program("kubectl", "install the Kubernetes project's kubectl")
    ran = subprocess.run(
        [kubectl, "kustomize", KUBEFLOW / folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode or ran.stderr:
        pytest.fail(ran.stderr)
    return ran.stdout


def objects(folder: str) -> list[Object]:
    """The objects of a folder below `kubeflow`."""
    return list(yaml.safe_load_all(rendered(folder)))


def name_of(item: Object) -> str:
    """Kind and name."""
    return f"{item['kind']}/{item['metadata']['name']}"


def pod_templates(items: list[Object]) -> Iterator[tuple[str, Object]]:
    """Every template that Kubernetes would make pods of, by the object that holds it."""
    for item in items:
        spec = item.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield name_of(item), spec["template"]


@cache
def kubernetes_release() -> str:
    """The release whose schemas and API server the tests use, such as v1.36.3."""
    found = re.search(r"k8s\.io/kubernetes (v\S+)", (API_SERVER / "go.mod").read_text())
    assert found
    return found[1]


def complaints(item: Object) -> list[str]:
    """What Kubernetes' schema of an object's kind finds wrong in it; unknown fields are wrong."""
    schema = _schema(item["apiVersion"], item["kind"])
    if schema is None:
        return [f"no kind {item['kind']} in {item['apiVersion']}"]
    validator = jsonschema.Draft202012Validator(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(item)]


@cache
def _schema(version: str, kind: str) -> Object | None:
    group, _, release = version.rpartition("/")
    path = f"apis__{group}__{release}" if group else f"api__{release}"
    file = _kubernetes_sources() / "api" / "openapi-spec" / "v3" / f"{path}_openapi.json"
    if not file.exists():
        return None
    schemas = json.loads(file.read_text())["components"]["schemas"]
    wanted = {"group": group, "kind": kind, "version": release}
    for name, schema in schemas.items():
        if wanted in schema.get("x-kubernetes-group-version-kind", ()):
            strict = {key: _strict(value) for key, value in schemas.items()}
            return {
                "$ref": f"#/components/schemas/{name}",
                "components": {"schemas": strict},
            }
    return None


def _strict(schema: Object) -> Object:
    """A schema that refuses fields it does not name."""
    found = deepcopy(schema)
    if "properties" in found:
        found.setdefault("additionalProperties", False)
    return found


def custom_resources() -> list[Path]:
    """Definitions of the custom resources that the service's manifests use, as their projects
    publish them."""
    return [
        _module_sources(module) / path for module, path in (_PROMETHEUS_MONITORS, _KSERVE_SERVICES)
    ]


def _kubernetes_sources() -> Path:
    return _module_sources(f"k8s.io/kubernetes@{kubernetes_release()}")


@cache
def _module_sources(module: str) -> Path:
    """The folder of a Go module."""
    go = needed_program("go", "install Go as its go.mod asks")
    ran = subprocess.run(
        [go, "mod", "download", "-json", module],
        cwd=API_SERVER,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        pytest.fail(ran.stdout + ran.stderr)
    return Path(json.loads(ran.stdout)["Dir"])
