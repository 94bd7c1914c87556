"""What the boards ask, on a SQLite store made by hand."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest

from grafana.queries import alerts, model_quality, pipeline_health, trial_progress, variables
from pipeline.store import models
from pipeline.store.engine import store_engine
from pipeline.store.writer import export
from tests.grafana.grafana_files import queries
from tests.pipeline.store.hand_made_store import SECOND, at, failed_run, fill
from tests.pipeline.store.store_runs import AUC_AT_LEAST, STARTED, record, run_rows

ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
CHOICES = {
    "study": "hand",
    "task": "death",
    "metric": "auc",
    "decision": "0",
    "slicing": "sex",
    "model": "challenger",
    "run": "r2",
    "parameter": "ADAS",
}
PYTHON = {"time": datetime, "text": str, "number": float, "count": int}


@pytest.fixture
def ask(sqlite):
    """Asks the store; what is chosen on the board can be changed."""

    def ask(query, since=ALWAYS, **choices):
        with store_engine(sqlite) as engine, engine.connect() as connection:
            return query.rows(connection, {**CHOICES, **choices}, since)

    return ask


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "store.sqlite"
    fill(f"sqlite:///{path}")
    return path


@pytest.fixture
def filled(sqlite, template):
    shutil.copy(template, sqlite.removeprefix("sqlite:///"))


@pytest.mark.parametrize("name", queries())
@pytest.mark.usefixtures("filled")
def test_a_query_gives_the_columns_that_it_promises(ask, name):
    query = queries()[name]
    rows = ask(query)

    assert rows, "nothing to look at"
    for row in rows:
        assert list(row) == list(query.columns)
        for column, kind in query.columns.items():
            assert row[column] is None or isinstance(row[column], PYTHON[kind]), column


def demand(run, **changes):
    content = {
        "run": run,
        "task": "death",
        "metric": "auc",
        "place": "every_slice",
        "versus": "",
        "holds": "point",
        "decision_threshold": 0.0,
        "at_least": None,
        "at_most": None,
    }
    return content | changes


@pytest.mark.usefixtures("filled")
def test_the_study_that_ran_last_comes_first(sqlite, ask):
    later = at(run_rows("x1"), SECOND + timedelta(days=9), study="newer")
    export(sqlite, {models.Run: later[models.Run]})

    assert [row["value"] for row in ask(variables.STUDIES)] == ["newer", "hand"]


@pytest.mark.usefixtures("filled")
def test_the_newest_run_comes_first(ask):
    assert [row["value"] for row in ask(variables.RUNS)] == ["r2", "r1"]


@pytest.mark.usefixtures("filled")
def test_decision_thresholds_are_those_of_the_metric(ask):
    assert [row["value"] for row in ask(variables.DECISION_THRESHOLDS, metric="recall")] == ["0.5"]


@pytest.mark.usefixtures("filled")
def test_a_metric_over_runs_has_the_champion_and_the_demand_beside_it(ask):
    first, second = ask(model_quality.AUC)

    assert first["time"] == STARTED
    assert (second["new model"], second["lower"], second["upper"]) == (0.8, 0.7, 0.9)
    assert (second["champion"], second["at least"], second["at most"]) == (0.75, 0.7, None)


@pytest.mark.usefixtures("filled")
def test_runs_before_the_time_range_are_left_out(ask):
    assert [row["time"] for row in ask(model_quality.AUC, since=SECOND)] == [SECOND]


@pytest.mark.usefixtures("filled")
def test_a_group_that_is_too_small_is_named_without_a_number(ask):
    men = next(row for row in ask(model_quality.SLICES, run="r1") if row["group"] == "M")

    assert men["verdict"] == "too small to show"
    assert {men[name] for name in ("value", "lower", "upper", "subjects", "positives")} == {None}


@pytest.mark.usefixtures("filled")
def test_a_group_fails_what_is_demanded_of_every_slice(sqlite, ask):
    export(sqlite, {models.Threshold: [demand("r2", at_least=0.7)]})

    found = {row["group"]: row["verdict"] for row in ask(model_quality.SLICES)}
    assert found == {"F": "passes", "M": "fails"}


@pytest.mark.usefixtures("filled")
def test_where_the_interval_must_hold_a_good_point_is_not_enough(sqlite, ask):
    """AUC of women: .8 (.7 to .9)."""
    export(sqlite, {models.Threshold: [demand("r2", holds="bound", at_least=0.75)]})

    found = {row["group"]: row["verdict"] for row in ask(model_quality.SLICES)}
    assert found["F"] == "fails"


@pytest.mark.usefixtures("filled")
def test_of_several_demands_the_strictest_is_drawn_once(sqlite, ask):
    export(sqlite, {models.Threshold: [demand("r2", holds="bound", at_least=0.72)]})

    _, second = ask(model_quality.AUC)
    assert second["at least"] == 0.72


@pytest.mark.usefixtures("filled")
def test_a_demand_at_one_decision_threshold_is_none_at_another(sqlite, ask):
    """Recall is known at .5 alone."""
    recall = demand("r2", metric="recall", decision_threshold=0.3, at_least=0.95)
    export(sqlite, {models.Threshold: [recall]})

    found = {row["verdict"] for row in ask(model_quality.SLICES, metric="recall", decision="0.5")}
    assert "fails" not in found


@pytest.mark.usefixtures("filled")
def test_a_gap_counts_beyond_intervals_only_what_they_leave(ask):
    (row,) = ask(model_quality.GAPS, metric="recall", decision="0.5")

    assert row["gap"] == pytest.approx(0.4)
    assert row["gap beyond the intervals"] == pytest.approx(0.25)


@pytest.mark.usefixtures("filled")
def test_the_largest_gap_names_its_groups(ask):
    row = ask(model_quality.GAPS_OF_RUN)[0]

    assert (row["metric"], row["lowest_group"], row["highest_group"]) == ("recall", "M", "F")


@pytest.mark.usefixtures("filled")
def test_the_history_has_a_line_for_each_reason(ask):
    newest, oldest = ask(model_quality.BLESSINGS)

    assert (newest["run"], newest["verdict"], newest["reason"]) == (
        "r2",
        "refused",
        "death: too low",
    )
    assert (oldest["run"], oldest["verdict"], oldest["became_champion"]) == (
        "r1",
        "blessed",
        "yes",
    )


@pytest.mark.usefixtures("filled")
def test_a_run_that_failed_says_where_and_why(ask):
    newest = ask(pipeline_health.RUNS)[0]

    assert (newest["run"], newest["failed_stage"], newest["reason"]) == (
        "r3",
        "DataGate",
        "AGE drifts",
    )


@pytest.mark.usefixtures("filled")
def test_drift_is_a_multiple_of_the_limit(ask):
    row = ask(pipeline_health.DRIFT)[0]

    assert (row["metric"], row["distance"]) == ("AGE", 2.0)


@pytest.mark.usefixtures("filled")
def test_stages_from_the_cache_are_left_out_of_times(sqlite, ask):
    cached = {"run": "r2", "stage": "Trainer", "started": SECOND, "status": "cached"}
    export(
        sqlite, {models.Stage: [{**cached, "seconds": 0.1, "peak_memory_mb": 1.0, "error": None}]}
    )

    assert "Trainer" not in {row["metric"] for row in ask(pipeline_health.STAGE_SECONDS)}
    assert "Trainer" not in {row["metric"] for row in ask(pipeline_health.STAGE_MEMORY)}


@pytest.mark.usefixtures("filled")
def test_enrolment_adds_up(ask):
    found = ask(trial_progress.ENROLMENT_BY_MONTH)

    assert [(row["month"], row["in the month"], row["until then"]) for row in found] == [
        ("2026-01", 10, 10),
        ("2026-02", 30, 40),
    ]


@pytest.mark.usefixtures("filled")
def test_visits_keep_their_order(ask):
    found = ask(trial_progress.ENDPOINTS)

    assert [(row["arm"], row["visit"]) for row in found] == [
        ("Placebo", "Baseline"),
        ("Placebo", "Week 8"),
        ("Active", "Baseline"),
        ("Active", "Week 8"),
    ]


@pytest.mark.usefixtures("filled")
def test_a_difference_whose_interval_excludes_nought_is_told_apart(ask):
    (row,) = ask(trial_progress.RISK_DIFFERENCES)

    assert row["finding"] == "more than control"


def happened(ask, uid):
    alert = next(alert for alert in alerts.ALERTS if alert.uid == uid)
    return [row for row in ask(alert.query) if alert.has_happened(row)]


def test_an_alert_watches_the_champion_where_the_new_model_was_refused(sqlite, ask):
    export(sqlite, at(run_rows("r1"), STARTED))
    low = record(metric="auc", model="champion", value=0.6)
    second = run_rows("r2", blessed=False)
    second[models.Metric] = [
        {**row, "value": low["value"]} if row["model"] == "champion" else row
        for row in second[models.Metric]
    ]
    export(sqlite, at(second, SECOND))

    (row,) = happened(ask, "trial-under-the-floor")
    assert (row["task"], row["metric"], row["slice"]) == ("death", "auc", "everybody")
    assert row["shortfall"] == pytest.approx(0.1)


def test_an_interval_that_must_hold_is_watched_by_its_end(sqlite, ask):
    """AUC .8 (.7 to .9)."""
    export(sqlite, run_rows("r1", thresholds=[AUC_AT_LEAST | {"at_least": 0.75, "holds": "bound"}]))

    found = {row["slice"]: row["shortfall"] for row in happened(ask, "trial-under-the-floor")}
    assert found == {"everybody": pytest.approx(0.05)}


def test_no_alert_watches_a_model_that_was_refused(sqlite, ask):
    rows = run_rows("r1", blessed=False)
    rows[models.Metric] = [row for row in rows[models.Metric] if row["model"] != "champion"]
    rows[models.Model][0]["champion"] = False
    export(sqlite, rows)

    assert ask(alerts.UNDER_THE_FLOOR) == []


@pytest.mark.usefixtures("filled")
def test_a_model_above_its_floor_is_watched_quietly(ask):
    assert ask(alerts.UNDER_THE_FLOOR)
    assert happened(ask, "trial-under-the-floor") == []


def test_groups_that_differ_beyond_their_intervals_raise_an_alert(sqlite, ask):
    found = {"F": (0.85, 0.95), "M": (0.4, 0.6)}
    gaps = [
        record(slice={"sex": sex}, metric="recall", decision_threshold=0.5, value=0.5)
        | {"lower": lower, "upper": upper}
        for sex, (lower, upper) in found.items()
    ]
    export(sqlite, run_rows("r1", *gaps))

    (row,) = happened(ask, "trial-gap")
    assert row["gap"] == pytest.approx(0.25)


def test_a_feature_over_its_limit_raises_an_alert(sqlite, ask):
    export(sqlite, run_rows("r1"))

    (row,) = happened(ask, "trial-drift")
    assert row["feature"] == "AGE"


def test_a_study_without_a_success_for_long_raises_an_alert(sqlite, ask):
    export(sqlite, at(run_rows("r1"), datetime.now(UTC) - timedelta(days=8)))
    export(sqlite, at(run_rows("x1"), datetime.now(UTC) - timedelta(days=6), study="other"))

    (row,) = happened(ask, "trial-silent")
    assert row["study"] == "hand"
    assert row["days"] == pytest.approx(8, abs=0.1)


def test_a_study_that_never_succeeded_counts_from_its_first_run(sqlite, ask):
    export(sqlite, at(failed_run("r1"), datetime.now(UTC) - timedelta(days=9)))

    (row,) = happened(ask, "trial-silent")
    assert row["days"] == pytest.approx(9, abs=0.1)


def test_the_share_of_rejects_is_watched_by_dataset(sqlite, ask):
    export(sqlite, run_rows("r1"))

    (row,) = ask(alerts.REJECTED)
    assert (row["dataset"], row["share"]) == ("dm", pytest.approx(2 / 70))


def test_a_failed_run_raises_an_alert_until_the_next_one_succeeds(sqlite, ask):
    export(sqlite, at(failed_run("r1"), STARTED))
    (row,) = happened(ask, "trial-failed")
    assert row["failed_stage"] == "DataGate"

    later = at(run_rows("r2"), datetime(2027, 1, 1, tzinfo=UTC))
    export(sqlite, later)
    assert happened(ask, "trial-failed") == []
