"""The reference models beside the challenger: which predicts as well."""

from __future__ import annotations

import pytest

from pipeline.results.documents import Metrics
from pipeline.results.reference_comparison import reference_models, simpler_models
from pipeline.titles import NAMES
from tests.pipeline.results.reference_metrics import metrics_of, record


def texts(metrics: Metrics, margin: float) -> list[str]:
    return [note.text(NAMES) for note in simpler_models(metrics, margin)]


def test_a_simpler_model_with_the_same_auc_predicts_as_well() -> None:
    found = metrics_of("death", 0.701, base_rate=0.5, ridge=0.698, random_forest=0.66)
    [sentence] = texts(found, margin=0.005)
    assert "death: ridge logistic regression predicts as well" in sentence
    assert "0.698" in sentence
    assert "0.701" in sentence
    assert "random forest" not in sentence


def test_a_simpler_model_whose_gain_is_shown_predicts_better() -> None:
    found = metrics_of("death", 0.6, ridge=0.7)
    shown = {"value": -0.1, "lower": -0.15, "upper": -0.05}
    records = tuple(
        item.model_copy(update=shown) if item.versus == "ridge" and item.metric == "auc" else item
        for item in found.records
    )
    [sentence] = texts(found.model_copy(update={"records": records}), margin=0.005)
    assert "ridge logistic regression predicts better" in sentence


def test_of_several_the_best_is_named() -> None:
    found = metrics_of("death", 0.70, ridge=0.71, gradient_boosting=0.72)
    [sentence] = texts(found, margin=0.005)
    assert "gradient boosting predicts as well" in sentence


@pytest.mark.parametrize(("margin", "said"), [(0.009, 0), (0.011, 1)])
def test_the_margin_of_the_study_decides(margin: float, said: int) -> None:
    sentences = list(texts(metrics_of("death", 0.71, ridge=0.70), margin))
    assert len(sentences) == said


def test_a_model_that_ranks_no_better_than_the_base_rate_is_named_with_it() -> None:
    [sentence] = texts(metrics_of("death", 0.5, base_rate=0.6, ridge=0.4), 0.005)
    assert sentence.startswith("death: base rate of the arm predicts as well: its AUC is 0.600")


def test_the_base_rate_comes_after_the_best_model_with_features() -> None:
    found = metrics_of("death", 0.70, base_rate=0.74, ridge=0.71, random_forest=0.72)
    [sentence] = texts(found, 0.005)
    assert sentence.startswith("death: random forest predicts as well: its AUC is 0.720")
    assert sentence.endswith("base rate of the arm, which uses no feature: its AUC is 0.740.")


def test_a_group_is_not_taken_for_all_subjects() -> None:
    found = metrics_of("death", 0.7, ridge=0.6)
    of_group = record("death", "auc", "ridge", 0.9, slice={"sex": "F"})
    more = found.model_copy(update={"records": (*found.records, of_group)})
    [ridge] = reference_models(more)
    assert ridge.auc.value == 0.6
