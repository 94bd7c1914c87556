"""Queries of the board on registered models."""

from __future__ import annotations

from grafana.queries.query import Query

_STAGES = """(SELECT model, stage, number FROM (
  SELECT s.model, s.stage, s.number,
         ROW_NUMBER() OVER (PARTITION BY s.model ORDER BY s.number DESC) AS place
  FROM model_stages s WHERE s.study = :study) every_stage WHERE place = 1)"""
"""SQL of the stage of each model by now, and the number of the entry since which it has it."""

CHAMPION = Query(
    """
SELECT CASE e.champion WHEN '' THEN 'none' ELSE e.champion END AS champion
FROM registry_entries e WHERE e.study = :study ORDER BY e.number DESC LIMIT 1
""",
    {"champion": "text"},
)

SINCE_CHANGE = Query(
    """
SELECT $__daysSince(c.at) AS "days" FROM (
  SELECT e.at, e.number, e.champion,
         LAG(e.champion, 1, '') OVER (ORDER BY e.number) AS champion_before
  FROM registry_entries e WHERE e.study = :study) c
WHERE c.champion <> c.champion_before ORDER BY c.number DESC LIMIT 1
""",
    {"days": "number"},
)

CANDIDATES = Query(
    f"""
SELECT COUNT(*) AS "models" FROM {_STAGES} s
WHERE s.stage = 'candidate' AND s.number > COALESCE((
  SELECT MAX(c.number) FROM {_STAGES} c WHERE c.stage = 'champion'), 0)
HAVING (SELECT COUNT(*) FROM registry_entries e WHERE e.study = :study) > 0
""",
    {"models": "count"},
)
"""Registered after the champion became it, and neither promoted nor retired since."""

MODELS = Query(
    f"""
SELECT s.model AS model, s.stage AS stage, since.at AS since, r.run AS run,
       r.at AS registered,
       CASE WHEN m.run IS NULL THEN 'not recorded' WHEN NOT m.judged THEN 'not judged'
            WHEN m.blessed THEN 'blessed' ELSE 'refused' END AS verdict,
       CASE WHEN s.stage = 'champion' THEN '' ELSE COALESCE(r.refused, '') END AS not_promoted
FROM {_STAGES} s
JOIN registry_entries since ON since.study = :study AND since.number = s.number
LEFT JOIN registry_entries r ON r.study = :study AND r.model = s.model AND r.action = 'registered'
LEFT JOIN models m ON m.run = r.run
ORDER BY CASE s.stage WHEN 'champion' THEN 0 ELSE 1 END, since.number DESC, s.model LIMIT 200
""",
    {
        "model": "text",
        "stage": "text",
        "since": "time",
        "run": "text",
        "registered": "time",
        "verdict": "text",
        "not_promoted": "text",
    },
)

CHAMPIONS = Query(
    """
SELECT c.at AS since, CASE c.champion WHEN '' THEN 'none' ELSE c.champion END AS champion,
       REPLACE(c.action, '_', ' ') AS how, c.actor AS actor, c.reason AS reason
FROM (
  SELECT e.at, e.number, e.action, e.actor, e.reason, e.champion,
         LAG(e.champion, 1, '') OVER (ORDER BY e.number) AS champion_before
  FROM registry_entries e WHERE e.study = :study) c
WHERE c.champion <> c.champion_before ORDER BY c.number DESC LIMIT 100
""",
    {"since": "time", "champion": "text", "how": "text", "actor": "text", "reason": "text"},
)

DECISIONS = Query(
    """
SELECT e.at AS "at", REPLACE(e.action, '_', ' ') AS decision, e.actor AS actor, e.reason AS reason,
       e.compared_with AS compared_with, e.refused AS not_promoted
FROM registry_entries e WHERE e.study = :study AND e.model = :registered
ORDER BY e.number DESC LIMIT 100
""",
    {
        "at": "time",
        "decision": "text",
        "actor": "text",
        "reason": "text",
        "compared_with": "text",
        "not_promoted": "text",
    },
)

REGISTERED = Query(
    f"""
SELECT s.model AS "value" FROM {_STAGES} s
ORDER BY CASE s.stage WHEN 'champion' THEN 0 ELSE 1 END, s.number DESC, s.model LIMIT 200
""",
    {"value": "text"},
)
"""Models of the study, the champion first."""
