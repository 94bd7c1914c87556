"""Events on the first study day, and the landmark, in the order of time of day or sequence."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.reading.moments import order_of
from pipeline.results.counts import MaskReason
from tests.components.trial_example_gen.hand_made_trial import (
    SUPP,
    Trial,
    events_dataset,
    make_trial,
    supplement_dataset,
)


def dated(columns: dict[str, str], **changes: Any) -> dict[str, Any]:
    """The landmark is baseline, and deaths and randomisation have dates."""
    return {
        "landmark": "baseline",
        "datasets.dm.columns.RFSTDTC": {"type": "date"},
        "datasets.dm.columns.RANDDTC": {"type": columns["landmark"]},
        "datasets.ae": events_dataset(date="AESTDTC"),
        "datasets.ae.columns.AETIME": {"type": columns["event"]},
        "subject.reference_date": "RFSTDTC",
        "tasks.rash": {
            "kind": "adverse_event",
            "title": "Rash within 90 days",
            "horizon": 90,
            "event": {
                "dataset": "ae",
                "where": {"column": "AEDECOD", "equals": "Rash"},
                "landmark_day": {"column": "AETIME", "landmark": "RANDDTC"},
            },
        },
        **changes,
    }


def trial_of(
    folder: Path,
    event: str,
    landmark: str,
    kind: str = "text",
    date: str = "2014-01-05",
    changes: dict[str, Any] | None = None,
) -> Trial:
    """S1's rash on study day 1, 2014-01-05, with its own time and that of the landmark."""
    return make_trial(
        folder,
        dated({"event": kind, "landmark": kind}, **(changes or {})),
        dm=["USUBJID,AGE,SEX,DIED,RFSTDTC,RANDDTC", f"S1,61,F,Y,2014-01-05,{landmark}"],
        ae=["USUBJID,AEDECOD,AESTDTC,AETIME", f"S1,Rash,{date},{event}"],
    )


@pytest.mark.parametrize(
    ("event", "landmark", "label"),
    [
        ("2014-01-05T14:05", "2014-01-05T09:30", True),
        ("2014-01-05T09:29", "2014-01-05T09:30", None),
        ("2014-01-05T09:30", "2014-01-05T09:30", None),
        ("2014-01-05T09:30:10", "2014-01-05T09:30:05", True),
        ("2014-01-05T09:30:10", "2014-01-05T09:30", None),
        ("2014-01-05T14", "2014-01-05T13:59", True),
        ("2014-01-05", "2014-01-05T09:30", None),
        ("", "2014-01-05T09:30", None),
        ("2014-01-05T14:05", "", None),
        ("2014-01-05T10:00/2014-01-05T11:00", "2014-01-05T09:30", True),
        ("2014-01-05T09:00/2014-01-05T11:00", "2014-01-05T09:30", None),
        ("14:05", "09:30", True),
        ("9:05", "09:30", None),
        ("-----T14:05", "09:30:00", True),
        ("14:05", "2014-01-05T09:30", None),
        ("2014-01-05T14:05+09:00", "2014-01-05T04:00Z", True),
        ("2014-01-05T14:05+09:00", "2014-01-05T06:00Z", None),
        ("2014-01-05T14:05+09:00", "2014-01-05T09:30", None),
        ("afternoon", "09:30", None),
    ],
)
def test_the_time_of_day_says_whether_an_event_on_the_landmark_is_after_it(
    tmp_path: Path, event: str, landmark: str, label: bool | None
) -> None:
    assert trial_of(tmp_path, event, landmark).label("rash")["S1"] is label


@pytest.mark.parametrize(
    ("event", "landmark", "label"), [("3", "2", True), ("2", "2", None), ("1.5", "2", None)]
)
def test_a_sequence_says_whether_an_event_on_the_landmark_is_after_it(
    tmp_path: Path, event: str, landmark: str, label: bool | None
) -> None:
    assert trial_of(tmp_path, event, landmark, "number").label("rash")["S1"] is label


