"""Delimited text."""

import csv
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.reading.formats import Extent, FileFormat, column_types, extents, read
from tests.pipeline.reading.formats.written_files import DATA, fail_to_read, needs_data, read_all

CSV = FileFormat("csv")
BLANKS = FileFormat("csv", delimiter=" ")

cells = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=12
)


def write(folder: Any, content: Any, encoding: Any = "utf-8") -> Any:
    path = Path(folder) / "x.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return str(path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@given(rows=st.lists(st.tuples(cells, cells, cells), max_size=20), batch_rows=st.integers(1, 25))
@settings(max_examples=25)
def test_what_the_csv_module_writes_is_read_back_without_outer_blanks(
    delimiter: Any, rows: Any, batch_rows: Any
) -> None:
    fmt = FileFormat("csv", delimiter=delimiter)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
            writer.writerows([("A", "B", "C"), *rows])
        table = read_all(path, fmt, batch_rows=batch_rows)
    assert table == {name: [row[i].strip() or None for row in rows] for i, name in enumerate("ABC")}


words = st.text("abcXYZ019.é-", min_size=1, max_size=8)


@given(
    rows=st.lists(st.tuples(words, words), max_size=20),
    gap=st.integers(1, 4).map(lambda n: " " * n),
    margin=st.integers(0, 2).map(lambda n: " " * n),
    batch_rows=st.integers(1, 25),
)
@settings(max_examples=40)
def test_runs_of_blanks_separate_fields_as_one_blank_does(
    rows: Any, gap: Any, margin: Any, batch_rows: Any
) -> None:
    lines = [f"{margin}{gap.join(row)}{margin}\n" for row in [("A", "B"), *rows]]
    with tempfile.TemporaryDirectory() as folder:
        path = write(folder, "".join(lines))
        table = read_all(path, BLANKS, batch_rows=batch_rows)
    assert table == {"A": [a for a, _ in rows], "B": [b for _, b in rows]}


def test_quoted_fields_may_hold_blanks_in_a_blank_separated_file(tmp_path: Path) -> None:
    path = write(tmp_path, '"A" "B"\n"hay fever"  1\n')
    assert read_all(path, BLANKS) == {"A": ["hay fever"], "B": ["1"]}


def test_every_column_is_text(tmp_path: Path) -> None:
    path = write(tmp_path, "USUBJID, AGE\n1,2\n")
    assert column_types(path, CSV) == {"USUBJID": "text", "AGE": "text"}
    ((_, batch),) = read(Extent(path), CSV, ["AGE", "USUBJID"])
    assert batch.schema.types == [pa.string(), pa.string()]
    assert batch.to_pydict() == {"AGE": ["2"], "USUBJID": ["1"]}


def test_the_missing_texts_and_no_other_become_null(tmp_path: Path) -> None:
    path = write(tmp_path, "A,B\nNA,.\n , x \nNAN,N A\n")
    fmt = FileFormat("csv", missing=("", "NA", "."))
    assert read_all(path, fmt) == {"A": [None, None, "NAN"], "B": [None, "x", "N A"]}


def test_quoted_newlines_and_quotes_belong_to_the_text(tmp_path: Path) -> None:
    path = write(tmp_path, 'A,B\n"two\nlines","say ""yes"""\n')
    assert read_all(path, CSV) == {"A": ["two\nlines"], "B": ['say "yes"']}


def test_a_file_may_end_without_a_newline_and_have_windows_line_ends(tmp_path: Path) -> None:
    assert read_all(write(tmp_path, "A,B\r\n1,2\r\n3,4"), CSV) == {"A": ["1", "3"], "B": ["2", "4"]}


@pytest.mark.parametrize("content", ["A,B\n", "A,B"])
def test_a_header_alone_is_a_file_without_rows(tmp_path: Path, content: Any) -> None:
    path = write(tmp_path, content)
    assert read_all(path, CSV) == {"A": [], "B": []}
    assert extents(path, CSV) == [Extent(path)]


@pytest.mark.parametrize("fmt", [CSV, BLANKS])
def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path, fmt: Any) -> None:
    path = write(tmp_path, f"A{fmt.delimiter}B\n1{fmt.delimiter}2\n", "utf-8-sig")
    assert read_all(path, fmt) == {"A": ["1"], "B": ["2"]}


@pytest.mark.parametrize("encoding", ["windows-1252", "latin-1", "utf-16", "cp1250"])
def test_text_is_decoded_with_the_declared_encoding(tmp_path: Path, encoding: Any) -> None:
    path = write(tmp_path, "A,B\né,ü\n", encoding)
    assert read_all(path, FileFormat("csv", encoding=encoding)) == {"A": ["é"], "B": ["ü"]}


@pytest.mark.parametrize("fmt", [CSV, BLANKS])
def test_bytes_that_do_not_decode_are_named_by_row_and_column(tmp_path: Path, fmt: Any) -> None:
    text = b"A,B\n1,2\n3,it\x92s\n".replace(b",", fmt.delimiter.encode())
    message = fail_to_read(write(tmp_path, text), fmt, ["B"])
    assert "row 2, column B: found bytes that are not utf-8" in message
    assert "windows-1252" in message


def test_a_cut_utf_16_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "A,B\n1,2\n".encode("utf-16")[:-1])
    message = fail_to_read(path, FileFormat("csv", encoding="utf-16"))
    assert "found bytes that are not utf-16" in message


