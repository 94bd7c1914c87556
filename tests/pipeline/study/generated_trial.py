"""A trial of random values and its study file, with changes that can matter and that can't.

The labels and splits of its subjects are those that TrialExampleGen derives.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import strategies as st

from components.trial_example_gen.deal import deal_subjects
from components.trial_example_gen.examples import build_examples
from components.trial_example_gen.undealt import strata_of
from pipeline.errors import UserError
from pipeline.names import SPLITS
from pipeline.study.load import parse_study
from pipeline.study.study import Study
from tests.components.trial_example_gen.hand_made_trial import REMOVED, Trial

_MANY = {"format": "csv", "rows": "many_per_subject"}

TRIAL: dict[str, Any] = {
    "study": "hand",
    "title": "A trial made by hand",
    "evaluation": {"scheme": "split"},
    "datasets": {
        "dm": {
            "file": "dm.csv",
            "format": "csv",
            "rows": "one_per_subject",
            "columns": {
                "USUBJID": {"type": "text"},
                "OTHERID": {"type": "text"},
                "AGE": {"type": "number", "known": "baseline"},
                "SEX": {"type": "text", "known": "baseline"},
                "SITEID": {"type": "text", "known": "baseline"},
                "FLAG": {"type": "text"},
                "ITT": {"type": "text"},
                "RFSTDTC": {"type": "text"},
                "BRTHDTC": {"type": "text"},
                "EXITDY": {"type": "number"},
                "LASTDY": {"type": "number"},
                "SCORE": {"type": "number"},
                "BASE": {"type": "number", "known": "baseline"},
            },
        },
        "suppdm": {
            "file": "suppdm.csv",
            **_MANY,
            "supplements": "dm",
            "columns": {
                name: {"type": "text"}
                for name in ("USUBJID", "OTHERID", "IDVAR", "IDVARVAL", "QNAM", "QVAL")
            },
        },
        "ae": {
            "file": "ae.csv",
            **_MANY,
            "day": "AESTDY",
            "columns": {
                "USUBJID": {"type": "text"},
                "OTHERID": {"type": "text"},
                "AEDECOD": {"type": "text"},
                "AESTDY": {"type": "number"},
                "AEENDY": {"type": "number"},
                "AESTDTC": {"type": "text"},
                "AETOXGR": {"type": "number"},
            },
        },
        "lb": {
            "file": "lb.csv",
            **_MANY,
            "day": "LBDY",
            "columns": {
                "USUBJID": {"type": "text"},
                "OTHERID": {"type": "text"},
                "LBDY": {"type": "number"},
                "LBSTRESN": {"type": "number"},
            },
        },
    },
    "subject": {"dataset": "dm", "column": "USUBJID", "reference_date": "RFSTDTC"},
    "landmark": {"day": 28},
    "features": {
        "AGE": {"kind": "number"},
        "alt": {"kind": "number", "dataset": "lb", "column": "LBSTRESN", "aggregate": "last"},
    },
    "tasks": {
        "event": {
            "kind": "adverse_event",
            "title": "Any event",
            "horizon": 90,
            "event": {"dataset": "ae", "follow_up": {"dataset": "dm", "day": "LASTDY"}},
        },
        "rise": {
            "kind": "response",
            "title": "Rise",
            "state": {"positive": {"column": "SCORE", "above_column": "BASE"}},
        },
    },
}

_SUBJECTS = ()
"""Stands for any subject of the trial."""
_DAYS = ("5", "28", "29", "60", "61", "75", "90", "91", "120", "200", "999", "x", "")
_BIRTHS = ("1950-01-01", "1960-05-01", "1970", "2013-12-01", "2014-03-15", "x", "")
_DATES = ("2013-12-01", "2014-01-01", "2014-01-29", "2014-03-15", "2014-01", "2015", "x", "")
_NUMBERS = ("0", "10", "20", "30", "40", "61", "75", "150", "-1", "999", "x", "")
_DATA: dict[str, dict[str, tuple[str, ...]]] = {
    "dm": {
        "USUBJID": _SUBJECTS,
        "OTHERID": _SUBJECTS,
        "AGE": _NUMBERS,
        "SEX": ("F", "M", "U"),
        "SITEID": ("01", "02", "UNK"),
        "ITT": ("Y", "N", "UNK", ""),
        "RFSTDTC": (*["2014-01-01"] * 8, *_DATES),
        "BRTHDTC": _BIRTHS,
        "EXITDY": _DAYS,
        "LASTDY": _DAYS,
        "SCORE": _NUMBERS,
        "BASE": _NUMBERS,
    },
    "suppdm": {
        "USUBJID": _SUBJECTS,
        "OTHERID": _SUBJECTS,
        "IDVAR": ("", "AGE", "NONE"),
        "IDVARVAL": ("", "61"),
        "QNAM": ("FLAG", "OTHER"),
        "QVAL": ("Y", "N", "UNK"),
    },
    "ae": {
        "USUBJID": _SUBJECTS,
        "OTHERID": _SUBJECTS,
        "AEDECOD": ("RASH", "HEADACHE", ""),
        "AESTDY": _DAYS,
        "AEENDY": _DAYS,
        "AESTDTC": _DATES,
        "AETOXGR": _NUMBERS,
    },
    "lb": {"USUBJID": _SUBJECTS, "OTHERID": _SUBJECTS, "LBDY": _DAYS, "LBSTRESN": _NUMBERS},
}

Change = tuple[str, Any]
"""Dotted path in the study file, and what stands there."""


def _column_changes() -> list[Change]:
    declared: dict[str, tuple[Any, ...]] = {
        "type": ("text", "number"),
        "range": ([0, 120],),
        "missing": ([999], ["x"], ["UNK"], ["999", "F"]),
    }
    return [
        (f"datasets.{dataset}.columns.{column}.{key}", value)
        for dataset, described in TRIAL["datasets"].items()
        for column in described["columns"]
        for key, values in declared.items()
        for value in values
    ]


_RASH = {"column": "AEDECOD", "equals": "RASH"}
_FEATURE_CHANGES: list[Change] = [
    ("features.SEX", {"kind": "category"}),
    ("features.BASE", {"kind": "number"}),
    ("features.events", {"kind": "number", "dataset": "ae", "aggregate": "count"}),
    (
        "features.grade",
        {"kind": "number", "dataset": "ae", "column": "AETOXGR", "aggregate": "max"},
    ),
    ("slicing.by.age", {"column": "AGE", "bands": [65]}),
    ("slicing.by.base", {"column": "BASE", "bands": [65]}),
    ("site", {"column": "SITEID"}),
    (
        "analysis.time_to_event.exit",
        {"title": "x", "time": "EXITDY", "event": {"column": "SEX", "equals": "F"}},
    ),
]
DECISIVE_CHANGES: list[Change] = [
    ("study", "other"),
    ("first_day", 0),
    ("landmark", {"day": 60}),
    ("population", {"column": "ITT", "equals": "Y"}),
    ("population", {"column": "AGE", "at_least": 30}),
    ("population", {"column": "FLAG", "equals": "Y"}),
    ("window", {"column": "RFSTDTC", "start": "2014-01-01"}),
    ("window", {"column": "BRTHDTC", "end": "2014-01-31"}),
    ("subject.column", "OTHERID"),
    ("subject.birth_date", "BRTHDTC"),
    ("subject.exit_day", "EXITDY"),
    ("subject.exit_date", "BRTHDTC"),
    ("split", {"train": 0.3, "eval": 0.3, "test": 0.4}),
    ("split.seed", 2),
    ("split.holdout_sites", ["01"]),
    ("arm", {"columns": ["SEX"], "control": "F"}),
    ("tasks.event.horizon", 60),
    ("tasks.event.event.where", _RASH),
    ("tasks.event.event.where", {"column": "AETOXGR", "at_least": 61}),
    ("tasks.event.event.day", "AEENDY"),
    ("tasks.event.event.follow_up", {"dataset": "dm", "date": "BRTHDTC"}),
    ("tasks.event.event.follow_up", {"dataset": "ae", "day": "AEENDY", "where": _RASH}),
    ("tasks.event.unknown_when", {"column": "ITT", "equals": "N"}),
    ("tasks.rise.state", {"positive": {"column": "SCORE", "above": 30}}),
    (
        "tasks.rise.state",
        {"dataset": "ae", "where": _RASH, "positive": {"column": "AETOXGR", "above": 30}},
    ),
    ("tasks.rise.state.no_row", "negative"),
    ("datasets.ae.day", "AEENDY"),
    ("datasets.ae.end_day", "AEENDY"),
    ("datasets.ae.subject", "OTHERID"),
    ("datasets.ae.rows", "one_per_subject"),
    ("datasets.suppdm.subject", "OTHERID"),
    ("datasets.dm.missing", ["", "x"]),
    ("datasets.ae.missing", ["", "999"]),
    ("datasets.suppdm.missing", ["", "UNK"]),
]
UNCOUNTED_CHANGES: list[Change] = [
    ("title", "Another title"),
    ("tasks.event.title", "Another title"),
    ("tasks.rise.kind", "outcome"),
    ("tasks.rise.decision_thresholds", [0.2, 0.4]),
    ("datasets.dm.columns.SEX.known", "after"),
    ("datasets.dm.columns.ITT.known", "baseline"),
    ("datasets.lb.columns.LBSTRESN.range", [0, 120]),
    ("datasets.lb.columns.LBDY.missing", [999]),
    ("datasets.lb.missing", ["", "999"]),
    ("datasets.lb.parameter", "LBTESTCD"),
    ("datasets.dm.file", "d?.csv"),
    ("features.SEX", {"kind": "category"}),
    ("features.events", {"kind": "number", "dataset": "ae", "aggregate": "count"}),
    ("features.alt.aggregate", "mean"),
    ("features.AGE.title", "Age (years)"),
    ("slicing.by.sex", {"column": "SEX"}),
    ("slicing.smallest_group", 50),
    ("site", {"column": "SITEID"}),
    ("thresholds", [{"metric": "auc", "at_least": 0.7}]),
    ("evaluation.default_thresholds", {"auc": 0.6}),
    ("evaluation.drop_tasks", "allowed"),
    ("registry.promotion", "person"),
    ("gate.drift", "ignore"),
    ("training.steps", 10),
    ("summary.disposition", {"column": "SEX", "completed": "F"}),
    ("summary.enrolment", "BRTHDTC"),
    ("card.purpose", "To show."),
]
COUNTED = st.one_of(
    *map(st.sampled_from, (_column_changes(), _FEATURE_CHANGES, DECISIVE_CHANGES, DECISIVE_CHANGES))
)
UNCOUNTED = st.sampled_from(UNCOUNTED_CHANGES)
NEWLY_READ = ("datasets.dm.columns.SEX.", "datasets.dm.columns.SITEID.")
"""Columns that an uncounted change reads: what is declared of them counts from then on."""


def trial_study(changes: Iterable[Change]) -> Study | None:
    """The generated trial's study file with changes; None if it is refused."""
    content = copy.deepcopy(TRIAL)
    for path, value in changes:
        *folders, last = path.split(".")
        place = content
        for name in folders:
            place = place.setdefault(name, {})
        if value is REMOVED:
            place.pop(last, None)
        else:
            place[last] = copy.deepcopy(value)
    try:
        return parse_study(content, "study.yaml")
    except UserError:
        return None


