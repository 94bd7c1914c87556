"""What the page says about intervals and prediction sets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.html.blocks import Figure, Paragraph, Table
from pipeline.pages.evaluation.run_result import RunResult
from pipeline.pages.evaluation.uncertainty_section import uncertainty_section
from pipeline.results.documents import Curves, Metrics
from pipeline.results.evaluation_plan import EvaluationPlan
from tests.components.run_page.hand_made_run import SUBJECTS, documents, result
from tests.components.run_page.test_content import cells

SPACE = "\N{NARROW NO-BREAK SPACE}"

VALUES = {
    "coverage_positive": 0.91,
    "coverage_negative": 0.89,
    "single_sets": 0.6,
    "full_sets": 0.38,
    "empty_sets": 0.02,
    "interval_width": 0.04,
    "interval_calibration_error": 0.015,
}


def measured(brier: tuple[float, ...] = (0.13, 0.105, 0.08)) -> RunResult:
    """A run whose task `death` has intervals and sets.

    Args:
        brier: Brier score of the subjects kept, with none, a quarter and half of them left.
    """
    written = documents()
    records: list[dict[str, Any]] = written["metrics.json"]["records"]
    template = next(item for item in records if item["metric"] == "brier")
    for group, (subjects, positives) in SUBJECTS.items():
        for metric, value in VALUES.items():
            own = {"slice": dict(group), "subjects": subjects, "positives": positives}
            ends = {"value": value, "lower": value - 0.01, "upper": value + 0.01}
            records.append(template | own | {"metric": metric} | ends)
    for of_task in written["curves.json"]["curves"]:
        if of_task["task"] == "death":
            of_task["referral"] = [
                {
                    "referred": share,
                    "subjects": round(400 * (1 - share)),
                    "widest": 0.3 - share / 2,
                    "observed_rate": 0.2,
                    "brier": score,
                }
                for share, score in zip((0.0, 0.25, 0.5), brier, strict=True)
            ]
    return replace(
        result(),
        metrics=Metrics.model_validate(written["metrics.json"]),
        curves=Curves.model_validate(written["curves.json"]),
    )


def test_all_measures_of_all_groups_are_shown_with_their_intervals() -> None:
    section = uncertainty_section(measured(), "death")

    (table,) = (block for block in section.blocks if isinstance(block, Table))
    rows = cells(table)
    assert [row[0] for row in rows] == [
        "overall",
        "sex F",
        "sex M",
        "age <65",
        "age 65 to <75",
        "age >=75",
    ]
    assert len(rows[0]) == 1 + len(VALUES)
    assert rows[0][1] == "0.9 (0.9 to 0.9)"
    assert rows[0][3] == "0.6 (0.6 to 0.6)"


def test_the_page_says_what_breaks_the_promise() -> None:
    (first, *_) = uncertainty_section(measured(), "death").blocks

    assert isinstance(first, Paragraph)
    assert "Another case mix, other sites, later years" in str(first)


def test_where_groups_are_left_out_the_page_says_that_nothing_is_promised_of_them() -> None:
    run = measured()
    by_site = EvaluationPlan(
        scheme="internal_external", requested="internal_external", folds=3, repeats=1, by="site"
    )

    (first, *_) = uncertainty_section(
        replace(run, metrics=run.metrics.model_copy(update={"evaluation": by_site})), "death"
    ).blocks

    assert "Here each group (by site) was left out in turn" in str(first)
    assert "of a new group nothing is promised" in str(first)


@pytest.mark.parametrize(
    ("brier", "said"),
    [
        ((0.13, 0.105, 0.08), "is 0.080 instead of 0.130, less error. The"),
        ((0.13, 0.14, 0.15), "is 0.150 instead of 0.130: nothing, here the model errs no less on"),
        ((0.13, 0.1301, 0.1299), "is 0.130 instead of 0.130: nothing, here the model"),
        (
            (0.13, 0.12, 0.15),
            f"is 0.150 instead of 0.130: nothing. It is lowest, 0.120, with 25{SPACE}% left. The",
        ),
    ],
)
def test_the_curve_says_what_is_gained_by_leaving_subjects_to_people(
    brier: tuple[float, ...], said: str
) -> None:
    section = uncertainty_section(measured(brier), "death")

    (figure,) = (block for block in section.blocks if isinstance(block, Figure))
    assert f"with 50{SPACE}% of them left, the Brier score of the others {said}" in figure.caption


def test_a_task_without_intervals_says_why() -> None:
    section = uncertainty_section(measured(), "bleed")

    (only,) = section.blocks
    assert "too few subjects with, or without, the outcome to calibrate them on" in str(only)