def test_a_header_that_does_not_decode_is_refused(tmp_path: Path) -> None:
    message = fail_to_read(write(tmp_path, b"A,B\x92\n1,2\n"), CSV)
    assert "x.csv: found bytes that are not utf-8" in message


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    assert read_all(write(tmp_path, "\n\nA,B\n\n1,2\n\n"), CSV) == {"A": ["1"], "B": ["2"]}


@pytest.mark.parametrize("name", ["UTF-8", "utf8", "utf_8"])
def test_utf_8_has_many_names(tmp_path: Path, name: Any) -> None:
    path = write(tmp_path, "A,B\né,2\n", "utf-8-sig")
    assert read_all(path, FileFormat("csv", encoding=name)) == {"A": ["é"], "B": ["2"]}


def test_bytes_that_windows_1252_does_not_have_are_named_too(tmp_path: Path) -> None:
    message = fail_to_read(
        write(tmp_path, b"A,B\n1,2\n\x81,4\n"), FileFormat("csv", encoding="windows-1252")
    )
    assert "row 2, column A: found bytes that are not windows-1252" in message


@pytest.mark.parametrize("fmt", [CSV, BLANKS])
@pytest.mark.parametrize(("row", "found"), [("5", 1), ("5,6,7", 3)])
def test_a_row_with_a_wrong_number_of_fields_is_refused_with_its_number(
    tmp_path: Path, fmt: Any, row: Any, found: Any
) -> None:
    text = f'A,B\n1,2\n\n"x\ny",4\n{row}\n8,9\n'.replace(",", fmt.delimiter)
    message = fail_to_read(write(tmp_path, text), fmt)
    assert f"row 3: found {found} fields, expected 2 as in the header" in message


def test_messages_about_a_row_do_not_quote_it(tmp_path: Path) -> None:
    message = fail_to_read(write(tmp_path, "A,B\n1,2\nsecret\n"), CSV)
    assert "row 2" in message
    assert "secret" not in message


def test_an_extent_within_the_file_gives_its_rows_alone(tmp_path: Path) -> None:
    path = write(tmp_path, "A\n" + "".join(f"{i}\n" for i in range(10)))
    parts = [(first, b.to_pydict()["A"]) for first, b in read(Extent(path, 3, 4), CSV, ["A"], 3)]
    assert parts == [(3, ["3", "4", "5"]), (6, ["6"])]


def test_a_batch_without_columns_still_counts_its_rows(tmp_path: Path) -> None:
    path = write(tmp_path, "A,B\n1,2\n3,4\n5,6\n")
    assert [b.num_rows for _, b in read(Extent(path), CSV, [], 2)] == [2, 1]


@pytest.mark.parametrize("encoding", ["windows-9999", "rot13"])
def test_an_unknown_encoding_is_refused(tmp_path: Path, encoding: Any) -> None:
    message = fail_to_read(write(tmp_path, "A\n1\n"), FileFormat("csv", encoding=encoding))
    assert f"'{encoding}' is not a known text encoding" in message


def test_a_delimiter_of_several_characters_is_refused(tmp_path: Path) -> None:
    message = fail_to_read(write(tmp_path, "A||B\n"), FileFormat("csv", delimiter="||"))
    assert "the delimiter must be one character" in message


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    assert "column A occurs twice" in fail_to_read(write(tmp_path, "A,B,A \n1,2,3\n"), CSV)


def test_a_missing_column_is_named_with_near_matches(tmp_path: Path) -> None:
    path = write(tmp_path, "USUBJID,AGEGR1,SEX\n1,2,3\n")
    assert "no column AGEGR; did you mean AGEGR1?" in fail_to_read(path, CSV, ["AGEGR"])


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PAR1\0\0", "a Parquet file"),
        (b"\x1f\x8b\x08\x00", "gzip-compressed data"),
        (b"PK\x03\x04\0\0", "a zip archive"),
        (b"\0\1\2\3", "something else"),
    ],
)
def test_another_format_is_refused_by_name(tmp_path: Path, content: Any, kind: Any) -> None:
    assert f"found {kind}" in fail_to_read(write(tmp_path, content), CSV)


@pytest.mark.parametrize(("content", "said"), [("", "is empty"), ("\n\n", "no header row")])
def test_a_file_without_anything_is_refused(tmp_path: Path, content: Any, said: Any) -> None:
    assert said in fail_to_read(write(tmp_path, content), CSV)


def test_a_quote_that_is_never_closed_is_refused(tmp_path: Path) -> None:
    content = 'A,B\n1,"2\n' + "3,4\n" * 9_000_000
    assert "quote that is not closed" in fail_to_read(write(tmp_path, content), CSV)


@needs_data
def test_the_stroke_trial_has_its_rows_columns_and_missing_values() -> None:
    table = read_all(DATA / "ist/IST.csv", FileFormat("csv", encoding="windows-1252"))
    assert len(table) == 112
    assert {len(column) for column in table.values()} == {19_435}
    assert table["RATRIAL"].count(None) == 984


@needs_data
def test_the_blank_separated_hiv_trial_has_its_rows_columns_and_missing_values() -> None:
    fmt = FileFormat("csv", delimiter=" ", missing=("NA",))
    table = read_all(DATA / "actg175/ACTG175.txt", fmt)
    assert len(table) == 27
    assert {len(column) for column in table.values()} == {2_139}
    assert table["cd496"].count(None) == 797


def test_line_that_names_the_delimiter_is_no_header(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("sep=;\nA;B\n1;2\n")

    assert read_all(path, FileFormat("csv", delimiter=";")) == {"A": ["1"], "B": ["2"]}
