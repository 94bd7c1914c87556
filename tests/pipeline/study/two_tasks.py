"""A study with a task of a state and one of an event, slicings, a pair and thresholds."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from pipeline.study.load import parse_study
from pipeline.study.study import Study

STUDY: dict[str, Any] = {
    "study": "T1",
    "title": "A trial",
    "datasets": {
        "adsl": {
            "file": "adsl.xpt",
            "format": "xpt",
            "rows": "one_per_subject",
            "columns": {"AGE": {"known": "baseline"}, "OUT": {"missing": [9]}},
        },
        "adae": {"file": "adae.xpt", "format": "xpt", "rows": "many_per_subject", "day": "ASTDY"},
    },
    "subject": {"dataset": "adsl", "column": "USUBJID"},
    "features": {"AGE": {"kind": "number"}},
    "tasks": {
        "response": {
            "kind": "response",
            "title": "Response",
            "state": {"positive": {"column": "OUT", "in": [1]}},
            "decision_thresholds": [0.5],
        },
        "ae": {
            "kind": "adverse_event",
            "title": "Event",
            "event": {"dataset": "adae", "where": {"column": "AESER", "in": ["Y"]}},
            "horizon": 90,
        },
    },
    "slicing": {
        "by": {"sex": {"column": "SEX"}, "race": {"column": "RACE"}},
        "pairs": [["sex", "race"]],
        "smallest_group": 25,
    },
    "thresholds": [
        {"metric": "auc", "at_least": 0.65, "scope": "every_slice", "holds": "bound"},
        {"metric": "sensitivity", "at_least": 0.8, "decision_threshold": 0.2, "tasks": ["ae"]},
    ],
    "split": {"seed": 4},
}


def study(change: Callable[[dict[str, Any]], object] | None = None) -> Study:
    """The study, with its content changed in place by a function."""
    content = copy.deepcopy(STUDY)
    if change:
        change(content)
    return parse_study(content, "study.yaml")
