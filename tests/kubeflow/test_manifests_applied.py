"""The manifests, applied to a real Kubernetes API server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy

import pytest

from tests.kubeflow.manifest_cluster import Cluster, running_cluster
from tests.kubeflow.manifest_objects import (
    EXAMPLE,
    MULTI_USER,
    OVERLAYS,
    SERVICE_OVERLAYS,
    STANDALONE,
    Object,
    custom_resources,
    objects,
    pod_templates,
    rendered,
)

pytestmark = pytest.mark.slow

RESTRICTED = [
    f"pod-security.kubernetes.io/{mode}=restricted" for mode in ("enforce", "warn", "audit")
]
APPLIED = [*OVERLAYS, *SERVICE_OVERLAYS]
PODS = "pods"
ACCOUNT = "serviceAccountName"
APPLY = ("apply", "--server-side", "--field-manager=test", "--validate=strict", "-f", "-")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as found:
        # The namespace that Kubeflow's own installation makes, and one for pods. The controllers
        # that would make pods, and each namespace's default account, do not run.
        for namespace in ("kubeflow", PODS):
            found.kubectl("create", "namespace", namespace)
            found.kubectl("label", "namespace", namespace, *RESTRICTED)
        found.kubectl("create", "serviceaccount", "default", f"--namespace={PODS}")
        for definition in map(str, custom_resources()):
            ran = found.kubectl("create", "-f", definition)
            assert ran.returncode == 0, ran.stderr
            # A new definition has no conditions for a moment, of which kubectl complains.
            waiting = ("wait", "-f", definition, "--timeout=60s")
            found.kubectl(*waiting, "--for=jsonpath={.status.conditions}")
            ran = found.kubectl(*waiting, "--for=condition=Established")
            assert ran.returncode == 0, ran.stderr
        yield found


@pytest.fixture(scope="module", params=APPLIED)
def applied(request: pytest.FixtureRequest, cluster: Cluster) -> str:
    return apply(cluster, request.param)


@pytest.fixture(scope="module", params=OVERLAYS)
def overlay(request: pytest.FixtureRequest, cluster: Cluster) -> str:
    return apply(cluster, request.param)


def apply(cluster: Cluster, overlay: str) -> str:
    ran = cluster.kubectl(*APPLY, given=rendered(overlay))
    # A pod template that breaks a standard of pod security is applied, with a warning.
    assert (ran.returncode, ran.stderr) == (0, "")
    return overlay


def namespace_of(overlay: str) -> str:
    return next(
        str(item["metadata"]["namespace"])
        for item in objects(overlay)
        if "namespace" in item["metadata"]
    )


def pods(overlay: str) -> list[Object]:
    """The pods that controllers would make of an overlay."""
    found = []
    for item in objects(overlay):
        for _, template in pod_templates([item]):
            spec = {name: part for name, part in template["spec"].items() if name != ACCOUNT}
            claims = item["spec"].get("volumeClaimTemplates", ())
            for name in (claim["metadata"]["name"] for claim in claims):
                claimed = {"name": name, "persistentVolumeClaim": {"claimName": name}}
                spec["volumes"] = [*spec["volumes"], claimed]
            metadata = {"generateName": "test-", "namespace": PODS}
            found.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    return found


def found_there(cluster: Cluster, overlay: str) -> list[Object]:
    """An overlay's objects as the API server has them."""
    ran = cluster.kubectl("get", "-f", "-", "-o", "json", given=rendered(overlay))
    items: list[Object] = json.loads(ran.stdout)["items"]
    for item in items:
        # Claims of volumes get a new one without any change.
        del item["metadata"]["resourceVersion"]
    return items


def may(cluster: Cluster, overlay: str, account: str, verb: str, what: str, name: str = "") -> bool:
    """Whether a service account may do something; the API server need not know the resource."""
    resource, _, group = what.partition(".")
    namespace = namespace_of(overlay)
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{namespace}:{account}",
            "resourceAttributes": {
                "namespace": namespace,
                "verb": verb,
                "group": group,
                "resource": resource,
                "name": name,
            },
        },
    }
    ran = cluster.kubectl("create", "-o", "json", "-f", "-", given=json.dumps(review))
    return bool(json.loads(ran.stdout)["status"]["allowed"])


def test_everything_is_there_once_applied(cluster: Cluster, applied: str) -> None:
    assert len(found_there(cluster, applied)) == len(objects(applied))


def test_applied_again_nothing_changes(cluster: Cluster, applied: str) -> None:
    before = found_there(cluster, applied)
    assert cluster.kubectl(*APPLY, given=rendered(applied)).returncode == 0
    assert found_there(cluster, applied) == before


def create_pod(cluster: Cluster, pod: Object) -> tuple[int, str]:
    ran = cluster.kubectl("create", "--dry-run=server", "-f", "-", given=json.dumps(pod))
    return ran.returncode, ran.stderr


@pytest.mark.parametrize("name", [*OVERLAYS, EXAMPLE])
def test_every_pod_is_admitted_where_the_standard_restricted_is_enforced(
    cluster: Cluster, name: str
) -> None:
    assert [create_pod(cluster, pod) for pod in pods(name)] == [(0, "")] * len(pods(name))


def test_a_pod_that_might_be_root_is_not_admitted(cluster: Cluster) -> None:
    pod = deepcopy(pods(STANDALONE)[0])
    del pod["spec"]["securityContext"]["runAsNonRoot"]
    code, said = create_pod(cluster, pod)
    assert code != 0
    assert "runAsNonRoot" in said


def test_a_field_that_kubernetes_does_not_know_is_refused(cluster: Cluster) -> None:
    planted = rendered(STANDALONE).replace("restartPolicy:", "restartpolicy:")
    ran = cluster.kubectl(*APPLY, "--dry-run=server", given=planted)
    assert ran.returncode != 0
    assert "restartpolicy" in ran.stderr


def test_a_run_may_report_to_argo_and_read_no_other_secret(cluster: Cluster, overlay: str) -> None:
    runner = "trial-runner"
    assert may(cluster, overlay, runner, "create", "workflowtaskresults.argoproj.io")
    assert may(cluster, overlay, runner, "get", "secrets", "mlpipeline-minio-artifact")
    assert not may(cluster, overlay, runner, "get", "secrets", "trial-subject-key")
    assert not may(cluster, overlay, runner, "create", "pods")


def test_the_schedule_may_read_nothing_of_the_cluster(cluster: Cluster, overlay: str) -> None:
    for what in ("secrets", "pods", "configmaps"):
        assert not may(cluster, overlay, "trial-scheduler", "get", what)


def test_the_schedule_may_create_runs_where_kubeflow_asks_who_it_is(
    cluster: Cluster, overlay: str
) -> None:
    asked = ("trial-scheduler", "create", "runs.pipelines.kubeflow.org")
    assert may(cluster, overlay, *asked) == (overlay == MULTI_USER)
