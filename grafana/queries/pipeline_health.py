"""Queries of the board on the pipeline's health."""

from __future__ import annotations

from grafana.queries.query import (
    NEWEST_OUTCOMES,
    TRAINING_RUNS,
    UNSUCCESSFUL,
    Query,
    newest,
    shown_name,
    titled,
)

_NEWEST_FINDINGS = newest("gate_findings")
_NEWEST_ROWS = newest("stage_rows")
_NEWEST_STAGES = newest("stages")

NEWEST_RUN = Query(
    f"""
SELECT r.run AS run, r.started AS started, r.smallest_group AS smallest_group,
       r.code_version AS code_version
FROM {TRAINING_RUNS} r WHERE r.study = :study ORDER BY r.started DESC LIMIT 1
""",
    {"run": "text", "started": "time", "smallest_group": "count", "code_version": "text"},
)

LAST_OUTCOME = Query(
    f"""
SELECT COALESCE(o.status, 'running') AS status
FROM {TRAINING_RUNS} r LEFT JOIN {NEWEST_OUTCOMES} o ON o.run = r.run
WHERE r.study = :study ORDER BY COALESCE(o.ended, r.started) DESC LIMIT 1
""",
    {"status": "text"},
)

SINCE_SUCCESS = Query(
    f"""
SELECT $__daysSince(o.ended) AS "days" FROM outcomes o JOIN {TRAINING_RUNS} r ON r.run = o.run
WHERE r.study = :study AND o.status = 'done' ORDER BY o.ended DESC LIMIT 1
""",
    {"days": "number"},
)

AGE_OF_DATA = Query(
    f"""
SELECT $__daysSince(r.data_modified) AS "days" FROM {TRAINING_RUNS} r
WHERE r.study = :study AND r.data_modified IS NOT NULL ORDER BY r.started DESC LIMIT 1
""",
    {"days": "number"},
)

AGE_OF_MODEL = Query(
    f"""
SELECT $__daysSince(r.started) AS "days" FROM models m JOIN {TRAINING_RUNS} r ON r.run = m.run
WHERE r.study = :study AND m.registered ORDER BY r.started DESC LIMIT 1
""",
    {"days": "number"},
)

FAILURES = Query(
    f"""
SELECT COUNT(*) AS "failed runs"
FROM {NEWEST_OUTCOMES} o JOIN {TRAINING_RUNS} r ON r.run = o.run
WHERE r.study = :study AND $__timeFilter(r.started) AND o.status IN {UNSUCCESSFUL}
""",
    {"failed runs": "count"},
)

RUNS = Query(
    f"""
SELECT r.started AS started, r.run AS run, COALESCE(o.status, 'running') AS status,
       COALESCE(o.failed_stage, '') AS failed_stage, COALESCE(o.reason, '') AS reason,
       s.seconds AS seconds, s.peak_memory_mb AS memory,
       r.kind AS kind,
       r.runner AS runner, r.started_by AS started_by, r.code_version AS code_version
FROM runs r
LEFT JOIN {NEWEST_OUTCOMES} o ON o.run = r.run
LEFT JOIN (SELECT run, SUM(seconds) AS seconds, MAX(peak_memory_mb) AS peak_memory_mb
           FROM stages GROUP BY run) s ON s.run = r.run
WHERE r.study = :study AND $__timeFilter(r.started)
ORDER BY COALESCE(o.ended, r.started) DESC LIMIT 50
""",
    {
        "started": "time",
        "run": "text",
        "status": "text",
        "failed_stage": "text",
        "reason": "text",
        "seconds": "number",
        "memory": "number",
        "kind": "text",
        "runner": "text",
        "started_by": "text",
        "code_version": "text",
    },
)

STAGE_SECONDS = Query(
    f"""
SELECT r.started AS "time", s.stage AS "metric", MAX(s.seconds) AS "seconds"
FROM {TRAINING_RUNS} r JOIN stages s ON s.run = r.run
WHERE r.study = :study AND $__timeFilter(r.started) AND s.status <> 'cached'
GROUP BY r.run, r.started, s.stage ORDER BY r.started, s.stage
""",
    {"time": "time", "metric": "text", "seconds": "number"},
)

