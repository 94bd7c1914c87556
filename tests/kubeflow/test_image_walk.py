"""Delivery's jobs in their order: the image, pushed; a run on staging, judged; a promotion.

The image is the real one, and the run's tasks are containers of it. The trial is evaluated out of
fold here; `test_walk.py` has the one on a test split.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from pipeline.runners.kubeflow.record import RECORD
from pipeline.runners.kubeflow.settings import DEFAULT_SETTINGS
from pipeline.runs.registry import Registry
from pipeline.store.sqlite_file import sqlite_address
from tests.each import each
from tests.kubeflow import cluster, image_registry
from tests.kubeflow.delivery_jobs import IMAGES, commands_of, run_command
from tests.kubeflow.image_build import TASKS, ContainerCommands
from tests.kubeflow.spec_walker import REPOSITORY, Walker
from tests.kubeflow.walks import FORM, STEPPED, STORE, Trial, Walked, deviations
from tests.two_locks import MOST_MOVED, bound
from tests.whole_runs import SUBJECT_KEY

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Delivered:
    """What delivery's jobs have done.

    Attributes:
        said: What each command wrote, by job.
        pushed: Tags of the image in the registry of images.
        cluster: The cluster, whose run has ended.
        waiting: Whether the model waited for a person before the last job.
        walked: The run.
    """

    said: dict[str, list[str]]
    pushed: list[str]
    cluster: cluster.Cluster
    waiting: bool
    walked: Walked


@pytest.fixture(scope="module")
def volume(out_of_fold_trial: Trial) -> Trial:
    """The trial with its registry and store, which containers mount."""
    out_of_fold_trial.shared.mkdir()
    return out_of_fold_trial


@pytest.fixture(scope="module")
def pushed(image: str, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Of the job that builds and pushes the image, which `image` has built."""
    assert image == TASKS
    _, push, *_of_the_service = commands_of("build")
    with image_registry.running(IMAGES, tmp_path_factory.mktemp("registry")):
        run_command("build", push, REPOSITORY, {})
        tags: list[str] = image_registry.asked(IMAGES, "trial-test/tags/list")["tags"]
    return tags


@pytest.fixture(scope="module")
def staging(volume: Trial, image: str) -> Iterator[cluster.Cluster]:
    mounted = [volume.data, volume.shared]
    commands = ContainerCommands(image, {"TRIAL_SUBJECT_KEY": SUBJECT_KEY}, mounted)
    with cluster.running(Walker(volume.folder / "backend", commands)) as found:
        yield found


@pytest.fixture(scope="module")
def delivered(volume: Trial, pushed: list[str], staging: cluster.Cluster) -> Delivered:
    settings = volume.folder / "staging.yaml"
    store, registry = sqlite_address(volume.shared / STORE), volume.shared / "registry"
    content = yaml.safe_load(DEFAULT_SETTINGS.read_text())
    content |= {"registry_root": str(registry), "metrics_store": store}
    settings.write_text(yaml.safe_dump(content))
    variables = {
        "STUDY": "synthetic",
        "SETTINGS": str(settings),
        "STAGING_ENDPOINT": staging.address,
        "STAGING_DATA": str(volume.data),
        "STAGING_STORE": store,
        "STAGING_TOKEN": "a token",
        "STORE_PASSWORD": "",
        "REGISTRY": str(registry),
        "REGISTRY_KEY_ID": "",
        "REGISTRY_KEY": "",
        # Of the small trial.
        "PARAMS": " ".join(f"{name}={value}" for name, value in FORM.items()),
        # kfp's client reads a person's settings there.
        "HOME": str(volume.folder),
    }
    checkout = volume.study.parents[2]

    def job(name: str) -> list[str]:
        return [run_command(name, step, checkout, variables) for step in commands_of(name)]

    said = {"staging": job("staging")}
    # The platform hands the variables of the file to the next job.
    handed = (checkout / "verdict.env").read_text().splitlines()
    variables |= dict(line.split("=", 1) for line in handed)
    waiting = Registry(str(registry)).champion("synthetic") is None
    said["promotion"] = job("promotion")
    return Delivered(said, pushed, staging, waiting, Walked(staging.walker, staging.tasks))


@pytest.fixture(scope="module")
def walked(delivered: Delivered) -> Walked:
    return delivered.walked


def test_the_image_is_pushed_under_the_name_of_the_commit(delivered: Delivered) -> None:
    assert delivered.pushed == ["current"]


def test_the_run_on_staging_has_the_pushed_image_and_the_token(delivered: Delivered) -> None:
    assert delivered.cluster.image == TASKS
    assert "Bearer a token" in delivered.cluster.tokens
    assert not delivered.cluster.failed


def test_the_verdict_is_that_of_the_run(delivered: Delivered) -> None:
    *_, verdict = delivered.said["staging"]
    run = delivered.walked.tasks["RunInputs"].handed["inputs"]["parameterValues"]["run_id"]
    assert verdict.startswith(f"run {run}: blessed\n")


def test_a_person_promotes_the_model_that_staging_judged_for_the_commit(
    delivered: Delivered, volume: Trial
) -> None:
    registry = Registry(str(volume.shared / "registry"))
    champion = registry.champion("synthetic")

    assert delivered.waiting
    assert champion == registry.history("synthetic")[0]
    last = registry.book("synthetic").entries()[-1]
    assert (last.action, last.reason) == ("promoted", "commit current")
    assert "a.person" in last.actor.model_dump_json()
    [said] = delivered.said["promotion"]
    assert champion is not None
    assert champion.id in said


def test_every_metric_is_the_local_runners_but_for_the_other_lock(
    walked: Walked, local_out_of_fold_metrics: list[dict[str, Any]]
) -> None:
    compared, deviating = deviations(walked, local_out_of_fold_metrics, bound)
    assert compared > 0
    moved = [key for key in deviating if key[-1] == STEPPED]
    assert deviating == moved
    assert len(moved) <= MOST_MOVED * compared


def test_every_subject_was_predicted_out_of_fold(walked: Walked) -> None:
    plan = walked.document("TrialExampleGen", "rejects", "evaluation.json")
    assert (plan["scheme"], plan["folds"], plan["repeats"]) == ("cross_fit", 3, 2)


def test_the_model_is_registered_on_the_mounted_volume(walked: Walked, volume: Trial) -> None:
    registration = walked.document("ModelRegistrar", "registration", "registration.json")
    # Not as champion: a person decides.
    assert registration["registered"] is False
    assert registration["entry"] is not None
    assert list((volume.shared / "registry" / "synthetic" / "history").glob("*.json"))


def test_the_log_of_a_task_is_short_and_ends_with_what_it_took(walked: Walked) -> None:
    for name, task in each(walked.tasks.items()):
        *before, last = task.log.splitlines()
        assert last.startswith(RECORD), name
        assert len(before) <= 40, (name, before)
        assert "Using Any for unsupported type" not in task.log, name
