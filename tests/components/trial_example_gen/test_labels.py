"""Labels of subjects: landmark on study day 28, horizon on day 90."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.trial_example_gen.labels import derive_labels
from tests.components.trial_example_gen.hand_made_trial import REMOVED, events_dataset, make_trial

RASH: dict[str, Any] = {
    "datasets.ae": events_dataset(day="AESTDY"),
    "tasks.rash": {
        "kind": "adverse_event",
        "title": "Rash on study days 29 to 90",
        "horizon": 90,
        "event": {"dataset": "ae", "where": {"column": "AEDECOD", "equals": "Rash"}},
    },
}
SEEN: dict[str, Any] = {
    "datasets.dm.columns.LASTDY": {"type": "number"},
    "tasks.rash.event.follow_up": {"dataset": "dm", "day": "LASTDY"},
}


def rash(folder: Path, *events: str, **changes: Any) -> bool | None:
    """Label of S1 with these events (term, day); S2 has none."""
    rows = [f"S1,{event}" for event in events]
    trial = make_trial(folder, {**RASH, **changes}, ae=["USUBJID,AEDECOD,AESTDY", *rows])
    assert trial.label("rash")["S2"] is False
    return trial.label("rash")["S1"]


@pytest.mark.parametrize(
    ("day", "label"),
    [
        ("-5", None),
        ("1", None),
        ("28", None),
        ("29", True),
        ("60", True),
        ("90", True),
        ("91", False),
    ],
)
def test_an_event_is_positive_after_the_landmark_up_to_the_horizon(
    tmp_path: Path, day: str, label: bool | None
) -> None:
    assert rash(tmp_path, f"Rash,{day}") is label


def test_another_event_is_no_event(tmp_path: Path) -> None:
    assert rash(tmp_path, "Headache,60") is False


def test_an_event_by_the_landmark_masks_even_if_another_follows(tmp_path: Path) -> None:
    assert rash(tmp_path, "Rash,28", "Rash,60") is None


def test_an_undated_event_masks(tmp_path: Path) -> None:
    assert rash(tmp_path, "Rash,", "Rash,60") is None


def test_what_may_be_an_event_masks_unless_another_is_certain(tmp_path: Path) -> None:
    assert rash(tmp_path, ",60") is None
    assert rash(tmp_path, ",60", "Rash,61") is True


def test_without_horizon_every_later_event_counts(tmp_path: Path) -> None:
    assert rash(tmp_path, "Rash,4000", **{"tasks.rash.horizon": REMOVED}) is True


def dated_rash(folder: Path, *days: str, horizon: int = 90) -> bool | None:
    """Label of S1, whose day 1 is 2014-01-01, day 28 2014-01-28 and day 90 2014-03-31."""
    changes = {
        **RASH,
        "datasets.ae": events_dataset(date="AESTDTC"),
        "datasets.dm.columns.RFSTDTC": {"type": "date"},
        "subject.reference_date": "RFSTDTC",
        "tasks.rash.horizon": horizon,
    }
    dm = ["USUBJID,AGE,SEX,DIED,RFSTDTC", "S1,61,F,Y,2014-01-01"]
    ae = ["USUBJID,AEDECOD,AESTDTC", *(f"S1,Rash,{day}" for day in days)]
    return make_trial(folder, changes, dm=dm, ae=ae, lb=NO_LAB).label("rash")["S1"]


NO_LAB = ["USUBJID,LBTESTCD,LBDY,LBSTRESN"]


@pytest.mark.parametrize(
    ("day", "label"),
    [
        ("2014-02", True),
        ("2014-03", True),
        ("2014-03-31", True),
        ("2014-04-01", False),
        ("2014-04", False),
        ("2014-01", None),
        ("2014", None),
    ],
)
def test_a_partial_date_labels_only_if_all_its_days_agree(
    tmp_path: Path, day: str, label: bool | None
) -> None:
    assert dated_rash(tmp_path, day) is label


def test_a_date_that_may_lie_after_the_horizon_masks_unless_another_is_certain(
    tmp_path: Path,
) -> None:
    assert dated_rash(tmp_path, "2014-03", horizon=80) is None
    assert dated_rash(tmp_path, "2014-03", "2014-02-15", horizon=80) is True


def followed_until(folder: Path, day: str, *events: str, **changes: Any) -> bool | None:
    dm = ["USUBJID,AGE,SEX,DIED,LASTDY", f"S1,61,F,Y,{day}"]
    ae = ["USUBJID,AEDECOD,AESTDY", *(f"S1,{event}" for event in events)]
    trial = make_trial(folder, {**RASH, **SEEN, **changes}, dm=dm, ae=ae, lb=NO_LAB)
    return trial.label("rash")["S1"]


@pytest.mark.parametrize(
    ("day", "label"), [("89", None), ("90", False), ("200", False), ("", None)]
)
def test_no_event_is_a_negative_only_if_the_follow_up_reaches_the_horizon(
    tmp_path: Path, day: str, label: bool | None
) -> None:
    assert followed_until(tmp_path, day) is label


def test_an_event_is_positive_however_short_the_follow_up(tmp_path: Path) -> None:
    assert followed_until(tmp_path, "60", "Rash,59") is True


def test_the_last_of_several_rows_of_follow_up_counts(tmp_path: Path) -> None:
    changes = {
        "tasks.rash.event.follow_up": {
            "dataset": "lb",
            "day": "LBDY",
            "where": {"column": "LBTESTCD", "equals": "ALT"},
        }
    }
    lb = [*NO_LAB, "S1,ALT,95,20", "S1,ALT,30,20", "S2,ALT,80,20", "S2,SODIUM,95,140"]
    trial = make_trial(
        tmp_path, {**RASH, **changes}, lb=lb, ae=["USUBJID,AEDECOD,AESTDY", "S9,Rash,60"]
    )
    assert trial.label("rash") == {"S1": False, "S2": None}


@pytest.mark.parametrize(("exit_day", "label"), [("28", None), ("29", True), ("", True)])
def test_who_left_by_the_landmark_is_masked_for_every_task(
    tmp_path: Path, exit_day: str, label: bool | None
) -> None:
    changes = {
        **RASH,
        "datasets.dm.columns.EOSDY": {"type": "number"},
        "subject.exit_day": "EOSDY",
    }
    dm = ["USUBJID,AGE,SEX,DIED,EOSDY", f"S1,61,F,Y,{exit_day}"]
    ae = ["USUBJID,AEDECOD,AESTDY", "S1,Rash,60"]
    trial = make_trial(tmp_path, changes, dm=dm, ae=ae, lb=NO_LAB)
    assert [trial.label(task)["S1"] for task in ("rash", "death")] == [label, label]


def test_who_may_have_left_by_the_landmark_is_masked(tmp_path: Path) -> None:
    changes = {
        "datasets.dm.columns.RFSTDTC": {"type": "date"},
        "datasets.dm.columns.EOSDTC": {"type": "date"},
        "subject.reference_date": "RFSTDTC",
        "subject.exit_date": "EOSDTC",
    }
    dm = [
        "USUBJID,AGE,SEX,DIED,RFSTDTC,EOSDTC",
        "S1,61,F,Y,2014-01-01,2014-01",
        "S2,61,F,Y,2014-01-01,2014-02",
    ]
    trial = make_trial(tmp_path, changes, dm=dm, lb=NO_LAB)
    assert trial.label("death") == {"S1": None, "S2": True}


def test_a_state_is_unknown_where_its_column_is_missing(tmp_path: Path) -> None:
    dm = ["USUBJID,AGE,SEX,DIED", "S1,61,F,Y", "S2,61,F,N", "S3,61,F,"]
    trial = make_trial(tmp_path, dm=dm, lb=NO_LAB)
    assert trial.label("death") == {"S1": True, "S2": False, "S3": None}


def test_any_of_a_true_and_a_missing_value_is_true(tmp_path: Path) -> None:
    ones = [{"column": name, "equals": 1} for name in ("H14", "NCB14")]
    changes = {
        "datasets.dm.columns.H14": {"type": "number"},
        "datasets.dm.columns.NCB14": {"type": "number"},
        "tasks.bleed": {
            "kind": "adverse_event",
            "title": "Any bleed",
            "state": {"positive": {"any": ones}},
        },
    }
    rows = ["1,", ",1", "0,", "0,0", ","]
    dm = ["USUBJID,AGE,SEX,DIED,H14,NCB14", *(f"S{i},61,F,Y,{r}" for i, r in enumerate(rows))]
    trial = make_trial(tmp_path, changes, dm=dm, lb=NO_LAB)
    assert list(trial.label("bleed").values()) == [True, True, None, False, None]


def test_unknown_when_masks_what_would_have_a_label(tmp_path: Path) -> None:
    changes = {"tasks.death.unknown_when": {"column": "SEX", "equals": "M"}}
    assert make_trial(tmp_path, changes).label("death") == {"S1": True, "S2": None}


def test_a_masked_subject_is_never_positive(tmp_path: Path) -> None:
    changes = {"tasks.death.unknown_when": {"column": "SEX", "present": True}}
    trial = make_trial(tmp_path, changes)
    labels = derive_labels(trial.study, trial.joined)["death"]
    assert not labels.known.any()
    assert not labels.positive.any()


RESPONSE: dict[str, Any] = {
    "tasks.response": {
        "kind": "response",
        "title": "ALT below 25 by day 90",
        "horizon": 90,
        "state": {
            "dataset": "lb",
            "where": {"column": "LBTESTCD", "equals": "ALT"},
            "positive": {"column": "LBSTRESN", "below": 25},
        },
    }
}


def response(folder: Path, *rows: str, no_row: str = "unknown") -> bool | None:
    changes = {**RESPONSE, "tasks.response.state.no_row": no_row}
    lb = [*NO_LAB, *(f"S1,{row}" for row in rows)]
    return make_trial(folder, changes, lb=lb).label("response")["S1"]


@pytest.mark.parametrize(
    ("rows", "label"),
    [
        (["ALT,29,20"], True),
        (["ALT,90,20"], True),
        (["ALT,40,20", "ALT,50,30"], False),
        (["ALT,50,30", "ALT,40,20"], False),
        (["ALT,28,20"], None),
        (["ALT,91,20"], None),
        (["ALT,,20"], None),
        (["ALT,40,"], None),
        (["SODIUM,40,20"], None),
    ],
)
def test_the_last_selected_row_of_the_window_decides_a_state(
    tmp_path: Path, rows: list[str], label: bool | None
) -> None:
    assert response(tmp_path, *rows) is label


@pytest.mark.parametrize("no_row", ["unknown", "negative"])
@pytest.mark.parametrize(
    ("rows", "label"),
    [
        (["ALT,40,20", "ALT,,30"], None),
        (["ALT,40,20", "ALT,,22"], True),
        (["ALT,40,20", "ALT,,"], None),
        (["ALT,40,20", "SODIUM,,30"], True),
        (["ALT,40,20", ",50,30"], True),
        (["ALT,40,20", ",,30"], None),
    ],
)
def test_a_row_that_may_be_later_masks_a_state_that_it_would_change(
    tmp_path: Path, rows: list[str], no_row: str, label: bool | None
) -> None:
    assert response(tmp_path, *rows, no_row=no_row) is label


@pytest.mark.parametrize(
    ("rows", "label"),
    [
        (["2014-02-10,20", "2014-02,30"], None),
        (["2014-02-10,20", "2014-02,22"], True),
        (["2014-02,20", "2014-02-10,30"], None),
        (["2014-03-10,20", "2014-02,30"], True),
        (["2014-02-10,20", "2014,30"], None),
        (["2014-02-10,20", "2015,30"], True),
    ],
)
def test_a_partial_date_that_may_be_later_masks_a_state_that_it_would_change(
    tmp_path: Path, rows: list[str], label: bool | None
) -> None:
    """Day 1 is 2014-01-01, day 28 2014-01-28 and day 90 2014-03-31."""
    changes = {
        **RESPONSE,
        "datasets.lb.day": REMOVED,
        "datasets.lb.date": "LBDTC",
        "datasets.lb.columns.LBDTC": {"type": "date"},
        "datasets.lb.columns.LBDY": REMOVED,
        "datasets.dm.columns.RFSTDTC": {"type": "date"},
        "subject.reference_date": "RFSTDTC",
    }
    lb = ["USUBJID,LBTESTCD,LBNRIND,LBDTC,LBSTRESN", *(f"S1,ALT,,{row}" for row in rows)]
    dm = ["USUBJID,AGE,SEX,DIED,RFSTDTC", "S1,61,F,Y,2014-01-01", "S2,72,M,N,2014-01-01"]
    assert make_trial(tmp_path, changes, dm=dm, lb=lb).label("response")["S1"] is label


@pytest.mark.parametrize(
    ("rows", "label"),
    [
        ([], False),
        (["ALT,28,20"], False),
        (["ALT,91,20"], False),
        (["SODIUM,40,20"], False),
        (["ALT,40,20"], True),
        (["ALT,40,"], None),
        (["ALT,,20"], None),
        ([",40,20"], None),
    ],
)
def test_no_row_is_negative_where_so_declared_unless_there_may_be_one(
    tmp_path: Path, rows: list[str], label: bool | None
) -> None:
    assert response(tmp_path, *rows, no_row="negative") is label


def test_a_state_can_be_a_rise_above_another_column(tmp_path: Path) -> None:
    changes = {
        "datasets.dm.columns.cd40": {"type": "number", "known": "baseline"},
        "datasets.dm.columns.cd420": {"type": "number", "known": "after"},
        "features.cd40": {"kind": "number"},
        "tasks.rise": {
            "kind": "response",
            "title": "CD4 at week 20 above baseline",
            "state": {"positive": {"column": "cd420", "above_column": "cd40"}},
        },
    }
    rows = ["300,301", "300,300", "300,299", "300,", ",301"]
    dm = ["USUBJID,AGE,SEX,DIED,cd40,cd420", *(f"S{i},61,F,Y,{r}" for i, r in enumerate(rows))]
    trial = make_trial(tmp_path, changes, dm=dm, lb=NO_LAB)
    assert list(trial.label("rise").values()) == [True, False, False, None, None]


def test_an_event_can_have_its_day_in_a_column_of_its_own(tmp_path: Path) -> None:
    changes = {
        "datasets.dm.columns.DTHDY": {"type": "number"},
        "tasks.dead": {
            "kind": "outcome",
            "title": "Dead on days 29 to 90",
            "horizon": 90,
            "event": {"dataset": "dm", "day": "DTHDY", "where": {"column": "DIED", "equals": "Y"}},
        },
    }
    dm = ["USUBJID,AGE,SEX,DIED,DTHDY", "S1,61,F,Y,60", "S2,61,F,N,", "S3,61,F,Y,91", "S4,6,F,Y,"]
    trial = make_trial(tmp_path, changes, dm=dm, lb=NO_LAB)
    assert trial.label("dead") == {"S1": True, "S2": False, "S3": False, "S4": None}


def test_an_event_can_have_its_date_in_a_column_of_its_own(tmp_path: Path) -> None:
    changes = {
        "datasets.dm.columns.RFSTDTC": {"type": "date"},
        "datasets.dm.columns.DTHDTC": {"type": "date"},
        "subject.reference_date": "RFSTDTC",
        "tasks.dead": {
            "kind": "outcome",
            "title": "Dead on days 29 to 90",
            "horizon": 90,
            "event": {
                "dataset": "dm",
                "date": "DTHDTC",
                "where": {"column": "DIED", "equals": "Y"},
            },
        },
    }
    # Day 90 is 2014-03-31.
    dates = ["2014-03-01", "2014-03-31", "2014-04-01", "2014-03", "2014", ""]
    dm = ["USUBJID,AGE,SEX,DIED,RFSTDTC,DTHDTC"]
    dm += [f"S{i},61,F,Y,2014-01-01,{date}" for i, date in enumerate(dates)]
    trial = make_trial(tmp_path, changes, dm=dm, lb=NO_LAB)
    assert list(trial.label("dead").values()) == [True, True, False, True, None, None]


ON_DAY_1: dict[str, Any] = {**RASH, "landmark": "baseline"}
"""The landmark is study day 1, which is the day of randomisation."""


def rash_at_baseline(folder: Path, day: str, landmark_day: Any, hours: str = "") -> bool | None:
    described = events_dataset(day="AESTDY")
    described["columns"]["HOURS"] = {"type": "number"}
    changes = {**ON_DAY_1, "datasets.ae": described}
    if landmark_day is not None:
        changes["tasks.rash.event.landmark_day"] = landmark_day
    ae = ["USUBJID,AEDECOD,AESTDY,HOURS", f"S1,Rash,{day},{hours}"]
    return make_trial(folder, changes, ae=ae).label("rash")["S1"]


@pytest.mark.parametrize(
    ("landmark_day", "label"),
    [(None, None), ("masked", None), ("before", None), ("after", True)],
)
def test_the_study_file_says_whether_an_event_on_the_landmark_is_after_it(
    tmp_path: Path, landmark_day: str | None, label: bool | None
) -> None:
    assert rash_at_baseline(tmp_path, "1", landmark_day) is label


@pytest.mark.parametrize("landmark_day", [None, "before", "after"])
def test_an_event_before_the_day_of_the_landmark_masks_whatever_is_said_of_that_day(
    tmp_path: Path, landmark_day: str | None
) -> None:
    assert rash_at_baseline(tmp_path, "-1", landmark_day) is None


@pytest.mark.parametrize(("hours", "label"), [("0.5", True), ("0", None), ("-2", None), ("", None)])
def test_a_condition_says_whether_an_event_on_the_landmark_is_after_it(
    tmp_path: Path, hours: str, label: bool | None
) -> None:
    later = {"column": "HOURS", "above": 0}
    assert rash_at_baseline(tmp_path, "1", later, hours) is label
    assert rash_at_baseline(tmp_path, "2", later, hours) is True


def test_what_is_after_the_landmark_on_its_day_is_in_no_feature(tmp_path: Path) -> None:
    changes = {
        **ON_DAY_1,
        "tasks.rash.event.landmark_day": "after",
        "features.rashes": {"kind": "number", "dataset": "ae", "aggregate": "count"},
    }
    ae = ["USUBJID,AEDECOD,AESTDY", "S1,Rash,1", "S1,Headache,-3", "S2,Headache,1"]
    assert make_trial(tmp_path, changes, ae=ae).feature("rashes") == {"S1": 1.0, "S2": 0.0}
    changes.pop("tasks.rash.event.landmark_day")
    assert make_trial(tmp_path, changes, ae=ae).feature("rashes") == {"S1": 2.0, "S2": 1.0}


def why_unknown(folder: Path, *events: str, **changes: Any) -> str | None:
    """Why the label of S1 is unknown, of whom these events (term, day) are recorded."""
    dm = ["USUBJID,AGE,SEX,DIED,LASTDY,EOSDY", f"S1,61,F,Y,{changes.pop('last', 200)},200"]
    ae = ["USUBJID,AEDECOD,AESTDY", *(f"S1,{event}" for event in events)]
    trial = make_trial(folder, {**RASH, **SEEN, **changes}, dm=dm, ae=ae, lb=NO_LAB)
    return trial.reason("rash")["S1"]


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        (["Rash,60"], None),
        ([], None),
        (["Rash,28"], "event at or before the landmark"),
        (["Rash,-4", "Rash,60"], "event at or before the landmark"),
        (["Rash,"], "undated event"),
        ([",60"], "missing value"),
        ([",5"], "missing value"),
        (["Rash,UNK"], "rejected row"),
        (["Rash,UNK", "Rash,"], "undated event"),
    ],
)
def test_an_unknown_label_of_an_event_has_a_reason(
    tmp_path: Path, events: list[str], reason: str | None
) -> None:
    assert why_unknown(tmp_path, *events) == reason


def test_who_was_not_followed_or_left_has_a_reason(tmp_path: Path) -> None:
    assert why_unknown(tmp_path, last="60") == "not followed to the horizon"
    left = {"datasets.dm.columns.LASTDY": {"type": "number"}, "subject.exit_day": "LASTDY"}
    assert why_unknown(tmp_path, last="5", **left) == "left the trial at or before the landmark"
    met = {"tasks.rash.unknown_when": {"column": "SEX", "equals": "F"}}
    assert why_unknown(tmp_path, "Rash,5", **met) == "`unknown_when` is met"


def test_an_event_on_the_first_study_day_has_a_reason_of_its_own(tmp_path: Path) -> None:
    at_baseline = {"landmark": "baseline"}
    assert why_unknown(tmp_path, "Rash,1", **at_baseline) == "event on the landmark's day"
    assert why_unknown(tmp_path, "Rash,-1", **at_baseline) == "event at or before the landmark"
    before = {**at_baseline, "tasks.rash.event.landmark_day": "before"}
    assert why_unknown(tmp_path, "Rash,1", **before) == "event at or before the landmark"


@pytest.mark.parametrize(
    ("rows", "no_row", "reason"),
    [
        (["ALT,40,20"], "unknown", None),
        (["ALT,40,"], "unknown", "missing value"),
        ([], "unknown", "no row in the window"),
        ([], "negative", None),
        (["ALT,,20"], "negative", "a day that may lie within or outside"),
        (["ALT,x,20"], "unknown", "rejected row"),
        (["ALT,x,20"], "negative", "rejected row"),
    ],
)
def test_an_unknown_label_of_a_state_has_a_reason(
    tmp_path: Path, rows: list[str], no_row: str, reason: str | None
) -> None:
    changes = {**RESPONSE, "tasks.response.state.no_row": no_row}
    lb = [*NO_LAB, *(f"S1,{row}" for row in rows)]
    assert make_trial(tmp_path, changes, lb=lb).reason("response")["S1"] == reason
