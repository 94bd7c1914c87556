"""RunInputs, the first task of a run: what it finds out about data, key, champion and code."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from pipeline.reading.fingerprint import content_fingerprint
from pipeline.results.division import Division
from pipeline.results.evaluation_plan import SPLIT_PLAN
from pipeline.results.predictions import Predictions
from pipeline.results.registration import Candidate
from pipeline.runners.kubeflow.inputs import main
from pipeline.runners.kubeflow.purpose import training
from pipeline.runners.kubeflow.record import RECORD
from pipeline.runs.registry import Registry
from pipeline.stage_code import code_digest
from pipeline.store.migrate import migrate
from pipeline.store.sqlite_file import sqlite_address
from pipeline.study.digest import label_digest
from pipeline.study.load import parse_study
from pipeline.study.study import Study
from pipeline.subject_key import key_id
from tests.death_study import NUMBER_AT_BASELINE, TEXT, TEXT_AFTER, death_study
from tests.each import each
from tests.registered_models import documents

KEY = "a key that only this test knows"
RUN = "0f6f4f6a-1c5e-4b57-9a8e-1f1f0e7d4c11"
STUDY = death_study(
    {"USUBJID": TEXT, "AGE": NUMBER_AT_BASELINE, "DIED": TEXT_AFTER},
    study="tiny",
    landmark={"day": 28},
)
DM = "USUBJID,AGE,DIED\nS1,61,Y\nS2,72,N\nS3,55,N\n"

FOUND_OUT = training().found_out

Found = Callable[..., dict[str, str]]


@pytest.fixture
def study() -> Study:
    return parse_study(STUDY, "study.yaml")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "dm.csv").write_text(DM)
    return folder


@pytest.fixture
def command(
    study: Study, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[str]]:
    """The task's arguments as the package has them; options replace them by name."""
    monkeypatch.setenv("TRIAL_SUBJECT_KEY", KEY)

    def arguments(**options: str) -> list[str]:
        given = {
            "study": study.to_json(),
            "subject_key": "env:TRIAL_SUBJECT_KEY",
            "run_id": RUN,
            "started_by": "every-monday",
            "seed": "7",
            "steps": "40",
            "data_root": str(data),
            "data_fingerprint": "",
            "registry_root": str(tmp_path / "registry"),
            "metrics_store": "",
            **{f"{name}_to": str(tmp_path / "outputs" / name) for name in FOUND_OUT},
            **options,
        }
        return [text for name, value in given.items() for text in (f"--{name}", value)]

    return arguments


@pytest.fixture
def found(command: Callable[..., list[str]], tmp_path: Path) -> Found:
    """Runs the task; gives the values that the backend would hand on."""

    def run(**options: str) -> dict[str, str]:
        assert main(command(**options)) == 0
        return {name: (tmp_path / "outputs" / name).read_text() for name in FOUND_OUT}

    return run


