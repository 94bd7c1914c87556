"""What raises an alert, and what does not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grafana.queries import alerts, monitored, pipeline_health
from pipeline.store import models
from pipeline.store.export import outcome_rows
from pipeline.store.writer import export
from tests.each import each
from tests.pipeline.store.hand_made_store import SECOND, at, failed_run
from tests.pipeline.store.store_runs import FAILED, STARTED, comparison, record, run_rows


def happened(ask: Any, uid: Any) -> Any:
    alert = next(alert for alert in alerts.ALERTS if alert.uid == uid)
    return [row for row in ask(alert.query) if alert.has_happened(row)]


def test_an_alert_watches_the_champion_where_the_new_model_was_refused(
    sqlite: Any, ask: Any
) -> None:
    export(sqlite, at(run_rows("r1"), STARTED))
    failed = comparison(model="champion", value=0.6, **FAILED)
    export(sqlite, at(run_rows("r2", blessed=False, comparisons=[failed]), SECOND))

    (row,) = happened(ask, "trial-under-the-floor")
    assert (row["task"], row["metric"], row["slice"]) == ("Death", "auc", "overall")


def test_the_comparisons_of_a_refused_model_raise_no_alert(sqlite: Any, ask: Any) -> None:
    """Its champion passes."""
    export(sqlite, at(run_rows("r2", blessed=False), SECOND))

    assert [row["failed"] for row in ask(monitored.UNDER_THE_FLOOR)] == [0]


def test_a_group_without_a_value_that_fails_raises_an_alert(sqlite: Any, ask: Any) -> None:
    women = comparison(slice={"sex": "F"}, value=None, **FAILED | {"reason": "no_value"})
    export(sqlite, run_rows("r1", comparisons=[women]))

    (row,) = happened(ask, "trial-under-the-floor")
    assert (row["slicing"], row["slice"]) == ("sex", "F")


def test_a_group_that_is_not_judged_is_not_watched(sqlite: Any, ask: Any) -> None:
    men = {"outcome": "not_judged", "reason": "group_too_small", "value": None}
    export(sqlite, run_rows("r1", comparisons=[comparison(slice={"sex": "M"}, **men)]))

    assert [row["slice"] for row in ask(monitored.UNDER_THE_FLOOR)] == ["overall"]


def test_no_alert_watches_a_model_that_was_refused(sqlite: Any, ask: Any) -> None:
    rows = run_rows("r1", blessed=False)
    for table in (models.Metric, models.Comparison):
        rows[table] = [row for row in rows[table] if row["model"] != "champion"]
    rows[models.Model][0]["champion"] = False
    export(sqlite, rows)

    assert ask(monitored.UNDER_THE_FLOOR) == []


@pytest.mark.usefixtures("filled")
def test_a_model_above_its_floor_is_watched_quietly(ask: Any) -> None:
    assert ask(monitored.UNDER_THE_FLOOR)
    assert happened(ask, "trial-under-the-floor") == []


def test_a_champion_whose_calibration_fails_raises_an_alert_of_its_own(
    sqlite: Any, ask: Any
) -> None:
    failed = comparison(metric="calibration_slope", model="champion", **FAILED)
    export(sqlite, run_rows("r1", blessed=False, comparisons=[failed]))

    (row,) = happened(ask, "trial-miscalibrated")
    assert (row["task"], row["metric"]) == ("Death", "calibration_slope")
    assert happened(ask, "trial-under-the-floor") == []


@pytest.mark.parametrize("metric", ["auc", "calibration_in_the_large"])
def test_what_a_blessing_tolerates_raises_no_alert(sqlite: Any, ask: Any, metric: Any) -> None:
    """The model is blessed for a task, serves no other one, and a probability is far off."""
    far_off = record(metric="calibration_in_the_large", value=0.2, lower=0.02, upper=0.4)
    other = comparison(task="bleed", metric=metric, **FAILED)
    rows = run_rows("r1", far_off, comparisons=[other])
    rows[models.TaskVerdict].append(
        {"run": "r1", "task": "bleed", "verdict": "refused", "reason": "too low"}
    )
    export(sqlite, rows)

    assert happened(ask, "trial-under-the-floor") == []
    assert happened(ask, "trial-miscalibrated") == []


def test_the_alert_of_a_gap_leaves_out_tasks_that_are_not_served(sqlite: Any, ask: Any) -> None:
    gaps = [
        record(slice={"sex": sex}, metric="sensitivity", decision_threshold=0.5, value=0.5)
        | {"lower": lower, "upper": upper}
        for sex, lower, upper in (("F", 0.85, 0.95), ("M", 0.4, 0.6))
    ]
    rows = run_rows("r1", *gaps)
    rows[models.TaskVerdict][0]["verdict"] = "refused"
    export(sqlite, rows)

    assert happened(ask, "trial-gap") == []


def _gap(model: str, women: tuple[float, float], men: tuple[float, float]) -> list[Any]:
    return [
        record(slice={"sex": sex}, metric="sensitivity", decision_threshold=0.5, value=0.5)
        | {"model": model, "lower": lower, "upper": upper}
        for sex, (lower, upper) in {"F": women, "M": men}.items()
    ]


def test_a_gap_that_the_blessing_tolerated_raises_no_alert(sqlite: Any, ask: Any) -> None:
    export(sqlite, run_rows("r1", *_gap("challenger", (0.85, 0.95), (0.4, 0.6))))

    assert [row["growth"] for row in ask(monitored.GAPS)] == [0]
    assert happened(ask, "trial-gap") == []


def test_a_gap_of_the_champion_that_has_grown_since_its_blessing_raises_an_alert(
    sqlite: Any, ask: Any
) -> None:
    then = _gap("challenger", (0.65, 0.95), (0.4, 0.6))
    now = _gap("champion", (0.85, 0.95), (0.4, 0.6))
    export(sqlite, at(run_rows("r1", *then), STARTED))
    export(sqlite, at(run_rows("r2", *now, blessed=False), SECOND))

    (row,) = happened(ask, "trial-gap")
    assert row["growth"] == pytest.approx(0.2)


def test_a_feature_over_its_limit_raises_an_alert(sqlite: Any, ask: Any) -> None:
    export(sqlite, run_rows("r1"))

    (row,) = happened(ask, "trial-drift")
    assert (row["feature"], row["distance"], row["limit"]) == ("AGE", 0.2, "0.1")


def test_a_feature_is_called_by_its_title(sqlite: Any, ask: Any) -> None:
    """Also where an earlier run's study file had none: it stays one line."""
    rows = run_rows("r2")
    for finding in each([row for row in rows[models.GateFinding] if row["feature"] == "AGE"]):
        finding["title"] = "Age (years)"
    export(sqlite, at(run_rows("r1"), STARTED))
    export(sqlite, at(rows, SECOND))

    (row,) = happened(ask, "trial-drift")
    assert row["feature"] == "Age (years)"
    assert "Age (years)" in {row["about"] for row in ask(pipeline_health.FINDINGS)}
    lines = {row["metric"] for row in ask(pipeline_health.DRIFT)}
    assert lines == {"Age (years)", pipeline_health.LIMIT_OF_GATE}


