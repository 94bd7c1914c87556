"""The reference models on a terminal."""

from __future__ import annotations

from pipeline.runners.local.reference_lines import reference_lines
from tests.pipeline.results.reference_metrics import metrics_of


def test_the_terminal_has_a_column_for_each_model() -> None:
    text = reference_lines(metrics_of("death", 0.7, base_rate=0.5, ridge=0.65))
    assert text is not None
    _, heads, line, difference = text.plain.splitlines()
    assert heads.split() == ["task", "this", "model", "base", "rate", "ridge"]
    assert line.split() == ["death", "0.700", "0.500", "0.650"]
    assert difference == "  difference to ridge: +0.050 (-0.050 to +0.150)"


def test_a_difference_that_rounds_to_nothing_has_no_sign() -> None:
    text = reference_lines(metrics_of("death", 0.7, ridge=0.7001))
    assert text is not None
    assert "difference to ridge: 0.000 (-0.100 to +0.100)" in text.plain


def test_a_long_name_stands_above_its_numbers_within_80_columns() -> None:
    aucs = dict.fromkeys(("base_rate", "ridge", "random_forest", "gradient_boosting"), 0.6)
    text = reference_lines(metrics_of("moderate_or_severe_adverse_event_of_skin", 0.7, **aucs))
    assert text is not None
    lines = text.plain.splitlines()
    assert "moderate_or_severe_adverse_event_of_skin" in lines
    assert max(map(len, lines)) <= 80


def test_without_reference_models_nothing_is_shown() -> None:
    assert reference_lines(metrics_of("death", 0.7)) is None
