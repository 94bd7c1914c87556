"""What Kubeflow's own page shows of a run, in the form that it reads."""

import json
import math
from typing import Any

import pytest
from kfp.dsl import ClassificationMetrics

from components.run_page.kubeflow_outputs import (
    classification_metadata,
    metrics_metadata,
    summary_markdown,
)
from tests.components.run_page.hand_made_run import AUC_AT_LEAST, failure, result


def test_a_tasks_table_has_numbers_only() -> None:
    table = metrics_metadata(result(), "death")

    assert all(isinstance(value, float) and math.isfinite(value) for value in table.values())
    assert table["auc"] == 0.72
    assert (table["auc_lower"], table["auc_upper"]) == (0.66, 0.78)
    assert (table["subjects"], table["positives"], table["blessed"]) == (400, 80, 1)


def test_rates_are_reported_at_their_decision_thresholds() -> None:
    assert metrics_metadata(result(), "death")["sensitivity_at_0.3"] == 0.6


def test_what_is_undefined_is_left_out() -> None:
    assert "positive_predictive_value_at_0.3" not in metrics_metadata(result(), "death")


def test_a_refused_model_has_blessed_0() -> None:
    refused = result(AUC_AT_LEAST, failures=[failure(AUC_AT_LEAST)])

    assert metrics_metadata(refused, "death")["blessed"] == 0


def test_curves_have_the_form_that_kfp_gives_them() -> None:
    expected = ClassificationMetrics()
    expected.log_roc_curve(fpr=[0.0, 0.2, 1.0], tpr=[0.0, 0.6, 1.0], threshold=[1.0, 0.3, 0.0])
    categories = ["without outcome", "with outcome (predicted: 0.3 or more)"]
    expected.log_confusion_matrix(categories, [[256, 64], [32, 48]])

    assert classification_metadata(result(), "death") == expected.metadata


def test_what_has_no_curve_has_no_metadata() -> None:
    whole = result()
    without = whole.curves.model_copy(update={"curves": ()})
    object.__setattr__(whole, "curves", without)

    assert classification_metadata(whole, "death") == {}


def test_metadata_are_json() -> None:
    json.dumps(metrics_metadata(result(), "death"), allow_nan=False)
    json.dumps(classification_metadata(result(), "death"), allow_nan=False)


def test_the_summary_has_decision_reasons_and_a_line_a_task() -> None:
    summary = summary_markdown(result(AUC_AT_LEAST, failures=[failure(AUC_AT_LEAST)]))

    assert summary.startswith(
        "# A demonstration trial\n\n**Refused.** 1 of 9 comparisons with thresholds "
        "failed.\n\n- Dead at 6 months: AUC overall is 0.5, below 0.7\n"
    )
    assert "| Dead at 6 months | refused | 400 | 80 | 0.720 (0.660 to 0.780) |" in summary


def test_the_summarys_table_has_as_many_cells_in_each_line() -> None:
    lines = [line for line in summary_markdown(result()).splitlines() if line.startswith("|")]

    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1


@pytest.mark.parametrize("text", ["a|b", "<b>", "_x_", "*x*", "[x](y)", "`x`", "# x"])
def test_text_is_never_taken_for_markdown(text: Any) -> None:
    whole = result(notes=[text])

    note = next(line for line in summary_markdown(whole).splitlines() if line.startswith("- "))
    unescaped = note.removeprefix("- ")
    for sign in "|<>_*[]`#":
        unescaped = unescaped.replace(f"\\{sign}", "")
    assert not set(unescaped) & set("|<>_*[]`#")
