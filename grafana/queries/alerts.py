"""What the alerts ask: a row for each thing watched, with one number; labels are texts.

A study's model is judged by its newest evaluation: by the champion's numbers where a champion was
scored and stayed, otherwise by those of the run's own model.
"""

from __future__ import annotations

from grafana.queries.query import Query

_LATEST_EVALUATION = """latest AS (
  SELECT run, study, registered, champion FROM (
    SELECT m.run, m.study, m.registered, m.champion,
           ROW_NUMBER() OVER (PARTITION BY m.study ORDER BY r.started DESC) AS place
    FROM models m JOIN runs r ON r.run = m.run
  ) ranked WHERE place = 1
),
blessed AS (
  SELECT l.run, l.study, CASE WHEN l.registered THEN 'challenger' ELSE 'champion' END AS model
  FROM latest l WHERE l.registered OR l.champion
)"""

_LATEST_RUN = """latest AS (
  SELECT run, study FROM (
    SELECT r.run, r.study,
           ROW_NUMBER() OVER (PARTITION BY r.study ORDER BY r.started DESC) AS place
    FROM runs r
  ) ranked WHERE place = 1
)"""

UNDER_THE_FLOOR = Query(
    f"""
WITH {_LATEST_EVALUATION},
judged AS (
  SELECT b.study, x.task, x.metric, x.slicing, x.slice, x.value, t.at_least, t.at_most
  FROM blessed b
  JOIN metrics x ON x.run = b.run AND x.model = b.model
  JOIN thresholds t ON t.run = x.run AND t.task = x.task AND t.metric = x.metric
    AND t.versus = '' AND (t.place = 'every_slice' OR x.slicing = '')
)
SELECT study, task, metric,
       CASE WHEN slicing = '' THEN 'overall' ELSE slicing END AS slice_feature,
       CASE WHEN slicing = '' THEN 'everybody' ELSE slice END AS slice,
       MAX(shortfall) AS shortfall
FROM (
  SELECT study, task, metric, slicing, slice, at_least - value AS shortfall FROM judged
  UNION ALL
  SELECT study, task, metric, slicing, slice, value - at_most AS shortfall FROM judged
) distances
WHERE shortfall IS NOT NULL
GROUP BY study, task, metric, slicing, slice
""",
    {
        "study": "text",
        "task": "text",
        "metric": "text",
        "slice_feature": "text",
        "slice": "text",
        "shortfall": "number",
    },
)

CALIBRATION = Query(
    f"""
WITH {_LATEST_EVALUATION}
SELECT b.study AS study, x.task AS task, ABS(x.value) AS distance
FROM blessed b
JOIN metrics x ON x.run = b.run AND x.model = b.model
WHERE x.metric = 'calibration_in_the_large' AND x.slicing = '' AND x.slice = ''
  AND x.value IS NOT NULL
""",
    {"study": "text", "task": "text", "distance": "number"},
)

GAPS = Query(
    f"""
WITH {_LATEST_EVALUATION}
SELECT b.study AS study, x.task AS task, x.metric AS metric,
       CAST(x.decision_threshold AS TEXT) AS decision_threshold, x.slicing AS slice_feature,
       MAX(x.lower) - MIN(x.upper) AS gap
FROM blessed b
JOIN metrics x ON x.run = b.run AND x.model = b.model
WHERE x.metric IN ('recall', 'false_positive_rate') AND x.slicing <> ''
  AND x.lower IS NOT NULL AND x.upper IS NOT NULL
GROUP BY b.study, x.task, x.metric, x.decision_threshold, x.slicing
""",
    {
        "study": "text",
        "task": "text",
        "metric": "text",
        "decision_threshold": "text",
        "slice_feature": "text",
        "gap": "number",
    },
)

DRIFT = Query(
    f"""
WITH {_LATEST_RUN}
SELECT l.study AS study, f.feature AS feature, MAX(f.value / f."limit") AS distance
FROM latest l JOIN gate_findings f ON f.run = l.run
WHERE f.rule = 'drift' AND f.feature IS NOT NULL AND f.value IS NOT NULL AND f."limit" > 0
GROUP BY l.study, f.feature
""",
    {"study": "text", "feature": "text", "distance": "number"},
)

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

REJECTED = Query(
    f"""
WITH {_LATEST_RUN}
SELECT l.study AS study, c.dataset AS dataset,
       MAX(c.rejected) / NULLIF(MAX(c.rows_in) * 1.0, 0) AS share
FROM latest l JOIN stage_rows c ON c.run = l.run
WHERE c.dataset <> '' AND c.rows_in > 0
GROUP BY l.study, c.dataset
""",
    {"study": "text", "dataset": "text", "share": "number"},
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
