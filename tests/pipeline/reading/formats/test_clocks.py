"""The calendar day of a moment is that of its own clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reading.days import dates_of
from pipeline.reading.formats import DataFileError, FileFormat
from pipeline.reading.formats.clocks import local_time
from tests.pipeline.reading.formats.written_files import read_all

ZONES = ["Asia/Tokyo", "America/New_York", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Apia", "UTC"]
# Before 1930 clocks were set at odd seconds.
moments = st.datetimes(datetime(1930, 1, 1), datetime(2200, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0)
)


def wall_clock(moment: datetime, zone: str) -> datetime:
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@given(
    st.lists(st.none() | moments, max_size=9),
    st.sampled_from(ZONES),
    st.sampled_from(["s", "ms", "us"]),
)
def test_a_zoned_timestamp_shows_its_zones_clock(
    found: list[datetime | None], zone: str, unit: str
) -> None:
    values = pa.array(found, pa.timestamp(unit)).cast(pa.timestamp(unit, tz=zone))
    expected = [None if moment is None else wall_clock(moment, zone) for moment in found]
    assert local_time("x", "A", values, None).to_pylist() == expected


@given(st.lists(moments, max_size=9), st.sampled_from(ZONES), st.sampled_from(ZONES))
def test_the_study_files_zone_comes_before_the_files(
    found: list[datetime], zone: str, wanted: str
) -> None:
    values = pa.array(found, pa.timestamp("us")).cast(pa.timestamp("us", tz=zone))
    expected = [wall_clock(moment, wanted) for moment in found]
    assert local_time("x", "A", values, wanted).to_pylist() == expected


@given(st.lists(moments, max_size=9), st.sampled_from([None, *ZONES]))
def test_a_timestamp_without_zone_is_local_already(found: list[datetime], zone: str | None) -> None:
    values = pa.array(found, pa.timestamp("us"))
    assert local_time("x", "A", values, zone).to_pylist() == found


@given(moments, st.integers(-14 * 60, 14 * 60))
def test_a_fixed_offset_is_a_zone(moment: datetime, minutes: int) -> None:
    hours, rest = divmod(abs(minutes), 60)
    zone = f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"
    values = pa.array([moment], pa.timestamp("us")).cast(pa.timestamp("us", tz=zone))
    expected = moment + timedelta(minutes=minutes)
    assert local_time("x", "A", values, None).to_pylist() == [expected]


def test_fractions_of_a_second_before_1970_belong_to_the_second_that_they_lie_in() -> None:
    values = pa.array([-1], pa.timestamp("us", tz="Asia/Tokyo"))
    assert local_time("x", "A", values, None).to_pylist() == [datetime(1970, 1, 1, 8, 59, 59)]


def test_an_unknown_zone_is_refused_with_file_and_column() -> None:
    values = pa.array([0], pa.timestamp("us", tz="Middle/Earth"))
    with pytest.raises(DataFileError, match=r"^x, column A: the zone 'Middle/Earth'"):
        local_time("x", "A", values, None)


@given(moments, st.sampled_from(ZONES), st.sampled_from([None, "Asia/Tokyo", "America/New_York"]))
def test_text_with_an_offset_and_a_zoned_timestamp_lie_on_one_day(
    moment: datetime, zone: str, wanted: str | None
) -> None:
    in_zone = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    text = pa.array([in_zone.isoformat(timespec="seconds")])
    typed = pa.array([moment], pa.timestamp("us")).cast(pa.timestamp("us", tz=zone))
    of_text, wrong = dates_of(text, ZoneInfo(wanted) if wanted else None)
    of_typed, _ = dates_of(local_time("x", "A", typed, wanted))
    assert not wrong.any()
    assert of_text.earliest.tolist() == of_text.latest.tolist() == of_typed.latest.tolist()


@pytest.mark.parametrize(
    ("zone", "wanted", "day"),
    [("Asia/Tokyo", None, 8), ("UTC", None, 7), ("UTC", "Asia/Tokyo", 8), (None, "Asia/Tokyo", 7)],
)
def test_a_parquet_file_is_read_by_its_own_clock_or_the_study_files(
    tmp_path: Path, zone: Any, wanted: Any, day: int
) -> None:
    utc = datetime(2014, 1, 7, 15, 0)
    values = pa.array([utc], pa.timestamp("us")).cast(pa.timestamp("us", tz=zone))
    pq.write_table(pa.table({"A": values}), tmp_path / "x.parquet")
    table = read_all(tmp_path / "x.parquet", FileFormat("parquet", zone=wanted))
    assert [moment.day for moment in table["A"]] == [day]
