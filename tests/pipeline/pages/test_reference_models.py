"""The table of reference models on pages."""

from __future__ import annotations

from pipeline.html.numbers import count
from pipeline.html.page import Section, render_part
from pipeline.pages.reference_models import reference_table
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.results.reference_models import ReferenceFit
from tests.pipeline.results.reference_metrics import metrics_of


def test_each_model_has_a_row_with_its_auc_and_the_paired_gain() -> None:
    table = reference_table(metrics_of("death", 0.7, ridge=0.65), {"death": "Death"})
    assert table is not None
    html = render_part(Section("Performance", [table]))
    for text in ("Death", "This model", "Ridge logistic regression", "0.650", "0.050"):
        assert text in html, text


def test_without_reference_models_there_is_no_table() -> None:
    assert reference_table(metrics_of("death", 0.7), {"death": "Death"}) is None


def test_the_number_of_subjects_that_each_was_fitted_on_is_shown() -> None:
    fitted = {"ridge": ReferenceFit(repeats=2, most_subjects=1600)}
    plan = EvaluationPlan(scheme="cross_fit", requested="auto", folds=5, repeats=10)
    metrics = metrics_of("death", 0.7, ridge=0.65).model_copy(
        update={"reference_models": fitted, "evaluation": plan}
    )
    table = reference_table(metrics, {"death": "Death"})
    assert table is not None
    assert table.notes[-1] == (
        f"Ridge logistic regression: fitted on {count(1600)} subjects at most, in 2 of 10 repeats."
    )


def test_models_that_were_fitted_on_equally_many_subjects_share_a_line() -> None:
    fitted = {
        "base_rate": ReferenceFit(repeats=10, most_subjects=1600),
        "ridge": ReferenceFit(repeats=10, most_subjects=1600),
        "random_forest": ReferenceFit(repeats=2, most_subjects=1600),
    }
    plan = EvaluationPlan(scheme="cross_fit", requested="auto", folds=5, repeats=10)
    metrics = metrics_of("death", 0.7, ridge=0.65).model_copy(
        update={"reference_models": fitted, "evaluation": plan}
    )
    table = reference_table(metrics, {"death": "Death"})
    assert table is not None
    assert table.notes[-1] == (
        f"Base rate of the arm, ridge logistic regression, random forest: fitted on {count(1600)} "
        "subjects at most; random forest in 2 of 10 repeats."
    )
    assert sum(count(1600) in note for note in table.notes) == 1
