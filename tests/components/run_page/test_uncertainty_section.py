"""What the page says about intervals and prediction sets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.html.blocks import Figure, Paragraph, Table
from pipeline.pages.evaluation.run_result import RunResult
from pipeline.pages.evaluation.uncertainty_section import uncertainty_section
from pipeline.results.documents import Curves, Metrics
from tests.components.run_page.hand_made_run import SUBJECTS, documents, result
from tests.components.run_page.test_content import cells

VALUES = {
    "coverage_positive": 0.91,
    "coverage_negative": 0.89,
    "single_sets": 0.6,
    "full_sets": 0.38,
    "empty_sets": 0.02,
    "interval_width": 0.04,
    "interval_calibration_error": 0.015,
}


def measured() -> RunResult:
    """A run whose task `death` has intervals and sets."""
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
                    "brier": 0.13 - share / 10,
                }
                for share in (0.0, 0.25, 0.5)
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


def test_the_curve_says_what_is_gained_by_leaving_subjects_to_people() -> None:
    section = uncertainty_section(measured(), "death")

    (figure,) = (block for block in section.blocks if isinstance(block, Figure))
    gained = "of them left, the Brier score of the others is 0.080 instead of 0.130"
    assert f"with 50\N{NARROW NO-BREAK SPACE}% {gained}" in figure.caption


def test_a_task_without_intervals_says_why() -> None:
    section = uncertainty_section(measured(), "bleed")

    (only,) = section.blocks
    assert "too few subjects with, or without, the outcome to calibrate them on" in str(only)
