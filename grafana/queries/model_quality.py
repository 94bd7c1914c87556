"""Queries of the board on model quality.

They are about the subjects evaluated: those of the test split or, out of fold, all subjects.
`model` is a column of the store: the challenger of a run (`challenger`), the current champion
(`champion`), or their difference (`difference`), for which `versus` is empty.
"""

from __future__ import annotations

from grafana.queries.outcomes import outcome_weight, outcome_word
from grafana.queries.query import TRAINING_RUNS, Query, newest, titled
from pipeline.results.censoring import ALL_SUBJECTS
from pipeline.results.reference_models import TITLES

_OVERALL = "x.slicing = '' AND x.slice = ''"

_MODELS = {"challenger": "this model", **TITLES}
_SHOWN_BESIDE = ", ".join(f"'{name}'" for name in _MODELS)


def _model_title(column: str) -> str:
    """SQL of a model's name for people."""
    cases = " ".join(f"WHEN '{name}' THEN '{title}'" for name, title in _MODELS.items())
    return f"CASE {column} {cases} END"


EVALUATION = """CASE m.scheme WHEN 'split' THEN 'test split'
            WHEN 'internal_external'
              THEN 'internal-external, ' || CAST(m.folds AS TEXT) || ' groups'
            ELSE 'cross-fitting, ' || CAST(m.folds AS TEXT) || ' folds × '
              || CAST(m.repeats AS TEXT) END"""
"""SQL of how a model was evaluated, in words."""

_VERDICT = """CASE WHEN NOT m.judged THEN 'not judged'
            WHEN m.blessed AND EXISTS (SELECT 1 FROM task_verdicts v
                                       WHERE v.run = m.run AND v.verdict <> 'blessed')
              THEN 'blessed for some tasks'
            WHEN m.blessed THEN 'blessed'
            WHEN EXISTS (SELECT 1 FROM task_verdicts v
                         WHERE v.run = m.run AND v.verdict <> 'not_judged')
              OR NOT EXISTS (SELECT 1 FROM task_verdicts v WHERE v.run = m.run)
              THEN 'refused'
            ELSE 'not judged' END"""
"""The word for a model's verdict; see `pipeline.results.documents.Verdict.decision`."""

VERDICT = Query(
    f"""
SELECT {_VERDICT} AS verdict
FROM models m JOIN {TRAINING_RUNS} r ON r.run = m.run
WHERE r.study = :study ORDER BY r.started DESC LIMIT 1
""",
    {"verdict": "text"},
)

OVERVIEW = Query(
    f"""
SELECT {titled("task", "x.run", "x.task")} AS task,
       COALESCE((SELECT REPLACE(v.verdict, '_', ' ') FROM task_verdicts v
                 WHERE v.run = x.run AND v.task = x.task AND x.model = 'challenger'), '')
         AS verdict,
       MAX(x.subjects) AS subjects, MAX(x.positives) AS positives,
       MAX(CASE WHEN x.metric = 'auc' THEN x.value END) AS auc,
       MAX(CASE WHEN x.metric = 'auc' THEN x.lower END) AS auc_lower,
       MAX(CASE WHEN x.metric = 'auc' THEN x.upper END) AS auc_upper,
       MAX(CASE WHEN x.metric = 'pr_auc' THEN x.value END) AS pr_auc,
       MAX(CASE WHEN x.metric = 'observed_rate' THEN x.value END) AS observed_rate,
       MAX(CASE WHEN x.metric = 'brier' THEN x.value END) AS brier,
       MAX(CASE WHEN x.metric = 'calibration_slope' THEN x.value END) AS calibration_slope,
       MAX(CASE WHEN x.metric = 'expected_calibration_error' THEN x.value END)
         AS calibration_error
FROM metrics x
WHERE x.run = :run AND x.model = :model AND x.versus = '' AND {_OVERALL}
  AND x.decision_threshold = 0
GROUP BY x.run, x.model, x.task ORDER BY x.task
""",
    {
        "task": "text",
        "verdict": "text",
        "subjects": "count",
        "positives": "count",
        "auc": "number",
        "auc_lower": "number",
        "auc_upper": "number",
        "pr_auc": "number",
        "observed_rate": "number",
        "brier": "number",
        "calibration_slope": "number",
        "calibration_error": "number",
    },
)


