"""Queries of the board on the trial's progress.

`pipeline.results.trial_progress` defines what is counted.

They are about the newest run that has a summary.
"""

from __future__ import annotations

from grafana.queries.query import Query, newest
from pipeline.results.trial_progress import (
    ADVERSE_EVENTS,
    COMPLETED,
    COMPLETENESS,
    DISPOSITION,
    ENDPOINT,
    ENROLMENT,
    EXPOSURE,
    MEAN,
    RISK_DIFFERENCE,
    SHARE,
    SUBJECTS,
)


def _of(section: str, *measures: str) -> str:
    """SQL that keeps the measures of a section in the newest summary."""
    names = ", ".join(f"'{measure}'" for measure in measures)
    condition = f"p.run = {newest('trial_progress')} AND p.section = '{section}'"
    return f"{condition} AND p.measure IN ({names})" if measures else condition


SUBJECTS_ENROLLED = Query(
    f"""
SELECT p.value AS "subjects" FROM trial_progress p
WHERE {_of(ENROLMENT, SUBJECTS)} AND p.site IS NULL AND p.period IS NULL AND p.arm IS NULL
""",
    {"subjects": "number"},
)

COMPLETION = Query(
    f"""
SELECT p.arm AS arm, p.value AS completed, p.lower AS lower, p.upper AS upper,
       p.subjects AS subjects
FROM trial_progress p
WHERE {_of(DISPOSITION, SHARE)} AND p.category = '{COMPLETED}' AND p.arm IS NOT NULL
ORDER BY p.number
""",
    {
        "arm": "text",
        "completed": "number",
        "lower": "number",
        "upper": "number",
        "subjects": "count",
    },
)

ENROLMENT_BY_MONTH = Query(
    f"""
SELECT p.period AS "month", SUM(p.value) AS "in the month",
       SUM(SUM(p.value)) OVER (ORDER BY p.period) AS "until then"
FROM trial_progress p
WHERE {_of(ENROLMENT, SUBJECTS)} AND p.site IS NULL AND p.period IS NOT NULL AND p.arm IS NULL
GROUP BY p.period ORDER BY p.period
""",
    {"month": "text", "in the month": "number", "until then": "number"},
)

ENROLMENT_BY_SITE = Query(
    f"""
SELECT p.site AS site, p.value AS subjects FROM trial_progress p
WHERE {_of(ENROLMENT, SUBJECTS)} AND p.site IS NOT NULL AND p.period IS NULL AND p.arm IS NULL
ORDER BY p.value DESC, p.site LIMIT 30
""",
    {"site": "text", "subjects": "number"},
)

REASONS = Query(
    f"""
SELECT p.category AS reason, COALESCE(p.arm, 'all arms') AS arm, p.value AS share
FROM trial_progress p
WHERE {_of(DISPOSITION, SHARE)} AND p.category IS NOT NULL
ORDER BY p.number
""",
    {"reason": "text", "arm": "text", "share": "number"},
)

DURATIONS = Query(
    f"""
SELECT COALESCE(p.arm, 'all arms') AS arm, COALESCE(p.parameter, 'exposure') AS parameter,
       p.measure AS measure, p.value AS value, p.lower AS lower, p.upper AS upper,
       p.subjects AS subjects
FROM trial_progress p
WHERE {_of(EXPOSURE)} ORDER BY p.number
""",
    {
        "arm": "text",
        "parameter": "text",
        "measure": "text",
        "value": "number",
        "lower": "number",
        "upper": "number",
        "subjects": "count",
    },
)

EVENTS = Query(
    f"""
SELECT COALESCE(p.category, 'any event') AS organ_class, p.arm AS arm, p.value AS share
FROM trial_progress p
WHERE {_of(ADVERSE_EVENTS, SHARE)} AND p.severity IS NULL AND p.arm IS NOT NULL
ORDER BY p.number
""",
    {"organ_class": "text", "arm": "text", "share": "number"},
)

SEVERITIES = Query(
    f"""
SELECT COALESCE(p.category, 'any event') AS organ_class, p.severity AS severity,
       p.arm AS arm, p.value AS share, p.lower AS lower, p.upper AS upper, p.subjects AS subjects
FROM trial_progress p
WHERE {_of(ADVERSE_EVENTS, SHARE)} AND p.severity IS NOT NULL AND p.arm IS NOT NULL
ORDER BY p.value DESC, p.number LIMIT 60
""",
    {
        "organ_class": "text",
        "severity": "text",
        "arm": "text",
        "share": "number",
        "lower": "number",
        "upper": "number",
        "subjects": "count",
    },
)

RISK_DIFFERENCES = Query(
    f"""
SELECT COALESCE(p.category, 'any event') AS organ_class, p.arm AS arm, p.lower AS lower,
       p.value AS difference,
       p.upper AS upper, p.subjects AS subjects,
       CASE WHEN p.lower > 0 THEN 'more than control' WHEN p.upper < 0 THEN 'fewer than control'
            ELSE 'no difference found' END AS finding
FROM trial_progress p
WHERE {_of(ADVERSE_EVENTS, RISK_DIFFERENCE)} AND p.severity IS NULL
ORDER BY p.value DESC, p.number LIMIT 40
""",
    {
        "organ_class": "text",
        "arm": "text",
        "lower": "number",
        "difference": "number",
        "upper": "number",
        "subjects": "count",
        "finding": "text",
    },
)

ENDPOINTS = Query(
    f"""
SELECT p.visit AS visit, COALESCE(p.arm, 'all arms') AS arm, p.value AS mean
FROM trial_progress p
WHERE {_of(ENDPOINT, MEAN)} AND p.parameter = :parameter AND p.visit IS NOT NULL
ORDER BY p.number
""",
    {"visit": "text", "arm": "text", "mean": "number"},
)

ENDPOINT_INTERVALS = Query(
    f"""
SELECT COALESCE(p.visit, '') AS visit, COALESCE(p.arm, 'all arms') AS arm, p.lower AS lower,
       p.value AS mean, p.upper AS upper, p.subjects AS subjects
FROM trial_progress p
WHERE {_of(ENDPOINT, MEAN)} AND p.parameter = :parameter
ORDER BY p.number
""",
    {
        "visit": "text",
        "arm": "text",
        "lower": "number",
        "mean": "number",
        "upper": "number",
        "subjects": "count",
    },
)

LEAST_COMPLETE = Query(
    f"""
SELECT p.site AS site, COALESCE(p.category, 'all') AS dataset, p.value AS complete
FROM trial_progress p
WHERE {_of(COMPLETENESS, SHARE)} AND p.site IS NOT NULL
ORDER BY p.value, p.site LIMIT 30
""",
    {"site": "text", "dataset": "text", "complete": "number"},
)
