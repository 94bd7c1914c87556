"""`trial score`, as a person runs it on subjects without any outcome."""

from __future__ import annotations

import json
import stat

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipeline.predictions.open_log import open_log
from tests.each import each
from tests.scored_trial import (
    FLAGGED,
    SUBJECTS,
    Scored,
    risk,
    run_scoring,
    subject_rows,
    write_subjects,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Scored:
    folder = tmp_path_factory.mktemp("scored")
    out = folder / "predictions.csv"
    study = write_subjects(folder / "new", scoring={"outside_population": "refuse"})
    ended = run_scoring(folder, study, "--out", str(out), "--with-subject")
    assert ended.code == 0, ended.terminal
    return ended


def test_each_subject_has_the_models_own_risk(scored: Scored) -> None:
    found = scored.predictions.set_index("subject")

    assert len(found) == SUBJECTS
    for name, age, sex, consent in each(subject_rows()):
        if consent == "Y":
            assert found.loc[name, "death"] == pytest.approx(risk(age, sex), abs=1e-6), name


def test_who_is_refused_has_a_flag_and_no_prediction(scored: Scored) -> None:
    without = scored.predictions[scored.predictions.death.isna()]

    assert list(without.subject) == ["S004"]
    assert list(without["flags"]) == ["outside_population"]
    assert without.relapse.isna().all()


def test_all_that_the_model_serves_is_predicted(scored: Scored) -> None:
    columns = list(scored.predictions.columns)

    assert columns == ["subject", "death", "relapse", "flags", "model"]
    assert set(scored.predictions.model) == {scored.model.id}


def test_who_differs_from_the_training_data_is_flagged(scored: Scored) -> None:
    found = scored.predictions.set_index("subject")["flags"].dropna()

    assert {name: flags.split(";") for name, flags in found.items()} == FLAGGED


def test_only_the_owner_can_read_the_predictions(scored: Scored) -> None:
    (folder,) = scored.root.glob("first/scoring/artifacts/BatchScoring/scored/*")

    for path in each([scored.path("predictions"), *folder.glob("part-*")]):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_original_keys_are_in_the_file_alone(scored: Scored) -> None:
    for path in each(path for path in scored.root.rglob("*") if path.is_file()):
        assert b"S001" not in path.read_bytes(), path


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Scored:
    """The same subjects, added to a prediction log in place of a file."""
    folder = tmp_path_factory.mktemp("logged")
    study = write_subjects(folder / "new", scoring={"outside_population": "refuse"})
    log = ("--out", "store", "--prediction-log", str(folder / "log"))
    ended = run_scoring(folder, study, *log)
    assert ended.code == 0, ended.terminal
    return ended


def test_the_log_has_the_rows_of_the_file(scored: Scored, logged: Scored) -> None:
    (table,) = open_log(str(logged.root.parent / "log")).read("first")
    rows = {(row["subject_hash"], row["task"]): row for row in table.to_pylist()}

    assert len(rows) == len(table) == 2 * SUBJECTS
    for name, found in each(scored.predictions.iterrows()):
        flags = found["flags"].split(";") if isinstance(found["flags"], str) else []
        for task in ("death", "relapse"):
            row = rows[str(name), task]
            assert (row["flags"], row["model"]) == (flags, logged.model.id)
            if np.isnan(found[task]):
                assert row["prediction"] is None
            else:
                # The file has the digits of float32 as text.
                assert np.float32(row["prediction"]) == np.float32(found[task])


def test_the_log_has_coarse_bins_and_no_original_key(scored: Scored, logged: Scored) -> None:
    (table,) = open_log(str(logged.root.parent / "log")).read("first")
    keys = scored.predictions["subject"].to_dict()
    bins = {keys[row["subject_hash"]]: dict(row["inputs"]) for row in table.to_pylist()}

    # A quarter of the training subjects each was 40, 50, 60 and 70: the bins begin at 40, 50, 60.
    assert bins["S000"] == {"AGE": "1", "SEX": "F"}
    assert bins["S001"] == {"AGE": "4", "SEX": "M"}
    assert bins["S002"] == {"AGE": "2", "SEX": ""}
    assert bins["S003"] == {"AGE": None, "SEX": "F"}
    (file,) = (logged.root.parent / "log").rglob("*.parquet")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "S001" not in {str(value) for row in table.to_pylist() for value in row.values()}


def test_the_summary_says_that_there_is_a_log_and_no_file(scored: Scored, logged: Scored) -> None:
    assert (logged.summary["logged"], scored.summary["logged"]) == (True, False)
    assert "added to the prediction log" in logged.path("page").read_text()
    assert f"added to {logged.root.parent / 'log'}" in logged.terminal.replace("\n", "")
    assert "predictions" not in logged.answer["paths"]
    assert not list(logged.root.rglob("predictions.parquet"))


def test_without_an_address_no_bin_is_written(scored: Scored) -> None:
    for path in each(scored.root.rglob("part-*.parquet")):
        assert "inputs" not in pq.read_schema(path).names


def test_subjects_in_another_unit_end_the_scoring_without_any_prediction(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("stopped")
    out, study = folder / "predictions.csv", write_subjects(folder / "new")
    data = study.parent / "subjects.csv"
    subjects = pd.read_csv(data)
    subjects["AGE"] *= 12
    subjects.to_csv(data, index=False)

    ended = run_scoring(folder, study, "--out", str(out))

    assert ended.code == 2
    said = ended.terminal + json.dumps(ended.answer)
    assert "AGE" in said
    assert "most of its numbers are out of the range of the training data" in said
    assert not out.exists()
    assert not [*ended.root.rglob("part-*"), *ended.root.rglob("predictions.*")]


def test_the_page_names_no_subject_and_no_small_number(scored: Scored) -> None:
    page = scored.path("page").read_text()

    assert "Predictions of a registered model" in page
    assert "Death within a year" in page
    assert "Category that no or few training subjects had" in page
    assert [flag["subjects"] for flag in each(scored.summary["flags"])] == [None] * 4


def test_the_store_has_nothing_of_it(scored: Scored) -> None:
    assert not (scored.root / "store.sqlite").exists()
