"""The user's choice of a registered model."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import Settings
from pipeline.errors import UserError
from pipeline.study.load import parse_study
from pipeline.validation_config import ModelChoice, resolve_validation, with_model
from tests.pipeline.study.hand_made_study import changed

ID = "0123456789abcdef"


def test_a_study_alone_means_its_champion() -> None:
    assert ModelChoice.parse("first", None) == ModelChoice(of="first", model=None)


def test_a_registration_is_named_by_study_and_id() -> None:
    assert ModelChoice.parse(f"first/{ID}", "s3://b/r") == ModelChoice("first", ID, "s3://b/r")


@pytest.mark.parametrize("text", ["", "/x", "first/x/y"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="STUDY/ID"):
        ModelChoice.parse(text, None)


def test_the_command_line_takes_precedence_over_the_study_file() -> None:
    study = parse_study(changed(validation={"of": "other", "model": ID}), "a study")

    chosen = with_model(study, ModelChoice.parse("first", None)).validation
    assert (chosen.of, chosen.model) == ("first", None)


def test_without_a_choice_the_study_file_decides() -> None:
    study = parse_study(changed(validation={"of": "other", "model": ID}), "a study")

    assert with_model(study, ModelChoice()) == study


def test_an_id_that_is_none_is_refused() -> None:
    study = parse_study(changed(), "a study")

    with pytest.raises(UserError, match=r"validation\.model"):
        with_model(study, ModelChoice.parse("first/champion", None))


def test_a_registry_without_the_model_is_refused_before_a_stage_runs(tmp_path: Path) -> None:
    settings = Settings(subjects=100, root=tmp_path / "runs", seed=5)

    with pytest.raises(UserError, match=r"no champion of the study first.*--registry"):
        resolve_validation(settings, ModelChoice.parse("first", None), "run-1")
