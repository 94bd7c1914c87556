"""`trial score`, as a person runs it on subjects without any outcome."""

from __future__ import annotations

import stat

import pytest

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


def test_the_page_names_no_subject_and_no_small_number(scored: Scored) -> None:
    page = scored.path("page").read_text()

    assert "Predictions of a registered model" in page
    assert "Death within a year" in page
    assert "Category that no training subject had" in page
    assert [flag["subjects"] for flag in each(scored.summary["flags"])] == [None] * 4


def test_the_store_has_nothing_of_it(scored: Scored) -> None:
    assert not (scored.root / "store.sqlite").exists()
