"""What the boards ask, on a SQLite store made by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from grafana.queries import (
    external_validation,
    model_quality,
    monitored,
    pipeline_health,
    trial_progress,
    variables,
)
from grafana.queries.query import TRAINING_RUNS
from pipeline.store import models
from pipeline.store.engine import store_engine
from pipeline.store.writer import export
from tests.grafana.grafana_files import queries
from tests.pipeline.store.hand_made_store import SECOND, at, validation_run, without
from tests.pipeline.store.store_runs import STARTED, run_rows

ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
PYTHON = {"time": datetime, "text": str, "number": float, "count": int}


@pytest.mark.parametrize("name", queries())
@pytest.mark.usefixtures("filled")
def test_a_query_gives_the_columns_that_it_promises(ask: Any, name: Any) -> None:
    query = queries()[name]
    rows = ask(query)

    assert rows, "nothing to look at"
    for row in rows:
        assert list(row) == list(query.columns)
        for column, kind in query.columns.items():
            assert row[column] is None or isinstance(row[column], PYTHON[kind]), column


def threshold(run: Any, **changes: Any) -> Any:
    """A row of the thresholds."""
    content = {
        "run": run,
        "task": "death",
        "metric": "auc",
        "scope": "every_slice",
        "versus": "",
        "holds": "point",
        "decision_threshold": 0.0,
        "at_least": None,
        "at_most": None,
    }
    return content | changes


def compared(run: Any, *groups: Any) -> Any:
    """Rows of comparisons of AUC by sex: each group with its outcome, or with more of its row."""
    content = {
        "run": run,
        "model": "challenger",
        "task": "death",
        "slicing": "sex",
        "metric": "auc",
        "decision_threshold": 0.0,
        "side": "at_least",
        "limit": 0.7,
        "holds": "point",
        "value": None,
        "reason": "beyond_limit",
        "message": "",
    }
    return {
        models.Comparison: [
            content | {"number": number, "slice": group, "outcome": outcome} | changes
            for number, (group, outcome, changes) in enumerate(groups, 100)
        ]
    }


@pytest.mark.usefixtures("filled")
def test_the_study_that_ran_last_comes_first(sqlite: Any, ask: Any) -> None:
    later = at(run_rows("x1"), SECOND + timedelta(days=9), study="newer")
    export(sqlite, {models.Run: later[models.Run]})

    assert [row["__value"] for row in ask(variables.STUDIES)] == ["newer", "hand"]


@pytest.mark.usefixtures("filled")
def test_the_newest_run_comes_first(ask: Any) -> None:
    assert [row["value"] for row in ask(variables.RUNS)] == ["r2", "r1"]


@pytest.mark.usefixtures("filled")
def test_decision_thresholds_are_those_of_the_metric(ask: Any) -> None:
    assert [row["value"] for row in ask(variables.DECISION_THRESHOLDS, metric="sensitivity")] == [
        "0.5"
    ]


@pytest.mark.usefixtures("filled")
def test_a_metric_over_runs_has_the_champion_and_the_threshold_beside_it(ask: Any) -> None:
    first, second = ask(model_quality.AUC)

    assert first["time"] == STARTED
    assert (second["challenger"], second["lower"], second["upper"]) == (0.8, 0.7, 0.9)
    assert (second["champion"], second["at least"], second["at most"]) == (0.75, 0.7, None)


@pytest.mark.usefixtures("filled")
def test_runs_before_the_time_range_are_left_out(ask: Any) -> None:
    assert [row["time"] for row in ask(model_quality.AUC, since=SECOND)] == [SECOND]


@pytest.mark.usefixtures("filled")
def test_a_group_that_is_too_small_is_named_without_a_number(ask: Any) -> None:
    men = next(row for row in ask(model_quality.SLICES, run="r1") if row["group"] == "M")

    assert men["not_shown"] == "too small"
    assert {men[name] for name in ("value", "lower", "upper", "subjects", "positives")} == {None}


@pytest.mark.usefixtures("filled")
def test_a_group_has_the_outcome_that_the_judge_recorded(sqlite: Any, ask: Any) -> None:
    """Whatever its number is: AUC of women is .82."""
    export(sqlite, compared("r2", ("F", "fails", {}), ("M", "passes", {})))

    found = {row["group"]: row["verdict"] for row in ask(model_quality.SLICES)}
    assert found == {"F": "fails", "M": "passes"}


@pytest.mark.usefixtures("filled")
def test_of_several_comparisons_of_a_group_the_worst_outcome_counts(sqlite: Any, ask: Any) -> None:
    women = [("F", outcome, {}) for outcome in ("passes", "fails", "not_judged")]  # type: ignore[var-annotated]
    men = [("M", outcome, {}) for outcome in ("not_judged", "passes")]  # type: ignore[var-annotated]
    export(sqlite, compared("r2", *women, *men))

    found = {row["group"]: row["verdict"] for row in ask(model_quality.SLICES)}
    assert found == {"F": "fails", "M": "not judged"}


@pytest.mark.usefixtures("filled")
def test_a_suppressed_group_shows_its_outcome_without_a_number(sqlite: Any, ask: Any) -> None:
    export(sqlite, compared("r1", ("U", "fails", {}), ("M", "not_judged", {})))

    found = {row["group"]: row for row in ask(model_quality.SLICES, run="r1")}
    assert (found["U"]["verdict"], found["U"]["not_shown"]) == ("fails", "suppressed")
    assert (found["M"]["verdict"], found["M"]["not_shown"]) == ("not judged", "too small")
    assert {found["U"][name] for name in ("value", "lower", "upper", "subjects")} == {None}


@pytest.mark.usefixtures("filled")
def test_a_group_of_which_a_metric_is_missing_shows_its_outcome(sqlite: Any, ask: Any) -> None:
    export(sqlite, compared("r2", ("X", "fails", {"reason": "no_value"})))

    found = {row["group"]: row["verdict"] for row in ask(model_quality.SLICES)}
    assert found["X"] == "fails"


@pytest.mark.usefixtures("filled")
def test_limits_of_a_group_are_the_strictest_it_was_compared_with(sqlite: Any, ask: Any) -> None:
    at_most = {"side": "at_most"}
    export(
        sqlite,
        compared(
            "r2",
            ("F", "passes", {"limit": 0.6}),
            ("F", "passes", {"limit": 0.7}),
            ("F", "passes", {"limit": 0.95, **at_most}),
            ("F", "passes", {"limit": 0.9, **at_most}),
        ),
    )

    found = next(row for row in ask(model_quality.SLICES) if row["group"] == "F")
    assert (found["at_least"], found["at_most"]) == (0.7, 0.9)


@pytest.mark.usefixtures("filled")
def test_where_groups_have_no_threshold_they_neither_pass_nor_fail(ask: Any) -> None:
    """Both runs' studies have a threshold of overall alone."""
    found = {row["verdict"] for run in ("r1", "r2") for row in ask(model_quality.SLICES, run=run)}
    assert found == {"no threshold"}


