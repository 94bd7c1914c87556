"""Queries about external validations and groups that a model did not see."""

from __future__ import annotations

from grafana.queries.query import Query, titled

_SHOWN = "(v.study = :study OR v.model_study = :study) AND $__timeFilter(r.started)"
"""Validations on the study, and validations of its models on other studies."""

_MODEL = "v.model_study || '/' || v.model"


def _is(metric: str, alias: str) -> str:
    """SQL of the condition that a row is a metric of all subjects."""
    return f"""{alias}.slicing = '' AND {alias}.slice = '' AND {alias}.metric = '{metric}'
  AND {alias}.decision_threshold = 0 AND {alias}.model = 'challenger'"""


def _joined(metric: str, alias: str) -> str:
    """SQL that adds a metric of all subjects to a row `x` of another one."""
    return f"""LEFT JOIN metrics {alias} ON {alias}.run = x.run AND {alias}.task = x.task
  AND {_is(metric, alias)}"""


VALIDATIONS = Query(
    f"""
SELECT r.started AS started, v.study AS validated_on, {_MODEL} AS model,
       {titled("task", "x.run", "x.task")} AS task,
       x.subjects AS subjects, x.positives AS positives,
       x.value AS auc, x.lower AS auc_lower, x.upper AS auc_upper,
       l.value AS large, l.lower AS large_lower, l.upper AS large_upper,
       s.value AS slope, s.lower AS slope_lower, s.upper AS slope_upper
FROM validations v JOIN runs r ON r.run = v.run
JOIN metrics x ON x.run = v.run AND {_is("auc", "x")}
{_joined("calibration_in_the_large", "l")}
{_joined("calibration_slope", "s")}
WHERE {_SHOWN}
ORDER BY r.started DESC, x.task LIMIT 100
""",
    {
        "started": "time",
        "validated_on": "text",
        "model": "text",
        "task": "text",
        "subjects": "count",
        "positives": "count",
        "auc": "number",
        "auc_lower": "number",
        "auc_upper": "number",
        "large": "number",
        "large_lower": "number",
        "large_upper": "number",
        "slope": "number",
        "slope_lower": "number",
        "slope_upper": "number",
    },
)

ESTIMATES = Query(
    f"""
SELECT r.started AS started, v.study AS validated_on, {_MODEL} AS model,
       {titled("task", "e.run", "e.task")} AS task,
       CASE e.measure WHEN 'net_benefit' THEN 'net benefit'
            WHEN 'net_benefit_over_all' THEN 'net benefit over treating all'
            WHEN 'observed_to_expected' THEN 'observed to expected'
            WHEN 'intercept' THEN 'intercept of the update' WHEN 'slope' THEN 'slope of the update'
            WHEN 'log_loss_gain' THEN 'gain in log loss' WHEN 'brier_gain' THEN 'gain in Brier'
            ELSE 'gain in net benefit' END AS measure,
       CASE e.method WHEN 'recalibration_in_the_large' THEN 'recalibration in the large'
            WHEN 'logistic_recalibration' THEN 'logistic recalibration' ELSE '' END AS method,
       CASE WHEN e.decision_threshold > 0 THEN CAST(e.decision_threshold AS TEXT) ELSE '' END
         AS decision_threshold,
       e.value AS value, e.lower AS lower, e.upper AS upper
FROM validations v JOIN runs r ON r.run = v.run
JOIN validation_estimates e ON e.run = v.run AND e.slicing = ''
WHERE {_SHOWN}
ORDER BY r.started DESC, e.task, e.method, e.measure, e.decision_threshold LIMIT 400
""",
    {
        "started": "time",
        "validated_on": "text",
        "model": "text",
        "task": "text",
        "measure": "text",
        "method": "text",
        "decision_threshold": "text",
        "value": "number",
        "lower": "number",
        "upper": "number",
    },
)

GROUPS = Query(
    f"""
SELECT r.started AS started, v.study AS validated_on, {_MODEL} AS model,
       {titled("task", "g.run", "g.task")} AS task,
       {titled("slicing", "g.run", "g.slicing")} AS slicing, g.slice AS slice,
       CASE g.measure WHEN 'auc' THEN 'AUC'
            WHEN 'calibration_in_the_large' THEN 'mean prediction minus observed rate'
            WHEN 'net_benefit' THEN 'net benefit'
            ELSE 'net benefit over treating all' END AS measure,
       CASE WHEN g.decision_threshold > 0 THEN CAST(g.decision_threshold AS TEXT) ELSE '' END
         AS decision_threshold,
       g.value AS value, g.lower AS lower, g.upper AS upper
FROM validations v JOIN runs r ON r.run = v.run
JOIN (SELECT run, task, slicing, slice, metric AS measure, decision_threshold, value, lower, upper
      FROM metrics WHERE slicing <> '' AND model = 'challenger'
      AND metric IN ('auc', 'calibration_in_the_large')
      UNION ALL
      SELECT run, task, slicing, slice, measure, decision_threshold, value, lower, upper
      FROM validation_estimates WHERE slicing <> '') g ON g.run = v.run
WHERE {_SHOWN}
ORDER BY r.started DESC, g.task, g.slicing, g.slice, g.measure, g.decision_threshold LIMIT 400
""",
    {
        "started": "time",
        "validated_on": "text",
        "model": "text",
        "task": "text",
        "slicing": "text",
        "slice": "text",
        "measure": "text",
        "decision_threshold": "text",
        "value": "number",
        "lower": "number",
        "upper": "number",
    },
)

BETWEEN_GROUPS = Query(
    f"""
SELECT {titled("task", "b.run", "b.task")} AS task, b.metric AS metric,
       b.groups AS "groups", b.left_out AS left_out,
       b.lowest AS lowest, b.highest AS highest, b.mean AS mean, b.lower AS lower,
       b.upper AS upper, b.new_lower AS new_lower, b.new_upper AS new_upper
FROM between_groups b WHERE b.run = :run ORDER BY b.task, b.metric
""",
    {
        "task": "text",
        "metric": "text",
        "groups": "count",
        "left_out": "count",
        "lowest": "number",
        "highest": "number",
        "mean": "number",
        "lower": "number",
        "upper": "number",
        "new_lower": "number",
        "new_upper": "number",
    },
)
