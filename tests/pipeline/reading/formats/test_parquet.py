"""Parquet files."""

import datetime
import decimal
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.reading.formats import Extent, FileFormat, column_types, extents, read
from tests.pipeline.reading.formats.written_files import as_read, fail_to_read, read_all

PARQUET = FileFormat("parquet")


def write(folder: Any, table: Any, **options: Any) -> Any:
    path = f"{folder}/x.parquet"
    pq.write_table(pa.table(table), path, **options)
    return path


@given(
    rows=st.lists(
        st.tuples(
            st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9),
            st.none() | st.floats(allow_nan=False),
            st.none() | st.dates(),
            st.none() | st.datetimes().map(lambda moment: moment.replace(microsecond=0)),
        ),
        max_size=40,
    ),
    row_group_size=st.integers(1, 12),
    rows_per_extent=st.integers(1, 45),
    batch_rows=st.integers(1, 45),
)
@settings(max_examples=40)
def test_what_is_written_is_read_back_for_any_division(
    rows: Any, row_group_size: Any, rows_per_extent: Any, batch_rows: Any
) -> None:
    types = {"T": pa.string(), "N": pa.float64(), "D": pa.date32(), "M": pa.timestamp("us")}
    columns = {
        name: pa.array([row[i] for row in rows], kind)
        for i, (name, kind) in enumerate(types.items())
    }
    with tempfile.TemporaryDirectory() as folder:
        path = write(folder, columns, row_group_size=row_group_size)
        table = read_all(path, PARQUET, rows_per_extent=rows_per_extent, batch_rows=batch_rows)
    assert table == {
        "T": [as_read(row[0]) for row in rows],
        "N": [row[1] for row in rows],
        "D": [row[2] for row in rows],
        "M": [row[3] for row in rows],
    }


def test_extents_are_whole_row_groups(tmp_path: Path) -> None:
    path = write(tmp_path, {"A": list(range(10))}, row_group_size=3)
    assert extents(path, PARQUET, 1) == [
        Extent(path, 0, 3),
        Extent(path, 3, 3),
        Extent(path, 6, 3),
        Extent(path, 9, 1),
    ]
    assert extents(path, PARQUET, 6) == [Extent(path, 0, 6), Extent(path, 6, 4)]


def test_an_extent_across_row_groups_gives_its_rows_alone(tmp_path: Path) -> None:
    path = write(tmp_path, {"A": list(range(10))}, row_group_size=3)
    parts = list(read(Extent(path, 4, 4), PARQUET, ["A"]))
    assert [(first, batch.to_pydict()["A"]) for first, batch in parts] == [(4, [4, 5, 6, 7])]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (pa.array([7, None], pa.int16()), "number", [7.0, None]),
        (pa.array([2**60], pa.int64()), "number", [float(2**60)]),
        (pa.array([1.5], pa.float32()), "number", [1.5]),
        (pa.array([float("nan"), 2.0], pa.float64()), "number", [None, 2.0]),
        (pa.array([decimal.Decimal("1.25"), None]), "number", [1.25, None]),
        (pa.array(["x", ""]), "text", ["x", None]),
        (pa.array(["x"], pa.large_string()), "text", ["x"]),
        (pa.array(["x", None, "x"]).dictionary_encode(), "text", ["x", None, "x"]),
        (pa.array([True, False, None]), "text", ["true", "false", None]),
        (pa.nulls(2), "text", [None, None]),
        (pa.array([datetime.date(2024, 2, 29)], pa.date64()), "date", [datetime.date(2024, 2, 29)]),
        (
            pa.array([-1, 1_500], pa.timestamp("ms")),
            "datetime",
            [datetime.datetime(1969, 12, 31, 23, 59, 59), datetime.datetime(1970, 1, 1, 0, 0, 1)],
        ),
        (
            pa.array([0], pa.timestamp("us", tz="America/New_York")),
            "datetime",
            [datetime.datetime(1969, 12, 31, 19)],
        ),
        (pa.array([37_815, None], pa.time32("s")), "text", ["10:30:15", None]),
        (pa.array([37_815_250_000], pa.time64("us")), "text", ["10:30:15.25"]),
    ],
    ids=str,
)
def test_types_are_reduced_to_text_numbers_dates_and_moments(
    tmp_path: Path, values: Any, kind: Any, expected: Any
) -> None:
    path = write(tmp_path, {"A": values})
    assert column_types(path, PARQUET) == {"A": kind}
    assert read_all(path, PARQUET) == {"A": expected}


def test_only_requested_columns_come_in_the_requested_order(tmp_path: Path) -> None:
    path = write(tmp_path, {"A": [1], "B": [2], "C": [3]})
    ((_, batch),) = read(Extent(path), PARQUET, ["C", "A"])
    assert batch.to_pydict() == {"C": [3.0], "A": [1.0]}


def test_a_batch_without_columns_still_counts_its_rows(tmp_path: Path) -> None:
    path = write(tmp_path, {"A": [1, 2, 3]}, row_group_size=2)
    assert [batch.num_rows for _, batch in read(Extent(path), PARQUET, [])] == [2, 1]


@pytest.mark.parametrize(
    "values", [pa.array([[1, 2]]), pa.array([{"x": 1}])], ids=["list", "struct"]
)
def test_a_nested_column_is_refused_by_name(tmp_path: Path, values: Any) -> None:
    path = write(tmp_path, {"OK": [1], "DEEP": values})
    assert "column DEEP: found a nested column" in fail_to_read(path, PARQUET, ["DEEP"])
    assert read_all(path, PARQUET) == {"OK": [1.0]}


def test_a_column_of_bytes_is_refused_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, {"A": pa.array([b"x"])})
    assert "column A: found Arrow type binary" in fail_to_read(path, PARQUET)


@pytest.mark.parametrize("lost", [1, 8, 200])
def test_a_file_without_its_footer_is_refused(tmp_path: Path, lost: Any) -> None:
    path = tmp_path / "x.parquet"
    write(tmp_path, {"A": [1, 2]})
    path.write_bytes(path.read_bytes()[:-lost])
    assert "no whole Parquet footer" in fail_to_read(path, PARQUET)


def test_damaged_data_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    write(tmp_path, {"A": [f"{i:09d}" for i in range(999)]}, use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[4:900] = b"\xff" * 896
    path.write_bytes(content)
    assert "a row group can not be read" in fail_to_read(path, PARQUET)


def test_another_format_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_text('{"rows": []}')
    assert "found JSON text, expected a Parquet file" in fail_to_read(path, PARQUET)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.touch()
    assert "the file is empty" in fail_to_read(path, PARQUET)


def test_a_missing_column_is_named_with_near_matches(tmp_path: Path) -> None:
    path = write(tmp_path, {"USUBJID": ["1"], "ARM": ["x"]})
    assert "no column USUBJD; did you mean USUBJID?" in fail_to_read(path, PARQUET, ["USUBJD"])
