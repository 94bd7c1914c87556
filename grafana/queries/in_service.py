"""Queries to the store of the board on what is in service: what Monitor found by period."""

from __future__ import annotations

from grafana.queries.query import Query, titled

_NEWEST = """(SELECT m.run FROM monitorings m WHERE m.study = :study
  ORDER BY m.as_of DESC LIMIT 1)"""
"""SQL of the newest monitoring of the chosen study; it has all periods."""

_OF_ALL = f"v.run = {_NEWEST} AND v.slicing = '' AND v.slice = ''"
_OF_TASK = f"{_OF_ALL} AND v.task = :task"
_OF_CHAMPION = f"{_OF_TASK} AND v.role = 'champion'"

SINCE_MONITORED = Query(
    """
SELECT $__daysSince(m.as_of) AS "days" FROM monitorings m
WHERE m.study = :study ORDER BY m.as_of DESC LIMIT 1
""",
    {"days": "number"},
)

MONITORED_MODEL = Query(
    f"""
SELECT m.model AS model, m.period AS period, m.as_of AS as_of, m.outcomes_until AS outcomes_until
FROM monitorings m WHERE m.run = {_NEWEST}
""",
    {"model": "text", "period": "text", "as_of": "time", "outcomes_until": "time"},
)

FIRED = Query(
    f"""
SELECT COALESCE(SUM(CASE a.state WHEN 'fired' THEN 1 ELSE 0 END), 0) AS "fired alarms"
FROM monitored_alarms a WHERE a.run = {_NEWEST} HAVING COUNT(*) > 0
""",
    {"fired alarms": "count"},
)

DELAY = Query(
    f"""
SELECT v.value AS "days" FROM monitored_values v
WHERE {_OF_CHAMPION} AND v.metric = 'days_to_outcome' ORDER BY v.period_start DESC LIMIT 1
""",
    {"days": "number"},
)

ALARMS = Query(
    f"""
SELECT CASE a.state WHEN 'not_judged' THEN 'not judged' ELSE a.state END AS state, a.kind AS kind,
       CASE WHEN a.feature <> '' THEN COALESCE(a.title, a.feature)
            ELSE {titled("task", "a.run", "a.task")} END AS "about",
       a.since AS since, a.direction AS direction, a.reason AS reason,
       a.evidence AS evidence, a.boundary AS boundary
FROM monitored_alarms a WHERE a.run = {_NEWEST}
ORDER BY CASE a.state WHEN 'fired' THEN 0 WHEN 'quiet' THEN 1 ELSE 2 END, a.kind, 3
""",
    {
        "state": "text",
        "kind": "text",
        "about": "text",
        "since": "time",
        "direction": "text",
        "reason": "text",
        "evidence": "number",
        "boundary": "number",
    },
)


def _expected_and_observed(metric: str) -> Query:
    """A metric by period: expected from probabilities, observed, and of the evaluation."""
    return Query(
        f"""
SELECT v.period_start AS "time",
       MAX(CASE v.metric WHEN 'expected_{metric}' THEN v.value END) AS "expected",
       MAX(CASE v.metric WHEN '{metric}' THEN v.value END) AS "observed",
       MAX(CASE v.metric WHEN '{metric}' THEN v.lower END) AS "lower",
       MAX(CASE v.metric WHEN '{metric}' THEN v.upper END) AS "upper",
       MAX(v.reference) AS "when evaluated"
FROM monitored_values v
WHERE {_OF_CHAMPION} AND v.metric IN ('{metric}', 'expected_{metric}')
  AND $__timeFilter(v.period_start)
GROUP BY v.period_start ORDER BY v.period_start
""",
        {
            "time": "time",
            "expected": "number",
            "observed": "number",
            "lower": "number",
            "upper": "number",
            "when evaluated": "number",
        },
    )


AUC = _expected_and_observed("auc")
BRIER = _expected_and_observed("brier")


def _observed(metric: str) -> Query:
    """A metric of known outcomes by period, and that of the evaluation."""
    return Query(
        f"""
SELECT v.period_start AS "time", v.value AS "observed", v.lower AS "lower", v.upper AS "upper",
       v.reference AS "when evaluated"
FROM monitored_values v
WHERE {_OF_CHAMPION} AND v.metric = '{metric}' AND $__timeFilter(v.period_start)
ORDER BY v.period_start
""",
        {
            "time": "time",
            "observed": "number",
            "lower": "number",
            "upper": "number",
            "when evaluated": "number",
        },
    )


CALIBRATION_IN_THE_LARGE = _observed("calibration_in_the_large")
CALIBRATION_SLOPE = _observed("calibration_slope")