def test_an_event_at_the_same_time_is_on_the_landmarks_day_and_an_earlier_one_before_it(
    tmp_path: Path,
) -> None:
    same = trial_of(tmp_path, "10:00", "10:00")
    assert same.reason("rash")["S1"] == "event on the landmark's day"
    earlier = trial_of(tmp_path, "09:00", "10:00")
    assert earlier.reason("rash")["S1"] == "event at or before the landmark"


@pytest.mark.parametrize(("date", "label"), [("2014-01-04", None), ("2014-01-06", True)])
def test_on_other_days_the_day_decides_whatever_the_time(
    tmp_path: Path, date: str, label: bool | None
) -> None:
    assert trial_of(tmp_path, "00:01", "23:59", date=date).label("rash")["S1"] is label
    assert trial_of(tmp_path, "23:59", "00:01", date=date).label("rash")["S1"] is label


def test_the_event_s_own_date_may_be_the_column_with_the_time(tmp_path: Path) -> None:
    for event, label in (("2014-01-05T14:05", True), ("2014-01-05T08:00", None)):
        trial = trial_of(
            tmp_path,
            "",
            "2014-01-05T09:30",
            date=event,
            changes={
                "datasets.ae.columns.AESTDTC": {"type": "text"},
                "datasets.dm.columns.RANDDTC": {"type": "datetime"},
                "subject.reference_date": "RANDDTC",
                "tasks.rash.event.landmark_day": {"column": "AESTDTC", "landmark": "RANDDTC"},
            },
        )
        assert trial.label("rash")["S1"] is label


def test_a_qualifier_can_be_the_time_of_an_event(tmp_path: Path) -> None:
    changes = dated(
        {"event": "text", "landmark": "text"},
        **{
            "datasets.ae.columns.AESEQ": {"type": "number"},
            "datasets.ae.columns.ONSETTM": {"type": "text"},
            "datasets.suppae": supplement_dataset("ae"),
            "tasks.rash.event.landmark_day": {"column": "ONSETTM", "landmark": "RANDDTC"},
        },
    )
    dm = ["USUBJID,AGE,SEX,DIED,RFSTDTC,RANDDTC"]
    dm += [f"S{i},61,F,Y,2014-01-05,09:30" for i in range(1, 5)]
    ae = ["USUBJID,AEDECOD,AESTDTC,AESEQ"]
    ae += [f"S{i},Rash,2014-01-05,1" for i in range(1, 5)]
    supp = [SUPP, "S1,AESEQ,1,ONSETTM,14:05", "S2,AESEQ,1,ONSETTM,08:00"]
    supp += ["S4,AESEQ,1,ONSETTM,14:05", "S4,AESEQ,9,ONSETTM,07:00"]
    trial = make_trial(tmp_path, changes, dm=dm, ae=ae, suppae=supp)
    assert trial.label("rash") == {"S1": True, "S2": None, "S3": None, "S4": None}
    assert trial.reason("rash")["S4"] == "rejected row"


def in_parquet(folder: Path, event_zone: str | None, landmark_zone: str | None) -> Trial:
    """A rash and a randomisation as timestamps; 09:30 and 14:05 on the clocks of their zones."""
    trial = trial_of(folder, "", "")
    moment = dt.datetime(2014, 1, 5, 5, 5)
    dm = pa.table(
        {
            "USUBJID": ["S1"],
            "AGE": [61.0],
            "DIED": ["Y"],
            "RFSTDTC": ["2014-01-05"],
            "RANDDTC": pa.array([moment], pa.timestamp("us", landmark_zone)),
        }
    )
    ae = pa.table(
        {
            "USUBJID": ["S1"],
            "AEDECOD": ["Rash"],
            "AESTDTC": ["2014-01-05"],
            "AETIME": pa.array([moment + dt.timedelta(hours=1)], pa.timestamp("ns", event_zone)),
        }
    )
    pq.write_table(dm, folder / "dm.parquet")
    pq.write_table(ae, folder / "ae.parquet")
    changes = dated(
        {"event": "datetime", "landmark": "datetime"},
        **{
            f"datasets.{name}.{key}": value
            for name in ("dm", "ae")
            for key, value in (("file", f"{name}.parquet"), ("format", "parquet"))
        },
    )
    changed = make_trial(folder, changes)
    assert trial.folder == changed.folder
    return changed


