"""The part of a study that a stage gets: what every class of settings has in common."""

from __future__ import annotations

import pytest

from components.champion_model.settings import ChampionModelSettings
from components.data_gate.settings import DataGateSettings
from components.evaluator.settings import EvaluatorSettings
from components.model_registrar.settings import ModelRegistrarSettings
from components.trial_analysis.settings import TrialAnalysisSettings
from pipeline.errors import UserError
from pipeline.pages.evaluation.settings import RunPageSettings
from pipeline.study.load import load_study
from pipeline.study.settings import Settings
from pipeline.study.shipped import SCHEMAS

CLASSES = (
    ChampionModelSettings,
    DataGateSettings,
    EvaluatorSettings,
    ModelRegistrarSettings,
    RunPageSettings,
    TrialAnalysisSettings,
)
STUDIES = sorted(path.parent.name for path in SCHEMAS.glob("*/study.yaml"))


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("settings", CLASSES)
def test_settings_are_read_as_they_were_written(settings: type[Settings], study: str) -> None:
    written = settings.of(load_study(SCHEMAS / study / "study.yaml"))

    assert settings.from_json(written.to_json()) == written


@pytest.mark.parametrize("settings", CLASSES)
def test_settings_of_another_form_are_refused_by_their_name(settings: type[Settings]) -> None:
    with pytest.raises(UserError, match=settings.__name__):
        settings.from_json("{}")


@pytest.mark.parametrize("settings", CLASSES)
def test_an_unknown_key_is_refused(settings: type[Settings]) -> None:
    study = load_study(SCHEMAS / "synthetic" / "study.yaml")
    text = settings.of(study).to_json()

    with pytest.raises(UserError, match="surplus"):
        settings.from_json(text[:-1] + ',"surplus":1}')


def test_every_class_of_settings_is_tested_here() -> None:
    assert set(CLASSES) == set(Settings.__subclasses__())