def test_outcomes_of_a_run_of_0_1_0_are_not_recorded(sqlite: Any, ask: Any) -> None:
    export(sqlite, without(run_rows("r2"), models.Comparison))

    found = {row["verdict"] for row in ask(model_quality.SLICES)}
    assert found == {"not recorded"}


def test_a_run_of_0_1_0_raises_no_alert_of_its_thresholds(sqlite: Any, ask: Any) -> None:
    export(sqlite, without(run_rows("r2"), models.Comparison))

    assert ask(monitored.UNDER_THE_FLOOR) == []


@pytest.mark.usefixtures("filled")
def test_of_several_thresholds_the_strictest_is_drawn_once(sqlite: Any, ask: Any) -> None:
    export(sqlite, {models.Threshold: [threshold("r2", holds="bound", at_least=0.72)]})

    _, second = ask(model_quality.AUC)
    assert second["at least"] == 0.72


@pytest.mark.usefixtures("filled")
def test_a_threshold_on_the_difference_to_the_champion_is_not_drawn_with_the_metric(
    sqlite: Any, ask: Any
) -> None:
    export(sqlite, {models.Threshold: [threshold("r2", versus="champion", at_least=0.9)]})

    _, second = ask(model_quality.AUC)
    assert second["at least"] == 0.7


