"""A real MLflow server, from a lock of its own, follows a registry; read back over its REST."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.environments import environment
from benchmarks.servers import free_port
from pipeline.cli.main import main
from pipeline.errors import UserError
from pipeline.mlflow.follow import follow, tell
from pipeline.mlflow.server import PASSWORD_VARIABLE, USER_VARIABLE, Server, server_of
from pipeline.runs.changes import Rules, promote, retire, roll_back
from pipeline.runs.register import Decision
from tests.components.model_registrar.test_executor import STUDY as RUN_STUDY
from tests.components.model_registrar.test_executor import Run
from tests.pipeline.mlflow.running import Mlflow, running, tags
from tests.pipeline.runs.governed import STUDY, add, champion_id, decision, registered

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment("mlflow", tmp_path_factory.mktemp("mlflow") / "env") / "mlflow"


@pytest.fixture(scope="module")
def started(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mlflow]:
    """One server for all tests of this file, which takes its time to start."""
    with running(program, tmp_path_factory.mktemp("server"), free_port()) as mlflow:
        yield mlflow


@pytest.fixture
def mlflow(started: Mlflow) -> Iterator[Mlflow]:
    """The server; what a test has left there is renamed, so that the next one finds nothing."""
    yield started
    for study in (STUDY, RUN_STUDY):
        started.rename(study, f"{study} of {time.monotonic_ns()}")


@pytest.fixture
def root(tmp_path: Path) -> str:
    return str(tmp_path / "registry")


def test_a_registered_model_is_a_run_and_a_version(
    mlflow: Mlflow, root: str, tmp_path: Path
) -> None:
    (entry,) = registered(root, tmp_path, "a")

    found = follow(root, STUDY, Server(mlflow.address))

    assert (found.models, found.added, found.champion) == (1, 1, "1")
    (run,) = mlflow.runs()
    info, data = run["info"], run["data"]
    assert (info["run_name"], info["status"]) == ("run of a", "FINISHED")
    assert {m["key"]: m["value"] for m in data["metrics"]} == {"auc.death": 0.7}
    parameters = {p["key"]: p["value"] for p in data["params"]}
    assert parameters["dependency_lock"] == "lock"
    assert parameters["study_digest"] == "study"
    assert tags(data)["trial.address.card"] == f"{entry.documents_uri}/card.html"
    version = mlflow.versions()[entry.id]
    assert version["source"] == f"trial-registry://{entry.model_uri}"
    assert version["run_id"] == info["run_id"]
    assert mlflow.aliases() == {"champion": entry.id}


def test_aliases_and_stages_follow_promotion_rollback_and_retirement(
    mlflow: Mlflow, root: str, tmp_path: Path
) -> None:
    variables = {"TRIAL_MLFLOW": mlflow.address}

    def now() -> dict[str, str]:
        assert tell(root, STUDY, variables) is None
        return mlflow.aliases()

    a, b = (entry.id for entry in registered(root, tmp_path, "a", "b"))
    c = add(root, tmp_path, "c", Decision(b, "person")).entry.id
    assert now() == {"champion": b, "candidate": c}
    promote(root, decision(), c, Rules("person"))
    assert now() == {"champion": c}
    roll_back(root, decision(), a)
    assert now() == {"champion": a}
    retire(root, decision(), c)
    assert now() == {"champion": a, "retired": c}
    retire(root, decision(), a)
    assert now() == {"retired": a}
    stages = {model: tags(found)["trial.stage"] for model, found in mlflow.versions().items()}
    assert stages == {a: "retired", b: "candidate", c: "retired"}


def test_the_same_event_twice_changes_nothing(mlflow: Mlflow, root: str, tmp_path: Path) -> None:
    registered(root, tmp_path, "a", "b")
    follow(root, STUDY, Server(mlflow.address))
    before = mlflow.everything()

    found = follow(root, STUDY, Server(mlflow.address))

    assert (found.models, found.added) == (2, 0)
    assert mlflow.everything() == before


def test_what_a_writer_that_died_has_left_is_finished(
    mlflow: Mlflow, root: str, tmp_path: Path
) -> None:
    (entry,) = registered(root, tmp_path, "a")
    made = mlflow.post("experiments/create", name=STUDY, tags=_tag("trial.registry", entry.id))
    run = mlflow.post(
        "runs/create", experiment_id=made["experiment_id"], tags=_tag("trial.model", entry.id)
    )["run"]["info"]["run_id"]
    assert tell(root, STUDY, {"TRIAL_MLFLOW": mlflow.address}) is None

    (found,) = mlflow.runs()
    assert (found["info"]["run_id"], found["info"]["status"]) == (run, "FINISHED")
    assert len(found["data"]["metrics"]) == 1
    assert mlflow.versions()[entry.id]["run_id"] == run


def test_another_registry_of_the_same_study_is_refused(
    mlflow: Mlflow, root: str, tmp_path: Path
) -> None:
    registered(root, tmp_path, "a")
    follow(root, STUDY, Server(mlflow.address))
    before = mlflow.everything()
    registered(f"{root}-of-others", tmp_path, "b")

    with pytest.raises(UserError, match=f"experiment {STUDY} there does not follow this registry"):
        follow(f"{root}-of-others", STUDY, Server(mlflow.address))

    assert mlflow.everything() == before


def test_a_deleted_experiment_is_reported(mlflow: Mlflow, root: str, tmp_path: Path) -> None:
    registered(root, tmp_path, "a")
    follow(root, STUDY, Server(mlflow.address))
    experiment = mlflow.ask("experiments/get-by-name", experiment_name=STUDY)["experiment"]
    mlflow.post("experiments/delete", experiment_id=experiment["experiment_id"])

    problem = tell(root, STUDY, {"TRIAL_MLFLOW": mlflow.address})

    assert f"the experiment {STUDY} was deleted there" in str(problem)
    mlflow.post("experiments/restore", experiment_id=experiment["experiment_id"])


def test_a_run_tells_what_it_registers(
    mlflow: Mlflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAL_MLFLOW", mlflow.address)

    registration = Run(tmp_path).execute()

    assert mlflow.aliases(RUN_STUDY) == {"champion": registration["entry"]["id"]}


def test_a_decision_stands_while_the_server_is_gone_and_a_command_makes_up_for_it(
    program: Path,
    root: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, port = tmp_path / "server", free_port()
    folder.mkdir()
    monkeypatch.setenv("TRIAL_MLFLOW", f"http://127.0.0.1:{port}")
    a, b = (entry.id for entry in registered(root, tmp_path, "a", "b"))

    def models(*command: str) -> tuple[int, str, str]:
        code = main(["models", *command, "--study", STUDY, "--registry", root])
        return code, *capsys.readouterr()

    with running(program, folder, port) as mlflow:
        assert models("mlflow")[0] == 0
        assert mlflow.aliases() == {"champion": b}

    code, _, warned = models("rollback", "--reason", "alarm about Ada Lovelace")
    assert (code, champion_id(root)) == (0, a)
    assert warned.count("Warning: MLflow does not follow the registry") == 1
    assert "it can't be reached" in warned

    with running(program, folder, port) as mlflow:
        assert mlflow.aliases() == {"champion": b}
        assert "champion version 1" in models("mlflow")[1]
        assert mlflow.aliases() == {"champion": a}
        assert tags(mlflow.versions()[a])["trial.decision"] == "rolled back"
    assert b"Lovelace" not in (folder / "mlflow.db").read_bytes()


def test_a_server_that_asks_who_one_is_is_followed_with_name_and_password_alone(
    program: Path, root: str, tmp_path: Path
) -> None:
    folder, port, password = tmp_path / "server", free_port(), "correct horse battery"
    folder.mkdir()
    (entry,) = registered(root, tmp_path, "a")
    with running(program, folder, port, ("trial", password)) as mlflow:
        for wrong in ({}, {USER_VARIABLE: "trial", PASSWORD_VARIABLE: "wrong"}):
            with pytest.raises(UserError, match=r"refuses the access \(401\)"):
                follow(root, STUDY, _patient(mlflow.address, wrong))
        right = {USER_VARIABLE: "trial", PASSWORD_VARIABLE: password}
        follow(root, STUDY, _patient(mlflow.address, right))
        assert mlflow.aliases() == {"champion": entry.id}
    assert password not in (folder / "log").read_text()


def _patient(address: str, access: Mapping[str, str]) -> Server:
    """A server as variables say; to compute what a password is compared with takes its time."""
    found = server_of({"TRIAL_MLFLOW": address, **access})
    assert found
    return replace(found, seconds=60.0)


def _tag(key: str, value: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value}]
