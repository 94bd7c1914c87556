"""The part of a study that a stage gets: what every class of settings has in common."""

from __future__ import annotations

import functools
import json
import operator
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from components.batch_scoring.settings import BatchScoringSettings
from components.blessed_model.settings import BlessedModelSettings
from components.champion_model.settings import ChampionModelSettings
from components.cross_fit.settings import CrossFitSettings
from components.data_gate.settings import DataGateSettings
from components.evaluator.settings import EvaluatorSettings
from components.external_validation.settings import ExternalValidationSettings
from components.metrics_exporter.settings import MetricsExporterSettings
from components.model_card.settings import ModelCardSettings
from components.model_registrar.settings import ModelRegistrarSettings
from components.monitor.settings import MonitorSettings
from components.outcome_log.settings import OutcomeLogSettings
from components.reference_models.settings import ReferenceModelsSettings
from components.registered_model.settings import RegisteredModelSettings
from components.skew_gate.settings import SkewGateSettings
from components.trial_analysis.settings import TrialAnalysisSettings
from components.trial_example_gen.settings import TrialExampleGenSettings
from components.trial_summary.settings import TrialSummarySettings
from components.updated_model.settings import UpdatedModelSettings
from pipeline.errors import UserError
from pipeline.pages.evaluation.settings import RunPageSettings
from pipeline.store.exported_study import ExportedStudy
from pipeline.study.load import load_study, parse_study
from pipeline.study.settings import Settings
from pipeline.study.shipped import SCHEMAS
from pipeline.version import PROJECT
from tests.pipeline.study.generated_trial import TRIAL

CLASSES = (
    BatchScoringSettings,
    BlessedModelSettings,
    ChampionModelSettings,
    CrossFitSettings,
    DataGateSettings,
    EvaluatorSettings,
    ExportedStudy,
    ExternalValidationSettings,
    MetricsExporterSettings,
    ModelCardSettings,
    ModelRegistrarSettings,
    MonitorSettings,
    OutcomeLogSettings,
    ReferenceModelsSettings,
    RegisteredModelSettings,
    RunPageSettings,
    SkewGateSettings,
    TrialAnalysisSettings,
    TrialExampleGenSettings,
    TrialSummarySettings,
    UpdatedModelSettings,
)
STUDIES = sorted(path.parent.name for path in SCHEMAS.glob("*/study.yaml"))
CONTENTS: list[dict[str, Any]] = [
    TRIAL,
    *(yaml.safe_load((SCHEMAS / study / "study.yaml").read_text()) for study in STUDIES),
]
SHOWN = {
    *("features", "tasks", "slicing.by", "analysis.time_to_event"),
    *("summary.exposure", "summary.endpoints"),
}
"""Mappings by name whose order is the one in which documents and pages show the names."""
SHOWN_BY = {
    BatchScoringSettings: {"features", "tasks"},
    ChampionModelSettings: set(),
    CrossFitSettings: {"features", "tasks"},
    ExternalValidationSettings: {"features", "tasks"},
    ModelRegistrarSettings: set(),
    OutcomeLogSettings: {"tasks"},
    ReferenceModelsSettings: {"features", "tasks"},
    SkewGateSettings: {"features"},
    RegisteredModelSettings: set(),
    TrialExampleGenSettings: set(),
    UpdatedModelSettings: set(),
    TrialSummarySettings: {"summary.exposure", "summary.endpoints"},
}
"""The same for stages that show fewer of them."""


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("chosen", CLASSES)
def test_settings_are_read_as_they_were_written(chosen: type[Settings], study: str) -> None:
    written = chosen.of(load_study(SCHEMAS / study / "study.yaml"))

    assert chosen.from_json(written.to_json()) == written
    assert chosen.from_json(written.to_json()).to_json() == written.to_json()


@pytest.mark.parametrize("chosen", CLASSES)
def test_settings_of_another_form_are_refused_by_their_name(chosen: type[Settings]) -> None:
    with pytest.raises(UserError, match=chosen.__name__):
        chosen.from_json("{}")


@pytest.mark.parametrize("chosen", CLASSES)
def test_an_unknown_key_is_refused(chosen: type[Settings]) -> None:
    study = load_study(SCHEMAS / "synthetic" / "study.yaml")
    text = chosen.of(study).to_json()

    with pytest.raises(UserError, match="surplus"):
        chosen.from_json(text[:-1] + ',"surplus":1}')


@pytest.mark.parametrize("chosen", CLASSES)
def test_who_may_read_the_internal_report_is_no_part_of_them(chosen: type[Settings]) -> None:
    public = load_study(SCHEMAS / "synthetic" / "study.yaml").as_public()
    internal = public.model_copy(update={"disclosure": "internal"})

    assert chosen.of(internal).to_json() == chosen.of(public).to_json()


def reordered(content: Any, kept: set[str], random: Random, place: str = "") -> Any:
    """Content of a study file with the keys of each mapping in random order, but of those kept."""
    if isinstance(content, list):
        return [reordered(part, kept, random, place) for part in content]
    if not isinstance(content, dict):
        return content
    keys = list(content)
    # `each` is a list of values as well: the order of the features that it makes.
    if place not in kept and not place.endswith(".each"):
        random.shuffle(keys)
    return {
        key: reordered(content[key], kept, random, f"{place}.{key}".removeprefix("."))
        for key in keys
    }


@pytest.mark.parametrize("chosen", CLASSES)
@settings(max_examples=10)
@given(content=st.sampled_from(CONTENTS), random=st.randoms(use_true_random=False))
def test_an_order_that_nothing_shows_changes_no_settings(
    chosen: type[Settings], content: dict[str, Any], random: Random
) -> None:
    original = parse_study(content, "the study")
    other = reordered(content, SHOWN_BY.get(chosen, SHOWN), random)

    assert chosen.of(parse_study(other, "the study")).to_json() == chosen.of(original).to_json()


@pytest.mark.parametrize("place", sorted(SHOWN))
def test_an_order_that_the_card_shows_is_kept(place: str) -> None:
    content = yaml.safe_load((SCHEMAS / "synthetic" / "study.yaml").read_text())
    names = functools.reduce(operator.getitem, place.split("."), content)
    if len(names) == 1:
        names["aaa"] = next(iter(names.values()))
    first = min(names)
    names[first] = names.pop(first)
    written = ModelCardSettings.of(parse_study(content, "the study")).to_json()

    found = functools.reduce(operator.getitem, place.split("."), json.loads(written)["study"])
    assert list(found) == list(names)
    assert list(found) != sorted(found)


def test_every_component_has_settings_or_reads_no_study() -> None:
    every = {path.parent.name for path in (PROJECT / "components").glob("*/component.py")}
    found = {path.parent.name for path in (PROJECT / "components").glob("*/settings.py")}

    # CuratedSchema takes a schema alone; RunPage's settings are those of its page.
    assert every - found == {"curated_schema", "run_page"}


def test_every_class_of_settings_is_tested_here() -> None:
    assert set(CLASSES) == set(Settings.__subclasses__())
