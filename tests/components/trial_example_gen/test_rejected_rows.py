"""What a rejected row could have decided is unknown; what it could not have is as before."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.trial_example_gen.counts import count_labels
from components.trial_example_gen.examples import build_examples
from components.trial_example_gen.times import derive_times
from pipeline.names import SPLITS, time_key
from tests.components.trial_example_gen.executor_runs import execute
from tests.components.trial_example_gen.hand_made_trial import (
    REMOVED,
    Trial,
    events_dataset,
    make_trial,
)

SEVERE_RASH = {"all": [{"column": "AEDECOD", "equals": "Rash"}, {"column": "GRADE", "at_least": 3}]}
ALT = {"column": "LBTESTCD", "equals": "ALT"}
LOW_ALT = {"dataset": "lb", "where": ALT, "positive": {"column": "LBSTRESN", "below": 25}}


def _events() -> dict[str, Any]:
    described = events_dataset(day="AESTDY", end_day="AEENDY")
    described["columns"]["GRADE"] = {"type": "number", "range": [1, 5]}
    return described


def _task(**label: Any) -> dict[str, Any]:
    return {"kind": "outcome", "title": "A task", "horizon": 90, **label}


CHANGES: dict[str, Any] = {
    "datasets.ae": _events(),
    "tasks.severe": _task(event={"dataset": "ae", "where": SEVERE_RASH}),
    "tasks.any": _task(event={"dataset": "ae"}, horizon=None),
    "tasks.ungraded": _task(
        event={"dataset": "ae", "where": {"column": "GRADE", "present": False}}
    ),
    "tasks.followed": _task(
        event={
            "dataset": "ae",
            "where": SEVERE_RASH,
            "follow_up": {"dataset": "lb", "where": ALT, "day": "LBDY"},
        }
    ),
    "tasks.low": _task(state=LOW_ALT),
    "tasks.lowered": _task(state={**LOW_ALT, "no_row": "negative"}),
    "features.grade": {"kind": "number", "dataset": "ae", "column": "GRADE", "aggregate": "max"},
    "features.events": {"kind": "number", "dataset": "ae", "aggregate": "count"},
    "features.severe": {
        "kind": "number",
        "dataset": "ae",
        "where": SEVERE_RASH,
        "aggregate": "any",
    },
    "analysis.time_to_event.alt": {
        "title": "Low ALT",
        "dataset": "lb",
        "where": ALT,
        "time": "LBDY",
        "event": {"column": "LBSTRESN", "below": 25},
        "unit": "days",
    },
}
AE = "USUBJID,AEDECOD,AESTDY,AEENDY,GRADE"
LB = "USUBJID,LBTESTCD,LBDY,LBSTRESN"
DM = ["USUBJID,AGE,SEX,DIED", "S1,61,F,Y"]

_DAYS = ("-5", "28", "29", "60", "90", "91", "200", "")
_EVENT = {
    "AEDECOD": ("Rash", "Pain", ""),
    "AESTDY": _DAYS,
    "AEENDY": _DAYS,
    "GRADE": ("1", "3", "5", ""),
}
_LAB = {"LBTESTCD": ("ALT", "AST", ""), "LBDY": _DAYS, "LBSTRESN": ("20", "30", "")}
_UNREADABLE = {"AESTDY": "UNK", "AEENDY": "<5", "GRADE": "9", "LBDY": "x", "LBSTRESN": "inf"}
_TASKS = ("severe", "any", "ungraded", "followed", "low", "lowered")

Row = tuple[str, ...]


def _rows(columns: dict[str, tuple[str, ...]]) -> st.SearchStrategy[list[Row]]:
    return st.lists(st.tuples(*map(st.sampled_from, columns.values())), min_size=0, max_size=3)


def _lines(header: str, rows: Sequence[Row]) -> list[str]:
    return [header, *(",".join(("S1", *row)) for row in rows)]


def _derived(folder: Path, events: Sequence[Row], labs: Sequence[Row]) -> dict[str, Any]:
    """Labels, features and times of S1, by what they are called."""
    trial = make_trial(folder, CHANGES, dm=DM, ae=_lines(AE, events), lb=_lines(LB, labs))
    features = ("alt", "grade", "events", "severe")
    times = derive_times(trial.study, trial.joined)[time_key("alt")].to_pylist()
    return {
        **{f"label {task}": trial.label(task)["S1"] for task in _TASKS},
        **{f"feature {name}": trial.feature(name)["S1"] for name in features},
        "time alt": times[0],
    }


def _with_cell(rows: Sequence[Row], place: tuple[int, int], value: str) -> list[Row]:
    changed = [list(row) for row in rows]
    changed[place[0]][place[1]] = value
    return [tuple(row) for row in changed]


def _ends_before_it_starts(event: Row) -> bool:
    _, start, end, _ = event
    readable = all(day in _DAYS and day for day in (start, end))
    return readable and int(end) < int(start)


def _put_back(events: list[Row], labs: list[Row], draw: st.DataObject) -> Iterator[Any]:
    """Events and laboratory rows: with an unreadable cell, then with each value it can have."""
    places = [
        (of, row, number)
        for of, columns in ((events, _EVENT), (labs, _LAB))
        for row in range(len(of))
        for number, column in enumerate(columns)
        if column in _UNREADABLE
    ]
    if not places:
        return
    of, row, number = draw.draw(st.sampled_from(places))
    columns = _EVENT if of is events else _LAB
    column = list(columns)[number]
    for value in (_UNREADABLE[column], *columns[column]):
        changed = _with_cell(of, (row, number), value)
        if of is events and _ends_before_it_starts(changed[row]):
            continue
        yield (changed, labs) if of is events else (events, changed)


@settings(max_examples=25)
@given(events=_rows(_EVENT), labs=_rows(_LAB), draw=st.data())
def test_what_any_value_of_an_unreadable_cell_would_change_is_unknown(
    events: list[Row], labs: list[Row], draw: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = [_derived(Path(folder), *rows) for rows in _put_back(events, labs, draw)]
    for lost, *others in [found] if found else []:  # may be empty
        for name, value in lost.items():  # may be empty
            if value is not None:
                assert {other[name] for other in others} <= {value}, name


def labels(folder: Path, *events: str, labs: Sequence[str] = ()) -> dict[str, bool | None]:
    """Label of each task of S1."""
    trial = trial_of(folder, *events, labs=labs)
    return {task: trial.label(task)["S1"] for task in _TASKS}


def trial_of(folder: Path, *events: str, labs: Sequence[str] = (), **changes: Any) -> Trial:
    ae = [AE, *(f"S1,{event}" for event in events)]
    lb = [LB, *(f"S1,{lab}" for lab in labs)]
    return make_trial(folder, {**CHANGES, **changes}, dm=DM, ae=ae, lb=lb)


@pytest.mark.parametrize("day", ["UNK", "<5", "inf", "2014-02-30", "1,5"])
def test_an_event_on_an_unreadable_day_is_no_certain_negative(tmp_path: Path, day: str) -> None:
    assert labels(tmp_path, f'Rash,"{day}",,3')["severe"] is None


@pytest.mark.parametrize(
    ("event", "label"),
    [
        ("Pain,UNK,,3", False),
        ("Rash,UNK,,1", False),
        ("Rash,UNK,,3", None),
        ("Rash,UNK,,", None),
        (",UNK,,3", None),
        ("Rash,60,,9", None),
        ("Rash,91,,9", False),
        ("Rash,28,,9", None),
        ("Pain,60,,9", False),
        ("Rash,60,50,3", None),
        ("Pain,60,50,3", False),
    ],
)
def test_a_rejected_row_decides_unless_what_is_readable_shows_otherwise(
    tmp_path: Path, event: str, label: bool | None
) -> None:
    assert labels(tmp_path, event)["severe"] is label


def test_a_certain_event_outweighs_a_rejected_row_after_the_landmark_only(tmp_path: Path) -> None:
    assert labels(tmp_path, "Rash,50,,3", "Rash,60,,9")["severe"] is True
    assert labels(tmp_path, "Rash,50,,3", "Rash,UNK,,3")["severe"] is None


def test_an_unreadable_cell_is_not_a_missing_one(tmp_path: Path) -> None:
    assert labels(tmp_path, "Rash,60,,9")["ungraded"] is None


@pytest.mark.parametrize(
    ("labs", "low", "lowered"),
    [
        (["ALT,x,20"], None, None),
        (["AST,x,20"], None, False),
        (["ALT,60,inf"], None, None),
        (["ALT,91,inf"], None, False),
        (["ALT,60,20", "ALT,50,inf"], True, True),
        (["ALT,60,20", "ALT,70,inf"], None, None),
        (["ALT,60,20", "ALT,x,20"], True, True),
        (["ALT,60,20", "ALT,x,30"], None, None),
        (["ALT,x,30"], None, None),
    ],
)
def test_a_rejected_row_decides_a_state_where_it_may_count_in_anothers_place(
    tmp_path: Path, labs: list[str], low: bool | None, lowered: bool | None
) -> None:
    found = labels(tmp_path, labs=labs)
    assert (found["low"], found["lowered"]) == (low, lowered)


def test_a_rejected_row_of_follow_up_is_none_and_is_the_reason(tmp_path: Path) -> None:
    trial = trial_of(tmp_path, labs=["ALT,x,20"])
    assert trial.label("followed")["S1"] is None
    assert trial.reason("followed")["S1"] == "rejected row"
    certain = trial_of(tmp_path, labs=["ALT,x,20", "ALT,95,20"])
    assert certain.label("followed")["S1"] is False
    event = trial_of(tmp_path, "Rash,60,,3", labs=["ALT,x,20"])
    assert event.label("followed")["S1"] is True


def test_an_aggregate_of_rows_of_which_one_was_rejected_is_missing(tmp_path: Path) -> None:
    trial = trial_of(tmp_path, "Rash,5,,2", "Pain,UNK,,1")
    features = {name: trial.feature(name)["S1"] for name in ("grade", "events", "severe")}
    assert features == {"grade": None, "events": None, "severe": 0.0}
    assert build_examples(trial.study, trial.joined, b"k").counts["features", "events"] == 1


def test_an_unreadable_cell_of_a_condition_leaves_a_feature_unknown(tmp_path: Path) -> None:
    assert trial_of(tmp_path, "Rash,5,,9").feature("severe")["S1"] is None
    assert trial_of(tmp_path, "Pain,5,,9").feature("severe")["S1"] == 0.0


def test_a_study_can_ignore_rejected_rows_in_a_feature(tmp_path: Path) -> None:
    changes = {"features.events.rejected_rows": "ignore"}
    trial = trial_of(tmp_path, "Rash,5,,2", "Pain,UNK,,1", **changes)
    assert trial.feature("events")["S1"] == 1.0


@pytest.mark.parametrize("event", ["Pain,29,,9", "Pain,60,50,1"])
def test_a_rejected_row_after_the_landmark_leaves_a_feature_alone(
    tmp_path: Path, event: str
) -> None:
    known = None if event.endswith("50,1") else 1.0
    assert trial_of(tmp_path, "Rash,5,,2", event).feature("events")["S1"] == known


def test_any_is_certain_by_one_certain_row(tmp_path: Path) -> None:
    assert trial_of(tmp_path, "Rash,5,,3", "Rash,UNK,,3").feature("severe")["S1"] == 1.0


def test_two_rows_where_one_is_due_leave_the_label_unknown(tmp_path: Path) -> None:
    changes = {"datasets.lb.rows": "one_per_subject", "features.alt": REMOVED}
    rows = ["ALT,60,30", "ALT,61,30"]
    trial = trial_of(tmp_path, labs=rows, **changes)
    assert trial.label("lowered")["S1"] is False
    assert (
        trial_of(tmp_path, labs=[*rows[:1], "ALT,61,20"], **changes).label("lowered")["S1"] is None
    )


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["S1", "S2", "S3", ""]),
            st.sampled_from(["Rash", "Pain", ""]),
            st.sampled_from([*_DAYS, "UNK"]),
            st.sampled_from(["", "30", "70"]),
            st.sampled_from(["3", "9", ""]),
        ),
        max_size=8,
    )
)
def test_known_and_masked_labels_are_all_subjects_of_each_arm(events: list[Row]) -> None:
    arms: dict[str, Any] = {"datasets.dm.columns.ARM": {"type": "text", "known": "baseline"}}
    arms["arm"] = {"columns": ["ARM"], "control": "B"}
    dm = ["USUBJID,AGE,SEX,DIED,ARM", "S1,61,F,Y,A", "S2,61,F,Y,B", "S3,61,F,Y,"]
    with tempfile.TemporaryDirectory() as folder:
        changes = {**CHANGES, **arms}
        ae = [AE, *map(",".join, events)]
        trial = make_trial(Path(folder), changes, dm=dm, ae=ae, lb=[LB])
        built = build_examples(trial.study, trial.joined, b"k")
        counts = count_labels(np.array(SPLITS), built.arms, built.labels)
    for task in _TASKS:
        for arm in ("A", "B", "missing"):
            of_arm = {
                key[4]: sum(counts[(*key[:2], split, *key[3:])] for split in SPLITS)
                for key in counts
                if key[0] == "tasks" and key[1] == task and key[3] == arm
            }
            assert sum(n for what, n in of_arm.items() if what != "positives") == 1


def test_rejected_rows_travel_to_their_subjects_through_beam(tmp_path: Path) -> None:
    n = range(60)
    dm = ["USUBJID,AGE,SEX,DIED", *(f"S{i},61,F,{'YN'[i % 2]}" for i in n)]
    lb = [LB, *(f"S{i},ALT,{'UNK' if i % 3 == 0 else 5},20" for i in n)]
    trial = make_trial(tmp_path, {"evaluation": {"scheme": "split"}}, dm=dm, lb=lb)
    outputs = execute(trial.study, tmp_path, tmp_path / "run")
    examples = [example for split in SPLITS for example in outputs.examples(split)]
    assert sorted(str(example["alt"]) for example in examples) == ["20.0"] * 40 + ["None"] * 20
    assert outputs.counts["features"] == {"alt": 20}
