"""The part of a study that a stage gets: what every class of settings has in common."""

from __future__ import annotations

import pytest

from components.champion_model.settings import ChampionModelSettings
from components.data_gate.settings import DataGateSettings
from components.evaluator.settings import EvaluatorSettings
from components.metrics_exporter.settings import MetricsExporterSettings
from components.model_card.settings import ModelCardSettings
from components.model_registrar.settings import ModelRegistrarSettings
from components.trial_analysis.settings import TrialAnalysisSettings
from components.trial_example_gen.settings import TrialExampleGenSettings
from components.trial_summary.settings import TrialSummarySettings
from pipeline.errors import UserError
from pipeline.pages.evaluation.settings import RunPageSettings
from pipeline.store.exported_study import ExportedStudy
from pipeline.study.load import load_study
from pipeline.study.settings import Settings
from pipeline.study.shipped import SCHEMAS
from pipeline.version import PROJECT

CLASSES = (
    ChampionModelSettings,
    DataGateSettings,
    EvaluatorSettings,
    ExportedStudy,
    MetricsExporterSettings,
    ModelCardSettings,
    ModelRegistrarSettings,
    RunPageSettings,
    TrialAnalysisSettings,
    TrialExampleGenSettings,
    TrialSummarySettings,
)
STUDIES = sorted(path.parent.name for path in SCHEMAS.glob("*/study.yaml"))


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("settings", CLASSES)
def test_settings_are_read_as_they_were_written(settings: type[Settings], study: str) -> None:
    written = settings.of(load_study(SCHEMAS / study / "study.yaml"))

    assert settings.from_json(written.to_json()) == written
    assert settings.from_json(written.to_json()).to_json() == written.to_json()


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


@pytest.mark.parametrize("settings", CLASSES)
def test_who_may_read_the_internal_report_is_no_part_of_them(settings: type[Settings]) -> None:
    public = load_study(SCHEMAS / "synthetic" / "study.yaml").as_public()
    internal = public.model_copy(update={"disclosure": "internal"})

    assert settings.of(internal).to_json() == settings.of(public).to_json()


def test_every_component_has_settings_or_reads_no_study() -> None:
    every = {path.parent.name for path in (PROJECT / "components").glob("*/component.py")}
    found = {path.parent.name for path in (PROJECT / "components").glob("*/settings.py")}

    # CuratedSchema takes a schema alone; RunPage's settings are those of its page.
    assert every - found == {"curated_schema", "run_page"}


def test_every_class_of_settings_is_tested_here() -> None:
    assert set(CLASSES) == set(Settings.__subclasses__())