@pytest.mark.parametrize("severity", ["ok", "ignore"])
def test_what_the_gate_does_not_object_to_raises_no_alert(
    severity: str, sqlite: Any, ask: Any
) -> None:
    rows = run_rows("r1")
    for finding in rows[models.GateFinding]:
        finding["severity"] = severity
    export(sqlite, rows)

    assert ask(pipeline_health.DRIFT)
    assert ask(monitored.DRIFT) == []


def test_a_study_without_a_success_for_long_raises_an_alert(sqlite: Any, ask: Any) -> None:
    export(sqlite, at(run_rows("r1"), datetime.now(UTC) - timedelta(days=8)))
    export(sqlite, at(run_rows("x1"), datetime.now(UTC) - timedelta(days=6), study="other"))

    (row,) = happened(ask, "trial-silent")
    assert row["study"] == "hand"
    assert row["days"] == pytest.approx(8, abs=0.1)


def test_a_study_that_never_succeeded_counts_from_its_first_run(sqlite: Any, ask: Any) -> None:
    export(sqlite, at(failed_run("r1"), datetime.now(UTC) - timedelta(days=9)))

    (row,) = happened(ask, "trial-silent")
    assert row["days"] == pytest.approx(9, abs=0.1)


def test_the_gates_objections_to_rejected_rows_raise_an_alert(sqlite: Any, ask: Any) -> None:
    export(sqlite, run_rows("r1"))

    (row,) = happened(ask, "trial-rejects")
    assert (row["dataset"], row["limit"]) == ("dm", "0.02")
    assert row["share"] == pytest.approx(2 / 70)
    shown = {row["metric"]: row["rejected"] for row in ask(pipeline_health.REJECTED)}
    assert shown == {"dm": pytest.approx(2 / 70), pipeline_health.LIMIT_OF_GATE: 0.02}


