"""Alerts: queries with a row for each monitored item, one number, and texts about it.

A study's model is judged by its newest evaluation: by the champion's numbers where a champion was
scored and stayed, otherwise by those of the run's own model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grafana import limits
from grafana.queries.query import Query, Row

MODEL_QUALITY = "trial-model-quality"
PIPELINE_HEALTH = "trial-pipeline-health"


@dataclass(frozen=True)
class Alert:
    """A condition that is monitored.

    Attributes:
        uid: Its fixed id.
        title: Its title.
        query: A row for each monitored item, with one number; `limit`, where it has such a
            column, is what the number was compared with when the row was made.
        above: The alert is raised above it.
        severity: `critical` where the blessed model or the pipeline can't be relied on.
        summary: One line; `{study}` stands for what the row has there.
        description: What to do, with the same.
        board: The board that shows more.
    """

    uid: str
    title: str
    query: Query
    above: float
    severity: Literal["critical", "warning"]
    summary: str
    description: str
    board: str

    @property
    def number(self) -> str:
        """The column with the number."""
        (found,) = (name for name, kind in self.query.columns.items() if kind != "text")
        return found

    def limit(self, row: Row) -> str:
        """The limit that a row's number exceeds where the alert is raised."""
        return str(row.get("limit", f"{self.above:g}"))

    def has_happened(self, row: Row) -> bool:
        """Whether the alert is raised for a row."""
        return row[self.number] is not None and row[self.number] > self.above


