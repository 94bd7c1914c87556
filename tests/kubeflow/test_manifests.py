"""The manifests: valid by Kubernetes' own schemas, and as a careful operator would have them."""

from __future__ import annotations

import importlib.util
import re
from copy import deepcopy
from typing import Any

import pytest
import yaml

from pipeline.cli.main import main
from pipeline.runners.kubeflow import submit
from pipeline.runners.kubeflow.package import parameters
from pipeline.runners.kubeflow.purpose import training
from pipeline.runners.kubeflow.settings import load_settings
from pipeline.store.engine import PASSWORD_VARIABLE, store_url
from pipeline.store.migrate import PASSWORDS
from pipeline.study.load import load_study
from pipeline.study.shipped import find_study_file
from pipeline.version import code_version
from tests.each import each
from tests.kubeflow.manifest_objects import (
    MANIFESTS,
    OVERLAYS,
    UNPRIVILEGED,
    Object,
    complaints,
    name_of,
    objects,
    pod_templates,
)

pytestmark = pytest.mark.slow

GUIDE = MANIFESTS.parents[1] / "docs" / "kubeflow.md"
TASKS = {"pipelines.kubeflow.org/v2_component": "true"}
"""Kubeflow's label of every pod of a run."""


@pytest.fixture(scope="module", params=OVERLAYS)
def items(request: pytest.FixtureRequest) -> list[Object]:
    return objects(request.param)


@pytest.fixture
def schedule(items: list[Object]) -> Object:
    return find(items, "CronJob/trial-schedule")


def find(items: list[Object], name: str) -> Object:
    return deepcopy(next(item for item in items if name_of(item) == name))


def containers(items: list[Object]) -> list[tuple[str, Object]]:
    return [
        (f"{name} {container['name']}", container)
        for name, template in pod_templates(items)
        for part in ("initContainers", "containers")
        for container in template["spec"].get(part, ())
    ]


def selects(policy: Object, labels: dict[str, str]) -> bool:
    return policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()


def policies(items: list[Object], labels: dict[str, str]) -> list[Object]:
    return [item for item in items if item["kind"] == "NetworkPolicy" and selects(item, labels)]


def secrets(pod: Object) -> set[str]:
    variables = [v for container in pod["containers"] for v in container.get("env", ())]
    references = [v["valueFrom"]["secretKeyRef"]["name"] for v in variables if "valueFrom" in v]
    mounted = [volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume]
    return {*references, *mounted}


def test_every_object_is_valid_by_kubernetes_schemas(items: list[Object]) -> None:
    assert {name_of(item): found for item in each(items) if (found := complaints(item))} == {}


def test_an_unknown_field_is_refused(schedule: Object) -> None:
    schedule["spec"]["jobTemplate"]["spec"]["template"]["spec"]["restartpolicy"] = "Never"
    [complaint] = complaints(schedule)
    assert "restartpolicy" in complaint


def test_a_value_of_another_type_is_refused(schedule: Object) -> None:
    schedule["spec"]["startingDeadlineSeconds"] = "an hour"
    [complaint] = complaints(schedule)
    assert "startingDeadlineSeconds" in complaint


def test_a_kind_in_the_wrong_group_is_refused(schedule: Object) -> None:
    assert complaints({**schedule, "apiVersion": "apps/v1"}) == ["no kind CronJob in apps/v1"]


def test_everything_is_in_one_namespace(items: list[Object]) -> None:
    namespaces = {
        item["metadata"]["name" if item["kind"] == "Namespace" else "namespace"] for item in items
    }
    assert len(namespaces) == 1


def test_no_pod_may_be_root_or_gain_anything(items: list[Object]) -> None:
    for name, template in each(pod_templates(items)):
        context = template["spec"]["securityContext"]
        assert context["runAsNonRoot"] is True, name
        assert context["runAsUser"] > 0, name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
    for name, container in each(containers(items)):
        assert container["securityContext"] == UNPRIVILEGED, name


def test_no_pod_holds_a_token_of_the_api_server(items: list[Object]) -> None:
    for name, template in each(pod_templates(items)):
        assert template["spec"]["automountServiceAccountToken"] is False, name


def test_every_service_account_that_a_pod_names_is_there(items: list[Object]) -> None:
    accounts = {item["metadata"]["name"] for item in items if item["kind"] == "ServiceAccount"}
    assert {t["spec"]["serviceAccountName"] for _, t in pod_templates(items)} <= accounts


def test_every_container_says_what_it_needs_and_may_use(items: list[Object]) -> None:
    for name, container in each(containers(items)):
        resources = container["resources"]
        assert set(resources["requests"]) == set(resources["limits"]) == {"cpu", "memory"}, name


def test_every_server_is_probed(items: list[Object]) -> None:
    for name, container in each(containers(items)):
        if "ports" in container:
            assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container), name


def test_every_job_ends(items: list[Object]) -> None:
    jobs = [item["spec"] for item in items if item["kind"] == "Job"]
    jobs += [item["spec"]["jobTemplate"]["spec"] for item in items if item["kind"] == "CronJob"]
    assert jobs
    for job in jobs:
        assert {"activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"} <= set(job)


