"""CDISC Dataset-JSON 1.1 as a document, as lines and compressed."""

import datetime
import gzip
import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.reading import formats
from pipeline.reading.formats import Extent, FileFormat, column_types, read
from tests.each import each
from tests.pipeline.reading.formats.written_files import (
    as_read,
    dataset_json,
    fail_to_read,
    read_all,
    write_dataset_json,
)

FORMAT = FileFormat("dataset-json")
ENCODINGS = ["json", "ndjson", "dsjc", "dsjc-zlib"]
every_encoding = pytest.mark.parametrize("encoding", ENCODINGS)


@every_encoding
def test_labels_of_columns_are_read(tmp_path: Path, encoding: str) -> None:
    document = dataset_json([("AGE", "integer"), ("SEX", "string")], [[61, "F"]])
    document["columns"][0]["label"] = "Age in years"
    del document["columns"][1]["label"]
    path = write_dataset_json(tmp_path, document, encoding)

    found = formats.labels(str(path), FORMAT)
    assert {name: said.label for name, said in found.items()} == {"AGE": "Age in years", "SEX": ""}


texts = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
floats = st.none() | st.floats(allow_nan=False, allow_infinity=False)
integers = st.none() | st.integers(-(2**53), 2**53)
days = st.none() | st.dates()


def one_column(folder: Any, kind: Any, values: Any, *target: Any, encoding: Any = "ndjson") -> Any:
    document = dataset_json([("A", kind, *target)], [[value] for value in values])
    return str(write_dataset_json(folder, document, encoding))


def batch_of(path: Any, columns: Any = ("A",)) -> Any:
    (_, batch), *more = read(Extent(path), FORMAT, list(columns))
    assert not more
    return batch


