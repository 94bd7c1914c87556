"""Queries of a board's variables."""

from __future__ import annotations

from grafana.queries.query import TRAINING_RUNS, Query, newest, titled

_OF_NEWEST_RUN = f"FROM metrics x WHERE x.run = {newest('metrics')}"

STUDIES = Query(
    """
SELECT study AS "__value",
       CASE WHEN COUNT(*) OVER (PARTITION BY title) = 1 THEN title
            ELSE title || ' [' || study || ']' END AS "__text"
FROM (
  SELECT x.study AS study, MAX(x.started) AS latest,
         COALESCE((SELECT known.title FROM titles known JOIN runs y ON y.run = known.run
                   WHERE known.kind = 'study' AND known.name = x.study
                   ORDER BY y.started DESC LIMIT 1), x.study) AS title
  FROM runs x GROUP BY x.study) every_study
ORDER BY latest DESC
""",
    {"__value": "text", "__text": "text"},
)
"""Each by its name, with the title of its newest run; of two studies with the same title their
names stand behind it."""

TASKS = Query(
    f"""
SELECT DISTINCT x.task AS "__value", {titled("task", "x.run", "x.task")} AS "__text"
{_OF_NEWEST_RUN} ORDER BY 1
""",
    {"__value": "text", "__text": "text"},
)
"""Likewise; Grafana knows value and text by the names of the columns."""

METRICS = Query(
    f"""
SELECT x.metric AS "value" {_OF_NEWEST_RUN}
GROUP BY x.metric ORDER BY CASE x.metric WHEN 'auc' THEN 0 ELSE 1 END, x.metric
""",
    {"value": "text"},
)

DECISION_THRESHOLDS = Query(
    f"""
SELECT DISTINCT CAST(x.decision_threshold AS TEXT) AS "value" {_OF_NEWEST_RUN}
AND x.task = :task AND x.metric = :metric ORDER BY 1
""",
    {"value": "text"},
)

SLICINGS = Query(
    f"""
SELECT DISTINCT x.slicing AS "__value", {titled("slicing", "x.run", "x.slicing")} AS "__text"
{_OF_NEWEST_RUN} AND x.slicing <> '' ORDER BY 1
""",
    {"__value": "text", "__text": "text"},
)
"""Likewise."""

RUNS = Query(
    f"""
SELECT m.run AS "value" FROM models m JOIN {TRAINING_RUNS} r ON r.run = m.run
WHERE r.study = :study ORDER BY r.started DESC LIMIT 200
""",
    {"value": "text"},
)

PARAMETERS = Query(
    f"""
SELECT p.parameter AS "value" FROM trial_progress p
WHERE p.run = {newest("trial_progress")} AND p.section = 'endpoint' AND p.parameter IS NOT NULL
GROUP BY p.parameter ORDER BY MIN(p.number)
""",
    {"value": "text"},
)
