"""What is refused before anything is scored, each by one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import Settings
from pipeline.errors import UserError
from pipeline.scoring_config import chosen_model, resolve_scoring
from pipeline.study.load import load_study
from tests.components.registered_model.hand_made_model import register_by_hand
from tests.scored_trial import write_subjects

ID = "0123456789abcdef"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_subjects(tmp_path / "new")


def settings(study: Path) -> Settings:
    return Settings(study=str(study), data=str(study.parent), root=study.parents[1] / "runs")


@pytest.mark.parametrize(("text", "found"), [(None, ""), (ID, ID), (f"first/{ID}", ID)])
def test_a_registration_or_the_champion_is_chosen(
    study: Path, text: str | None, found: str
) -> None:
    assert chosen_model(load_study(study), text) == found


def test_a_model_of_another_study_is_refused(study: Path) -> None:
    with pytest.raises(UserError, match="a model of the study second does not score subjects of"):
        chosen_model(load_study(study), f"second/{ID}")


@pytest.mark.parametrize("text", ["", "champion", "first/", f"{ID}0"])
def test_what_is_no_id_is_refused(study: Path, text: str) -> None:
    with pytest.raises(UserError, match="16 hexadecimal digits"):
        chosen_model(load_study(study), text)


def test_a_study_without_a_champion_is_refused(study: Path) -> None:
    with pytest.raises(UserError, match=r"no champion of the study first.*trial run"):
        resolve_scoring(settings(study), None, None, "run-1")


def test_an_unknown_registration_is_refused(study: Path, tmp_path: Path) -> None:
    registry, trained = tmp_path / "registry", tmp_path / "trained"
    trained.mkdir()
    register_by_hand(registry, trained)

    with pytest.raises(UserError, match=f"no registration has the id {ID}"):
        resolve_scoring(settings(study), ID, str(registry), "run-1")


def test_a_missing_column_of_a_feature_is_refused(study: Path) -> None:
    data = study.parent / "subjects.csv"
    data.write_text(data.read_text().replace("AGE", "YEARS", 1))

    with pytest.raises(UserError, match="AGE"):
        resolve_scoring(settings(study), None, None, "run-1")


def test_outcomes_need_not_be_there(study: Path, tmp_path: Path) -> None:
    registry, trained = tmp_path / "registry", tmp_path / "trained"
    trained.mkdir()
    register_by_hand(registry, trained)
    assert not (study.parent / "deaths.csv").exists()

    config, model = resolve_scoring(settings(study), None, str(registry), "run-1")

    assert (model, config.kind, config.store, config.serving_dir) == ("", "scoring", "", None)
    assert config.pipeline_name == "score-first"