_LATEST_EVALUATION = """latest AS (
  SELECT run, study, registered FROM (
    SELECT m.run, m.study, m.registered,
           ROW_NUMBER() OVER (PARTITION BY m.study ORDER BY r.started DESC) AS place
    FROM models m JOIN runs r ON r.run = m.run
  ) ranked WHERE place = 1
),
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
    FROM runs r WHERE EXISTS (SELECT 1 FROM {table} e WHERE e.run = r.run)
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
SELECT b.study AS study, x.task AS task, x.metric AS metric,
       CASE WHEN x.slicing = '' THEN 'overall' ELSE x.slicing END AS slicing,
       CASE WHEN x.slicing = '' THEN 'overall' ELSE x.slice END AS slice,
       MAX(CASE x.outcome WHEN 'fails' THEN 1 ELSE 0 END) AS failed
FROM in_use b
JOIN comparisons x ON x.run = b.run AND x.model = b.model
WHERE x.outcome <> 'not_judged' AND x.metric {metrics} AND {_SERVED}
GROUP BY b.study, x.task, x.metric, x.slicing, x.slice
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
blessed_in AS (
  SELECT run, study FROM (
    SELECT m.run, m.study,
           ROW_NUMBER() OVER (PARTITION BY m.study ORDER BY r.started DESC) AS place
    FROM models m JOIN runs r ON r.run = m.run WHERE m.registered
  ) ranked WHERE place = 1
),
at_blessing AS (
  SELECT b.study, x.task, x.metric, x.decision_threshold, x.slicing, {_GAP_OF} AS gap
  FROM blessed_in b JOIN metrics x ON x.run = b.run AND x.model = 'challenger'
  WHERE {_OF_GAPS}
  GROUP BY b.study, x.task, x.metric, x.decision_threshold, x.slicing
),
now AS (
  SELECT b.study, x.task, x.metric, x.decision_threshold, x.slicing, {_GAP_OF} AS gap
  FROM in_use b JOIN metrics x ON x.run = b.run AND x.model = b.model
  WHERE {_OF_GAPS} AND {_SERVED}
  GROUP BY b.study, x.task, x.metric, x.decision_threshold, x.slicing
)
SELECT n.study AS study, n.task AS task, n.metric AS metric,
       CAST(n.decision_threshold AS TEXT) AS decision_threshold, n.slicing AS slicing,
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
        about: Column that says what a finding is about.
        value: Name of the value.
    """
    return Query(
        f"""
WITH {_latest_with("gate_findings")}
SELECT l.study AS study, f.{about} AS {about}, CAST(f."limit" AS TEXT) AS "limit",
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
    """
SELECT study, $__daysSince(last) AS days FROM (
  SELECT r.study AS study,
         COALESCE(MAX(CASE WHEN o.status = 'done' THEN o.ended END), MIN(r.started)) AS last
  FROM runs r LEFT JOIN outcomes o ON o.run = r.run
  GROUP BY r.study
) successes
""",
    {"study": "text", "days": "number"},
)

FAILED = Query(
    """
SELECT study, failed_stage, failed FROM (
  SELECT r.study AS study, o.failed_stage AS failed_stage,
         CASE WHEN o.status = 'failed' THEN 1 ELSE 0 END AS failed,
         ROW_NUMBER() OVER (PARTITION BY r.study ORDER BY o.ended DESC) AS place
  FROM runs r JOIN outcomes o ON o.run = r.run
) ranked WHERE place = 1
""",
    {"study": "text", "failed_stage": "text", "failed": "count"},
)

ALERTS = (
    Alert(
        uid="trial-under-the-floor",
        title="The blessed model fails a threshold",
        query=UNDER_THE_FLOOR,
        above=0.0,
        severity="critical",
        summary="{study}: {metric} of {task} fails its threshold ({slicing}: {slice})",
        description="In its newest evaluation the blessed model fails a threshold of the study "
        "file or a default. Look at the group's interval and at drift, then train again or "
        "withdraw it.",
        board=MODEL_QUALITY,
    ),
    Alert(
        uid="trial-miscalibrated",
        title="The blessed model's probabilities are off",
        query=CALIBRATION,
        above=0.0,
        severity="warning",
        summary="{study}: {metric} of {task} fails its threshold ({slicing}: {slice})",
        description="In its newest evaluation the calibration of the blessed model fails a "
        "threshold of the study file or a default. Ranking may still be right; do not rely on the "
        "probabilities until the model is calibrated again.",
        board=MODEL_QUALITY,
    ),
    Alert(
        uid="trial-gap",
        title="Performance differs more between groups of patients than at the blessing",
        query=GAPS,
        above=limits.GAP,
        severity="warning",
        summary="{study}: {metric} of {task} differs more between groups of {slicing} than "
        "at the blessing",
        description=f"What two groups differ by beyond their 95 % intervals, at decision threshold "
        f"{{decision_threshold}}, has grown by more than {limits.GAP:.0%} since the model was "
        "blessed.",
        board=MODEL_QUALITY,
    ),
    Alert(
        uid="trial-drift",
        title="A feature's distribution drifts",
        query=DRIFT,
        above=0.0,
        severity="warning",
        summary="{study}: {feature} drifts",
        description="Its distance from that of the champion's run exceeds the study's limit, "
        "{limit}.",
        board=PIPELINE_HEALTH,
    ),
    Alert(
        uid="trial-silent",
        title="No successful run for too long",
        query=SINCE_SUCCESS,
        above=limits.DAYS_WITHOUT_SUCCESS,
        severity="critical",
        summary="{study}: no run has succeeded lately",
        description=f"No run of this study has finished for more than "
        f"{limits.DAYS_WITHOUT_SUCCESS} days.",
        board=PIPELINE_HEALTH,
    ),
    Alert(
        uid="trial-rejects",
        title="Too many rows are rejected",
        query=REJECTED,
        above=0.0,
        severity="warning",
        summary="{study}: rows of {dataset} are rejected",
        description="The share of its rows that can't be used exceeds the study's limit, {limit}. "
        "The run's list of rejects names file, row and reason.",
        board=PIPELINE_HEALTH,
    ),
    Alert(
        uid="trial-failed",
        title="The last run failed",
        query=FAILED,
        above=0.0,
        severity="critical",
        summary="{study}: the last run failed in {failed_stage}",
        description="The board has the reason. Fix the problem and rerun: finished stages are "
        "taken from the cache.",
        board=PIPELINE_HEALTH,
    ),
)