def over_runs(metric: str = ":metric", decision: str = ":decision") -> Query:
    """A metric of all subjects in each run, with the strictest of the study's limits.

    Args:
        metric: SQL of its name.
        decision: SQL of its decision threshold.
    """
    return Query(
        f"""
SELECT r.started AS "time", x.value AS "challenger", x.lower AS "lower", x.upper AS "upper",
       c.value AS "champion", t.at_least AS "at least", t.at_most AS "at most"
FROM {TRAINING_RUNS} r
JOIN metrics x ON x.run = r.run
LEFT JOIN metrics c ON c.run = x.run AND c.task = x.task AND c.slicing = '' AND c.slice = ''
  AND c.metric = x.metric AND c.decision_threshold = x.decision_threshold
  AND c.model = 'champion'
LEFT JOIN (
  SELECT run, MAX(at_least) AS at_least, MIN(at_most) AS at_most
  FROM thresholds
  WHERE task = :task AND metric = {metric} AND decision_threshold IN (0, {decision})
    AND versus = ''
  GROUP BY run
) t ON t.run = x.run
WHERE r.study = :study AND $__timeFilter(r.started) AND x.task = :task AND x.metric = {metric}
  AND x.decision_threshold = {decision} AND x.model = 'challenger' AND {_OVERALL}
ORDER BY r.started
""",
        {
            "time": "time",
            "challenger": "number",
            "lower": "number",
            "upper": "number",
            "champion": "number",
            "at least": "number",
            "at most": "number",
        },
    )


CHOSEN = over_runs()
AUC, PR_AUC, BRIER, SLOPE = (
    over_runs(f"'{metric}'", "0") for metric in ("auc", "pr_auc", "brier", "calibration_slope")
)


def _last(metric: str) -> Query:
    """A metric of all subjects in the newest run that has evaluated a model."""
    return Query(
        f"""
SELECT x.value AS "value" FROM metrics x
WHERE x.run = {newest("metrics")} AND x.task = :task AND {_OVERALL}
  AND x.metric = '{metric}' AND x.decision_threshold = 0 AND x.model = 'challenger'
""",
        {"value": "number"},
    )


LAST_AUC = _last("auc")
LAST_ERROR = _last("expected_calibration_error")
LAST_SLOPE = _last("calibration_slope")

DIFFERENCE = Query(
    f"""
SELECT r.started AS "time", x.value AS "challenger − champion", x.lower AS "lower",
       x.upper AS "upper"
FROM {TRAINING_RUNS} r JOIN metrics x ON x.run = r.run
WHERE r.study = :study AND $__timeFilter(r.started) AND x.task = :task AND x.metric = :metric
  AND x.decision_threshold = :decision AND x.model = 'difference' AND x.versus = ''
  AND {_OVERALL}
ORDER BY r.started
""",
    {
        "time": "time",
        "challenger − champion": "number",
        "lower": "number",
        "upper": "number",
    },
)

PREDICTED_RISKS = Query(
    f"""
SELECT {titled("task", "p.run", "p.task")} AS task,
       CASE p.arm WHEN '' THEN '{ALL_SUBJECTS}' ELSE p.arm END AS arm,
       p.risk AS risk, p.risk_lower AS risk_lower, p.risk_upper AS risk_upper,
       p.mean_prediction AS mean_prediction, {outcome_word(outcome_weight("p.outcome"))} AS verdict
FROM predicted_risks p WHERE p.run = :run
ORDER BY p.task, CASE WHEN p.arm = '{ALL_SUBJECTS}' THEN 0 ELSE 1 END, p.arm
""",
    {
        "task": "text",
        "arm": "text",
        "risk": "number",
        "risk_lower": "number",
        "risk_upper": "number",
        "mean_prediction": "number",
        "verdict": "text",
    },
)
"""`verdict`: whether the mean prediction agrees with the risk."""

REFERENCES = Query(
    f"""
SELECT {titled("task", "x.run", "x.task")} AS task,
       {_model_title("x.model")} AS model, x.value AS auc, b.value AS brier,
       d.value AS difference, d.lower AS difference_lower, d.upper AS difference_upper
FROM metrics x
LEFT JOIN metrics b ON b.run = x.run AND b.task = x.task AND b.slicing = '' AND b.slice = ''
  AND b.metric = 'brier' AND b.decision_threshold = 0 AND b.model = x.model AND b.versus = ''
LEFT JOIN metrics d ON d.run = x.run AND d.task = x.task AND d.slicing = '' AND d.slice = ''
  AND d.metric = 'auc' AND d.decision_threshold = 0 AND d.model = 'difference'
  AND d.versus = x.model
WHERE x.run = :run AND x.metric = 'auc' AND x.decision_threshold = 0 AND x.versus = ''
  AND x.model IN ({_SHOWN_BESIDE}) AND {_OVERALL}
  AND EXISTS (SELECT 1 FROM metrics r WHERE r.run = x.run AND r.task = x.task
              AND r.versus <> '')
ORDER BY x.task, CASE x.model WHEN 'challenger' THEN 0 ELSE 1 END, x.value DESC, x.model
""",
    {
        "task": "text",
        "model": "text",
        "auc": "number",
        "brier": "number",
        "difference": "number",
        "difference_lower": "number",
        "difference_upper": "number",
    },
)
"""This model and the reference models; the difference is this model's AUC minus theirs."""