@pytest.mark.usefixtures("filled")
def test_a_comparison_at_one_decision_threshold_is_none_at_another(sqlite: Any, ask: Any) -> None:
    """Sensitivity is known at .5 alone."""
    sensitivity = {"metric": "sensitivity", "decision_threshold": 0.3}
    export(sqlite, compared("r2", ("F", "fails", sensitivity)))

    found = {
        row["verdict"] for row in ask(model_quality.SLICES, metric="sensitivity", decision="0.5")
    }
    assert found == {"no threshold"}


@pytest.mark.usefixtures("filled")
def test_a_comparison_of_the_champion_is_shown_with_the_champion(sqlite: Any, ask: Any) -> None:
    export(sqlite, compared("r2", ("F", "fails", {"model": "champion", "metric": "sensitivity"})))
    choice = {"metric": "sensitivity", "decision": "0"}

    assert [row["group"] for row in ask(model_quality.SLICES, **choice)] == []
    (row,) = ask(model_quality.SLICES, model="champion", **choice)
    assert (row["group"], row["verdict"]) == ("F", "fails")


@pytest.mark.usefixtures("filled")
def test_a_gap_counts_beyond_intervals_only_what_they_leave(ask: Any) -> None:
    (row,) = ask(model_quality.GAPS, metric="sensitivity", decision="0.5")

    assert row["gap"] == pytest.approx(0.4)
    assert row["gap beyond the intervals"] == pytest.approx(0.25)


@pytest.mark.usefixtures("filled")
def test_the_largest_gap_names_its_groups(ask: Any) -> None:
    row = ask(model_quality.GAPS_OF_RUN)[0]

    assert (row["metric"], row["lowest_group"], row["highest_group"]) == ("sensitivity", "M", "F")


@pytest.mark.usefixtures("filled")
def test_the_history_has_a_line_for_each_reason(ask: Any) -> None:
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
def test_a_run_that_failed_says_where_and_why(ask: Any) -> None:
    newest = ask(pipeline_health.RUNS)[0]

    assert (newest["run"], newest["failed_stage"], newest["reason"]) == (
        "r3",
        "DataGate",
        "AGE drifts",
    )


@pytest.mark.usefixtures("filled")
def test_drift_is_what_the_gate_measured_beside_its_limit(ask: Any) -> None:
    found = {(row["metric"], row["distance"]) for row in ask(pipeline_health.DRIFT)}

    assert found == {("AGE", 0.2), (pipeline_health.LIMIT_OF_GATE, 0.1)}


@pytest.mark.usefixtures("filled")
def test_stages_from_the_cache_are_left_out_of_times(sqlite: Any, ask: Any) -> None:
    cached = {"run": "r2", "stage": "Trainer", "started": SECOND, "status": "cached"}
    export(
        sqlite, {models.Stage: [{**cached, "seconds": 0.1, "peak_memory_mb": 1.0, "error": None}]}
    )

    assert "Trainer" not in {row["metric"] for row in ask(pipeline_health.STAGE_SECONDS)}
    assert "Trainer" not in {row["metric"] for row in ask(pipeline_health.STAGE_MEMORY)}


@pytest.mark.usefixtures("filled")
def test_enrolment_adds_up(ask: Any) -> None:
    found = ask(trial_progress.ENROLMENT_BY_MONTH)

    assert [(row["month"], row["in the month"], row["until then"]) for row in found] == [
        ("2026-01", 10, 10),
        ("2026-02", 30, 40),
    ]