def test_a_failed_run_raises_an_alert_until_the_next_one_succeeds(sqlite: Any, ask: Any) -> None:
    export(sqlite, at(failed_run("r1"), STARTED))
    (row,) = happened(ask, "trial-failed")
    assert row["how"] == "failed in DataGate"

    later = at(run_rows("r2"), datetime(2027, 1, 1, tzinfo=UTC))
    export(sqlite, later)
    assert happened(ask, "trial-failed") == []


@pytest.mark.parametrize(
    ("status", "stage", "alerts_say"),
    [
        ("killed", "Trainer", ["was killed in Trainer"]),
        ("killed", "", ["was killed"]),
        ("failed", "Trainer", ["failed in Trainer"]),
        ("interrupted", "Trainer", []),
    ],
)
def test_a_run_that_was_killed_raises_the_alert_and_one_that_a_person_ended_does_not(
    status: str, stage: str, alerts_say: list[str], sqlite: Any, ask: Any
) -> None:
    run = {models.Run: run_rows("r1")[models.Run]}
    export(sqlite, run | outcome_rows("r1", status, SECOND, stage))

    assert [row["how"] for row in happened(ask, "trial-failed")] == alerts_say
    assert ask(pipeline_health.LAST_OUTCOME) == [{"status": status}]
    assert ask(pipeline_health.FAILURES) == [{"failed runs": len(alerts_say)}]


def test_a_run_without_an_outcome_is_running_and_raises_nothing(sqlite: Any, ask: Any) -> None:
    export(sqlite, {models.Run: run_rows("r1")[models.Run]})

    assert [row["status"] for row in ask(pipeline_health.RUNS)] == ["running"]
    assert ask(pipeline_health.LAST_OUTCOME) == [{"status": "running"}]
    assert happened(ask, "trial-failed") == []


def test_a_run_that_is_running_leaves_the_alert_of_the_one_before(sqlite: Any, ask: Any) -> None:
    export(sqlite, at(failed_run("r1"), STARTED))
    export(sqlite, at({models.Run: run_rows("r2")[models.Run]}, datetime(2027, 1, 1, tzinfo=UTC)))

    assert [row["how"] for row in happened(ask, "trial-failed")] == ["failed in DataGate"]
    assert ask(pipeline_health.LAST_OUTCOME) == [{"status": "running"}]


def test_a_resumed_run_stands_as_its_newest_outcome_says(sqlite: Any, ask: Any) -> None:
    export(sqlite, at(failed_run("r1"), STARTED))
    export(sqlite, outcome_rows("r1", "done", datetime(2027, 1, 1, tzinfo=UTC)))

    assert [row["status"] for row in ask(pipeline_health.RUNS)] == ["done"]
    assert ask(pipeline_health.FAILURES) == [{"failed runs": 0}]
