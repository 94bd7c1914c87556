"""The table of reference models on pages."""

from __future__ import annotations

from pipeline.html.page import Section, render_part
from pipeline.pages.reference_models import reference_table
from tests.pipeline.results.reference_metrics import metrics_of


def test_each_model_has_a_row_with_its_auc_and_the_paired_gain() -> None:
    table = reference_table(metrics_of("death", 0.7, ridge=0.65), {"death": "Death"})
    assert table is not None
    html = render_part(Section("Performance", [table]))
    for text in ("Death", "This model", "Ridge logistic regression", "0.650", "0.050"):
        assert text in html, text


def test_without_reference_models_there_is_no_table() -> None:
    assert reference_table(metrics_of("death", 0.7), {"death": "Death"}) is None