def test_every_image_has_a_version(items: list[Object]) -> None:
    for name, container in each(containers(items)):
        image, _, tag = container["image"].rpartition(":")
        assert image, name
        assert tag != "latest", name
        if image.endswith("/clinical-trial-pipeline"):
            assert tag == code_version()


def test_secrets_are_named_and_never_written_down(items: list[Object]) -> None:
    assert not [name_of(item) for item in each(items) if item["kind"] == "Secret"]
    for name, container in each(containers(items)):
        for variable in container.get("env", ()):  # may be empty
            secret = variable["name"].endswith(("PASSWORD", "KEY", "TOKEN"))
            assert not (secret and "value" in variable), name


def test_every_pod_and_every_task_is_closed_but_for_what_is_allowed(items: list[Object]) -> None:
    pods = [template["metadata"]["labels"] for _, template in pod_templates(items)]
    for labels in (*pods, TASKS):
        closed = {kind for p in policies(items, labels) for kind in p["spec"]["policyTypes"]}
        assert closed == {"Ingress", "Egress"}, labels


def test_no_policy_opens_the_way_to_everywhere(items: list[Object]) -> None:
    rules = [
        (name_of(item), rule[peers], rule["ports"])
        for item in items
        if item["kind"] == "NetworkPolicy"
        for side, peers in (("ingress", "from"), ("egress", "to"))
        for rule in item["spec"].get(side, ())
    ]
    for name, peers, ports in each(rules):
        assert peers, name
        assert ports, name
    blocks = [
        peer["ipBlock"]["cidr"] for _, peers, _ in rules for peer in peers if "ipBlock" in peer
    ]
    assert [block for block in blocks if not block.endswith("/32")] == []  # may be empty


def test_tasks_reach_the_store(items: list[Object]) -> None:
    rules = [rule for p in policies(items, TASKS) for rule in p["spec"].get("egress", ())]
    ports = {port["port"] for rule in rules for port in rule["ports"]}
    assert 5432 in ports


def test_the_store_keeps_its_data(items: list[Object]) -> None:
    stores = [item for item in items if item["kind"] == "StatefulSet"]
    for store in stores:  # may be empty
        retained = store["spec"]["persistentVolumeClaimRetentionPolicy"]
        assert set(retained.values()) == {"Retain"}


def test_the_migration_is_given_what_it_asks_for(items: list[Object]) -> None:
    job = find(items, "Job/trial-store-migration")
    [container] = job["spec"]["template"]["spec"]["containers"]
    variables = {variable["name"] for variable in container["env"]}
    assert variables == {PASSWORD_VARIABLE, *PASSWORDS.values()}
    [address] = container["args"]
    assert store_url(address).get_backend_name() == "postgresql"


def test_every_program_that_is_called_exists(items: list[Object]) -> None:
    for name, container in each(containers(items)):
        command = container.get("command", ())
        if command:
            assert command[:2] == ["python", "-m"], name
            assert importlib.util.find_spec(command[2]), name


def test_the_schedule_submits_as_the_command_expects(
    schedule: Object, capsys: pytest.CaptureFixture[str]
) -> None:
    [container] = schedule["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["python", "-m", "pipeline.cli", "submit"]
    # All options are known: what is missing here is the package.
    assert main(["submit", *container["args"]]) == 2
    assert capsys.readouterr().err.startswith("/package/package.yaml: the package can't be read")


def test_the_schedules_values_are_in_the_form_of_a_run(
    items: list[Object], schedule: Object
) -> None:
    volumes = schedule["spec"]["jobTemplate"]["spec"]["template"]["spec"]["volumes"]
    [name] = [volume["configMap"]["name"] for volume in volumes if volume["name"] == "parameters"]
    given = yaml.safe_load(find(items, f"ConfigMap/{name}")["data"]["parameters.yaml"])
    study = load_study(find_study_file("ist"))
    form = {item.name for item in parameters(study, load_settings(), training())}
    assert given["data_root"]
    assert set(given) <= form


def test_the_schedule_lets_no_two_runs_meet(schedule: Object) -> None:
    spec: Any = schedule["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["timeZone"] == "Etc/UTC"


def test_runs_are_submitted_with_the_service_account_that_is_there(items: list[Object]) -> None:
    assert find(items, f"ServiceAccount/{submit.SERVICE_ACCOUNT}")


def test_every_secret_is_explained_to_the_operator(items: list[Object]) -> None:
    explained = set(re.findall(r"^\| `(trial-[a-z-]+)` \|", GUIDE.read_text(), re.MULTILINE))
    of_pods = {name for _, template in pod_templates(items) for name in secrets(template["spec"])}
    of_tasks = {key.secret for key in load_settings().secrets.values()}
    assert of_pods
    assert of_pods | of_tasks <= explained


def test_only_the_overlays_name_a_cluster() -> None:
    shared = [*(MANIFESTS / "base").glob("*"), *(MANIFESTS / "components").rglob("*.yaml")]
    named = [path for path in each(shared) if "ipBlock" in path.read_text()]
    # Those of the template for AWS are always the same.
    assert [path.parent.name for path in named] == ["aws"]
