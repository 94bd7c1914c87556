"""One of every reason and note that the Evaluator can write, about one task."""

from __future__ import annotations

from typing import Any, get_args

from pipeline.results.judged import Judged, NoteReason
from pipeline.results.outcomes import OUTCOMES, ComparisonReason

_NUMBERS = {"value": 0.61, "lower": 0.55, "upper": 0.67}
_COMPARED = {"compared": 260, "new": None, "left_out": 140}
_NOTES: dict[str, dict[str, Any]] = {
    "nothing_demanded": {},
    "too_few_new_subjects": {},
    "reason_held_back": {},
    "new_subjects": {"estimate": _NUMBERS, "values": {"subjects": 90}},
    "simpler_model": {
        "versus": "ridge",
        "limit": 0.005,
        "estimate": _NUMBERS,
        "values": {"reference": 0.7, "own": 0.71, "base_rate": 0.5},
    },
}
"""Of a task."""
_OF_THE_RUN: dict[str, dict[str, Any]] = {
    "first_run": {},
    "validation": {},
    "other_split": {},
    "other_labels": {},
    "other_deal": {},
    "other_key": {},
    "no_division": {},
    "other_scheme": {"values": {"scheme": "cross_fit", "champion": "split"}},
    "not_compared": {},
    "compared_on_test": {"values": _COMPARED},
    "compared_out_of_fold": {"values": _COMPARED},
    "held_back": {
        "values": {
            "shown": "2026-11-29 04:00",
            "data": "3fa9c1d2e4b5",
            "reason": "near",
            "smallest_group": 20,
        }
    },
    "too_few_to_compare": {"values": {"out_of_fold": 0}},
}

NOTES = (*_NOTES, *_OF_THE_RUN)
"""Reasons of notes; `nothing_demanded` is one of a task that is not judged, `reason_held_back` of
one that is not blessed."""

COMPARISONS: tuple[ComparisonReason, ...] = get_args(ComparisonReason)

assert {*NOTES, "sentence"} == set(get_args(NoteReason))


def judged(reason: str, task: str, group: dict[str, str] | None = None, **more: Any) -> Judged:
    """A reason or note about a task, or about the run.

    Args:
        reason: What is said.
        task: The task; of no effect for a note on the whole run.
        group: The group of a comparison.
        more: Further fields.
    """
    content: dict[str, Any] = {"reason": reason, "smallest_group": 20}
    if reason in OUTCOMES:
        content |= {"task": task, "slice": group or {}, "metric": "auc", "side": "at_least"}
        content |= {"limit": 0.65}
        if reason == "beyond_limit":
            content["estimate"] = _NUMBERS
    else:
        content |= {"task": task, **_NOTES[reason]} if reason in _NOTES else _OF_THE_RUN[reason]
    return Judged.model_validate(content | more)
