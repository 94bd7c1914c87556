"""A small study file and changed copies of it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.errors import UserError
from pipeline.study.load import load_study, parse_study
from pipeline.study.study import Study

STUDY = """\
study: hand
title: A trial made by hand
datasets:
  dm:
    file: dm.csv
    format: csv
    rows: one_per_subject
    columns:
      USUBJID: {type: text}
      AGE: {type: number, known: baseline}
      WEEK4: {type: number, known: day 28}
      WEEK8: {type: number, known: day 56}
      DIED: {type: text, known: after}
      NOTED: {type: text}
      SITEID: {type: text, known: baseline}
  lb:
    file: lb.xpt
    format: xpt
    rows: many_per_subject
    day: LBDY
    parameter: LBTESTCD
subject: {dataset: dm, column: USUBJID}
landmark: {day: 28}
features:
  AGE: {kind: number}
  lab: {kind: number, dataset: lb, column: LBSTRESN, each: [ALT, CK-MB], aggregate: last}
tasks:
  death:
    kind: outcome
    title: Dead at the end
    state: {positive: {column: DIED, equals: "Y"}}
"""
REMOVED = object()


def changed(**changes: Any) -> dict[str, Any]:
    """The study file with changes; `__` divides the keys of a path."""
    content: dict[str, Any] = yaml.safe_load(STUDY)
    for path, value in changes.items():
        *folders, last = path.split("__")
        place = content
        for name in folders:
            place = place.setdefault(name, {})
        if value is REMOVED:
            del place[last]
        else:
            place[last] = copy.deepcopy(value)
    return content


def study(**changes: Any) -> Study:
    return parse_study(changed(**changes), "study.yaml")


def refusal(**changes: Any) -> list[str]:
    """Lines of the message with which a changed study file is refused."""
    with pytest.raises(UserError) as caught:
        study(**changes)
    return str(caught.value).splitlines()


def refusal_of_text(folder: Path, text: str) -> list[str]:
    path = folder / "study.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        load_study(path)
    return [line.removeprefix(str(folder) + "/") for line in str(caught.value).splitlines()]


EVENT = {"dataset": "lb", "where": {"column": "LBTESTCD", "equals": "ALT"}}
RASH = {"kind": "adverse_event", "title": "Rash", "event": EVENT}
SITE = {"column": "SITEID"}

FULL: dict[str, Any] = {
    "title": "Another title",
    "site": SITE,
    "population": {"not": {"column": "AGE", "below": 18}},
    "window": {"column": "SITEID", "start": "2014-01-01"},
    "tasks__rash": {**RASH, "horizon": 90, "decision_thresholds": [0.1]},
    "slicing": {
        "by": {"age": {"column": "AGE", "bands": [65]}, "site": {"of": "site"}},
        "pairs": [["age", "site"]],
        "smallest_group": 50,
    },
    "split": {"train": 0.5, "eval": 0.2, "test": 0.3, "seed": 7, "holdout_sites": ["01"]},
    "thresholds": [{"metric": "auc", "at_least": 0.7}],
    "training": {"steps": 100},
    "gate": {"drift": "stop"},
}

ENDPOINT: dict[str, Any] = {
    "title": "Death",
    "time": "WEEK4",
    "event": {"column": "DIED", "equals": "Y"},
}
