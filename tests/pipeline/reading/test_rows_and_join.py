"""Which rows are used, left out, or rejected with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import UserError
from tests.components.trial_example_gen.hand_made_trial import (
    DM,
    REMOVED,
    Trial,
    events_dataset,
    make_trial,
)

AGE = "datasets.dm.columns.AGE"


def dm(*rows: str) -> list[str]:
    return ["USUBJID,AGE,SEX,DIED", *rows]


def test_a_code_of_a_missing_value_is_no_value(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, {f"{AGE}.missing": [99, "UNK"]}, dm=dm("S1,99,F,Y", "S2,UNK,M,N"))
    assert trial.feature("AGE") == {"S1": None, "S2": None}
    assert trial.rejects == []


def test_a_numeric_code_is_found_however_the_number_is_written(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, {f"{AGE}.missing": [99]}, dm=dm("S1,99.0,F,Y", "S2,72,M,N"))
    assert trial.feature("AGE") == {"S1": None, "S2": 72.0}


def test_a_code_outside_the_range_does_not_reject_its_row(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, {f"{AGE}.missing": [999]}, dm=dm("S1,999,F,Y", "S2,72,M,N"))
    assert trial.subjects == ["S1", "S2"]


def test_a_code_in_a_column_of_text_is_a_missing_category(tmp_path: Path) -> None:
    changes = {
        "features.SEX": {"kind": "category"},
        "datasets.dm.columns.SEX.missing": ["U"],
    }
    trial = make_trial(tmp_path, changes, dm=dm("S1,61,U,Y", "S2,72,M,N"))
    assert trial.feature("SEX") == {"S1": None, "S2": "M"}


def test_a_code_in_a_column_of_dates_is_a_missing_date(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"datasets.ae": events_dataset(date="AESTDTC"), **DATED}
    changes["datasets.ae"]["columns"]["AESTDTC"]["missing"] = ["UNK"]
    trial = make_trial(tmp_path, changes, dm=DATED_DM, ae=ae("S1,Rash,UNK,"))
    assert trial.rejects == []
    assert trial.label("rash") == {"S1": None, "S2": False}


@pytest.mark.parametrize(("age", "inside"), [(0, True), (120, True), (-1, False), (121, False)])
def test_a_range_includes_its_ends(tmp_path: Path, age: int, inside: bool) -> None:
    trial = make_trial(tmp_path, dm=dm(f"S1,{age},F,Y", "S2,72,M,N"))
    assert ("S1" in trial.subjects) == inside


def test_a_number_outside_its_range_rejects_its_row(tmp_path: Path) -> None:
    trial = make_trial(
        tmp_path, dm=dm("S1,61,F,Y", "S2,172,M,N"), lb=["USUBJID,LBTESTCD,LBDY,LBSTRESN"]
    )
    assert trial.rejects == [
        ("dm", "dm.csv", 2, "AGE", "a number outside the range that can be true")
    ]


def test_an_infinite_number_rejects_its_row(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, dm=dm("S1,inf,F,Y", "S2,72,M,N"), lb=LB_OF_S2)
    assert trial.rejects == [("dm", "dm.csv", 1, "AGE", "a number that is not finite")]


def test_text_where_a_number_is_expected_rejects_its_row(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, dm=dm("S1,sixty,F,Y", "S2,72,M,N"), lb=LB_OF_S2)
    assert trial.rejects == [("dm", "dm.csv", 1, "AGE", "text where a number is expected")]


def test_a_faulty_number_does_not_change_the_others_of_its_column(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, dm=dm("S1,sixty,F,Y", "S2,7.2e1,M,N", "S3,,F,N"), lb=LB_OF_S2)
    assert trial.feature("AGE") == {"S2": 72.0, "S3": None}


def test_a_row_without_subject_key_is_rejected(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, dm=dm("S1,61,F,Y", ",72,M,N"), lb=LB_OF_S1)
    assert trial.rejects == [("dm", "dm.csv", 2, "USUBJID", "no subject key")]


def test_all_rows_of_a_subject_with_two_are_rejected(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, dm=dm("S1,61,F,Y", "S2,72,M,N", "S2,73,M,N"), lb=LB_OF_S1)
    second = "more than one row for a subject where one is due"
    assert trial.subjects == ["S1"]
    assert trial.rejects == [
        ("dm", "dm.csv", 2, "USUBJID", second),
        ("dm", "dm.csv", 3, "USUBJID", second),
    ]


def test_a_second_row_counts_even_if_the_first_was_faulty(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, dm=dm("S1,61,F,Y", "S2,old,M,N", "S2,73,M,N"), lb=LB_OF_S1)
    assert trial.subjects == ["S1"]
    assert [reject[2:4] for reject in trial.rejects] == [(2, "AGE"), (3, "USUBJID")]


def test_two_rows_in_a_further_dataset_of_single_rows_are_both_rejected(tmp_path: Path) -> None:
    changes = {
        "datasets.base": {
            "file": "base.csv",
            "format": "csv",
            "rows": "one_per_subject",
            "columns": {
                "USUBJID": {"type": "text"},
                "BMI": {"type": "number", "known": "baseline"},
            },
        },
        "features.BMI": {"kind": "number", "dataset": "base"},
    }
    trial = make_trial(tmp_path, changes, base=["USUBJID,BMI", "S1,21", "S1,22", "S2,30"])
    assert trial.feature("BMI") == {"S1": None, "S2": 30.0}
    assert [reject[:3] for reject in trial.rejects] == [
        ("base", "base.csv", 1),
        ("base", "base.csv", 2),
    ]


LB_OF_S1 = ["USUBJID,LBTESTCD,LBDY,LBSTRESN", "S1,ALT,1,20"]
LB_OF_S2 = ["USUBJID,LBTESTCD,LBDY,LBSTRESN", "S2,ALT,1,30"]


def test_a_row_of_an_unknown_subject_is_rejected(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, lb=[*LB_OF_S1, "S9,ALT,1,99"])
    assert trial.rejects == [
        ("lb", "lb.csv", 2, "USUBJID", "a subject that the subject dataset does not have")
    ]


def test_a_row_of_a_subject_whose_own_row_was_rejected_says_so(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, dm=dm("S1,61,F,Y", "S2,old,M,N"), lb=LB_OF_S2)
    assert ("lb", "lb.csv", 1, "USUBJID", "a subject whose own row was rejected") in trial.rejects


def test_a_row_of_a_subject_outside_the_population_is_left_out(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, {"population": {"column": "AGE", "below": 70}})
    assert trial.subjects == ["S1"]
    assert trial.rejects == []
    assert trial.counts["lb"]["excluded"] == 1


def test_a_subject_of_whom_the_population_is_unknown_is_left_out(tmp_path: Path) -> None:
    population = {"population": {"column": "SEX", "equals": "F"}}
    trial = make_trial(tmp_path, population, dm=dm("S1,61,F,Y", "S2,72,,N"))
    assert trial.subjects == ["S1"]


def test_a_row_that_no_feature_and_no_task_asks_for_is_left_out(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, lb=[*LB_OF_S1, "S1,SODIUM,1,140"])
    assert trial.counts["lb"] == {
        "rows_in": 2,
        "used": 1,
        "excluded": 1,
        "rejected": 0,
        "reasons": {},
    }


DATED: dict[str, Any] = {
    "datasets.dm.columns.RFSTDTC": {"type": "date"},
    "datasets.dm.columns.BRTHDTC": {"type": "date"},
    "subject.reference_date": "RFSTDTC",
    "subject.birth_date": "BRTHDTC",
    "tasks.rash": {
        "kind": "adverse_event",
        "title": "Rash",
        "event": {"dataset": "ae", "where": {"column": "AEDECOD", "equals": "Rash"}},
    },
}
DATED_DM = [
    "USUBJID,AGE,SEX,DIED,RFSTDTC,BRTHDTC",
    "S1,61,F,Y,2014-01-01,1953-05-05",
    "S2,72,M,N,2014-01-01,1941-06-06",
]


def ae(*rows: str) -> list[str]:
    return ["USUBJID,AEDECOD,AESTDTC,AEENDTC", *rows]


def dated_trial(folder: Path, *events: str) -> Trial:
    changes = {"datasets.ae": events_dataset(date="AESTDTC", end_date="AEENDTC"), **DATED}
    return make_trial(folder, changes, dm=DATED_DM, ae=ae(*events))


def test_a_date_before_birth_rejects_its_row(tmp_path: Path) -> None:
    trial = dated_trial(tmp_path, "S1,Rash,1914-03-01,")
    assert trial.rejects == [("ae", "ae.csv", 1, "AESTDTC", "a date before the subject's birth")]


def test_a_partial_date_that_may_lie_after_birth_is_no_fault(tmp_path: Path) -> None:
    assert dated_trial(tmp_path, "S1,Rash,1953,").rejects == []


def test_an_end_before_its_start_rejects_its_row(tmp_path: Path) -> None:
    trial = dated_trial(tmp_path, "S1,Rash,2014-03-02,2014-03-01")
    assert trial.rejects == [("ae", "ae.csv", 1, "AEENDTC", "an end before its start")]


def test_an_end_on_the_day_of_its_start_is_no_fault(tmp_path: Path) -> None:
    assert dated_trial(tmp_path, "S1,Rash,2014-03-02,2014-03-02").rejects == []


def test_a_partial_end_that_may_lie_after_its_start_is_no_fault(tmp_path: Path) -> None:
    assert dated_trial(tmp_path, "S1,Rash,2014-03-20,2014-03").rejects == []


def test_an_end_day_before_its_day_rejects_its_row(tmp_path: Path) -> None:
    changes = {
        "datasets.ae": events_dataset(day="AESTDY", end_day="AEENDY"),
        "features.events": {"kind": "number", "dataset": "ae", "aggregate": "count"},
    }
    trial = make_trial(tmp_path, changes, ae=["USUBJID,AESTDY,AEENDY", "S1,10,9", "S1,10,11"])
    assert trial.rejects == [("ae", "ae.csv", 1, "AEENDY", "an end before its start")]


def test_an_end_before_its_start_rejects_a_subject_too(tmp_path: Path) -> None:
    changes = {
        "datasets.dm.day": "STARTDY",
        "datasets.dm.end_day": "STOPDY",
        "datasets.dm.columns.STARTDY": {"type": "number"},
        "datasets.dm.columns.STOPDY": {"type": "number"},
    }
    rows = ["USUBJID,AGE,SEX,DIED,STARTDY,STOPDY", "S1,61,F,Y,10,9", "S2,72,M,N,10,11"]
    trial = make_trial(tmp_path, changes, dm=rows, lb=LB_OF_S2)
    assert trial.rejects == [("dm", "dm.csv", 1, "STOPDY", "an end before its start")]


def test_text_that_is_no_date_rejects_its_row(tmp_path: Path) -> None:
    trial = dated_trial(tmp_path, "S1,Rash,03/01/2014,")
    assert trial.rejects == [("ae", "ae.csv", 1, "AESTDTC", "text where a date is expected")]


def test_a_window_leaves_out_who_came_before_or_after(tmp_path: Path) -> None:
    rows = ["2013-12-31", "2014-01-01", "2014-06-30", "2014-07-01", "2014-06", ""]
    changes = {
        "datasets.dm.columns.RFSTDTC": {"type": "date"},
        "window": {"column": "RFSTDTC", "start": "2014-01-01", "end": "2014-06-30"},
    }
    trial = make_trial(
        tmp_path,
        changes,
        dm=["USUBJID,AGE,SEX,DIED,RFSTDTC", *(f"S{i},61,F,Y,{day}" for i, day in enumerate(rows))],
        lb=["USUBJID,LBTESTCD,LBDY,LBSTRESN"],
    )
    assert trial.subjects == ["S1", "S2", "S4"]
    assert trial.counts["dm"]["excluded"] == 3


SUPPLEMENTS: dict[str, Any] = {
    "datasets.suppdm": {
        "file": "suppdm.csv",
        "format": "csv",
        "rows": "many_per_subject",
        "supplements": "dm",
        "columns": {
            name: {"type": "text"} for name in ("USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QVAL")
        },
    },
    "datasets.dm.columns.COMPLT8": {"type": "text", "known": "baseline"},
    "features.COMPLT8": {"kind": "category"},
}


def test_a_qualifier_without_idvar_becomes_a_column_of_the_subject(tmp_path: Path) -> None:
    supp = ["USUBJID,IDVAR,IDVARVAL,QNAM,QVAL", "S1,,,COMPLT8,Y", "S2,,,OTHER,Y"]
    trial = make_trial(tmp_path, SUPPLEMENTS, suppdm=supp)
    assert trial.feature("COMPLT8") == {"S1": "Y", "S2": None}


SUPPLEMENTED_EVENTS: dict[str, Any] = {
    "datasets.ae": events_dataset(day="AESTDY"),
    "datasets.ae.columns.AESOSP": {"type": "text"},
    "datasets.suppae": {
        **SUPPLEMENTS["datasets.suppdm"],
        "file": "suppae.csv",
        "supplements": "ae",
    },
    "features.special": {
        "kind": "number",
        "dataset": "ae",
        "where": {"column": "AESOSP", "equals": "Y"},
        "aggregate": "count",
    },
}
AE_WITH_SEQ = ["USUBJID,AESEQ,AESTDY", "S1,1,3", "S1,2,4", "S2,1,5"]


def test_a_qualifier_with_idvar_belongs_to_the_one_record_that_it_names(tmp_path: Path) -> None:
    supp = ["USUBJID,IDVAR,IDVARVAL,QNAM,QVAL", "S1,AESEQ,2,AESOSP,Y", "S2,AESEQ,2,AESOSP,Y"]
    trial = make_trial(tmp_path, SUPPLEMENTED_EVENTS, ae=AE_WITH_SEQ, suppae=supp)
    # There is no such record of S2: it is unknown whose qualifier it is.
    assert trial.feature("special") == {"S1": 1.0, "S2": None}


def test_a_qualifier_without_idvar_belongs_to_every_record_of_the_subject(tmp_path: Path) -> None:
    supp = ["USUBJID,IDVAR,IDVARVAL,QNAM,QVAL", "S1,,,AESOSP,Y"]
    trial = make_trial(tmp_path, SUPPLEMENTED_EVENTS, ae=AE_WITH_SEQ, suppae=supp)
    assert trial.feature("special") == {"S1": 2.0, "S2": 0.0}


def test_a_qualifier_whose_idvar_identifies_nothing_is_rejected(tmp_path: Path) -> None:
    supp = ["USUBJID,IDVAR,IDVARVAL,QNAM,QVAL", "S1,AEWHAT,2,AESOSP,Y"]
    trial = make_trial(tmp_path, SUPPLEMENTED_EVENTS, ae=AE_WITH_SEQ, suppae=supp)
    reason = "a qualifier whose IDVAR names no column that identifies a record"
    assert trial.rejects == [("suppae", "suppae.csv", 1, "IDVAR", reason)]


def test_a_subject_can_be_its_row_where_the_file_has_no_key(tmp_path: Path) -> None:
    changes = {"subject": {"dataset": "dm", "row_number": True}}
    trial = single_file_trial(tmp_path, changes)
    assert trial.feature("AGE") == {"1": 61.0, "2": 72.0}


def test_row_numbers_of_several_files_are_no_subject_key(tmp_path: Path) -> None:
    changes = {
        "subject": {"dataset": "dm", "row_number": True},
        "datasets.dm.file": "d*.csv",
    }
    (tmp_path / "d2.csv").write_text("USUBJID,AGE,SEX,DIED\nS3,50,F,N\n")
    with pytest.raises(UserError, match=r"matches 2 files.*subject\.column"):
        single_file_trial(tmp_path, changes).subjects  # noqa: B018


def single_file_trial(folder: Path, changes: dict[str, Any]) -> Trial:
    removed = {"datasets.lb": REMOVED, "features.alt": REMOVED}
    return make_trial(folder, {**changes, **removed}, dm=DM)


def test_rejects_hold_the_place_and_the_reason_and_nothing_of_the_row(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, dm=dm("SECRET-7,4711,F,Y", "S2,72,M,N"), lb=LB_OF_S2)
    (line,) = [json.dumps(reject) for reject in trial.rejects]
    assert json.loads(line)[:4] == ["dm", "dm.csv", 1, "AGE"]
    assert "4711" not in line
    assert "SECRET" not in line


SUBJECT_ROW = st.tuples(
    st.sampled_from(["S1", "S2", "S3", "S4", ""]), st.sampled_from(["61", "72", "old", "300", ""])
)
LAB_ROW = st.tuples(
    st.sampled_from(["S1", "S2", "S3", "S9", ""]),
    st.sampled_from(["ALT", "SODIUM", ""]),
    st.sampled_from(["1", "28", "29", "never", ""]),
    st.sampled_from(["20", "high", "inf", ""]),
)


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(subjects=st.lists(SUBJECT_ROW, max_size=6), labs=st.lists(LAB_ROW, max_size=8))
def test_every_row_is_used_or_left_out_or_rejected(
    tmp_path: Path, subjects: list[tuple[str, ...]], labs: list[tuple[str, ...]]
) -> None:
    trial = make_trial(
        tmp_path,
        {"population": {"column": "AGE", "below": 70}},
        dm=dm(*(f"{key},{age},F,Y" for key, age in subjects)),
        lb=["USUBJID,LBTESTCD,LBDY,LBSTRESN", *(",".join(row) for row in labs)],
    )
    for name, rows in (("dm", len(subjects)), ("lb", len(labs))):
        counts = trial.counts[name]
        assert counts["rows_in"] == rows
        assert counts["used"] + counts["excluded"] + counts["rejected"] == rows
        assert sum(counts["reasons"].values()) == counts["rejected"]
        assert len([reject for reject in trial.rejects if reject[0] == name]) == counts["rejected"]
    assert trial.counts["dm"]["used"] == len(trial.subjects)
