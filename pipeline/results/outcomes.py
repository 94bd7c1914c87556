"""What can come of comparing a metric with a threshold, and why.

This is the one place that says which reason leads to which outcome: the Evaluator's judge, the
documents, the store and the boards take it from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Outcome = Literal["passes", "fails", "not_judged"]

ComparisonReason = Literal[
    "within_limit",
    "beyond_limit",
    "no_value",
    "no_interval",
    "too_few_subjects",
    "group_too_small",
    "no_champion",
]
"""Why a comparison came out as it did.

`within_limit`, `beyond_limit`: the judged value and its limit say so.
`no_value`: the metric is undefined for the group.
`no_interval`: the threshold demands that the interval's end holds, and there is no interval.
`too_few_subjects`: in all of the test split fewer subjects than the smallest group are known.
`group_too_small`: the group has fewer subjects than the smallest group.
`no_champion`: the threshold is one on the difference to a champion, and none was scored.
"""

OUTCOMES: Mapping[ComparisonReason, Outcome] = {
    "within_limit": "passes",
    "beyond_limit": "fails",
    "no_value": "fails",
    "no_interval": "fails",
    "too_few_subjects": "fails",
    "group_too_small": "not_judged",
    "no_champion": "not_judged",
}
"""The outcome of each reason."""

BY_WEIGHT: tuple[Outcome, ...] = ("passes", "not_judged", "fails")
"""Outcomes; of several comparisons of the same number the last one counts."""

WORDS: Mapping[Outcome, str] = {
    "passes": "passes",
    "not_judged": "not judged",
    "fails": "fails",
}
"""Outcomes as boards and pages show them."""