@pytest.mark.usefixtures("filled")
def test_visits_keep_their_order(ask: Any) -> None:
    found = ask(trial_progress.ENDPOINTS)

    assert [(row["arm"], row["visit"]) for row in found] == [
        ("Placebo", "Baseline"),
        ("Placebo", "Week 8"),
        ("Active", "Baseline"),
        ("Active", "Week 8"),
    ]


@pytest.mark.usefixtures("filled")
def test_a_difference_whose_interval_excludes_nought_is_marked(ask: Any) -> None:
    (row,) = ask(trial_progress.RISK_DIFFERENCES)

    assert row["finding"] == "more than control"


def test_a_model_none_of_whose_tasks_was_judged_is_not_judged(sqlite: Any, ask: Any) -> None:
    rows = run_rows("r1", blessed=False)
    rows[models.TaskVerdict][0] |= {"verdict": "not_judged", "reason": "too few"}
    rows[models.BlessingReason] = []
    export(sqlite, rows)

    assert ask(model_quality.VERDICT) == [{"verdict": "not judged"}]
    (row,) = ask(model_quality.BLESSINGS)
    assert (row["verdict"], row["reason"]) == ("not judged", "too few")


def test_a_model_that_serves_some_tasks_only_says_so_with_the_reasons_of_the_others(
    sqlite: Any, ask: Any
) -> None:
    rows = run_rows("r1")
    refused = {"verdict": "refused", "reason": "AUC too low"}
    rows[models.TaskVerdict].append(rows[models.TaskVerdict][0] | {"task": "relapse"} | refused)
    export(sqlite, rows)

    assert ask(model_quality.VERDICT) == [{"verdict": "blessed for some tasks"}]
    (row,) = ask(model_quality.BLESSINGS)
    assert (row["task"], row["task_verdict"], row["reason"]) == (
        "relapse",
        "refused",
        "AUC too low",
    )
    assert [(row["task"], row["verdict"]) for row in ask(model_quality.OVERVIEW, run="r1")] == [
        ("Death", "blessed")
    ]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    "query",
    [
        model_quality.OVERVIEW,
        model_quality.DIFFERENCE,
        model_quality.SLICES,
        model_quality.GROUPS_BY_TASK,
        model_quality.GAPS_OF_RUN,
    ],
    ids=["overview", "difference", "slices", "groups", "gaps"],
)
def test_a_difference_is_the_one_to_the_champion(sqlite: Any, ask: Any, query: Any) -> None:
    chosen = {"model": "difference"}
    with_references = ask(query, **chosen)
    with store_engine(sqlite) as engine, engine.begin() as connection:
        deleted = connection.execute(text("DELETE FROM metrics WHERE versus <> ''"))
    assert deleted.rowcount == 3
    assert ask(query, **chosen) == with_references


@pytest.mark.usefixtures("filled")
def test_the_history_says_how_each_model_was_evaluated(sqlite: Any, ask: Any) -> None:
    with store_engine(sqlite) as engine, engine.begin() as connection:
        changed = "UPDATE models SET scheme = 'cross_fit', folds = 5, repeats = 10 WHERE run = 'r2'"
        connection.execute(text(changed))

    found = {row["run"]: row["evaluation"] for row in ask(model_quality.BLESSINGS)}
    assert found == {"r1": "test split", "r2": "cross-fitting, 5 folds × 10"}


SHOWS_BOTH_KINDS = {
    "external_validation.VALIDATIONS",
    "external_validation.ESTIMATES",
    "external_validation.GROUPS",
    "pipeline_health.RUNS",
    "variables.STUDIES",
}
"""Queries about validations, or that say the kind of each run."""