RISKS = Query(
    f"""
SELECT v.period_start AS "time",
       MAX(CASE v.metric WHEN 'mean_prediction' THEN v.value END) AS "mean prediction",
       MAX(CASE v.metric WHEN 'observed_rate' THEN v.value END) AS "observed",
       MAX(CASE v.metric WHEN 'observed_rate' THEN v.lower END) AS "lower",
       MAX(CASE v.metric WHEN 'observed_rate' THEN v.upper END) AS "upper"
FROM monitored_values v
WHERE {_OF_CHAMPION} AND v.metric IN ('mean_prediction', 'observed_rate')
  AND $__timeFilter(v.period_start)
GROUP BY v.period_start ORDER BY v.period_start
""",
    {
        "time": "time",
        "mean prediction": "number",
        "observed": "number",
        "lower": "number",
        "upper": "number",
    },
)

NUMBERS = Query(
    f"""
SELECT v.period_start AS "time",
       MAX(CASE v.metric WHEN 'scored' THEN v.value END) AS "scored",
       MAX(CASE v.metric WHEN 'known' THEN v.value END) AS "outcome known"
FROM monitored_values v
WHERE {_OF_CHAMPION} AND v.metric IN ('scored', 'known') AND $__timeFilter(v.period_start)
GROUP BY v.period_start ORDER BY v.period_start
""",
    {"time": "time", "scored": "number", "outcome known": "number"},
)

DELAYS = Query(
    f"""
SELECT v.period_start AS "time", v.value AS "days"
FROM monitored_values v
WHERE {_OF_CHAMPION} AND v.metric = 'days_to_outcome' AND $__timeFilter(v.period_start)
ORDER BY v.period_start
""",
    {"time": "time", "days": "number"},
)

_SHOWN_DRIFT = f"""d.run = {_NEWEST} AND d.model = (
    SELECT m.model FROM monitorings m WHERE m.run = {_NEWEST})"""
_NAME_OF_DRIFT = f"""CASE WHEN d.feature <> '' THEN COALESCE(d.title, d.feature)
            ELSE {titled("task", "d.run", "d.task")} END || ', ' || d.kind"""

DRIFT = Query(
    f"""
WITH every_distance AS (
  SELECT d.period_start AS period_start, {_NAME_OF_DRIFT} AS name,
         d.distance / NULLIF(d.boundary, 0) AS distance
  FROM monitored_drift d WHERE {_SHOWN_DRIFT} AND $__timeFilter(d.period_start)
),
shown AS (
  SELECT name FROM every_distance
  WHERE period_start = (SELECT MAX(period_start) FROM every_distance)
  ORDER BY distance DESC, name LIMIT 8
)
SELECT e.period_start AS "time", e.name AS "metric", MAX(e.distance) AS "distance"
FROM every_distance e JOIN shown s ON s.name = e.name
GROUP BY e.period_start, e.name ORDER BY e.period_start, e.name
""",
    {"time": "time", "metric": "text", "distance": "number"},
)
"""In multiples of what chance alone exceeds; the 8 with the greatest distances of the newest
period."""

CHALLENGERS = Query(
    f"""
SELECT v.period_start AS period, v.model AS model, {titled("task", "v.run", "v.task")} AS task,
       v.metric AS metric, v.lower AS lower, v.value AS difference, v.upper AS upper,
       v.subjects AS subjects
FROM monitored_values v
WHERE {_OF_ALL} AND v.role = 'difference' AND $__timeFilter(v.period_start)
ORDER BY v.period_start DESC, v.model, v.task, v.metric LIMIT 100
""",
    {
        "period": "time",
        "model": "text",
        "task": "text",
        "metric": "text",
        "lower": "number",
        "difference": "number",
        "upper": "number",
        "subjects": "count",
    },
)

GROUPS = Query(
    f"""
SELECT {titled("slicing", "v.run", "v.slicing")} AS slicing, v.slice AS "group",
       v.metric AS metric, v.lower AS lower,
       v.value AS value, v.upper AS upper, v.reference AS reference, v.subjects AS subjects
FROM monitored_values v
WHERE v.run = {_NEWEST} AND v.task = :task AND v.role = 'champion' AND v.slicing <> ''
  AND v.metric IN ('auc', 'brier', 'calibration_in_the_large', 'observed_rate', 'mean_prediction')
  AND v.period_start = (
    SELECT MAX(n.period_start) FROM monitored_values n WHERE n.run = v.run AND n.task = v.task
    AND n.role = 'champion' AND n.slicing <> '' AND n.metric = v.metric)
ORDER BY v.slicing, v.slice, v.metric LIMIT 200
""",
    {
        "slicing": "text",
        "group": "text",
        "metric": "text",
        "lower": "number",
        "value": "number",
        "upper": "number",
        "reference": "number",
        "subjects": "count",
    },
)
