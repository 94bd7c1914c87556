"""The prediction service on Kubernetes: valid, closed, and in step with `trial serve`."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pipeline.cli.main import main
from pipeline.version import PROJECT, code_version
from tests.each import each
from tests.kubeflow.manifest_objects import (
    EXAMPLE,
    KSERVE,
    SERVICE,
    SERVICE_OVERLAYS,
    UNPRIVILEGED,
    Object,
    complaints,
    name_of,
    objects,
)

pytestmark = pytest.mark.slow

CUSTOM = ("ServiceMonitor", "InferenceService")
"""Kinds that the API server does not know itself: `test_manifests_applied` holds them."""
PORT = 8080
GUIDE = PROJECT / "docs" / "deploy.md"


@pytest.fixture(scope="module", params=SERVICE_OVERLAYS)
def items(request: pytest.FixtureRequest) -> list[Object]:
    """The objects as kustomize renders them."""
    return objects(request.param)


@pytest.fixture(scope="module")
def example() -> dict[str, Object]:
    return {name_of(item): item for item in objects(EXAMPLE)}


@pytest.fixture
def pod(items: list[Object]) -> Object:
    """The pod that answers, of the Deployment or of KServe."""
    specs = [item["spec"] for item in items if item["kind"] in ("Deployment", "InferenceService")]
    [spec] = specs
    return dict(spec["predictor"] if "predictor" in spec else spec["template"]["spec"])


@pytest.fixture
def container(pod: Object) -> Object:
    [found] = pod["containers"]
    return dict(found)


def _secrets(pod: Object) -> set[str]:
    [container] = pod["containers"]
    named = [item["valueFrom"]["secretKeyRef"]["name"] for item in container["env"]]
    return {*named, *(item["secret"]["secretName"] for item in pod["volumes"] if "secret" in item)}


def test_every_object_is_valid_by_kubernetes_schemas(items: list[Object]) -> None:
    own = [item for item in items if item["kind"] not in CUSTOM]
    assert {name_of(item): found for item in each(own) if (found := complaints(item))} == {}


def test_everything_is_in_one_namespace_that_enforces_restricted_pods(items: list[Object]) -> None:
    [namespace] = [item for item in items if item["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    others = {i["metadata"]["namespace"] for i in items if i["kind"] != "Namespace"}
    assert others == {namespace["metadata"]["name"]}


def test_the_pod_may_not_be_root_or_gain_anything(pod: Object, container: Object) -> None:
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == UNPRIVILEGED
    assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"]


def test_the_pod_says_what_it_needs_and_is_probed(container: Object) -> None:
    resources = container["resources"]
    assert set(resources["requests"]) == set(resources["limits"]) == {"cpu", "memory"}
    probes = {
        part: container[f"{part}Probe"]["httpGet"]["path"] for part in ("startup", "liveness")
    }
    assert probes == {"startup": "/v2/health/ready", "liveness": "/v2/health/live"}
    assert container["readinessProbe"]["httpGet"]["path"] == "/v2/health/ready"


def test_kubernetes_waits_longer_than_the_service_takes_to_end(
    pod: Object, container: Object
) -> None:
    # Seconds that `trial serve` gives requests which have begun.
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > pause + 30


def test_the_image_is_that_of_this_version(container: Object) -> None:
    assert container["image"].endswith(f"/trial-service:{code_version()}")


def test_the_command_line_is_that_of_trial_serve(
    items: list[Object], container: Object, capsys: pytest.CaptureFixture[str]
) -> None:
    [settings] = [item for item in items if item["kind"] == "ConfigMap"]
    assert container["envFrom"] == [{"configMapRef": {"name": settings["metadata"]["name"]}}]
    arguments = [
        re.sub(r"\$\((\w+)\)", lambda found: str(settings["data"][found[1]]), argument)
        for argument in container["args"]
    ]

    # All options are known: what is missing here is the file of tokens.
    assert main(["serve", *arguments]) == 2
    assert "/secrets/tokens/tokens" in capsys.readouterr().err


def test_every_secret_is_named_explained_and_never_written_down(
    items: list[Object], pod: Object
) -> None:
    assert "Secret" not in {item["kind"] for item in items}
    explained = set(re.findall(r"^\| `(trial-[a-z-]+)` \|", GUIDE.read_text(), re.MULTILINE))
    monitors = [item["spec"]["endpoints"] for item in items if item["kind"] == "ServiceMonitor"]
    of_monitors = {e["authorization"]["credentials"]["name"] for m in monitors for e in m}
    ingresses = [item["spec"]["tls"] for item in items if item["kind"] == "Ingress"]
    of_ingresses = {tls["secretName"] for found in ingresses for tls in found}
    assert _secrets(pod) == {
        "trial-service-tokens",
        "trial-service-object-store",
        "trial-service-prediction-log",
    }
    assert of_monitors == {"trial-service-metrics"}
    assert _secrets(pod) | of_monitors | of_ingresses <= explained


def test_the_pod_is_closed_but_for_what_is_allowed(items: list[Object]) -> None:
    selected = {"matchLabels": {"app.kubernetes.io/name": "trial-service"}}
    policies = [item["spec"] for item in items if item["kind"] == "NetworkPolicy"]
    assert all(policy["podSelector"] == selected for policy in each(policies))
    assert {kind for policy in policies for kind in policy["policyTypes"]} == {"Ingress", "Egress"}
    into = [rule for policy in policies for rule in policy.get("ingress", ())]
    assert {port["port"] for rule in each(into) for port in rule["ports"]} == {PORT}
    assert all(rule["from"] for rule in into)
    out_of = [rule for policy in policies for rule in policy.get("egress", ())]
    assert all(rule["to"] and rule["ports"] for rule in each(out_of))


def test_what_makes_the_pods_labels_them_as_the_policies_select_them(items: list[Object]) -> None:
    labels = [
        item["spec"]["template"]["metadata"]["labels"]
        if item["kind"] == "Deployment"
        # KServe hands its own labels on.
        else item["metadata"]["labels"]
        for item in items
        if item["kind"] in ("Deployment", "InferenceService")
    ]
    assert [found["app.kubernetes.io/name"] for found in labels] == ["trial-service"]


def test_service_ingress_autoscaler_and_budget_mean_the_deployment(
    example: dict[str, Object],
) -> None:
    deployment: Any = example["Deployment/trial-service"]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    service = example["Service/trial-service"]["spec"]
    budget = example["PodDisruptionBudget/trial-service"]["spec"]
    assert service["selector"].items() <= labels.items()
    assert budget["selector"]["matchLabels"].items() <= labels.items()
    [port] = service["ports"]
    [container] = deployment["template"]["spec"]["containers"]
    assert {"name": port["targetPort"], "containerPort": PORT} in container["ports"]
    [rule] = example["Ingress/trial-service"]["spec"]["rules"]
    [path] = rule["http"]["paths"]
    backend = {"name": "trial-service", "port": {"name": port["name"]}}
    assert path["backend"]["service"] == backend
    scaler = example["HorizontalPodAutoscaler/trial-service"]["spec"]
    assert scaler["scaleTargetRef"]["name"] == "trial-service"
    assert "replicas" not in deployment
    assert [metric["type"] for metric in scaler["metrics"]] == ["Resource", "Pods"]
    assert scaler["minReplicas"] - budget["maxUnavailable"] >= 1


def test_the_adapters_rule_makes_the_metric_that_the_autoscaler_reads(
    example: dict[str, Object],
) -> None:
    [_, latency] = example["HorizontalPodAutoscaler/trial-service"]["spec"]["metrics"]
    text = GUIDE.read_text()
    assert f"as: {latency['pods']['metric']['name']}" in text
    assert "trial_service_request_seconds_bucket" in text


def test_kserve_runs_the_pod_of_the_deployment() -> None:
    by_kind = {item["kind"]: item for item in (*objects(EXAMPLE), *objects(KSERVE))}
    deployed = by_kind["Deployment"]["spec"]["template"]["spec"]
    predictor = by_kind["InferenceService"]["spec"]["predictor"]
    [container] = deployed["containers"]
    assert {name: predictor[name] for name in deployed} == {
        **deployed,
        "containers": [{**container, "name": "kserve-container"}],
    }


def test_kserve_replaces_what_it_makes_itself() -> None:
    kinds = [item["kind"] for item in objects(KSERVE)]
    made = ("Deployment", "Service", "Ingress", "HorizontalPodAutoscaler")
    assert not set(kinds) & set(made)


def test_by_kserve_the_disruption_budget_is_the_examples_since_kserve_makes_none() -> None:
    by_kind = {item["kind"]: item for item in objects(KSERVE)}
    budget, service = by_kind["PodDisruptionBudget"]["spec"], by_kind["InferenceService"]
    selected = budget["selector"]["matchLabels"].items()
    # KServe hands its own labels on to the pods.
    assert selected <= service["metadata"]["labels"].items()
    assert service["spec"]["predictor"]["minReplicas"] - budget["maxUnavailable"] >= 1


def test_only_the_overlays_name_a_cluster() -> None:
    shared = [*(SERVICE / "base").glob("*"), *(SERVICE / "components").rglob("*.yaml")]
    for path in each(shared):
        assert not re.search(r"ipBlock|example\.org", path.read_text()), path