def test_timestamps_are_compared_to_the_second(tmp_path: Path) -> None:
    assert in_parquet(tmp_path, None, None).label("rash")["S1"] is True
    assert in_parquet(tmp_path, "Asia/Tokyo", "Asia/Tokyo").label("rash")["S1"] is True


def test_times_of_different_zones_are_not_compared(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="different time zones"):
        _ = in_parquet(tmp_path, "Asia/Tokyo", "UTC").joined


@pytest.mark.parametrize(
    ("event", "landmark", "message"),
    [
        ("number", "text", r"AETIME of dataset ae \(numbers\) and column RANDDTC of dataset dm"),
        ("date", "datetime", "column AETIME of dataset ae holds dates without a time of day"),
        ("datetime", "date", "column RANDDTC of dataset dm holds dates without a time of day"),
    ],
)
def test_columns_that_cannot_be_compared_are_refused_before_any_row_is_read(
    tmp_path: Path, event: str, landmark: str, message: str
) -> None:
    changes = dated({"event": event, "landmark": landmark})
    dm = ["USUBJID,AGE,SEX,DIED,RFSTDTC,RANDDTC", "S1,61,F,Y,2014-01-05,1"]
    ae = ["USUBJID,AEDECOD,AESTDTC,AETIME", "S1,Rash,2014-01-05,1"]
    with pytest.raises(UserError, match=message):
        _ = make_trial(tmp_path, changes, dm=dm, ae=ae).plans


def test_a_time_on_the_landmarks_day_is_in_no_feature(tmp_path: Path) -> None:
    count = {"kind": "number", "dataset": "ae", "aggregate": "count"}
    assert trial_of(tmp_path, "14:05", "09:30", changes={"features.n": count}).feature("n") == {
        "S1": 0.0
    }


MINUTES = st.integers(0, 1439)


@given(MINUTES, MINUTES, st.integers(-11, 12), st.integers(-11, 12))
def test_moments_are_ordered_as_the_moments_in_utc_whatever_their_offsets(
    event: int, landmark: int, event_offset: int, landmark_offset: int
) -> None:
    start = dt.datetime(2014, 1, 5, tzinfo=dt.UTC)
    moments = [start + dt.timedelta(minutes=minutes) for minutes in (event, landmark)]
    zones = [dt.timezone(dt.timedelta(hours=h)) for h in (event_offset, landmark_offset)]
    texts = [
        pa.chunked_array([[moment.astimezone(zone).isoformat(timespec="minutes")]])
        for moment, zone in zip(moments, zones, strict=True)
    ]
    later, earlier = order_of(*texts)
    assert later.tolist() == [event > landmark]
    assert earlier.tolist() == [event < landmark]


@pytest.mark.parametrize(
    "landmark_day", ["masked", "after", {"column": "AEDECOD", "present": True}]
)
@pytest.mark.parametrize("day", ["0", "0.5", "-0.5"])
def test_day_zero_where_there_is_none_may_be_that_of_the_landmark(
    tmp_path: Path, landmark_day: Any, day: str
) -> None:
    trial = make_trial(
        tmp_path,
        {
            "landmark": "baseline",
            "datasets.ae": events_dataset(day="AESTDY"),
            "tasks.rash": {
                **{"kind": "adverse_event", "title": "Rash", "horizon": 90},
                "event": {"dataset": "ae", "landmark_day": landmark_day},
            },
        },
        ae=["USUBJID,AEDECOD,AESTDY", f"S1,Rash,{day}", "S2,Rash,-1"],
    )

    assert trial.reason("rash") == {
        "S1": str(MaskReason.ON_LANDMARK),
        "S2": str(MaskReason.BEFORE),
    }
