"""DataSnapshot, the task before RunInputs of a study that reads a SQL database."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.reading.fingerprint import content_fingerprint
from pipeline.runners.kubeflow import inputs, snapshot
from pipeline.runners.kubeflow.package import RUN_INPUTS, compile_package, tfx_runner
from pipeline.runners.kubeflow.purpose import Purpose, scoring, training, validation
from pipeline.runners.kubeflow.settings import KubeflowSettings
from pipeline.runners.kubeflow.snapshot_task import DATA_SNAPSHOT, SNAPSHOT
from pipeline.runners.kubeflow.spec_check import problems
from pipeline.study.load import parse_study
from pipeline.study.study import Study
from tests.death_study import NUMBER_AT_BASELINE, TEXT, TEXT_AFTER, death_study
from tests.each import each

PASSWORD = {"EDC_PASSWORD": {"secret": "edc", "key": "password"}}
READERS = {"TrialExampleGen", "TrialSummary"}


@pytest.fixture
def study() -> Study:

    content: dict[str, Any] = death_study(
        {"USUBJID": TEXT, "AGE": NUMBER_AT_BASELINE, "DIED": TEXT_AFTER},
        study="tiny",
        landmark={"day": 28},
    )
    [name] = content["datasets"]
    content["datasets"][name] |= {"format": "sql", "table": "dm"}
    del content["datasets"][name]["file"]
    content["database"] = {"address": "sqlite:///t.sqlite", "password": "env:EDC_PASSWORD"}
    return parse_study(content, "study.yaml")


def compiled(study: Study, purpose: Purpose | None = None, **changes: Any) -> dict[str, Any]:
    given = {
        "image": "registry.example.org/trial:1",
        "registry_root": "s3://bucket/registry",
        "snapshot_root": "s3://bucket/snapshots",
        "secrets": PASSWORD,
    }
    settings = KubeflowSettings.model_validate(given | changes)
    runner = tfx_runner(settings, Path("never-written.json"))
    return compile_package(study, "", settings, runner, purpose or training()).spec


def test_the_snapshot_is_a_task_of_its_own_whose_folder_all_readers_get(study: Study) -> None:
    spec = compiled(study)
    assert problems(spec) == []
    tasks = spec["root"]["dag"]["tasks"]
    assert tasks[DATA_SNAPSHOT]["cachingOptions"] == {"enableCache": False}
    assert tasks[RUN_INPUTS]["dependentTasks"] == [DATA_SNAPSHOT]
    taken = {
        name: task["inputs"]["parameters"][SNAPSHOT]["taskOutputParameter"]["producerTask"]
        for name, task in tasks.items()
        if SNAPSHOT in task.get("inputs", {}).get("parameters", {})
    }
    assert taken == {RUN_INPUTS: DATA_SNAPSHOT, **dict.fromkeys(READERS, RUN_INPUTS)}


@pytest.mark.parametrize("purpose", [validation(), scoring()], ids=["validation", "scoring"])
def test_validations_and_scorings_read_the_snapshot_too(study: Study, purpose: Purpose) -> None:
    spec = compiled(study, purpose)
    assert problems(spec) == []
    given = spec["root"]["dag"]["tasks"]["TrialExampleGen"]["inputs"]["parameters"]
    assert given[SNAPSHOT]["taskOutputParameter"]["producerTask"] == RUN_INPUTS


def test_a_package_never_holds_a_password(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDC_PASSWORD", "hunter2")
    assert "hunter2" not in json.dumps(compiled(study))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"snapshot_root": ""}, "`snapshot_root`"), ({"secrets": {}}, "variable EDC_PASSWORD")],
)
def test_settings_that_lack_what_the_tasks_need_are_refused(
    study: Study, changes: dict[str, Any], expected: str
) -> None:
    with pytest.raises(UserError, match=expected):
        compiled(study, **changes)


def test_the_folder_is_that_of_the_content_and_run_inputs_takes_its_fingerprint(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAL_SUBJECT_KEY", "a key that only this test knows")
    with sqlite3.connect(tmp_path / "t.sqlite") as connection:
        connection.execute("CREATE TABLE dm (USUBJID, AGE, DIED)")
        connection.execute("INSERT INTO dm VALUES ('S1', 61, 'Y'), ('S2', 72, 'N')")
    connection.close()
    given = ["--study", study.to_json(), "--data_root", str(tmp_path), "--run_id", "r1"]
    folders = []
    for number in each(range(2)):
        target = tmp_path / f"out{number}" / SNAPSHOT
        root = ["--snapshot_root", str(tmp_path / "snapshots"), "--snapshot_to", str(target)]
        assert snapshot.main([*given, *root]) == 0
        folders.append(target.read_text())
    assert folders[0] == folders[1]
    assert Path(folders[0]).parent == tmp_path / "snapshots" / "tiny"
    names = (*training().found_out, SNAPSHOT)
    handed = [f"--{name}_to={tmp_path / 'handed' / name}" for name in names]
    others = ["--subject_key", "env:TRIAL_SUBJECT_KEY", "--registry_root", str(tmp_path / "r")]
    assert inputs.main([*given, *others, *handed, "--snapshot", folders[0]]) == 0
    assert (tmp_path / "handed" / SNAPSHOT).read_text() == folders[0]
    assert (tmp_path / "handed" / "fingerprint").read_text() == content_fingerprint(
        study, str(tmp_path), folders[0]
    )


def test_an_error_of_the_database_is_one_message(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out" / SNAPSHOT
    given = ["--study", study.to_json(), "--data_root", str(tmp_path), "--run_id", "r1"]
    root = ["--snapshot_root", str(tmp_path / "snapshots"), "--snapshot_to", str(target)]
    assert snapshot.main([*given, *root]) == 1
    assert "database.address: there is no SQLite file" in capsys.readouterr().err.splitlines()[-1]
    assert not target.exists()
