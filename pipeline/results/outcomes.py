"""Outcomes of comparisons of metrics with thresholds, and their reasons.

The outcome of each reason is defined only here, for the Evaluator's judge, the documents, the store
and the boards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Outcome = Literal["passes", "fails", "not_judged"]

Origin = Literal["study", "default"]
"""Whether the study file or `pipeline.study.sections.scheme.DefaultThresholds` demands it."""

LEAST_EVENTS = 10
"""Fewest subjects with the outcome, and fewest without it, for an interval and a judgement.

In simulation the jackknife's 95 % interval of the AUC on a test split covered the true value in 65
to 68 % of trials with 3 events in the test split, in 83 to 84 % with 5, in 90 to 92 % with 8 and in
91 to 93 % with 10 (docs/measurements.md).
"""

ComparisonReason = Literal[
    "within_limit",
    "beyond_limit",
    "no_value",
    "no_interval",
    "too_few_subjects",
    "too_few_events",
    "group_too_small",
    "no_champion",
    "no_reference",
]
"""Reason of the outcome of a comparison.

`within_limit`, `beyond_limit`: the judged value is within or beyond its limit.
`no_value`: the metric is undefined for the group.
`no_interval`: the threshold applies to the interval, and there is no interval.
`too_few_subjects`: fewer subjects of the test split than the smallest group have a known label.
`too_few_events`: fewer than `LEAST_EVENTS` subjects with, or without, the outcome.
`group_too_small`: the group has fewer subjects than the smallest group.
`no_champion`: the threshold applies to the difference to a champion, and none was scored.
`no_reference`: the threshold applies to the difference to a reference model that was not fitted.
"""

OUTCOMES: Mapping[ComparisonReason, Outcome] = {
    "within_limit": "passes",
    "beyond_limit": "fails",
    "no_value": "fails",
    "no_interval": "not_judged",
    "too_few_subjects": "not_judged",
    "too_few_events": "not_judged",
    "group_too_small": "not_judged",
    "no_champion": "not_judged",
    "no_reference": "not_judged",
}
"""The outcome of each reason."""

LACKS_EVIDENCE: frozenset[ComparisonReason] = frozenset(
    {"no_interval", "too_few_subjects", "too_few_events", "no_reference"}
)
"""Reasons that leave a task not judged where they concern all of its subjects."""

BY_WEIGHT: tuple[Outcome, ...] = ("passes", "not_judged", "fails")
"""Outcomes by weight; of several comparisons of the same number the last one counts."""

WORDS: Mapping[Outcome, str] = {
    "passes": "passes",
    "not_judged": "not judged",
    "fails": "fails",
}
"""Text of each outcome on boards and pages."""