_OF_CHOICE = "run = :run AND task = :task AND slicing = :slicing"
_OF_METRIC = (
    f"{_OF_CHOICE} AND metric = :metric AND decision_threshold = :decision AND model = :model "
    "AND versus = ''"
)

SLICES = Query(
    f"""
WITH judged AS (
  SELECT slice, MAX({outcome_weight("outcome")}) AS weight,
         MAX(CASE side WHEN 'at_least' THEN "limit" END) AS at_least,
         MIN(CASE side WHEN 'at_most' THEN "limit" END) AS at_most
  FROM comparisons WHERE {_OF_METRIC} GROUP BY slice
),
named AS (
  SELECT slice FROM metrics WHERE {_OF_METRIC} AND versus = ''
  UNION SELECT slice FROM suppressed_groups WHERE {_OF_CHOICE}
  UNION SELECT slice FROM judged
)
SELECT n.slice AS "group", x.lower AS lower, x.value AS value, x.upper AS upper,
       x.subjects AS subjects, x.positives AS positives,
       j.at_least AS at_least, j.at_most AS at_most,
       CASE WHEN j.weight IS NOT NULL THEN {outcome_word("j.weight")}
            WHEN EXISTS (SELECT 1 FROM comparisons c WHERE c.run = :run)
              OR NOT EXISTS (SELECT 1 FROM thresholds t WHERE t.run = :run)
              THEN 'no threshold'
            ELSE 'not recorded' END AS verdict,
       CASE s.reason WHEN 'too_small' THEN 'too small' WHEN 'complementary' THEN 'suppressed'
            ELSE '' END AS not_shown
FROM named n
LEFT JOIN (SELECT * FROM metrics WHERE {_OF_METRIC} AND versus = '') x ON x.slice = n.slice
LEFT JOIN (SELECT * FROM suppressed_groups WHERE {_OF_CHOICE}) s ON s.slice = n.slice
LEFT JOIN judged j ON j.slice = n.slice
ORDER BY n.slice
""",
    {
        "group": "text",
        "lower": "number",
        "value": "number",
        "upper": "number",
        "subjects": "count",
        "positives": "count",
        "at_least": "number",
        "at_most": "number",
        "verdict": "text",
        "not_shown": "text",
    },
)
"""Slices of a slicing with the judge's outcomes; of several comparisons the worst outcome.

Runs of 0.1.0 had thresholds, but their comparisons are not recorded.
"""

GROUPS_BY_TASK = Query(
    f"""
SELECT x.slice AS "group", {titled("task", "x.run", "x.task")} AS task,
       x.value AS value
FROM metrics x
WHERE x.run = :run AND x.slicing = :slicing AND x.metric = :metric AND x.model = :model
  AND x.versus = ''
  AND x.decision_threshold = (SELECT MIN(y.decision_threshold) FROM metrics y
    WHERE y.run = x.run AND y.task = x.task AND y.slicing = x.slicing AND y.slice = x.slice
      AND y.metric = x.metric)
ORDER BY x.slice, x.task
""",
    {"group": "text", "task": "text", "value": "number"},
)

GAPS = Query(
    f"""
SELECT r.started AS "time", MAX(x.value) - MIN(x.value) AS "gap",
       CASE WHEN MAX(x.lower) > MIN(x.upper) THEN MAX(x.lower) - MIN(x.upper) ELSE 0 END
         AS "gap beyond the intervals"
FROM {TRAINING_RUNS} r JOIN metrics x ON x.run = r.run
WHERE r.study = :study AND $__timeFilter(r.started) AND x.task = :task AND x.metric = :metric
  AND x.slicing = :slicing AND x.decision_threshold = :decision AND x.model = 'challenger'
GROUP BY r.run, r.started ORDER BY r.started
""",
    {"time": "time", "gap": "number", "gap beyond the intervals": "number"},
)