@every_encoding
@given(
    rows=st.lists(st.tuples(texts, floats, integers, days), max_size=20),
    batch_rows=st.integers(1, 25),
)
@settings(max_examples=30)
def test_what_is_written_is_read_back_exactly(encoding: Any, rows: Any, batch_rows: Any) -> None:
    columns = [("T", "string"), ("F", "float"), ("I", "integer"), ("D", "date", "integer")]
    cells = [[t, f, i, d and d.isoformat()] for t, f, i, d in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = write_dataset_json(folder, dataset_json(columns, cells), encoding)
        table = read_all(path, FORMAT, batch_rows=batch_rows)
    assert table == {
        "T": [as_read(t) for t, *_ in rows],
        "F": [f for _, f, *_ in rows],
        "I": [i for _, _, i, _ in rows],
        "D": [d for *_, d in rows],
    }


@every_encoding
def test_types_come_from_the_metadata(tmp_path: Path, encoding: Any) -> None:
    columns = [(kind, kind) for kind in ("string", "boolean", "time", "URI", "date", "datetime")]
    columns += [(kind, kind) for kind in ("integer", "float", "double", "decimal")]
    columns += [("DT", "date", "integer"), ("DTM", "datetime", "integer")]  # type: ignore[list-item]
    path = write_dataset_json(tmp_path, dataset_json(columns, []), encoding)
    assert column_types(str(path), FORMAT) == {
        **dict.fromkeys(("string", "boolean", "time", "URI", "date", "datetime"), "text"),
        **dict.fromkeys(("integer", "float", "double", "decimal"), "number"),
        "DT": "date",
        "DTM": "datetime",
    }


def test_null_and_the_empty_text_are_missing(tmp_path: Path) -> None:
    columns = [("T", "string"), ("N", "integer"), ("D", "date", "integer"), ("X", "decimal")]
    document = dataset_json(columns, [["", "", "", ""], [None] * 4, ["x", 1, "2024-02-29", "1.5"]])
    assert read_all(write_dataset_json(tmp_path, document, "json"), FORMAT) == {
        "T": [None, None, "x"],
        "N": [None, None, 1.0],
        "D": [None, None, datetime.date(2024, 2, 29)],
        "X": [None, None, 1.5],
    }


def test_decimals_are_numbers_where_all_of_a_batch_parse(tmp_path: Path) -> None:
    path = one_column(tmp_path, "decimal", ["140", "-4.5", " 1e2", ".5", ""])
    batch = batch_of(path)
    assert batch.schema.types == [pa.float64()]
    assert batch.to_pydict() == {"A": [140.0, -4.5, 100.0, 0.5, None]}


@pytest.mark.parametrize(
    "text", ["<5", "1,5", "nan", "inf", "1_000", "0x1F", "1e999", "\u0661\u0662"]
)
@pytest.mark.parametrize("kind", ["decimal", "float", "integer"])
def test_a_batch_with_a_text_that_is_no_number_is_handed_on_as_text(
    tmp_path: Path, kind: Any, text: Any
) -> None:
    batch = batch_of(one_column(tmp_path, kind, ["140", 2, text, None]))
    assert batch.schema.types == [pa.string()]
    assert batch.to_pydict() == {"A": ["140", "2", text, None]}


def test_only_the_batch_with_the_odd_text_is_text(tmp_path: Path) -> None:
    path = one_column(tmp_path, "decimal", ["1", "2", "BLQ", "4", "5"])
    batches = [batch for _, batch in read(Extent(path), FORMAT, ["A"], 2)]
    assert [b.schema.types[0] for b in batches] == [pa.float64(), pa.string(), pa.float64()]


@every_encoding
def test_complete_moments_with_an_integer_target_are_timestamps(
    tmp_path: Path, encoding: Any
) -> None:
    values = ["2024-01-02T03:04:05", "2024-01-02T03:04", "1959-12-31T23:59:59.75", None]
    batch = batch_of(one_column(tmp_path, "datetime", values, "integer", encoding=encoding))
    assert batch.schema.types == [pa.timestamp("s")]
    assert batch.to_pydict() == {
        "A": [
            datetime.datetime(2024, 1, 2, 3, 4, 5),
            datetime.datetime(2024, 1, 2, 3, 4),
            datetime.datetime(1959, 12, 31, 23, 59, 59),
            None,
        ]
    }


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("date", "2024-01"),
        ("date", "2024-02-30"),
        ("date", "20240102"),
        ("date", "2024-01-\u0660\u0661"),
        ("datetime", "2024-01-02"),
        ("datetime", "2024-01-02T25:00:00"),
        ("datetime", "2024-01-02T03:04:05Z"),
    ],
)
def test_incomplete_or_impossible_dates_are_handed_on_as_text(
    tmp_path: Path, kind: Any, text: Any
) -> None:
    batch = batch_of(one_column(tmp_path, kind, [text, None], "integer"))
    assert batch.schema.types == [pa.string()]
    assert batch.to_pydict() == {"A": [text, None]}


def test_dates_without_an_integer_target_stay_text(tmp_path: Path) -> None:
    batch = batch_of(one_column(tmp_path, "date", ["2024-01-02", "2024"]))
    assert batch.to_pydict() == {"A": ["2024-01-02", "2024"]}


def test_booleans_are_the_texts_true_and_false(tmp_path: Path) -> None:
    assert batch_of(one_column(tmp_path, "boolean", [True, False, None])).to_pydict() == {
        "A": ["true", "false", None]
    }


def test_numbers_in_a_text_column_are_their_text(tmp_path: Path) -> None:
    assert batch_of(one_column(tmp_path, "string", [7, 1.5, "x"])).to_pydict() == {
        "A": ["7", "1.5", "x"]
    }


def test_only_requested_columns_come_in_the_requested_order(tmp_path: Path) -> None:
    document = dataset_json([("A", "string"), ("B", "string"), ("C", "string")], [["a", "b", "c"]])
    path = write_dataset_json(tmp_path, document, "json")
    assert batch_of(str(path), ["C", "A"]).to_pydict() == {"C": ["c"], "A": ["a"]}


def test_an_extent_within_the_file_gives_its_rows_alone(tmp_path: Path) -> None:
    path = one_column(tmp_path, "integer", range(10))
    parts = list(read(Extent(path, 3, 4), FORMAT, ["A"], 2))
    assert [(first, batch.to_pydict()["A"]) for first, batch in parts] == [
        (3, [3.0]),
        (4, [4.0, 5.0]),
        (6, [6.0]),
    ]


