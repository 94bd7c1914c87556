"""What the board on the model in service asks of the store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from grafana.queries import alerts, in_service
from tests.pipeline.store.hand_made_monitoring import CHALLENGER, MODEL

pytestmark = pytest.mark.usefixtures("filled")

FEBRUARY, MARCH = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)


def test_expected_performance_stands_beside_the_observed_one_and_the_evaluations(ask: Any) -> None:
    first, second = ask(in_service.AUC)

    assert (first["time"], first["expected"], first["observed"]) == (FEBRUARY, 0.77, 0.71)
    assert (first["lower"], first["upper"], first["when evaluated"]) == (0.66, 0.76, 0.78)
    # No outcome of March is known yet.
    assert (second["time"], second["expected"], second["observed"]) == (MARCH, 0.77, None)


def test_groups_and_challengers_do_not_enter_the_lines_of_the_champion(ask: Any) -> None:
    assert [row["observed"] for row in ask(in_service.BRIER)] == [0.17, None]
    (group,) = ask(in_service.GROUPS)
    assert (group["slicing"], group["group"], group["value"]) == ("sex", "F", 0.64)
    (challenger,) = ask(in_service.CHALLENGERS)
    assert (challenger["model"], challenger["difference"]) == (CHALLENGER, 0.04)


def test_an_alarm_that_has_fired_comes_first(ask: Any) -> None:
    states = [(row["state"], row["kind"], row["about"]) for row in ask(in_service.ALARMS)]

    assert states == [
        ("fired", "calibration", "Death"),
        ("quiet", "auc", "Death"),
        ("not judged", "drift", "Age (years)"),
    ]
    assert ask(in_service.FIRED) == [{"fired alarms": 1}]
    assert ask(in_service.FIRED, study="another") == []


def test_drift_is_shown_in_multiples_of_what_chance_exceeds(ask: Any) -> None:
    found = [(row["time"], row["metric"], row["distance"]) for row in ask(in_service.DRIFT)]

    assert found == [
        (FEBRUARY, "Age (years), values", pytest.approx(0.4)),
        (FEBRUARY, "Death, risk", pytest.approx(0.2)),
        (MARCH, "Age (years), values", pytest.approx(4.0)),
        (MARCH, "Death, risk", pytest.approx(0.2)),
    ]


def test_predictions_rates_numbers_and_delays_are_shown_by_period(ask: Any) -> None:
    assert [(row["mean prediction"], row["observed"]) for row in ask(in_service.RISKS)] == [
        (0.3, 0.22),
        (0.3, None),
    ]
    assert [(row["scored"], row["outcome known"]) for row in ask(in_service.NUMBERS)] == [
        (300, 250),
        (300, None),
    ]
    assert [row["days"] for row in ask(in_service.DELAYS)] == [21]
    assert ask(in_service.MONITORED_MODEL)[0]["model"] == MODEL


def test_an_alarm_of_the_monitoring_raises_one_of_the_boards(ask: Any) -> None:
    (alert,) = (alert for alert in alerts.ALERTS if alert.uid == "trial-monitored")
    raised = [row for row in ask(alert.query) if alert.has_happened(row)]

    assert [(row["study"], row["kind"], row["about"]) for row in raised] == [
        ("hand", "calibration", "Death")
    ]
