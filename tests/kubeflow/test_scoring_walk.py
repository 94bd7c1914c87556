"""The compiled package of a scoring, run task by task as Kubeflow Pipelines would run it.

The registered model is made by hand and the registry starts with it alone.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pandas as pd
import pytest
import yaml

from components.trial_example_gen.subject_hashes import subject_hashes
from pipeline.predictions.open_log import open_log
from pipeline.results.documents import read_result
from pipeline.results.monitoring import Monitoring
from pipeline.store.sqlite_file import sqlite_address
from tests.components.registered_model.hand_made_model import STUDY, content_of, register_by_hand
from tests.each import each
from tests.kubeflow.spec_walker import REPOSITORY, Commands, Walker
from tests.kubeflow.walks import Walked
from tests.scored_trial import FLAGGED, risk, subject_rows, write_subjects
from tests.whole_runs import SUBJECT_KEY, environment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scoring")


@pytest.fixture(scope="module")
def package(folder: Path) -> Path:
    write_subjects(folder / "new")
    return compiled_package(folder, "--score")


def compiled_package(folder: Path, kind: str) -> Path:
    """The package of a scoring or monitoring, with a prediction log."""
    settings = folder / "settings.yaml"
    log = f"prediction_log: {folder / 'log'}\n"
    settings.write_text((REPOSITORY / "kubeflow" / "settings.yaml").read_text() + log)
    compiled = subprocess.run(
        [
            *(sys.executable, "-m", "pipeline.cli", "compile", kind),
            *("--study", folder / "new" / "study.yaml"),
            *("--out", folder / "packages", "--settings", settings),
        ],
        cwd=REPOSITORY,
        env=environment(TF_CPP_MIN_LOG_LEVEL="3"),
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(compiled.stdout.splitlines()[0])


@pytest.fixture(scope="module")
def walked(folder: Path, package: Path) -> Walked:
    registry, trained = folder / "registry", folder / "trained"
    trained.mkdir()
    register_by_hand(registry, trained)
    before = content_of(registry)
    surroundings = environment(TRIAL_SUBJECT_KEY=SUBJECT_KEY, TF_CPP_MIN_LOG_LEVEL="3")
    walker = Walker(folder / "backend", Commands(surroundings))
    form = {"data_root": str(folder / "new"), "registry_root": str(registry)}
    tasks = walker.run(package.read_text(), form)
    assert content_of(registry) == before
    return Walked(walker, tasks)


@pytest.fixture(scope="module")
def predictions(walked: Walked) -> pd.DataFrame:
    parts = sorted(walked.output("BatchScoring", "scored").glob("part-*.parquet"))
    return pd.concat([pd.read_parquet(path) for path in each(parts)]).set_index("subject_hash")


def test_the_package_is_called_after_its_study(package: Path) -> None:
    spec = next(iter(yaml.safe_load_all(package.read_text())))

    assert package.name == "trial-first-score.yaml"
    assert spec["pipelineInfo"]["name"] == "score-first"
    assert "metrics_store" not in spec["root"]["inputDefinitions"]["parameters"]


def test_each_subject_has_the_models_own_risk(predictions: pd.DataFrame) -> None:
    rows = subject_rows()
    names = subject_hashes(STUDY, [name for name, *_ in rows], SUBJECT_KEY.encode())

    assert len(predictions) == len(rows)
    assert "subject" not in predictions.columns
    for pseudonym, (name, age, sex, _) in each(zip(names, rows, strict=True)):
        found = predictions.loc[pseudonym.decode()]
        assert found["death"] == pytest.approx(risk(age, sex), abs=1e-6), name
        assert list(found["flags"]) == FLAGGED.get(name, []), name


def test_the_prediction_log_has_the_same_rows(predictions: pd.DataFrame, folder: Path) -> None:
    (table,) = open_log(str(folder / "log")).read("first")
    found = table.to_pandas().query("task == 'death'").set_index("subject_hash")

    assert len(found) == len(predictions) == len(subject_rows())
    assert (found["prediction"] == predictions["death"].loc[found.index]).all()
    assert [list(flags) for flags in found["flags"]] == [
        list(flags) for flags in predictions["flags"].loc[found.index]
    ]


def test_the_page_is_an_artifact_that_kubeflow_shows(walked: Walked) -> None:
    page = walked.output("BatchScoring", "html").read_text()
    assert "Predictions of a registered model" in page


def test_the_log_is_monitored_by_a_package_that_reads_no_data(folder: Path, walked: Walked) -> None:
    monitored = compiled_package(folder, "--monitor")
    store = sqlite_address(folder / "store.sqlite")
    form = {"registry_root": str(folder / "registry"), "metrics_store": store}
    tasks = walked.walker.run(monitored.read_text(), form)

    found = read_result(
        Monitoring, str(Walked(walked.walker, tasks).output("Monitor", "monitoring"))
    )
    # The month in which the subjects were scored is not complete.
    assert (found.study, found.values) == ("first", ())
    with closing(connect(folder / "store.sqlite")) as connection:
        kinds = connection.execute(
            "SELECT kind, status FROM runs JOIN outcomes USING (run)"
        ).fetchall()
        models = connection.execute("SELECT model FROM monitorings").fetchall()
    assert kinds == [("monitoring", "done")]
    assert models == [(found.model.id,)]