@pytest.fixture
def refusal(
    command: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Runs the task, which fails; gives its message and checks that nothing is handed on."""

    def run(**options: str) -> str:
        assert main(command(**options)) == 1
        assert not (tmp_path / "outputs").exists()
        lines = capsys.readouterr().err.splitlines()
        return "\n".join(line for line in lines if not line.startswith(RECORD))

    return run


def test_the_fingerprint_is_that_of_a_local_run(found: Found, study: Study, data: Path) -> None:
    assert found()["fingerprint"] == content_fingerprint(study, str(data))


def test_one_new_byte_is_another_fingerprint_and_nothing_else(found: Found, data: Path) -> None:
    before = found()
    (data / "dm.csv").write_text(DM.replace("72", "73"))
    after = found()
    assert {name for name in FOUND_OUT if before[name] != after[name]} == {"fingerprint"}


def test_the_keys_id_distinguishes_keys_without_disclosing_them(
    found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = found()["subject_key_id"]
    assert first == key_id(KEY.encode())
    assert KEY not in first
    monkeypatch.setenv("TRIAL_SUBJECT_KEY", KEY.upper())
    assert found()["subject_key_id"] != first


def test_without_a_champion_the_token_says_so(found: Found) -> None:
    assert found()["champion_token"] == "none"


def register(root: Path, name: str, division: Division | None = None, **facts: str) -> None:
    folder = root / name
    folder.mkdir()
    for file in ("saved_model.pb", "FeatureStats.pb"):
        (folder / file).write_text(name)
    if division is not None:
        facts["division"] = division.digest
    known = {"label_digest": "labels", "fingerprint": "data", "study_digest": "study", **facts}
    candidate = Candidate.model_validate(
        {"study": "tiny", "split_seed": 1, "code_version": "1", "run": "1", "metrics": {}, **known}
    )
    Registry(str(root / "registry")).register(
        candidate,
        str(folder),
        str(folder),
        division,
        documents(candidate.fingerprint, candidate.study_digest),
    )


def test_a_new_champion_is_another_token(found: Found, tmp_path: Path) -> None:
    tokens = [found()["champion_token"]]
    for name in ("first", "second"):
        register(tmp_path, name)
        tokens.append(found()["champion_token"])
    assert len(set(tokens)) == 3


def test_the_division_of_the_champion_is_inherited_by_a_run_on_other_data(
    found: Found, study: Study, data: Path, tmp_path: Path
) -> None:
    first = found()
    assert first["inherited_division"] == "none"
    zeros = np.zeros(2, np.int16)
    division = Division(SPLIT_PLAN, Predictions(np.array([b"1", b"2"], object), zeros, zeros, {}))
    register(
        tmp_path,
        "first",
        division,
        label_digest=label_digest(study),
        fingerprint=first["fingerprint"],
        subject_key_id=first["subject_key_id"],
        inherited_division="none",
    )
    assert found()["inherited_division"] == "none"
    (data / "dm.csv").write_text(DM.replace("72", "73"))
    assert found()["inherited_division"] == division.digest


def test_every_stage_gets_the_digest_of_the_code_that_it_runs(
    command: Callable[..., list[str]], tmp_path: Path
) -> None:
    code = {"Trainer": ["trainer.run"], "Pusher": []}
    to = [("--code_digest_to", stage, str(tmp_path / stage)) for stage in code]
    assert main([*command(code=json.dumps(code)), *itertools.chain(*to)]) == 0
    for stage, modules in each(code.items()):
        assert (tmp_path / stage).read_text() == code_digest(modules), stage


def test_the_fingerprint_that_was_asked_for_is_taken(
    found: Found, study: Study, data: Path
) -> None:
    asked = content_fingerprint(study, str(data))
    assert found(data_fingerprint=asked)["fingerprint"] == asked


def test_other_data_than_were_asked_for_are_refused(
    refusal: Callable[..., str], study: Study, data: Path
) -> None:
    there = content_fingerprint(study, str(data))
    assert refusal(data_fingerprint="abc123") == (
        f"{data}: the data have the fingerprint {there}, but the run's form requires "
        "abc123 (data_fingerprint). Give the intended data, or leave the field empty to accept the "
        "current data."
    )


def test_a_form_without_data_is_refused(refusal: Callable[..., str]) -> None:
    assert refusal(data_root="").startswith(
        "data_root is empty: give the folder of the study's files in the run's form"
    )


def test_a_folder_without_the_studys_files_is_refused(
    refusal: Callable[..., str], tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    said = refusal(data_root=str(empty))
    assert "dm.csv" in said
    assert str(empty) in said


def test_a_missing_key_is_refused_before_any_task_needs_it(
    refusal: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRIAL_SUBJECT_KEY")
    # The command sets the variable; the secret that it comes from is not there.
    assert refusal(subject_key="env:TRIAL_NO_SUCH_KEY").startswith(
        "The subject key env:TRIAL_NO_SUCH_KEY is missing or shorter than 16 characters"
    )


def test_a_damaged_registry_is_refused(refusal: Callable[..., str], tmp_path: Path) -> None:
    pointer = tmp_path / "registry" / "tiny" / "champion.json"
    pointer.parent.mkdir(parents=True)
    pointer.write_text("{")
    assert str(pointer) in refusal()


def test_the_task_leaves_its_record(found: Found, capsys: pytest.CaptureFixture[str]) -> None:
    found()
    (line,) = capsys.readouterr().err.splitlines()
    record = json.loads(line.removeprefix(RECORD))
    assert (record["run"], record["stage"], record["status"]) == (RUN, "RunInputs", "done")


def test_a_refusal_is_recorded_with_its_reason(
    command: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    main(command(data_root=""))
    line = capsys.readouterr().err.splitlines()[0]
    record = json.loads(line.removeprefix(RECORD))
    assert record["status"] == "failed"
    assert "data_root is empty" in record["error"]


@pytest.mark.parametrize("option", [{"steps": "-5"}, {"seed": "-1"}, {"seed": "2147483648"}])
def test_a_number_that_no_training_takes_is_refused_before_anything_trains(
    refusal: Callable[..., str], option: dict[str, str]
) -> None:
    [name] = option
    assert f"Parameter {name}: expected a whole number from 0 to" in refusal(**option)


def test_the_record_is_exported_to_the_store(found: Found, tmp_path: Path) -> None:
    store = sqlite_address(tmp_path / "store.sqlite")
    migrate(store)
    found(metrics_store=store)
    with closing(sqlite3.connect(tmp_path / "store.sqlite")) as connection:
        stages = connection.execute("SELECT run, stage, status FROM stages").fetchall()
    assert stages == [(RUN, "RunInputs", "done")]


def test_what_the_run_is_made_from_is_exported_before_anything_can_fail(
    found: Found, tmp_path: Path, study: Study
) -> None:
    fingerprint = found(metrics_store=sqlite_address(tmp_path / "store.sqlite"))["fingerprint"]
    with closing(sqlite3.connect(tmp_path / "store.sqlite")) as connection:
        columns = "run, study, started_by, study_digest, fingerprint, parameters"
        runs = connection.execute(f"SELECT {columns} FROM runs").fetchall()
    made_from = (study.digest(), fingerprint, '{"seed": 7, "steps": 40}')
    assert runs == [(RUN, "tiny", "every-monday", *made_from)]


def test_a_store_that_is_none_ends_no_run(found: Found, caplog: pytest.LogCaptureFixture) -> None:
    found(metrics_store="store")
    assert "The stage's record is not in the store" in caplog.text
