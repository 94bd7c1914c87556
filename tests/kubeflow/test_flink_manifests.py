"""A Flink session cluster on Kubernetes: valid, closed, and in step with what runs use."""

from __future__ import annotations

import importlib.util
import re
from typing import Any

import pytest
import yaml

from pipeline.beam.choices import WORKER_POOL, WORKER_POOL_PORT, Runner
from pipeline.beam.local_flink.plan import EXCHANGES, Memory
from pipeline.beam.options import FLINK_VERSION
from pipeline.cli.commands.run import parse_settings
from pipeline.version import PROJECT as FOLDER
from pipeline.version import code_version
from tests.each import each
from tests.kubeflow.manifest_objects import (
    UNPRIVILEGED,
    Object,
    complaints,
    name_of,
    objects,
    pod_templates,
)

pytestmark = pytest.mark.slow

PROJECT = "clinical-trial-pipeline"


@pytest.fixture(scope="module")
def items() -> list[Object]:
    """The objects as kustomize renders them."""
    return objects("flink")


@pytest.fixture
def settings(items: list[Object]) -> dict[str, Any]:
    """Flink's settings."""
    [found] = [item for item in items if item["kind"] == "ConfigMap"]
    return yaml.safe_load(found["data"]["flink-conf.yaml"])


def _pods(items: list[Object]) -> dict[str, Object]:
    return {name: template["spec"] for name, template in pod_templates(items)}


def _containers(items: list[Object]) -> dict[str, Object]:
    return {
        f"{name} {container['name']}": container
        for name, pod in _pods(items).items()
        for container in pod["containers"]
    }


def _environment(container: Object) -> dict[str, str]:
    return {item["name"]: item["value"] for item in container["env"] if "value" in item}


def test_every_object_is_valid_by_kubernetes_schemas(items: list[Object]) -> None:
    assert {name_of(item): found for item in each(items) if (found := complaints(item))} == {}


def test_no_pod_may_be_root_or_gain_anything(items: list[Object]) -> None:
    for name, pod in each(_pods(items).items()):
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
    for name, container in each(_containers(items).items()):
        assert container["securityContext"] == UNPRIVILEGED, name


def test_every_container_says_what_it_needs_and_may_use(items: list[Object]) -> None:
    for name, container in each(_containers(items).items()):
        resources = container["resources"]
        assert set(resources["requests"]) == set(resources["limits"]) == {"cpu", "memory"}, name


def test_every_server_is_probed(items: list[Object]) -> None:
    for name, container in each(_containers(items).items()):
        if "ports" in container or container["name"] == "workers":
            assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container), name


def test_nothing_enters_or_leaves_but_what_belongs_to_the_cluster(items: list[Object]) -> None:
    [policy] = [item["spec"] for item in items if item["kind"] == "NetworkPolicy"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    for _, template in each(pod_templates(items)):
        selected = policy["podSelector"]["matchLabels"].items()
        assert selected <= template["metadata"]["labels"].items()
    [entering] = policy["ingress"]
    assert [list(peer) for peer in entering["from"]] == [["podSelector"]]


def test_the_policy_opens_all_ports_that_are_served(items: list[Object]) -> None:
    [policy] = [item["spec"] for item in items if item["kind"] == "NetworkPolicy"]
    opened = {port["port"] for port in policy["ingress"][0]["ports"]}
    served = {
        port["containerPort"]
        for container in _containers(items).values()
        for port in container.get("ports", ())
    }
    assert opened == served


def test_a_worker_pool_is_beside_each_task_manager(items: list[Object]) -> None:
    pod = _pods(items)["Deployment/trial-flink-task-manager"]
    flink, workers = pod["containers"]
    assert flink["command"][-2:] == ["/opt/flink/bin/taskmanager.sh", "start-foreground"]
    assert workers["command"] == ["python", "-m", "pipeline.beam.worker_pool"]
    assert workers["args"] == [f"--port={WORKER_POOL_PORT}"]
    assert f"localhost:{WORKER_POOL_PORT}" == WORKER_POOL


def test_every_program_of_the_project_exists_and_has_its_version(items: list[Object]) -> None:
    own = {name: c for name, c in _containers(items).items() if PROJECT in c["image"]}
    assert len(own) == 2
    for name, container in own.items():
        assert container["command"][:2] == ["python", "-m"], name
        assert importlib.util.find_spec(container["command"][2]), name
        assert container["image"].endswith(f":{code_version()}"), name


def test_flink_and_the_job_server_are_those_that_runs_use(items: list[Object]) -> None:
    images = {container["image"] for container in _containers(items).values()}
    [flink] = [image for image in images if "/flink:" in image]
    [server] = [image for image in images if "job_server" in image]
    assert flink.rpartition(":")[2].startswith(f"{FLINK_VERSION}.")
    # Beam's release is that of the image, of which workers and runs are made.
    lock = (FOLDER / "requirements" / "tfx121" / "runtime.txt").read_text("utf-8")
    beam = re.search(r"^apache-beam==(\S+)", lock, flags=re.MULTILINE)
    assert beam
    assert server.endswith(f"beam_flink{FLINK_VERSION}_job_server:{beam[1]}")


def test_runs_and_workers_see_the_same_files_and_the_same_key(items: list[Object]) -> None:
    workers = _containers(items)["Deployment/trial-flink-task-manager workers"]
    run = _containers(items)["CronJob/trial-flink-run run"]

    def files_and_keys(container: Object) -> Any:
        mounts = [m for m in container["volumeMounts"] if m["name"] == "trials"]
        keys = [item for item in container["env"] if item["name"] == "TRIAL_SUBJECT_KEY"]
        return mounts, keys

    assert files_and_keys(run) == files_and_keys(workers)
    assert all(files_and_keys(run))


def test_a_runs_choices_are_understood(
    items: list[Object], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _containers(items)["CronJob/trial-flink-run run"]
    for name, value in _environment(run).items():
        monkeypatch.setenv(name, value)

    beam = parse_settings([]).beam

    services = {item["metadata"]["name"]: item for item in items if item["kind"] == "Service"}
    ports = {
        f"{name}:{port['port']}"
        for name, item in services.items()
        for port in item["spec"]["ports"]
    }
    assert beam.runner is Runner.FLINK
    assert beam.master in ports
    assert beam.options[0].removeprefix("--job_endpoint=") in ports


def test_a_run_starts_only_on_request(items: list[Object]) -> None:
    [run] = [item["spec"] for item in items if item["kind"] == "CronJob"]
    assert run["suspend"] is True


def test_the_settings_fit_into_the_pod(items: list[Object], settings: dict[str, Any]) -> None:
    flink = _containers(items)["Deployment/trial-flink-task-manager flink"]
    assert flink["resources"]["limits"]["memory"] == "3584Mi"
    assert settings["taskmanager.memory.process.size"] == "3584m"
    assert settings["taskmanager.numberOfTaskSlots"] == 1


def test_as_much_may_wait_for_python_workers_as_on_one_machine(settings: dict[str, Any]) -> None:
    name = "taskmanager.memory.task.off-heap.size"
    assert settings[name] == Memory().options()[name]


def test_exchanges_ask_for_as_few_buffers_as_on_one_machine(settings: dict[str, Any]) -> None:
    assert {name: str(settings[name]) for name in EXCHANGES} == EXCHANGES
