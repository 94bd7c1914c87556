"""The page of a monitoring, and what the terminal shows."""

from __future__ import annotations

from datetime import UTC, date, datetime

from pipeline.html.page import render
from pipeline.monitoring.expected import ASSUMES
from pipeline.pages.monitoring import NOTHING_YET, monitoring_page
from pipeline.results.monitoring import (
    MonitoredAlarm,
    MonitoredDrift,
    MonitoredMetric,
    MonitoredValue,
    Monitoring,
)
from pipeline.results.validation import ValidatedModel
from pipeline.runners.local.monitor import lines

MODEL = ValidatedModel(
    id="4bc588fc1e094c76", study="pilot", registered_at="", fingerprint="", model_digest=""
)
EMPTY = Monitoring(
    study="pilot",
    model=MODEL,
    period="month",
    as_of=datetime(2026, 5, 2, 6, tzinfo=UTC),
    smallest_group=20,
    task_titles={"death": "Death by day 30"},
)
REASON = "Predictions of Death by day 30 are too high"


def value(metric: MonitoredMetric, number: float, month: int = 3) -> MonitoredValue:
    return MonitoredValue(
        task="death",
        slice={},
        model=MODEL.id,
        role="champion",
        period_start=date(2026, month, 1),
        metric=metric,
        value=number,
        lower=number - 0.05,
        upper=number + 0.05,
        reference=0.81 if metric == "auc" else None,
        subjects=300,
    )


FOUND = EMPTY.model_copy(
    update={
        "values": (
            value("scored", 300),
            value("expected_auc", 0.775),
            value("expected_auc", 0.765, month=4),
            value("known", 200),
            value("auc", 0.715),
        ),
        "drift": (
            MonitoredDrift(
                model=MODEL.id,
                period_start=date(2026, 4, 1),
                feature="AGE",
                title="Age",
                kind="outside",
                distance=0.25,
                boundary=0.05,
                beyond=True,
                subjects=300,
            ),
        ),
        "alarms": (
            MonitoredAlarm(
                model=MODEL.id,
                task="death",
                kind="calibration",
                evidence=4.1,
                boundary=3.2,
                fired=True,
                since=date(2026, 4, 6),
                direction="too_high",
                reason=REASON,
            ),
        ),
        "outside_training": ("AGE",),
    }
)


def test_the_page_shows_alarms_and_performance_beside_that_of_the_evaluation() -> None:
    page = render(monitoring_page(FOUND, "Pilot", "1.0"))

    for text in (REASON, "0.715", "0.810", "0.775", "2026-04-06", "Death by day 30"):
        assert text in page


def test_features_without_an_alarm_are_folded_up_and_numbers_have_a_minus_sign() -> None:
    (fired,) = FOUND.alarms
    low = fired.model_copy(update={"reason": "it is -0.245 of 100"})
    of_age = {"task": "", "feature": "AGE", "kind": "drift", "reason": "As in training"}
    quiet = fired.model_copy(update={**of_age, "fired": False, "since": None})
    page = render(
        monitoring_page(FOUND.model_copy(update={"alarms": (quiet, low)}), "Pilot", "1.0")
    )

    before, after = page.split("1 more of features, none of which fired")
    assert "As in training" in after
    assert "As in training" not in before
    assert page.count("it is \u22120.245 of 100") == 2


def test_it_says_what_the_expected_performance_assumes_and_where_inputs_leave_training() -> None:
    page = render(monitoring_page(FOUND, "Pilot", "1.0"))
    # Of one period there is no chart, whose caption says it too.
    of_one = FOUND.model_copy(update={"values": FOUND.values[:2]})

    assert ASSUMES in render(monitoring_page(of_one, "Pilot", "1.0"))
    assert "Inputs leave the range of training" in page
    assert "Age" in page
    shown = "\n".join(lines(FOUND))
    assert ASSUMES in shown
    assert "AGE leaves the range of training" in shown


def test_the_terminal_shows_the_newest_period_and_the_alarms_with_their_reason() -> None:
    shown = "\n".join(lines(FOUND))

    assert "expected AUC 0.765 (0.715 to 0.815), from 2026-04-01 on" in shown
    assert (
        "observed AUC 0.715 (0.665 to 0.765), from 2026-03-01 on; in the evaluation 0.810" in shown
    )
    assert f"Calibration since the week of 2026-04-06: {REASON}" in shown


def test_a_log_that_is_too_new_shows_no_number() -> None:
    page = render(monitoring_page(EMPTY, "Pilot", "1.0"))

    assert NOTHING_YET in page
    assert NOTHING_YET in "\n".join(lines(EMPTY))
    assert "No outcome is known yet" in page
