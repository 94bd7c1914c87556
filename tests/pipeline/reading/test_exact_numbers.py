"""Keys keep every digit, and one number is one text whatever the format."""

from __future__ import annotations

import json
import math
import struct
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.reading.exact_numbers import exact_numbers, keeps_digits, number_text
from pipeline.reading.formats import FileFormat, read, stored_types
from pipeline.reading.formats.base import Extent
from pipeline.reading.text import as_text
from tests.each import each
from tests.pipeline.reading.formats.written_files import (
    dataset_json,
    write_dataset_json,
    xpt_library,
    xpt_member,
)


def ibm(whole: int) -> bytes:
    """A whole number that needs no more than 56 bits as IBM hexadecimal floating point."""
    if whole == 0:
        return bytes(8)
    sign = 0x80 if whole < 0 else 0
    return struct.pack(">B", sign | (64 + 14)) + abs(whole).to_bytes(7, "big")


def texts_of(path: Path, format_: Any) -> list[str | None]:
    """Column A as text, read in small batches."""
    fmt = FileFormat(format_)
    assert set(stored_types(str(path), fmt)) == {"A"}
    found: list[str | None] = []
    for _, batch in read(Extent(str(path)), fmt, ["A"], 3):
        found += as_text(batch.column(0)).to_pylist()
    return found


def written(folder: Path, keys: list[int]) -> dict[str, list[str | None]]:
    """The keys as each typed format gives them back."""
    found = {}
    fields = [ibm(key) for key in keys]
    (folder / "x.xpt").write_bytes(xpt_library() + xpt_member([("A", "num", 8, "")], fields))
    found["xpt"] = texts_of(folder / "x.xpt", "xpt")
    for encoding in ("json", "ndjson"):
        for kind, cells in (("integer", keys), ("decimal", [f" {key}.0" for key in keys])):
            document = dataset_json([("A", kind)], [[cell] for cell in cells])
            path = write_dataset_json(folder, document, encoding)
            found[f"{encoding} {kind}"] = texts_of(path, "dataset-json")
    columns = {
        "int64": pa.array(keys, pa.int64()),
        "decimal": pa.array([Decimal(key) for key in keys], pa.decimal128(38, 2)),
    }
    for kind, values in columns.items():
        pq.write_table(pa.table({"A": values}), folder / "x.parquet")
        found[kind] = texts_of(folder / "x.parquet", "parquet")
    return found


near = st.sampled_from([2**53, -(2**53), 2**56 - 1, 10**15, 10**16, 0]).flatmap(
    lambda middle: st.integers(-3, 3).map(lambda step: middle + step)
)
keys = (near | st.integers(-(2**56) + 1, 2**56 - 1)).filter(lambda key: abs(key) < 2**56)


@given(st.lists(keys, min_size=1, max_size=8))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_whole_key_is_one_text_in_every_format(tmp_path: Path, keys: list[int]) -> None:
    for form, texts in each(written(tmp_path, keys).items()):
        assert texts == [str(key) for key in keys], form


@pytest.mark.parametrize("encoding", ["json", "ndjson"])
@given(numbers=st.lists(st.integers(-(10**30), 10**30), min_size=1, max_size=8))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_json_keys_beyond_64_bits_keep_every_digit(
    tmp_path: Path, encoding: str, numbers: list[int]
) -> None:
    rows = [[number] for number in numbers]
    path = write_dataset_json(tmp_path, dataset_json([("A", "integer")], rows), encoding)
    assert texts_of(path, "dataset-json") == [str(number) for number in numbers]


@given(st.lists(st.none() | st.integers(0, 2**64 - 1), min_size=1, max_size=8))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_unsigned_keys_of_parquet_keep_every_digit(
    tmp_path: Path, numbers: list[int | None]
) -> None:
    pq.write_table(pa.table({"A": pa.array(numbers, pa.uint64())}), tmp_path / "x.parquet")
    expected = [None if number is None else str(number) for number in numbers]
    assert texts_of(tmp_path / "x.parquet", "parquet") == expected


