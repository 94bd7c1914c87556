"""The nightly DAG in an Airflow of its own environment: parsed and run once."""

from __future__ import annotations

import os
import shlex
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.environments import environment
from tests.commands import check
from tests.whole_runs import LENIENT, REPOSITORY, SMALL, SUBJECT_KEY, study_copy

pytestmark = pytest.mark.slow

DAG = "trial_nightly"


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, installed from its lock."""
    return environment("airflow", tmp_path_factory.mktemp("airflow") / "env") / "airflow"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nightly")


@pytest.fixture(scope="module")
def surroundings(home: Path) -> dict[str, str]:
    """Airflow's own environment, with what the commands read."""
    trial = shlex.join(["env", f"PYTHONPATH={REPOSITORY}", sys.executable, "-m", "pipeline.cli"])
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TRIAL_", "AIRFLOW_")) and name != "PYTHONPATH"
    }
    return inherited | {
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "pipeline" / "runners" / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "TRIAL_COMMAND": trial,
        "TRIAL_STUDY": str(study_copy(home / "study", LENIENT)),
        "TRIAL_ROOT": str(home / "runs"),
        "TRIAL_SUBJECTS": str(SMALL),
        "TRIAL_STEPS": "20",
        "TRIAL_SUBJECT_KEY": SUBJECT_KEY,
    }


@pytest.fixture(scope="module")
def tested(airflow: Path, surroundings: dict[str, str]) -> str:
    """What `airflow dags test` wrote, on a new database in a file."""
    check(airflow, "db", "migrate", env=surroundings)
    return check(airflow, "dags", "test", DAG, env=surroundings)


def test_every_task_of_the_dag_succeeds(home: Path, tested: str) -> None:
    assert "state=success" in tested
    with closing(sqlite3.connect(home / "airflow" / "airflow.db")) as database:
        found = dict(database.execute("SELECT task_id, state FROM task_instance"))
    assert found == dict.fromkeys(("run", "report", "boards"), "success")


def test_the_run_and_its_pages_are_there(home: Path, tested: str) -> None:
    del tested
    root = home / "runs"
    with closing(sqlite3.connect(root / "store.sqlite")) as store:
        assert store.execute("SELECT status FROM outcomes").fetchall() == [("done",)]
    assert "<html" in (root / "boards.html").read_text()
    (report,) = root.glob("synthetic/records/*/report.html")
    assert "<html" in report.read_text()
