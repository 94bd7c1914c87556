"""Values of a driver become columns: one type for all batches of a column, no digit lost."""

from __future__ import annotations

import contextlib
import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reading.database.columns import UnreadableError, as_type, batch_column, common_type
from tests.each import each

DAY = dt.date(2024, 1, 2)
TOKYO = dt.timezone(dt.timedelta(hours=9))


def column(*batches: list[Any]) -> pa.ChunkedArray:
    """A whole column of several batches."""
    arrays = [batch_column(batch) for batch in batches]
    type_ = common_type(array.type for array in arrays)
    return pa.chunked_array([as_type(array, type_) for array in arrays], type_)


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([None, None], pa.null()),
        ([True, None], pa.bool_()),
        ([1, -(2**60)], pa.int64()),
        ([1.5], pa.float64()),
        ([Decimal("1.50"), 2], pa.decimal128(38, 2)),
        ([DAY], pa.date32()),
        ([dt.datetime(2024, 1, 2, 3, 4)], pa.timestamp("us")),
        ([dt.datetime(2024, 1, 2, tzinfo=dt.UTC)], pa.timestamp("us", "UTC")),
        ([dt.time(10, 30)], pa.time64("us")),
        (["x", None], pa.string()),
    ],
)
def test_a_column_of_one_kind_has_its_type(values: list[Any], type_: pa.DataType) -> None:
    assert column(values).type == type_
    assert column(values).to_pylist() == values


def test_the_type_is_that_of_all_batches() -> None:
    assert column([None], [1], [Decimal("2.5")]).to_pylist() == [None, 1, Decimal("2.5")]
    assert column([DAY], [dt.datetime(2024, 1, 2, 3)]).to_pylist() == [
        dt.datetime(2024, 1, 2),
        dt.datetime(2024, 1, 2, 3),
    ]
    assert column([1], [2.5]).to_pylist() == [1.0, 2.5]


def test_values_of_several_kinds_are_text_as_in_every_format() -> None:
    mixed = [70.0, "<5", True, DAY, dt.datetime(2024, 1, 2), Decimal("1.50"), None, dt.time(10)]
    expected = ["70", "<5", "true", "2024-01-02", "2024-01-02", "1.5", None, "10:00:00"]
    assert column(mixed).to_pylist() == expected
    one_by_one: list[list[Any]] = [[value] for value in mixed]
    assert column(*one_by_one).to_pylist() == expected


def test_moments_of_other_offsets_keep_them_in_their_text() -> None:
    moments = [dt.datetime(2024, 1, 2, 3, tzinfo=TOKYO), dt.datetime(2024, 1, 2, tzinfo=dt.UTC)]
    assert column(moments).to_pylist() == ["2024-01-02T03:00:00+09:00", "2024-01-02T00:00:00+00:00"]


def test_keys_of_many_digits_stay_apart() -> None:
    keys = [9007199254740993, 9007199254740992, 10**30]
    assert column(keys).to_pylist() == keys


@pytest.mark.parametrize("value", [b"bytes", ["list"], {"a": 1}, dt.timedelta(1), memoryview(b"x")])
def test_what_no_column_holds_is_found_with_its_row(value: Any) -> None:
    with pytest.raises(UnreadableError) as refused:
        batch_column([None, "x", value])
    assert (refused.value.row, refused.value.found) == (2, type(value).__name__)


def test_a_number_that_float64_can_not_hold_is_refused_among_fractions() -> None:
    batchings: list[list[list[Any]]] = [[[0.5, 2**53 + 1]], [[2**53 + 1], [0.5]]]
    for batches in each(batchings):
        with pytest.raises(UnreadableError, match="too many digits"):
            column(*batches)


def test_numbers_of_more_digits_than_any_type_has_are_refused() -> None:
    with pytest.raises(UnreadableError, match="more than 76 digits"):
        column([Decimal("1e80")])
    with pytest.raises(UnreadableError, match="more than 76 digits"):
        column([Decimal("1e40")], [Decimal("1e-40")])


def test_identifiers_are_text() -> None:
    text = "12345678-1234-5678-1234-567812345678"
    assert column([UUID(text)]).to_pylist() == [text]


def test_what_is_no_number_is_missing_or_infinite_as_in_parquet() -> None:
    assert [str(value) for value in column([Decimal("NaN"), Decimal("Infinity")]).to_pylist()] == [
        "nan",
        "inf",
    ]
    assert column([Decimal("NaN"), float("inf"), "x"]).to_pylist() == [None, "inf", "x"]


_VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-999, max_value=999)
    | st.dates()
    | st.datetimes()
    | st.text()
)


@given(st.lists(st.lists(_VALUES, max_size=4), min_size=1, max_size=4))
def test_every_row_stays_one_row_of_one_type_however_it_is_batched(
    batches: list[list[Any]],
) -> None:
    rows = [value for batch in batches for value in batch]
    with contextlib.suppress(UnreadableError):
        # Numbers that no type holds together; the tests above say which.
        whole = column(*batches)
        assert len(whole) == len(rows)
        assert [value is None for value in whole.to_pylist()] == [value is None for value in rows]
        assert whole.to_pylist() == column(rows).to_pylist()