@given(
    st.lists(st.none() | st.decimals(-(10**20), 10**20, places=6), min_size=1, max_size=8),
    st.sampled_from([pa.decimal128(38, 6), pa.decimal256(60, 9)]),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_decimal_keys_of_parquet_keep_every_digit(
    tmp_path: Path, numbers: list[Decimal | None], kind: Any
) -> None:
    pq.write_table(pa.table({"A": pa.array(numbers, kind)}), tmp_path / "x.parquet")
    found = texts_of(tmp_path / "x.parquet", "parquet")
    assert [None if text is None else Decimal(text) for text in found] == numbers


@given(st.lists(st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)))
def test_a_text_means_the_number_that_it_was_made_from(numbers: list[int | float]) -> None:
    for number in numbers:  # may be empty
        text = number_text(number)
        assert "e" not in text.lower()
        if isinstance(number, int) or number.is_integer():
            assert Decimal(text) == Decimal(number)
        else:
            assert float(text) == number


def test_two_floats_that_differ_by_rounding_alone_are_two_texts() -> None:
    assert number_text(0.3) == "0.3"
    assert number_text(0.1 + 0.2) == "0.30000000000000004"


def neighbours(middle: float) -> list[float]:
    """Numbers that differ past the 15th digit alone."""
    return [middle, math.nextafter(middle, math.inf), math.nextafter(middle, -math.inf)]


@given(
    st.floats(1e-3, 1e9)
    .map(lambda number: float(f"{number:.6g}"))
    .flatmap(lambda middle: st.lists(st.sampled_from(neighbours(middle)), min_size=1, max_size=6))
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_keys_that_differ_past_the_15th_digit_alone_stay_different_in_every_format(
    tmp_path: Path, keys: list[float]
) -> None:
    expected = [number_text(key) for key in keys]
    assert len(set(expected)) == len(set(keys))
    pq.write_table(pa.table({"A": keys}), tmp_path / "x.parquet")
    assert texts_of(tmp_path / "x.parquet", "parquet") == expected
    for encoding in ("json", "ndjson"):
        for column, cells in ((("A", "float"), keys), (("A", "decimal"), list(map(repr, keys)))):
            path = write_dataset_json(
                tmp_path, dataset_json([column], [[cell] for cell in cells]), encoding
            )
            assert texts_of(path, "dataset-json") == expected, (encoding, column)
    pyreadstat.write_xport(
        pd.DataFrame({"A": keys}), tmp_path / "x.xpt", file_format_version=5, table_name="A"
    )
    assert texts_of(tmp_path / "x.xpt", "xpt") == expected


def test_a_batch_that_float64_holds_is_float64() -> None:
    assert exact_numbers(pa.array([2**60, None])).type == pa.float64()
    assert exact_numbers(pa.array([2**60 + 1, None])).type == pa.string()


@given(st.lists(st.none() | st.decimals(-(10**9), 10**9, places=4), max_size=9))
def test_a_decimal_number_is_the_float_that_its_text_is(numbers: list[Decimal | None]) -> None:
    found = exact_numbers(pa.array(numbers, pa.decimal128(20, 4))).to_pylist()
    assert found == [None if number is None else float(str(number)) for number in numbers]


@pytest.mark.parametrize(
    ("number", "kept"),
    [(2**53, True), (2**53 + 1, False), ("0.1", True), ("1e400", False), (Decimal("1.50"), True)],
)
def test_what_float64_holds_without_losing_a_digit(number: Any, kept: bool) -> None:
    assert keeps_digits(number) is kept


def test_numbers_beyond_float64_are_text_for_the_caller_to_judge(tmp_path: Path) -> None:
    document = dataset_json([("A", "float")], [[1.5], [0]])
    for encoding in ("json", "ndjson"):
        path = write_dataset_json(tmp_path, document, encoding)
        path.write_text(path.read_text().replace("[0]", "[1e400]"))
        assert texts_of(path, "dataset-json") == ["1.5", "1E+400"]


def test_what_is_no_json_is_refused_beside_a_long_number(tmp_path: Path) -> None:
    path = write_dataset_json(tmp_path, dataset_json([("A", "float")], [[1], [2]]), "ndjson")
    for odd in ("NaN", "Infinity", "12345678901234567890,"):
        lines = path.read_text().splitlines()
        path.write_text("\n".join([*lines[:2], f"[12345678901234567890, {odd}]"]) + "\n")
        with pytest.raises(Exception, match="row 2: the line is not valid JSON"):
            texts_of(path, "dataset-json")
        path.write_text("\n".join(lines) + "\n")
    assert json.loads(path.read_text().splitlines()[0])["records"] == 2
