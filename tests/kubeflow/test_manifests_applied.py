"""The manifests, applied to a real Kubernetes API server."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from manifest_cluster import Cluster, running_cluster
from manifest_objects import OVERLAYS, Object, objects, pod_templates, rendered

pytestmark = pytest.mark.slow

RESTRICTED = [
    f"pod-security.kubernetes.io/{mode}=restricted" for mode in ("enforce", "warn", "audit")
]
APPLY = ("apply", "--server-side", "--field-manager=test", "--validate=strict", "-f", "-")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as found:
        # The namespace that Kubeflow's own installation makes.
        found.kubectl("create", "namespace", "kubeflow")
        found.kubectl("label", "namespace", "kubeflow", *RESTRICTED)
        yield found


@pytest.fixture(scope="module", params=OVERLAYS)
def overlay(request: pytest.FixtureRequest, cluster: Cluster) -> str:
    ran = cluster.kubectl(*APPLY, given=rendered(request.param))
    # A pod template that breaks a standard of pod security is applied, with a warning.
    assert (ran.returncode, ran.stderr) == (0, "")
    return str(request.param)


def namespace_of(overlay: str) -> str:
    return next(
        str(item["metadata"]["namespace"])
        for item in objects(overlay)
        if "namespace" in item["metadata"]
    )


def pods(overlay: str) -> list[Object]:
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "generateName": "test-",
                "namespace": namespace_of(overlay),
                "labels": template["metadata"]["labels"],
            },
            "spec": template["spec"],
        }
        for _, template in pod_templates(objects(overlay))
    ]


def versions(cluster: Cluster, overlay: str) -> list[str]:
    found = cluster.kubectl("get", "-f", "-", "-o", "json", given=rendered(overlay))
    return [item["metadata"]["resourceVersion"] for item in json.loads(found.stdout)["items"]]


def may(cluster: Cluster, overlay: str, account: str, *what: str) -> bool:
    namespace = namespace_of(overlay)
    somebody = f"--as=system:serviceaccount:{namespace}:{account}"
    ran = cluster.kubectl("auth", "can-i", *what, f"--namespace={namespace}", somebody)
    return ran.stdout.strip() == "yes"


def test_everything_is_there_once_applied(cluster: Cluster, overlay: str):
    assert len(versions(cluster, overlay)) == len(objects(overlay))


def test_applied_again_nothing_changes(cluster: Cluster, overlay: str):
    before = versions(cluster, overlay)
    assert cluster.kubectl(*APPLY, given=rendered(overlay)).returncode == 0
    assert versions(cluster, overlay) == before


def test_every_pod_is_admitted_where_the_standard_restricted_is_enforced(
    cluster: Cluster, overlay: str
):
    cluster.kubectl("label", "--overwrite", "namespace", namespace_of(overlay), *RESTRICTED)
    for pod in pods(overlay):
        ran = cluster.kubectl("create", "--dry-run=server", "-f", "-", given=json.dumps(pod))
        assert (ran.returncode, ran.stderr) == (0, "")


def test_a_pod_that_might_be_root_is_not_admitted(cluster: Cluster):
    pod = pods("standalone")[0]
    del pod["spec"]["securityContext"]["runAsNonRoot"]
    ran = cluster.kubectl("create", "--dry-run=server", "-f", "-", given=json.dumps(pod))
    assert "runAsNonRoot" in ran.stderr


def test_a_field_that_kubernetes_does_not_know_is_refused(cluster: Cluster):
    planted = rendered("standalone").replace("restartPolicy:", "restartpolicy:")
    ran = cluster.kubectl(*APPLY, "--dry-run=server", given=planted)
    assert ran.returncode != 0
    assert "restartpolicy" in ran.stderr


def test_a_run_may_report_to_argo_and_read_no_other_secret(cluster: Cluster, overlay: str):
    report = ("create", "workflowtaskresults.argoproj.io")
    assert may(cluster, overlay, "trial-runner", *report)
    assert may(cluster, overlay, "trial-runner", "get", "secrets/mlpipeline-minio-artifact")
    assert not may(cluster, overlay, "trial-runner", "get", "secrets/trial-subject-key")
    assert not may(cluster, overlay, "trial-runner", "create", "pods")


def test_the_schedule_may_ask_the_api_server_for_nothing(cluster: Cluster, overlay: str):
    for what in ("secrets", "pods", "configmaps"):
        assert not may(cluster, overlay, "trial-scheduler", "get", what)


def test_with_profiles_the_schedule_may_create_runs(cluster: Cluster):
    ran = cluster.kubectl(*APPLY, given=rendered("multi-user"))
    assert ran.returncode == 0, ran.stderr
    runs = ("create", "runs.pipelines.kubeflow.org")
    assert may(cluster, "multi-user", "trial-scheduler", *runs)
