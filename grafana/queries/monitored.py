"""Queries that alerts monitor, with a row for each monitored item.

A study's model is judged by its newest evaluation: by the champion's numbers where a champion was
scored and stayed, otherwise by those of the run's own model.
"""

from __future__ import annotations

from grafana.queries.query import (
    NEWEST_OUTCOMES,
    TRAINING_RUNS,
    UNSUCCESSFUL,
    Query,
    shown_name,
    titled,
)


def _newest(condition: str = "TRUE") -> str:
    """SQL of the newest evaluation of each study that meets a condition on its model `m`."""
    return f"""(
  SELECT run, study, registered FROM (
    SELECT m.run, m.study, m.registered,
           ROW_NUMBER() OVER (PARTITION BY m.study ORDER BY r.started DESC) AS place
    FROM models m JOIN {TRAINING_RUNS} r ON r.run = m.run WHERE {condition}
  ) ranked WHERE place = 1
)"""


_LATEST_EVALUATION = f"""latest AS {_newest()},
in_use AS (
  SELECT l.run, l.study, CASE WHEN l.registered THEN 'challenger' ELSE 'champion' END AS model
  FROM latest l
)"""
"""The newest evaluation of each study, and which of its models is in use: the new one where it
became the champion, otherwise the champion, of which there are rows only if one was scored."""

_SERVED = """(x.model = 'champion' OR NOT EXISTS (
    SELECT 1 FROM task_verdicts v
    WHERE v.run = x.run AND v.task = x.task AND v.verdict <> 'blessed'))"""
"""Whether the model in use serves the task of a row `x`: a new champion serves its blessed tasks, a
former one the tasks that there are rows of."""

_OF_CALIBRATION = "('calibration_in_the_large', 'calibration_slope')"


def _latest_with(table: str) -> str:
    """SQL of each study's newest run that has rows in a table."""
    return f"""latest AS (
  SELECT run, study FROM (
    SELECT r.run, r.study,
           ROW_NUMBER() OVER (PARTITION BY r.study ORDER BY r.started DESC) AS place
    FROM {TRAINING_RUNS} r WHERE EXISTS (SELECT 1 FROM {table} e WHERE e.run = r.run)
  ) ranked WHERE place = 1
)"""


def _judged(metrics: str) -> Query:
    """The judge's outcomes for the tasks that the model in use serves.

    Groups that are not judged are not monitored.

    Args:
        metrics: SQL of the condition on the metric.
    """
    return Query(
        f"""
WITH {_LATEST_EVALUATION}
SELECT b.study AS study, {titled("task", "b.run", "x.task")} AS task, x.metric AS metric,
       CASE WHEN x.slicing = '' THEN 'overall'
            ELSE {titled("slicing", "b.run", "x.slicing")} END AS slicing,
       CASE WHEN x.slicing = '' THEN 'overall' ELSE x.slice END AS slice,
       MAX(CASE x.outcome WHEN 'fails' THEN 1 ELSE 0 END) AS failed
FROM in_use b
JOIN comparisons x ON x.run = b.run AND x.model = b.model
WHERE x.outcome <> 'not_judged' AND x.metric {metrics} AND {_SERVED}
GROUP BY b.study, b.run, x.task, x.metric, x.slicing, x.slice
""",
        {
            "study": "text",
            "task": "text",
            "metric": "text",
            "slicing": "text",
            "slice": "text",
            "failed": "count",
        },
    )


UNDER_THE_FLOOR = _judged(f"NOT IN {_OF_CALIBRATION}")
CALIBRATION = _judged(f"IN {_OF_CALIBRATION}")

_GAP_OF = """MAX(x.lower) - MIN(x.upper)"""
"""SQL of the difference of two groups that is left beyond their intervals."""

_OF_GAPS = """x.metric IN ('sensitivity', 'false_positive_rate') AND x.slicing <> ''
  AND x.slicing NOT LIKE '%, %' AND x.lower IS NOT NULL AND x.upper IS NOT NULL"""