GAPS_OF_RUN = Query(
    f"""
SELECT {titled("slicing", ":run", "g.slicing")} AS slicing, g.metric AS metric,
       CASE WHEN g.decision_threshold > 0 THEN CAST(g.decision_threshold AS TEXT) ELSE '' END
         AS decision_threshold,
       g.highest - g.lowest AS gap, g.lowest_group AS lowest_group, g.lowest AS lowest,
       g.highest_group AS highest_group, g.highest AS highest
FROM (
  SELECT DISTINCT x.slicing, x.metric, x.decision_threshold,
    FIRST_VALUE(x.slice) OVER low AS lowest_group, FIRST_VALUE(x.value) OVER low AS lowest,
    FIRST_VALUE(x.slice) OVER high AS highest_group, FIRST_VALUE(x.value) OVER high AS highest
  FROM metrics x
  WHERE x.run = :run AND x.task = :task AND x.model = :model AND x.versus = ''
    AND x.slicing <> ''
    AND x.value IS NOT NULL AND x.metric IN
      ('sensitivity', 'false_positive_rate', 'positive_predictive_value', 'observed_rate',
       'mean_prediction')
  WINDOW
    low AS (PARTITION BY x.slicing, x.metric, x.decision_threshold ORDER BY x.value, x.slice),
    high AS (PARTITION BY x.slicing, x.metric, x.decision_threshold
             ORDER BY x.value DESC, x.slice)
) g
ORDER BY gap DESC, slicing, metric LIMIT 20
""",
    {
        "slicing": "text",
        "metric": "text",
        "decision_threshold": "text",
        "gap": "number",
        "lowest_group": "text",
        "lowest": "number",
        "highest_group": "text",
        "highest": "number",
    },
)

CALIBRATION = Query(
    """
SELECT b.mean_prediction AS predicted, b.observed_rate AS observed, b.lower AS lower,
       b.upper AS upper, b.mean_prediction AS ideal, b.subjects AS subjects
FROM calibration b
WHERE b.run = :run AND b.task = :task AND b.slicing = '' AND b.slice = '' AND b.model = :model
ORDER BY b.mean_prediction
""",
    {
        "predicted": "number",
        "observed": "number",
        "lower": "number",
        "upper": "number",
        "ideal": "number",
        "subjects": "count",
    },
)

REFERRAL = Query(
    """
SELECT p.referred AS referred, p.brier AS "the model",
       p.observed_rate * (1 - p.observed_rate) AS "predicting their rate", p.subjects AS subjects,
       p.observed_rate AS "observed rate", p.widest AS "widest interval"
FROM referral p WHERE p.run = :run AND p.task = :task
ORDER BY p.point
""",
    {
        "referred": "number",
        "the model": "number",
        "predicting their rate": "number",
        "subjects": "count",
        "observed rate": "number",
        "widest interval": "number",
    },
)
"""Brier score of the subjects kept, by the share that is left to people."""

BLESSINGS = Query(
    f"""
WITH reasons AS (
  SELECT b.run, 0 AS kind, b.number, b.task, b.message AS reason FROM blessing_reasons b
  UNION ALL
  SELECT v.run, 1, 0, v.task, v.reason FROM task_verdicts v
  WHERE v.verdict <> 'blessed' AND NOT EXISTS (
    SELECT 1 FROM blessing_reasons b WHERE b.run = v.run AND b.task = v.task)
  UNION ALL
  SELECT m.run, 2, 0, '', m.not_registered FROM models m WHERE m.blessed AND NOT m.registered
)
SELECT r.started AS started, m.run AS run, {_VERDICT} AS verdict,
       CASE WHEN m.registered THEN 'yes' ELSE 'no' END AS became_champion,
       {EVALUATION} AS evaluation, m.comparisons AS comparisons,
       COALESCE({titled("task", "m.run", "w.task")}, '') AS task,
       COALESCE((SELECT REPLACE(v.verdict, '_', ' ') FROM task_verdicts v
                 WHERE v.run = w.run AND v.task = w.task), '') AS task_verdict,
       COALESCE(w.reason, '') AS reason
FROM {TRAINING_RUNS} r JOIN models m ON m.run = r.run LEFT JOIN reasons w ON w.run = m.run
WHERE r.study = :study AND $__timeFilter(r.started)
ORDER BY r.started DESC, w.kind, w.number, w.task LIMIT 200
""",
    {
        "started": "time",
        "run": "text",
        "verdict": "text",
        "became_champion": "text",
        "evaluation": "text",
        "comparisons": "count",
        "task": "text",
        "task_verdict": "text",
        "reason": "text",
    },
)
"""A row for each reason why a task is not served, or why a blessed model is not the champion."""