def test_the_encoding_is_detected_by_content_not_by_name(tmp_path: Path) -> None:
    path = write_dataset_json(tmp_path, dataset_json([("A", "string")], [["x"]]), "dsjc")
    misnamed = path.rename(tmp_path / "x.json")
    assert read_all(misnamed, FORMAT) == {"A": ["x"]}


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    path = write_dataset_json(tmp_path, dataset_json([("A", "string")], [["x"]]), "ndjson")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_all(path, FORMAT) == {"A": ["x"]}


def test_compressed_members_one_after_another_are_one_file(tmp_path: Path) -> None:
    path = write_dataset_json(tmp_path, dataset_json([("A", "string")], [["x"]]), "ndjson")
    head, rest = path.read_bytes().split(b"\n", 1)
    path.write_bytes(gzip.compress(head + b"\n") + gzip.compress(rest))
    assert read_all(path, FORMAT) == {"A": ["x"]}


def test_a_line_longer_than_any_buffer_is_read(tmp_path: Path) -> None:
    long = "x" * 3_000_000
    path = write_dataset_json(tmp_path, dataset_json([("A", "string")], [[long]]), "dsjc")
    assert read_all(path, FORMAT) == {"A": [long]}


def test_records_may_stand_behind_the_rows(tmp_path: Path) -> None:
    document = dataset_json([("A", "string")], [["x"], ["y"]])
    document["records"] = document.pop("records")
    path = write_dataset_json(tmp_path, document, "json")
    assert read_all(path, FORMAT) == {"A": ["x", "y"]}


def test_records_behind_the_rows_are_compared_too(tmp_path: Path) -> None:
    document = dataset_json([("A", "string")], [["x"], ["y"]], records=3)
    document["records"] = document.pop("records")
    message = fail_to_read(write_dataset_json(tmp_path, document, "json"), FORMAT)
    assert "found 2 rows, expected 3" in message


@every_encoding
@pytest.mark.parametrize("declared", [1, 3])
def test_another_number_of_rows_than_declared_is_refused(
    tmp_path: Path, encoding: Any, declared: Any
) -> None:
    document = dataset_json([("A", "string")], [["x"], ["y"]], records=declared)
    message = fail_to_read(write_dataset_json(tmp_path, document, encoding), FORMAT)
    assert f"found 2 rows, expected {declared} as the metadata's 'records' says" in message


def test_metadata_without_records_is_refused(tmp_path: Path) -> None:
    document = dataset_json([("A", "string")], [["x"]])
    del document["records"]
    message = fail_to_read(write_dataset_json(tmp_path, document, "json"), FORMAT)
    assert "the metadata lacks 'records'" in message


def test_columns_behind_the_rows_are_refused(tmp_path: Path) -> None:
    document = dataset_json([("A", "string")], [["x"]], rows_first=True)
    message = fail_to_read(write_dataset_json(tmp_path, document, "json"), FORMAT)
    assert "'columns' does not stand before 'rows'" in message


@every_encoding
@pytest.mark.parametrize("row", [["x"], ["x", "y", "z"]])
def test_a_row_of_a_wrong_length_is_refused_with_its_number(
    tmp_path: Path, encoding: Any, row: Any
) -> None:
    document = dataset_json([("A", "string"), ("B", "string")], [["x", "y"], row])
    message = fail_to_read(write_dataset_json(tmp_path, document, encoding), FORMAT)
    assert f"row 2: found {len(row)} values, expected 2" in message


@every_encoding
def test_a_row_that_is_no_array_is_refused_with_its_number(tmp_path: Path, encoding: Any) -> None:
    document = dataset_json([("A", "string")], [["x"], {"A": "y"}])
    message = fail_to_read(write_dataset_json(tmp_path, document, encoding), FORMAT)
    assert "row 2: found no array" in message


def test_a_nested_value_is_refused_with_its_place(tmp_path: Path) -> None:
    path = one_column(tmp_path, "string", ["x", ["y"]])
    assert "row 2, column A: found an array or object" in fail_to_read(path, FORMAT)


