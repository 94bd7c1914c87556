"""Where people read of features, none stands by its name alone if the study file gives a title.

The features are those of the synthetic trial; which of them have a title is drawn.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from components.batch_scoring.settings import BatchScoringSettings
from components.batch_scoring.summary import Totals
from components.data_gate import rules
from components.data_gate.anomalies import anomaly_findings
from components.data_gate.missingness import missingness
from components.data_gate.settings import DataGateSettings
from components.external_validation.case_mix import compare_case_mix
from components.external_validation.settings import ExternalValidationSettings
from components.skew_gate.rules import skew_findings
from components.skew_gate.settings import SkewGateSettings
from notebooks.data.gate_blocks import finding_blocks
from pipeline.html.page import Section, render, render_part
from pipeline.pages.scoring import scoring_page
from pipeline.pages.validation import validation_page
from pipeline.pages.validation_result import ValidationResult
from pipeline.results.documents import Verdict
from pipeline.results.findings import Finding, Findings, stop_message
from pipeline.results.scoring import Scoring
from pipeline.results.validation import ExternalValidation, ValidatedModel
from pipeline.skew.distance import Distance
from pipeline.study.features import feature_titles
from pipeline.study.load import load_study
from pipeline.study.sections import Gate
from pipeline.study.shipped import find_study_file
from pipeline.study.study import Study
from tests.components.run_page.hand_made_run import result
from tests.described_subjects import columns_of
from tests.each import each

NAMES = tuple(feature_titles(load_study(find_study_file("synthetic"))))
MODEL = ValidatedModel(id="m", study="s", registered_at="2026", fingerprint="f", model_digest="d")
_SUBJECTS = 60

titles = st.sets(st.sampled_from(NAMES), min_size=1).map(
    lambda chosen: {name: f"Title of {place}" for place, name in enumerate(sorted(chosen))}
)


@cache
def subjects(shift: float) -> pd.DataFrame:
    """Subjects who have nothing in common with those of another shift."""
    study = load_study(find_study_file("synthetic"))
    columns: dict[str, Any] = {
        feature.name: np.arange(_SUBJECTS) + shift
        if feature.kind == "number"
        else [f"level {shift}"] * _SUBJECTS
        for feature in study.resolved_features
    }
    return pd.DataFrame(columns)


@cache
def statistics(shift: float) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Of these subjects."""
    return tfdv.generate_statistics_from_dataframe(subjects(shift), n_jobs=1)


def gate_findings(study: Study) -> Iterator[Finding]:
    """What every rule on features says of each of them."""
    of = DataGateSettings.of(study)
    positive = np.arange(200) < 100
    columns = rules.Columns(
        numbers=dict.fromkeys(NAMES, positive * 1.0),
        categories={},
        labels={"response": positive},
        known={"response": np.ones(200, bool)},
        missing=dict.fromkeys(NAMES, positive),
        titles=of.titles,
    )
    yield from rules.leakage(columns, Gate(leakage="stop"))
    yield from rules.leakage(columns, Gate(leakage_auc=1.0))
    yield from missingness(columns, Gate(missingness="stop"), 20)
    distances = [Distance(name, "L-infinity distance", x) for name in NAMES for x in (0.9, None)]
    yield from rules.drift(distances, Gate(drift="stop"), of.titles)
    reason = anomalies_pb2.AnomalyInfo.Reason(
        type=anomalies_pb2.AnomalyInfo.FEATURE_TYPE_LOW_FRACTION_PRESENT
    )
    anomalies = anomalies_pb2.Anomalies(
        anomaly_info={name: anomalies_pb2.AnomalyInfo(reason=[reason]) for name in NAMES}
    )
    nothing = statistics_pb2.DatasetFeatureStatisticsList()
    schema = schema_pb2.Schema()
    yield from anomaly_findings(anomalies, nothing, schema, "eval", "stop", titles=of.titles)


def gate_message(study: Study) -> str:
    return stop_message(study.study, list(gate_findings(study))) or ""


def notebook(study: Study) -> str:
    return render_part(Section("Gate", finding_blocks(list(gate_findings(study)))))


def skew(study: Study) -> tuple[Finding, ...]:
    now = columns_of(subjects(1e6))
    settings_of = SkewGateSettings.of(study)
    return tuple(skew_findings(statistics(1e6), now, statistics(0.0), settings_of))


def skew_message(study: Study) -> str:
    return stop_message(study.study, skew(study), "the scoring", "scoring") or ""


def page_of_scoring(study: Study) -> str:
    totals = Totals()
    totals.subjects = 100
    totals._flags.update({f"out_of_range:{name}": 50 for name in NAMES})
    document = Scoring(
        model=MODEL,
        study=study.study,
        fingerprint="f",
        subjects=100,
        smallest_group=20,
        tasks=(),
        flags=totals.flags(BatchScoringSettings.of(study)),
        skew=skew(study),
    )
    return render(scoring_page(document, study.title, "0"))


def page_of_validation(study: Study) -> str:
    of = ExternalValidationSettings.of(study)
    run = result()
    found = ExternalValidation(
        model=MODEL,
        study=study.study,
        fingerprint="f",
        subjects=_SUBJECTS,
        smallest_group=20,
        case_mix=compare_case_mix(
            statistics(0.0).datasets[0],
            statistics(1e6).datasets[0],
            of.numbers,
            of.categories,
            20,
            of.features,
        ),
        tasks=(),
    )
    judged: Verdict = run.verdict
    page = ValidationResult("A trial", {}, found, run.metrics, judged, run.curves, "0")
    return render(validation_page(page))


PLACES: dict[str, Callable[[Study], str]] = {
    "what the data gate says when it stops a run": gate_message,
    "findings and anomalies in the notebook": notebook,
    "what the gate before scoring says": skew_message,
    "page of a scoring": page_of_scoring,
    "page of a validation": page_of_validation,
}


def with_titles(given_titles: dict[str, str]) -> Study:
    """The synthetic study, whose features have these titles and no others."""
    study = load_study(find_study_file("synthetic"))
    resolved = tuple(
        feature.__class__(
            **{**vars(feature), "title": given_titles.get(feature.name, feature.name)}
        )
        for feature in study.resolved_features
    )
    changed = study.model_copy()
    changed.__dict__["resolved_features"] = resolved
    return changed


def bare(name: str, title: str, text: str) -> bool:
    """Whether a name stands in a text other than in brackets behind its title."""
    left = html.unescape(text).replace(f"{title} [{name}]", "")
    return re.search(rf"\b{re.escape(name)}\b", left) is not None


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(chosen=titles)
def test_no_feature_with_a_title_stands_by_its_name_alone(
    place: str, chosen: dict[str, str]
) -> None:
    text = PLACES[place](with_titles(chosen))

    for name, title in each(chosen.items()):
        assert title in text, (place, name)
        assert not bare(name, title, text), (place, name)


def test_a_feature_without_a_title_is_called_by_its_name() -> None:
    for place, shown in each(PLACES.items()):
        assert re.search(r"\blab_last_CRP\b", shown(with_titles({"AGE": "Age"}))), place


def test_a_finding_has_name_and_title() -> None:
    found = Findings(tuple(gate_findings(with_titles({"AGE": "Age (years)"}))))

    of_age = [item for item in found.root if item.feature == "AGE"]
    assert {item.title for item in each(of_age)} == {"Age (years)"}