GAPS = Query(
    f"""
WITH {_LATEST_EVALUATION},
blessed_in AS {_newest("m.registered")},
at_blessing AS (
  SELECT b.study, x.task, x.metric, x.decision_threshold, x.slicing, {_GAP_OF} AS gap
  FROM blessed_in b JOIN metrics x ON x.run = b.run AND x.model = 'challenger'
  WHERE {_OF_GAPS}
  GROUP BY b.study, x.task, x.metric, x.decision_threshold, x.slicing
),
now AS (
  SELECT b.study, b.run, x.task, x.metric, x.decision_threshold, x.slicing, {_GAP_OF} AS gap
  FROM in_use b JOIN metrics x ON x.run = b.run AND x.model = b.model
  WHERE {_OF_GAPS} AND {_SERVED}
  GROUP BY b.study, b.run, x.task, x.metric, x.decision_threshold, x.slicing
)
SELECT n.study AS study, {titled("task", "n.run", "n.task")} AS task, n.metric AS metric,
       CAST(n.decision_threshold AS TEXT) AS decision_threshold,
       {titled("slicing", "n.run", "n.slicing")} AS slicing,
       n.gap - CASE WHEN a.gap > 0 THEN a.gap ELSE 0 END AS growth
FROM now n
LEFT JOIN at_blessing a ON a.study = n.study AND a.task = n.task AND a.metric = n.metric
  AND a.decision_threshold = n.decision_threshold AND a.slicing = n.slicing
""",
    {
        "study": "text",
        "task": "text",
        "metric": "text",
        "decision_threshold": "text",
        "slicing": "text",
        "growth": "number",
    },
)
"""How much gaps of the model in use have grown since its blessing: a gap that the blessing has
tolerated is on page, card and board."""


def _objections(rule: str, about: str, value: str) -> Query:
    """What the gate objected to in each study's newest run, with the finding's value and limit.

    Args:
        rule: Rule of the gate.
        about: Column that says what a finding is about; a feature is shown by its title.
        value: Name of the value.
    """
    return Query(
        f"""
WITH {_latest_with("gate_findings")}
SELECT l.study AS study, MAX({shown_name("f", about)}) AS {about},
       CAST(f."limit" AS TEXT) AS "limit",
       MAX(f.value) AS {value}
FROM latest l JOIN gate_findings f ON f.run = l.run
WHERE f.rule = '{rule}' AND f.severity IN ('warn', 'stop') AND f.{about} IS NOT NULL
  AND f.value IS NOT NULL
GROUP BY l.study, f.{about}, f."limit"
""",
        {"study": "text", about: "text", "limit": "text", value: "number"},
    )


DRIFT = _objections("drift", "feature", "distance")
REJECTED = _objections("rejects", "dataset", "share")

SINCE_SUCCESS = Query(
    f"""
SELECT study, $__daysSince(last) AS days FROM (
  SELECT r.study AS study,
         COALESCE(MAX(CASE WHEN o.status = 'done' THEN o.ended END), MIN(r.started)) AS last
  FROM {TRAINING_RUNS} r LEFT JOIN outcomes o ON o.run = r.run
  GROUP BY r.study
) successes
""",
    {"study": "text", "days": "number"},
)

FAILED = Query(
    f"""
SELECT study, failed_stage, how, failed FROM (
  SELECT r.study AS study, o.failed_stage AS failed_stage,
         CASE WHEN o.status = 'killed' THEN 'was killed' ELSE 'failed' END
         || CASE WHEN o.failed_stage = '' THEN '' ELSE ' in ' || o.failed_stage END AS how,
         CASE WHEN o.status IN {UNSUCCESSFUL} THEN 1 ELSE 0 END AS failed,
         ROW_NUMBER() OVER (PARTITION BY r.study ORDER BY o.ended DESC) AS place
  FROM {TRAINING_RUNS} r JOIN {NEWEST_OUTCOMES} o ON o.run = r.run
) ranked WHERE place = 1
""",
    {"study": "text", "failed_stage": "text", "how": "text", "failed": "count"},
)

FIRED = Query(
    f"""
SELECT m.study AS study, REPLACE(a.kind, '_', ' ') AS kind,
       CASE WHEN a.feature <> '' THEN COALESCE(a.title, a.feature)
            ELSE {titled("task", "a.run", "a.task")} END AS "about",
       MAX(CASE a.state WHEN 'fired' THEN 1 ELSE 0 END) AS fired
FROM (
  SELECT run, study, ROW_NUMBER() OVER (PARTITION BY study ORDER BY as_of DESC) AS place
  FROM monitorings
) m JOIN monitored_alarms a ON a.run = m.run
WHERE m.place = 1
GROUP BY m.study, a.run, a.kind, a.feature, a.title, a.task
""",
    {"study": "text", "kind": "text", "about": "text", "fired": "count"},
)
"""Alarms of each study's newest monitoring."""