Files = dict[str, list[list[str]]]


@st.composite
def trial_files(draw: st.DrawFn) -> Files:
    """Files of a small trial, header first; most values can be used, some can't."""
    return random_files(draw(st.randoms(use_true_random=False)), draw(st.integers(2, 8)))


def random_files(random: Random, subjects: int) -> Files:
    """Files with a row of each subject in dm, and as many rows in each other file."""
    names = [f"S{i}" for i in range(subjects)]
    files = {}
    for dataset, columns in _DATA.items():
        rows = [[random.choice(v or names) for v in columns.values()] for _ in names]
        files[dataset] = [list(columns), *rows]
    for row, name in zip(files["dm"][1:], names, strict=True):
        row[0] = name
    return files


Outcome = dict[str, tuple[str, dict[str, bool | None]]]


def outcome(study: Study, folder: Path) -> Outcome | None:
    """Split and labels of each subject of the trial; None where the data are refused."""
    trial = Trial(study, folder)
    try:
        subjects = trial.joined
    except UserError:
        return None
    if not subjects.keys:
        return {}
    built = build_examples(study, subjects, b"0123456789abcdef")
    labels = built.labels
    strata = strata_of(built)
    dealt = deal_subjects(study.evaluation, study.split, list(study.tasks), strata, 20)
    splits = dealt.of(built.hashes)[:, 0]
    return {
        key: (
            SPLITS[splits[i]],
            {
                task: bool(found.positive[i]) if found.known[i] else None
                for task, found in labels.items()
            },
        )
        for i, key in enumerate(subjects.keys)
    }


def outcomes(files: Files, studies: Iterable[Study | None]) -> list[Outcome | None]:
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in files.items():
            text = "".join(",".join(row) + "\n" for row in rows)
            (Path(folder) / f"{name}.csv").write_text(text)
        return [study and outcome(study, Path(folder)) for study in studies]  # type: ignore[misc]