STAGE_MEMORY = Query(
    f"""
SELECT r.started AS "time", s.stage AS "metric", MAX(s.peak_memory_mb) AS "MiB"
FROM {TRAINING_RUNS} r JOIN stages s ON s.run = r.run
WHERE r.study = :study AND $__timeFilter(r.started) AND s.status <> 'cached'
GROUP BY r.run, r.started, s.stage ORDER BY r.started, s.stage
""",
    {"time": "time", "metric": "text", "MiB": "number"},
)

STAGES = Query(
    f"""
SELECT s.stage AS stage, s.status AS status, s.seconds AS seconds, s.peak_memory_mb AS memory,
       COALESCE(s.error, '') AS error
FROM stages s WHERE s.run = {_NEWEST_STAGES} ORDER BY s.started
""",
    {
        "stage": "text",
        "status": "text",
        "seconds": "number",
        "memory": "number",
        "error": "text",
    },
)

ROWS = Query(
    f"""
SELECT c.dataset AS dataset, MAX(c.rows_in) AS rows_in, MAX(c.used) AS used,
       MAX(c.excluded) AS excluded, MAX(c.rejected) AS rejected,
       MAX(c.rejected) / NULLIF(MAX(c.rows_in) * 1.0, 0) AS rejected_share
FROM stage_rows c WHERE c.run = {_NEWEST_ROWS} AND c.dataset <> ''
GROUP BY c.dataset ORDER BY c.dataset
""",
    {
        "dataset": "text",
        "rows_in": "count",
        "used": "count",
        "excluded": "count",
        "rejected": "count",
        "rejected_share": "number",
    },
)

FINDINGS = Query(
    f"""
SELECT f.severity AS severity, f.rule AS rule,
       COALESCE(f.title, f.feature, {titled("task", "f.run", "f.task")}, f.dataset, '') AS "about",
       f.value AS value, f."limit" AS "limit", f.message AS message
FROM gate_findings f WHERE f.run = {_NEWEST_FINDINGS}
ORDER BY CASE f.severity WHEN 'stop' THEN 0 WHEN 'warn' THEN 1 ELSE 2 END, f.number LIMIT 100
""",
    {
        "severity": "text",
        "rule": "text",
        "about": "text",
        "value": "number",
        "limit": "number",
        "message": "text",
    },
)

LIMIT_OF_GATE = "limit of the gate"
"""Name of the line with the limit that a study had set in each run."""


def _over_runs(rule: str, about: str, value: str) -> Query:
    """Values of a rule of the gate in each run, with the limit that each was compared with.

    Args:
        rule: The rule.
        about: Column that says what a finding is about; the 8 with the greatest values in the
            newest run are shown, a feature by its title of then.
        value: Name of the value.
    """
    measured = f"""f.rule = '{rule}' AND f.{about} IS NOT NULL AND f.value IS NOT NULL"""
    return Query(
        f"""
WITH shown AS (
  SELECT f.{about} AS name, MAX({shown_name("f", about)}) AS title FROM gate_findings f
  WHERE {measured} AND f.run = (
    SELECT r.run FROM {TRAINING_RUNS} r
    WHERE r.study = :study AND $__timeFilter(r.started) AND EXISTS (
      SELECT 1 FROM gate_findings f WHERE f.run = r.run AND {measured})
    ORDER BY r.started DESC LIMIT 1)
  GROUP BY f.{about} ORDER BY MAX(f.value) DESC, f.{about} LIMIT 8
),
found AS (
  SELECT r.started AS started, s.title AS name, f.value AS value, f."limit" AS at_most
  FROM gate_findings f JOIN {TRAINING_RUNS} r ON r.run = f.run
  JOIN shown s ON s.name = f.{about}
  WHERE {measured} AND r.study = :study AND $__timeFilter(r.started)
)
SELECT started AS "time", name AS "metric", MAX(value) AS "{value}" FROM found
GROUP BY started, name
UNION ALL
SELECT started, '{LIMIT_OF_GATE}', MAX(at_most) FROM found
WHERE at_most IS NOT NULL GROUP BY started
ORDER BY 1, 2
""",
        {"time": "time", "metric": "text", value: "number"},
    )


DRIFT = _over_runs("drift", "feature", "distance")
REJECTED = _over_runs("rejects", "dataset", "rejected")