@pytest.mark.parametrize("name", sorted(set(queries()) - SHOWS_BOTH_KINDS))
def test_a_query_about_models_and_runs_leaves_validations_out(name: str) -> None:
    sql = queries()[name].sql.replace(TRAINING_RUNS, "")
    assert "runs r" not in sql
    assert "runs n" not in sql


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("name", sorted(set(queries()) - SHOWS_BOTH_KINDS))
def test_another_validation_changes_no_answer_about_models_and_runs(
    sqlite: Any, ask: Any, name: str
) -> None:
    """Of the same study, with other numbers, newer than all runs."""
    query = queries()[name]
    before = ask(query)
    export(sqlite, at(validation_run("v2"), SECOND + timedelta(days=30)))

    # Days since a moment go on while the test runs.
    rounded = [
        {key: pytest.approx(value, abs=1e-3) if isinstance(value, float) else value}
        for row in before
        for key, value in row.items()
    ]
    assert [{key: value} for row in ask(query) for key, value in row.items()] == rounded


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("study", ["hand", "first"])
def test_a_validation_is_shown_with_its_study_and_with_that_of_its_model(
    ask: Any, study: str
) -> None:
    (found,) = ask(external_validation.VALIDATIONS, study=study)

    assert (found["validated_on"], found["model"]) == ("hand", "first/0123456789abcdef")
    assert (found["auc"], found["large"], found["slope"]) == (0.61, -0.08, 0.9)


@pytest.mark.usefixtures("filled")
def test_net_benefit_is_shown_at_the_decision_thresholds_of_the_study_alone(ask: Any) -> None:
    found = ask(external_validation.ESTIMATES)
    benefits = [row for row in found if row["measure"] == "net benefit"]
    assert [(row["decision_threshold"], row["value"]) for row in benefits] == [("0.3", 0.11)]
    (gain,) = [row for row in found if row["measure"] == "gain in net benefit"]
    assert (gain["method"], gain["lower"]) == ("recalibration in the large", 0.01)


@pytest.mark.usefixtures("filled")
def test_discrimination_and_net_benefit_are_shown_by_group(ask: Any) -> None:
    found = ask(external_validation.GROUPS)

    assert {(row["slicing"], row["slice"]) for row in found} == {("sex", "F")}
    assert [(row["measure"], row["decision_threshold"], row["value"]) for row in found] == [
        ("AUC", "", 0.58),
        ("net benefit", "0.3", 0.07),
        ("net benefit over treating all", "0.3", 0.06),
    ]


@pytest.mark.usefixtures("filled")
def test_mean_predictions_stand_beside_the_risks_by_the_horizon(ask: Any) -> None:
    rows = ask(model_quality.PREDICTED_RISKS)

    assert [(row["arm"], row["risk"], row["verdict"]) for row in rows] == [
        ("all subjects", 0.15, "passes"),
        ("A", 0.10, "fails"),
        ("B", None, "not judged"),
    ]


@pytest.mark.usefixtures("filled")
def test_the_model_on_those_kept_stands_beside_predicting_their_rate(ask: Any) -> None:
    rows = ask(model_quality.REFERRAL)

    named = [(row["referred"], row["the model"], row["predicting their rate"]) for row in rows]
    assert named == [(0.0, 0.2, pytest.approx(0.24)), (0.5, 0.1, pytest.approx(0.16))]


@pytest.mark.usefixtures("filled")
def test_coverage_of_sets_is_chosen_and_judged_by_group_like_any_metric(
    sqlite: Any, ask: Any
) -> None:
    export(sqlite, compared("r2", ("M", "fails", {"metric": "coverage_positive", "limit": 0.85})))

    (row,) = ask(model_quality.SLICES, metric="coverage_positive")

    assert (row["group"], row["lower"], row["value"], row["upper"]) == ("M", 0.7, 0.84, 0.93)
    assert (row["at_least"], row["verdict"]) == (0.85, "fails")
    assert "coverage_positive" in {row["value"] for row in ask(variables.METRICS)}
