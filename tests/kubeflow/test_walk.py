"""The compiled package, run task by task as open-source Kubeflow Pipelines would run it.

The same small synthetic trial is run by the local runner, then four times by the walker: without
a champion, with one, once more, and on a later backend, where tasks share pods, with data in which
one value has changed.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
import shutil
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from pipeline.runners.kubeflow.record import RECORD
from tests.each import each
from tests.kubeflow.spec_walker import REPOSITORY, Commands, Walker
from tests.kubeflow.walks import (
    ALL,
    PODS,
    STORE,
    WITHOUT_CHAMPION,
    Trial,
    Walked,
    by_key,
    roles,
    walk,
)
from tests.whole_runs import SUBJECT_KEY

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def walker(trial: Trial) -> Walker:
    return Walker(trial.folder / "backend", Commands(trial.environment))


@pytest.fixture(scope="module")
def first(trial: Trial, walker: Walker) -> Walked:
    return walk(trial, walker)


@pytest.fixture(scope="module")
def second(trial: Trial, walker: Walker, first: Walked) -> Walked:
    del first
    return walk(trial, walker)


@pytest.fixture(scope="module")
def third(trial: Trial, walker: Walker, second: Walked) -> Walked:
    del second
    return walk(trial, walker)


@pytest.fixture(scope="module")
def later(trial: Trial, sharing_pods: Trial, third: Walked) -> Walked:
    """A backend without a metadata store, after a byte of the data that no feature is made of has
    changed; some tasks share a pod.
    """
    del third
    data = trial.folder / "changed"
    shutil.copytree(trial.data, data)
    file = next(data.glob("adae*"))
    content = bytearray(file.read_bytes())
    place = content.rindex(b"MILD")
    content[place : place + 4] = b"mild"
    file.write_bytes(content)
    backend = Walker(trial.folder / "later", Commands(trial.environment), later=True)
    return walk(dataclasses.replace(sharing_pods, data=data), backend)


@pytest.fixture(scope="module")
def apart(later: Walked) -> Walked:
    return later.in_own_pods


def test_every_point_metric_is_the_local_runners(first: Walked, local_metrics: list[Any]) -> None:
    walked = by_key(first.document("TrialEvaluator", "verdict", "metrics.json")["records"])
    local = by_key(local_metrics)
    assert set(walked) == set(local)
    assert {key: record["value"] for key, record in walked.items()} == {
        key: record["value"] for key, record in local.items()
    }


def test_every_interval_is_the_local_runners(first: Walked, local_metrics: list[Any]) -> None:
    walked = by_key(first.document("TrialEvaluator", "verdict", "metrics.json")["records"])
    for key, record in each(by_key(local_metrics).items()):
        for end in ("lower", "upper"):
            if record[end] is None:
                assert walked[key][end] is None
            else:
                assert math.isclose(walked[key][end], record[end], abs_tol=1e-6), key


def test_the_first_run_has_no_champion(first: Walked) -> None:
    assert first.tasks["RunInputs"].parameters["champion_token"] == "none"
    assert first.tasks["ChampionModel"].artifacts["model"].metadata["present"] == 0
    records = first.document("TrialEvaluator", "verdict", "metrics.json")["records"]
    assert roles(records) == WITHOUT_CHAMPION


def test_the_first_runs_model_is_registered(first: Walked, trial: Trial) -> None:
    registration = first.document("ModelRegistrar", "registration", "registration.json")
    assert registration["registered"] is True
    assert list((trial.shared / "registry" / "synthetic" / "history").glob("*.json"))


def test_the_second_run_takes_from_the_cache_what_no_champion_concerns(second: Walked) -> None:
    assert second.ran == {
        "RunInputs",
        "ChampionModel",
        "DataGate",
        "TrialEvaluator",
        "BlessedModel",
        "ModelCard",
        "ModelRegistrar",
        "RunPage",
        "MetricsExporter",
    }


def test_an_unchanged_night_executes_what_the_docs_say(third: Walked) -> None:
    docs = (REPOSITORY / "docs" / "kubeflow.md").read_text()
    nightly = docs.partition("| task | why it runs every night |")[2].partition("\n\n")[0]
    named = re.findall(r"(?m)^\| `(\w+)` \|", nightly)
    assert third.ran == set(named) == {"RunInputs", "ModelRegistrar", "RunPage", "MetricsExporter"}


def test_the_second_run_compares_with_the_champion(second: Walked) -> None:
    assert second.tasks["ChampionModel"].artifacts["model"].metadata["present"] == 1
    records = second.document("TrialEvaluator", "verdict", "metrics.json")["records"]
    assert roles(records) == ALL
    differences = [r["value"] for r in records if (r["model"], r["versus"]) == ("difference", None)]
    # The same data, seed and code: the champion is the same model.
    assert {value for value in differences if value is not None} == {0}


def test_splits_and_fingerprint_survive_from_task_to_task(first: Walked) -> None:
    examples = first.tasks["TrialExampleGen"].artifacts["examples"].metadata
    assert json.loads(examples["split_names"]) == ["train", "eval", "test"]
    assert examples["fingerprint"] == first.tasks["RunInputs"].parameters["fingerprint"]


def test_the_runs_page_has_a_table_and_a_curve_of_each_task(first: Walked) -> None:
    page = first.tasks["RunPage"].artifacts
    for task in ("worsening", "response"):
        numbers = page[f"metrics_{task}"].metadata
        assert 0 < numbers["auc"] < 1
        assert page[f"curves_{task}"].metadata["confidenceMetrics"]
        assert page[f"curves_{task}"].metadata["confusionMatrix"]
    assert "<html" in first.output("RunPage", "html").read_text()
    assert first.output("RunPage", "summary").read_text().startswith("# ")


def test_every_stage_says_what_it_took(first: Walked) -> None:
    records = stage_records(first)
    assert set(records) == set(first.tasks)
    assert {record["status"] for record in records.values()} == {"done"}
    assert len({record["run"] for record in records.values()}) == 1
    splits = {row["split"]: row["subjects"] for row in records["StatisticsGen"]["rows"]}
    assert sum(splits.values()) == sum(
        first.document("TrialExampleGen", "rejects", "counts.json")["subjects"].values()
    )


def test_every_stage_and_the_runs_result_are_in_the_store(first: Walked, trial: Trial) -> None:
    assert_in_store(first, trial)


def test_the_secret_key_is_nowhere(first: Walked) -> None:
    for task in each(first.tasks.values()):
        assert SUBJECT_KEY not in task.log
        assert SUBJECT_KEY not in json.dumps(task.handed)
    for path in each((first.walker.folder / "bucket").rglob("*")):
        assert not path.is_file() or SUBJECT_KEY.encode() not in path.read_bytes()


def test_one_changed_byte_is_another_fingerprint_and_other_examples(
    first: Walked, later: Walked
) -> None:
    before, after = (run.tasks["RunInputs"].parameters for run in (first, later))
    assert before["fingerprint"] != after["fingerprint"]
    assert before["subject_key_id"] == after["subject_key_id"]


def test_a_later_backend_without_a_metadata_store_runs_the_package(apart: Walked) -> None:
    assert apart.tasks["ChampionModel"].artifacts["model"].metadata["present"] == 1
    records = apart.document("TrialEvaluator", "verdict", "metrics.json")["records"]
    assert roles(records) == ALL
    assert apart.document("ModelRegistrar", "registration", "registration.json")["registered"]


def test_tasks_that_share_a_pod_are_one_node(first: Walked, later: Walked) -> None:
    together = {stage for stages in PODS.values() for stage in stages}
    assert set(later.tasks) == (set(first.tasks) - together) | set(PODS)


def test_tasks_that_share_a_pod_make_the_same_artifacts(second: Walked, apart: Walked) -> None:
    assert outputs_of(apart) == outputs_of(second)


def test_metrics_are_the_same_where_tasks_share_a_pod(second: Walked, apart: Walked) -> None:
    alone, together = (
        by_key(run.document("TrialEvaluator", "verdict", "metrics.json")["records"])
        for run in (second, apart)
    )
    assert set(together) == set(alone)
    for key, record in each(alone.items()):
        assert together[key]["value"] == record["value"], key
        for end in ("lower", "upper"):
            assert together[key][end] == pytest.approx(record[end], abs=1e-6), key


def test_kubeflows_page_shows_the_same_numbers_and_curves(second: Walked, apart: Walked) -> None:
    shown = second.tasks["RunPage"].artifacts
    for name in each([name for name in shown if name.startswith(("metrics_", "curves_"))]):
        assert apart.tasks["RunPage"].artifacts[name].metadata == shown[name].metadata, name
    assert "<html" in apart.output("RunPage", "html").read_text()
    assert apart.output("RunPage", "summary").read_text().startswith("# ")


def test_every_stage_of_a_shared_pod_has_its_record(apart: Walked, trial: Trial) -> None:
    records = stage_records(apart)
    assert set(records) == set(apart.tasks)
    assert {record["status"] for record in records.values()} == {"done"}
    assert_in_store(apart, trial)


def stage_records(walked: Walked) -> dict[str, Any]:
    """Records by stage, from the logs of all tasks."""
    records = [
        json.loads(line.removeprefix(RECORD))
        for task in walked.tasks.values()
        for line in task.log.splitlines()
        if line.startswith(RECORD)
    ]
    return {record["stage"]: record for record in records}


def assert_in_store(walked: Walked, trial: Trial) -> None:
    run = walked.tasks["RunInputs"].handed["inputs"]["parameterValues"]["run_id"]
    with closing(sqlite3.connect(trial.shared / STORE)) as store:
        stages = store.execute("SELECT stage, status FROM stages WHERE run = ?", [run]).fetchall()
        (metrics,) = store.execute("SELECT count(*) FROM metrics WHERE run = ?", [run]).fetchone()
    assert dict(stages) == dict.fromkeys(walked.tasks, "done")
    assert metrics > 0


def outputs_of(walked: Walked) -> dict[tuple[str, str], tuple[dict[str, Any], set[str]]]:
    """Type and names of the metadata of each artifact, by stage and output."""
    return {
        (stage, name): (dict(made.schema), set(made.metadata))
        for stage, task in walked.tasks.items()
        for name, made in task.artifacts.items()
    }