@every_encoding
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, encoding: Any) -> None:
    rows = [[f"subject {i}"] for i in range(40)]
    path = write_dataset_json(tmp_path, dataset_json([("A", "string")], rows), encoding)
    whole = path.read_bytes()
    for kept in each(range(1, len(whole) - 1, 7)):
        path.write_bytes(whole[:kept])
        message = fail_to_read(path, FORMAT)
        assert any(word in message for word in ("cut", "expected", "not valid JSON")), kept


def test_a_cut_document_is_called_cut(tmp_path: Path) -> None:
    path = write_dataset_json(tmp_path, dataset_json([("A", "string")], [["secret"]]), "json")
    path.write_bytes(path.read_bytes()[:-6])
    assert "the end of the file too early, so it is cut, in its rows" in fail_to_read(path, FORMAT)


def test_a_cut_compressed_file_is_called_cut(tmp_path: Path) -> None:
    path = write_dataset_json(tmp_path, dataset_json([("A", "string")], [["x"]]), "dsjc")
    path.write_bytes(path.read_bytes()[:-9])
    assert "the compressed data ends too early" in fail_to_read(path, FORMAT)


def test_damaged_compressed_data_is_refused(tmp_path: Path) -> None:
    path = write_dataset_json(tmp_path, dataset_json([("A", "string")], [["x"]] * 99), "dsjc")
    content = bytearray(path.read_bytes())
    content[-6] ^= 0xFF
    path.write_bytes(content)
    assert "the compressed data is damaged" in fail_to_read(path, FORMAT)


@pytest.mark.parametrize("encoding", ["json", "ndjson"])
def test_messages_about_invalid_json_do_not_quote_it(tmp_path: Path, encoding: Any) -> None:
    path = write_dataset_json(tmp_path, dataset_json([("A", "string")], [["secret"]]), encoding)
    path.write_text(path.read_text().replace('"secret"', "secret"))
    message = fail_to_read(path, FORMAT)
    assert "not valid JSON" in message
    assert "secret" not in message


@pytest.mark.parametrize(("encoding", "said"), [("json", "not UTF-8"), ("ndjson", "in UTF-8")])
def test_bytes_that_are_not_utf_8_are_refused(tmp_path: Path, encoding: Any, said: Any) -> None:
    path = write_dataset_json(tmp_path, dataset_json([("A", "string")], [["it's"]]), encoding)
    path.write_bytes(path.read_bytes().replace(b"it's", b"it\x92s"))
    assert said in fail_to_read(path, FORMAT)


def test_an_earlier_version_is_refused(tmp_path: Path) -> None:
    document = dataset_json([("A", "string")], [], version="1.0.0")
    message = fail_to_read(write_dataset_json(tmp_path, document, "json"), FORMAT)
    assert "not Dataset-JSON 1.1 at 'datasetJSONVersion'" in message


def test_an_unknown_data_type_is_refused_by_its_place(tmp_path: Path) -> None:
    document = dataset_json([("A", "string"), ("B", "complex")], [])
    message = fail_to_read(write_dataset_json(tmp_path, document, "json"), FORMAT)
    assert "at 'columns.1.dataType'" in message


def test_other_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"patients": []}))
    assert "not Dataset-JSON 1.1" in fail_to_read(path, FORMAT)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    document = dataset_json([("A", "string"), ("A", "float")], [])
    message = fail_to_read(write_dataset_json(tmp_path, document, "json"), FORMAT)
    assert "column A occurs twice" in message


@pytest.mark.parametrize(
    ("content", "kind"), [(b"PAR1....", "a Parquet file"), (b"A,B\n1,2\n", "something else")]
)
def test_another_format_is_refused_by_name(tmp_path: Path, content: Any, kind: Any) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    assert f"found {kind}, expected Dataset-JSON 1.1" in fail_to_read(path, FORMAT)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    path.touch()
    assert "the file is empty" in fail_to_read(path, FORMAT)


def test_a_missing_column_is_named_with_those_that_exist(tmp_path: Path) -> None:
    document = dataset_json([("USUBJID", "string"), ("AGE", "integer")], [])
    path = str(write_dataset_json(tmp_path, document, "json"))
    with pytest.raises(formats.DataFileError, match="no column RACE; the file has USUBJID, AGE"):
        list(read(Extent(path), FORMAT, ["RACE"]))
