"""The service's Helm chart: the same objects as by kustomize, and no wrong values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from pipeline.version import code_version
from tests.each import each
from tests.kubeflow.helm_chart import (
    CHART,
    EXAMPLE_VALUES,
    RELEASE,
    helm,
    rendered_objects,
    template,
)
from tests.kubeflow.manifest_cluster import Cluster, running_cluster
from tests.kubeflow.manifest_objects import (
    EXAMPLE,
    Object,
    complaints,
    custom_resources,
    name_of,
    objects,
)

pytestmark = pytest.mark.slow

MONITOR = "ServiceMonitor/trial-service"


def by_name(items: list[Object]) -> dict[str, Any]:
    """Objects by kind and name; the settings' name, which ends in a digest of them, without it."""
    text = re.sub(r"\btrial-service-([a-z0-9]{10})\b", "trial-service-digest", json.dumps(items))
    return {name_of(item): item for item in json.loads(text)}


def settings(*arguments: str) -> str:
    """Name of the ConfigMap."""
    [found] = [item for item in rendered_objects(*arguments) if item["kind"] == "ConfigMap"]
    return str(found["metadata"]["name"])


def test_the_chart_renders_what_kustomize_renders() -> None:
    expected = by_name(objects(EXAMPLE))
    # Helm installs into a namespace that is there; docs/deploy.md says how it is made.
    del expected["Namespace/trial-service"]
    found = by_name(rendered_objects())
    # Helm, unlike kustomize, removes what a new release does not have; older pods need it.
    settings_of = found["ConfigMap/trial-service-digest"]["metadata"]
    assert settings_of.pop("annotations") == {"helm.sh/resource-policy": "keep"}
    assert found == expected


def test_limits_of_requests_are_values() -> None:
    values = "limits.mostBytes=33554432,limits.mostRequests=0"
    deployment = by_name(rendered_objects("--set", values))["Deployment/trial-service"]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert container["args"][-2:] == ["--most-bytes=33554432", "--most-requests=0"]


def test_options_are_variables_of_the_service() -> None:
    values = "options.TRIAL_SHADOW=newest,options.OTEL_EXPORTER_OTLP_ENDPOINT=http://a:4318"
    found = by_name(rendered_objects("--set", values))

    given = found["ConfigMap/trial-service-digest"]["data"]
    assert given["TRIAL_SHADOW"] == "newest"
    assert given["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://a:4318"
    [container] = found["Deployment/trial-service"]["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"configMapRef": {"name": "trial-service-digest"}}]
    assert settings("--set", values) != settings()


def test_helm_finds_nothing_wrong() -> None:
    ran = helm("lint", "--strict", CHART, f"--values={EXAMPLE_VALUES}")
    assert ran.returncode == 0, ran.stdout


def test_the_chart_is_of_this_version() -> None:
    found = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (found["version"], found["appVersion"]) == (code_version(), code_version())


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("study=", "/study"),
        ("study=--help", "/study"),
        ("registry=/registry", "/registry"),
        ("registry=gs://bucket/registry", "/registry"),
        ("image.repository=", "/image/repository"),
        ("image.repository=host/service:1", "/image/repository"),
        ("image.tag=latest", "/image/tag"),
        ("scaling.minReplicas=1", "/scaling/minReplicas"),
        ("ingress.host=", "/ingress/host"),
        ("registryAddresses=null", "registryAddresses"),
        ("registryAddresses[0].port=0", "/registryAddresses/0/port"),
        ("resources.limits.memory=2", "/resources/limits/memory"),
        ("secrets.tokens=My tokens", "/secrets/tokens"),
        ("limits.mostBytes=0", "/limits/mostBytes"),
        ("limits.mostRequests=-1", "/limits/mostRequests"),
        ("options.SHADOW=newest", "SHADOW"),
        ("options.TRIAL_PREDICTION_LOG_PASSWORD=x", "TRIAL_PREDICTION_LOG_PASSWORD"),
        ("options.OTEL_EXPORTER_OTLP_ENDPOINT=grpc://a", "/options/OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("replicas=3", "replicas"),
        ("image.digest=x", "digest"),
    ],
)
def test_a_wrong_value_is_refused_by_name(value: str, place: str) -> None:
    ran = template("--set", value)
    assert ran.returncode
    assert re.search(rf"at '{place}'|'{place}'", ran.stderr), ran.stderr


def test_nothing_is_rendered_without_what_must_be_given() -> None:
    ran = helm("template", RELEASE, CHART, "--kube-version=v1.36.0")
    assert ran.returncode
    for place in each(["/study", "/registry", "/image/repository", "/registryAddresses"]):
        assert f"at '{place}'" in ran.stderr


@pytest.mark.parametrize(
    ("values", "left_out"),
    [
        (
            "ingress.enabled=false,ingress.host=",
            {"Ingress/trial-service", "NetworkPolicy/trial-service-from-ingress"},
        ),
        ("prometheus.enabled=false", {MONITOR, "NetworkPolicy/trial-service-from-prometheus"}),
    ],
)
def test_what_a_cluster_lacks_is_left_out(values: str, left_out: set[str]) -> None:
    everything, found = by_name(rendered_objects()), by_name(rendered_objects("--set", values))
    assert everything.keys() - found.keys() == left_out
    own = [item for name, item in found.items() if name != MONITOR]
    assert {name_of(item): wrong for item in each(own) if (wrong := complaints(item))} == {}


def test_without_prometheus_the_latency_counts_for_nothing() -> None:
    items = by_name(rendered_objects("--set", "prometheus.enabled=false"))
    metrics = items["HorizontalPodAutoscaler/trial-service"]["spec"]["metrics"]
    assert [metric["type"] for metric in metrics] == ["Resource"]


def test_other_settings_are_a_rollout_and_other_pods_are_not_other_settings() -> None:
    assert settings("--set", "study=other") != settings()
    assert settings("--set", "scaling.maxReplicas=9") == settings()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("chart")) as found:
        for definition in map(str, custom_resources()):
            ran = found.kubectl("create", "-f", definition)
            assert ran.returncode == 0, ran.stderr
            found.kubectl("wait", "-f", definition, "--for=jsonpath={.status.conditions}")
            ran = found.kubectl("wait", "-f", definition, "--for=condition=Established")
            assert ran.returncode == 0, ran.stderr
        yield found


def _image(cluster: Cluster) -> str:
    """Image of the Deployment that the API server has."""
    path = "jsonpath={.spec.template.spec.containers[0].image}"
    ran = cluster.kubectl("get", "deployment", "trial-service", "-n", RELEASE, "-o", path)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.rpartition(":")[2]


def test_a_release_is_installed_upgraded_and_rolled_back(cluster: Cluster) -> None:
    at = (f"--kubeconfig={cluster.kubeconfig}", f"--namespace={RELEASE}")
    chart = (CHART, f"--values={EXAMPLE_VALUES}", *at)
    ran = helm("install", RELEASE, "--create-namespace", *chart)
    assert ran.returncode == 0, ran.stderr
    assert _image(cluster) == code_version()

    ran = helm("upgrade", RELEASE, *chart, "--set", "image.tag=0.3.0")
    assert ran.returncode == 0, ran.stderr
    assert _image(cluster) == "0.3.0"

    ran = helm("rollback", RELEASE, "1", *at)
    assert ran.returncode == 0, ran.stderr
    assert _image(cluster) == code_version()
