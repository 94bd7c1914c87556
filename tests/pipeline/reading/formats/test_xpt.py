"""SAS transport files, against pyreadstat and against files laid out by hand."""

import datetime
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.reading import formats
from pipeline.reading.formats import Extent, FileFormat, column_types, extents, read
from tests.each import each
from tests.pipeline.reading.formats.written_files import (
    DATA,
    as_read,
    fail_to_read,
    needs_data,
    read_all,
    xpt_labels_v9,
    xpt_library,
    xpt_member,
)

XPT = FileFormat("xpt")
ONE = bytes.fromhex("4110000000000000")
TWO = bytes.fromhex("4120000000000000")
NUMBER = ("A", "num", 8, "")

numbers = st.none() | st.floats(allow_nan=False, min_value=-1e60, max_value=1e60).filter(
    lambda x: x == 0 or abs(x) > 1e-60
)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20).map(
    lambda text: text.rstrip(" ")
)
tables = st.lists(st.tuples(texts, numbers), min_size=1, max_size=30)


def write(folder: Any, content: Any) -> Any:
    path = Path(folder) / "x.xpt"
    path.write_bytes(content)
    return str(path)


def one_member(variables: Any, records: Any, **options: Any) -> Any:
    version = options.get("version", 5)
    return xpt_library(version) + xpt_member(variables, records, **options)


@pytest.mark.parametrize("version", [5, 8])
@given(rows=tables)
@settings(max_examples=40)
def test_what_pyreadstat_writes_is_read_back_exactly(version: Any, rows: Any) -> None:
    names = ("USUBJID", "AVAL") if version == 5 else ("subject_identifier", "analysis_value")
    frame = pd.DataFrame(rows, columns=list(names)).astype({names[1]: float})
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "x.xpt")
        pyreadstat.write_xport(frame, path, file_format_version=version, table_name="X")
        table = read_all(path, XPT)
    assert table == {
        names[0]: [as_read(text) for text, _ in rows],
        names[1]: [number for _, number in rows],
    }


@given(
    rows=st.lists(st.integers(-9999, 9999).map(float), min_size=1, max_size=60),
    rows_per_extent=st.integers(1, 70),
    batch_rows=st.integers(1, 70),
)
@settings(max_examples=40)
def test_any_division_into_extents_gives_the_same_rows(
    rows: Any, rows_per_extent: Any, batch_rows: Any
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "x.xpt")
        pyreadstat.write_xport(pd.DataFrame({"A": rows}), path, file_format_version=5)
        table = read_all(path, XPT, rows_per_extent=rows_per_extent, batch_rows=batch_rows)
        assert len(extents(path, XPT, rows_per_extent)) == math.ceil(len(rows) / rows_per_extent)
    assert table == {"A": rows}


# Without the data the one parameter is skipped; a folder without such files fails.
REAL_FILES = sorted(DATA.rglob("*.xpt")) or [DATA]


@needs_data
@pytest.mark.parametrize("path", REAL_FILES, ids=[f.stem for f in REAL_FILES])
def test_real_files_agree_with_pyreadstat_cell_by_cell(path: Any) -> None:
    fmt = FileFormat("xpt", encoding="windows-1252")
    table = read_all(path, fmt)
    frame, _ = pyreadstat.read_xport(path, encoding="windows-1252")
    # Times of day are numbers of seconds here, as they are stored.
    stored, _ = pyreadstat.read_xport(
        path, encoding="windows-1252", disable_datetime_conversion=True
    )
    assert list(table) == list(frame.columns)
    for name, kind in each(column_types(str(path), fmt).items()):
        expected = frame[name]
        if kind == "text":
            assert table[name] == [as_read(text) for text in expected], name
        elif kind == "number":
            np.testing.assert_array_equal(np.array(table[name], float), stored[name], name)
        else:
            assert table[name] == [None if pd.isna(day) else day for day in expected], name


@needs_data
def test_the_last_of_three_short_records_is_not_lost() -> None:
    assert len(read_all(DATA / "cdisc_pilot01/sdtm/suppds.xpt", XPT)["QVAL"]) == 3


def test_arrow_types_follow_the_variable_types(tmp_path: Path) -> None:
    variables = [("T", "char", 4, "$4."), ("N", "num", 8, "8.2"), ("D", "num", 8, "DATE9.")]
    variables += [("M", "num", 8, "DATETIME")]
    path = write(tmp_path, one_member(variables, [b"abcd" + ONE * 3]))
    assert column_types(path, XPT) == {"T": "text", "N": "number", "D": "date", "M": "datetime"}
    (_, batch), *_ = read(Extent(path), XPT, ["M", "D", "N", "T"])
    assert batch.schema.types == [pa.timestamp("s"), pa.date32(), pa.float64(), pa.string()]


@pytest.mark.parametrize("records", [0, 1, 3, 4, 8, 9])
def test_records_shorter_than_the_padding_are_counted_exactly(tmp_path: Path, records: Any) -> None:
    cells = [f"S{i:02d}".encode().ljust(20) for i in range(records)]
    path = write(tmp_path, one_member([("A", "char", 20, "")], cells))
    assert read_all(path, XPT) == {"A": [f"S{i:02d}" for i in range(records)]}


@pytest.mark.parametrize(
    "unused", [b"left over text", b"\xff\xfe\xfd" * 17, b"A", b" " * 52, b"B".ljust(52)]
)
def test_version_5_has_no_meaning_in_the_last_bytes_of_a_variable(
    tmp_path: Path, unused: bytes
) -> None:
    content = one_member([NUMBER, ("B", "num", 8, "DATE9.")], [ONE + TWO])
    start = content.index(b"NAMESTR") - 20 + 80
    for number in range(2):
        place = start + number * 140 + 88
        content = content[:place] + unused.ljust(52, b"\0") + content[place + 52 :]
    table = read_all(write(tmp_path, content), XPT)
    assert table == {"A": [1.0], "B": [datetime.date(1960, 1, 3)]}


@pytest.mark.parametrize("filler", [b" ", b"\0"])
@pytest.mark.parametrize("records", range(1, 12))
@pytest.mark.parametrize("width", [1, 7, 12, 30, 77])
def test_what_fills_the_last_80_bytes_is_no_record(
    tmp_path: Path, filler: bytes, records: int, width: int
) -> None:
    cells = [b"x".ljust(width) + ONE for _ in range(records)]
    content = one_member([("A", "char", width, ""), ("B", "num", 8, "")], [])
    data = b"".join(cells)
    path = write(tmp_path, content + data + filler * (-len(data) % 80))
    assert read_all(path, XPT) == {"A": ["x"] * records, "B": [1.0] * records}


def test_zeros_of_numbers_alone_are_records(tmp_path: Path) -> None:
    content = one_member([NUMBER], [])
    assert read_all(write(tmp_path, content + ONE + bytes(72)), XPT) == {"A": [1.0] + [0.0] * 9}


def test_a_blank_record_between_others_is_a_record(tmp_path: Path) -> None:
    path = write(tmp_path, one_member([("A", "char", 4, "")], [b"x   ", b"    ", b"y   "]))
    assert read_all(path, XPT) == {"A": ["x", None, "y"]}


def test_blank_records_that_fill_whole_80_bytes_are_records(tmp_path: Path) -> None:
    path = write(tmp_path, one_member([("A", "char", 80, "")], [b"x".ljust(80), b" " * 80]))
    assert read_all(path, XPT) == {"A": ["x", None]}


def test_version_8_keeps_a_blank_last_record_because_it_declares_the_number(tmp_path: Path) -> None:
    content = one_member([("A", "char", 4, "")], [b"x   ", b"    "], version=8, count=2)
    assert read_all(write(tmp_path, content), XPT) == {"A": ["x", None]}


def test_version_8_without_a_declared_number_is_counted_by_size(tmp_path: Path) -> None:
    content = one_member([NUMBER], [ONE, TWO], version=8, count="0" * 15)
    assert read_all(write(tmp_path, content), XPT) == {"A": [1.0, 2.0]}


def test_version_8_with_a_declared_number_of_zero_has_no_record(tmp_path: Path) -> None:
    content = one_member([NUMBER], [], version=8, count=0)
    assert read_all(write(tmp_path, content), XPT) == {"A": []}


def test_version_9_labels_replace_names_and_formats_too_long_for_the_variable_record(
    tmp_path: Path,
) -> None:
    labels = xpt_labels_v9([(1, "treatment_start", "First dose", "NLDATEYMDW10.", "")])
    content = one_member([("treatmen", "num", 8, "")], [TWO], version=8, count=1, labels=labels)
    assert read_all(write(tmp_path, content), XPT) == {
        "treatment_start": [datetime.date(1960, 1, 3)]
    }


def test_labels_of_variables_are_read_the_long_ones_of_version_9_too(tmp_path: Path) -> None:
    sections = xpt_labels_v9([(1, "treatment_start", "First dose ", "", "")])
    content = one_member(
        [("treatmen", "num", 8, ""), NUMBER], [TWO + TWO], version=8, count=1, labels=sections
    )
    found = formats.labels(str(write(tmp_path, content)), XPT)

    assert {name: said.label for name, said in found.items()} == {
        "treatment_start": "First dose",
        NUMBER[0]: "",
    }


def test_a_label_in_another_encoding_refuses_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a.xpt"
    pyreadstat.write_xport(pd.DataFrame({"A": [1.0]}), path, column_labels=["Gr#sse (cm)"])
    path.write_bytes(path.read_bytes().replace(b"Gr#sse", "Grösse".encode("latin-1")))

    assert read_all(path, XPT) == {"A": [1.0]}
    assert formats.labels(str(path), XPT)["A"].label == "Gr\ufffdsse (cm)"
    latin = FileFormat("xpt", "windows-1252")
    assert formats.labels(str(path), latin)["A"].label == "Grösse (cm)"


@pytest.mark.parametrize(
    ("stored", "number"),
    [
        ("4110000000000000", 1.0),
        ("C276A00000000000", -118.625),
        ("401999999999999A", 0.1),
        ("0000000000000000", 0.0),
        ("8000000000000000", 0.0),
        ("4100000000000000", None),
        ("2E00000000000000", None),
        ("5F00000000000000", None),
        ("5A00000000000000", None),
        ("4000000000000000", 0.0),
    ],
)
def test_ibm_numbers_and_missing_values(tmp_path: Path, stored: Any, number: Any) -> None:
    path = write(tmp_path, one_member([NUMBER], [bytes.fromhex(stored)]))
    assert read_all(path, XPT) == {"A": [number]}


def test_numbers_of_less_than_8_bytes_lack_their_last_bytes(tmp_path: Path) -> None:
    variables = [("A", "num", 3, ""), ("B", "num", 2, "")]
    path = write(tmp_path, one_member(variables, [bytes.fromhex("C276A0") + b".\0"]))
    assert read_all(path, XPT) == {"A": [-118.625], "B": [None]}


@pytest.mark.parametrize(
    "display",
    [
        "DATE9.",
        "DATE",
        "YYMMDD10.",
        "YYMMDDN8.",
        "MMDDYY10",
        "DDMMYYP",
        "E8601DA",
        "B8601DA",
        "JULIAN7.",
        "MONYY7.",
        "WEEKDATE",
        "WEEKDATX",
        "WORDDATE",
        "IS8601DA",
        "YYQ",
    ],
)
def test_date_formats_make_dates_of_days_since_1960(tmp_path: Path, display: Any) -> None:
    path = write(tmp_path, one_member([("A", "num", 8, display)], [TWO]))
    assert read_all(path, XPT) == {"A": [datetime.date(1960, 1, 3)]}


@pytest.mark.parametrize(
    "display", ["DATETIME", "DATETIME20.", "E8601DT", "E8601DT19.", "B8601DT", "DATEAMPM"]
)
def test_datetime_formats_make_moments_of_seconds_since_1960(tmp_path: Path, display: Any) -> None:
    path = write(tmp_path, one_member([("A", "num", 8, display)], [TWO]))
    assert read_all(path, XPT) == {"A": [datetime.datetime(1960, 1, 1, 0, 0, 2)]}


@pytest.mark.parametrize("display", ["TIME5.", "8.2", "BEST12.", "COMMA", "DOLLAR8.", ""])
def test_other_formats_leave_numbers(tmp_path: Path, display: Any) -> None:
    path = write(tmp_path, one_member([("A", "num", 8, display)], [TWO]))
    assert read_all(path, XPT) == {"A": [2.0]}


def test_a_moment_before_1960_belongs_to_the_second_that_it_lies_in(tmp_path: Path) -> None:
    minus_half = bytes.fromhex("C080000000000000")
    path = write(tmp_path, one_member([("A", "num", 8, "DATETIME")], [minus_half]))
    assert read_all(path, XPT) == {"A": [datetime.datetime(1959, 12, 31, 23, 59, 59)]}


def test_a_missing_date_is_null(tmp_path: Path) -> None:
    path = write(tmp_path, one_member([("A", "num", 8, "DATE")], [b".\0\0\0\0\0\0\0", TWO]))
    assert read_all(path, XPT) == {"A": [None, datetime.date(1960, 1, 3)]}


def test_a_number_beyond_the_calendar_is_refused_with_its_place(tmp_path: Path) -> None:
    huge = bytes.fromhex("4F10000000000000")
    path = write(tmp_path, one_member([("A", "num", 8, "DATE")], [TWO, huge]))
    message = fail_to_read(path, XPT)
    assert "row 2, column A: found a number beyond SAS's dates" in message


def test_outer_blanks_are_no_text(tmp_path: Path) -> None:
    path = write(tmp_path, one_member([("A", "char", 6, "")], [b"  x   ", b"y     "]))
    assert read_all(path, XPT) == {"A": ["x", "y"]}


def test_text_is_decoded_with_the_declared_encoding(tmp_path: Path) -> None:
    path = write(tmp_path, one_member([("A", "char", 5, "")], [b"it\x92s ", b"caf\xe9 "]))
    fmt = FileFormat("xpt", encoding="windows-1252")
    assert read_all(path, fmt) == {"A": ["it’s", "café"]}


def test_bytes_that_do_not_decode_are_named_by_row_and_column(tmp_path: Path) -> None:
    path = write(
        tmp_path, one_member([NUMBER, ("B", "char", 4, "")], [ONE + b"ok  ", ONE + b"\x92   "])
    )
    message = fail_to_read(path, XPT, ["B"])
    assert "row 2, column B: found bytes that are not utf-8" in message
    assert "windows-1252" in message


def test_rows_in_messages_count_from_the_start_of_the_file_in_every_extent(tmp_path: Path) -> None:
    cells = [b"ok", b"ok", b"ok", b"\x92 "]
    path = write(tmp_path, one_member([("A", "char", 2, "")], cells))
    with pytest.raises(formats.DataFileError, match="row 4, column A"):
        list(read(Extent(path, 2, 2), XPT, ["A"], 1))


def test_an_unknown_encoding_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, one_member([NUMBER], [ONE]))
    message = fail_to_read(path, FileFormat("xpt", encoding="windows-9999"))
    assert "'windows-9999' is not a known text encoding" in message


def test_only_the_requested_columns_are_decoded(tmp_path: Path) -> None:
    path = write(tmp_path, one_member([NUMBER, ("B", "char", 1, "")], [ONE + b"\x92"]))
    assert read_all(path, XPT, ["A"]) == {"A": [1.0]}


def test_a_batch_without_columns_still_counts_its_records(tmp_path: Path) -> None:
    path = write(tmp_path, one_member([NUMBER], [ONE, TWO, ONE]))
    sizes = [(first, batch.num_rows) for first, batch in read(Extent(path), XPT, [], 2)]
    assert sizes == [(0, 2), (2, 1)]


def test_a_missing_column_is_named_with_near_matches(tmp_path: Path) -> None:
    path = write(tmp_path, one_member([("USUBJID", "num", 8, "")], [ONE]))
    message = fail_to_read(path, XPT, ["usubjd"])
    assert "there is no column usubjd; did you mean USUBJID?" in message


def test_a_file_cut_within_a_record_of_80_bytes_is_refused(tmp_path: Path) -> None:
    content = one_member([("A", "char", 30, "")], [b"x" * 30] * 8)
    message = fail_to_read(write(tmp_path, content[:-10]), XPT)
    assert "the file is cut" in message


def test_a_file_cut_at_80_bytes_but_within_a_record_is_refused(tmp_path: Path) -> None:
    content = one_member([("A", "char", 100, "")], [b"x" * 100] * 4)
    message = fail_to_read(write(tmp_path, content[:-80]), XPT)
    assert "the file is cut" in message
    assert "3 whole records" in message


def test_a_version_8_file_with_fewer_records_than_declared_is_refused(tmp_path: Path) -> None:
    content = one_member([("A", "char", 80, "")], [b"x" * 80] * 3, version=8, count=4)
    message = fail_to_read(write(tmp_path, content), XPT)
    assert "it holds 3 of 4 whole records" in message


@pytest.mark.parametrize("kept", [40, 100, 300, 500, 700])
def test_a_file_cut_within_its_header_is_refused(tmp_path: Path, kept: Any) -> None:
    content = one_member([NUMBER], [ONE])[:kept]
    assert "the file ends within its header" in fail_to_read(write(tmp_path, content), XPT)


@pytest.mark.parametrize("records", [1, 10, 25])
@pytest.mark.parametrize("batch_rows", [1, 3, 1000])
def test_a_second_member_is_refused(tmp_path: Path, records: Any, batch_rows: Any) -> None:
    first, second = (xpt_member([NUMBER], [ONE] * n) for n in (records, 10))
    path = write(tmp_path, xpt_library() + first + second)
    with pytest.raises(formats.DataFileError, match=r"more than one data set \(member\)"):
        list(read(Extent(path), XPT, ["A"], batch_rows))


def test_a_second_member_is_found_although_the_lengths_do_not_fit(tmp_path: Path) -> None:
    first = xpt_member([("A", "char", 77, "")], [b"x" * 77] * 5)
    path = write(tmp_path, xpt_library() + first + first + b"x" * 80)
    assert "more than one data set (member)" in fail_to_read(path, XPT)


def test_a_second_member_of_version_8_is_refused(tmp_path: Path) -> None:
    member = xpt_member([NUMBER], [ONE], version=8, count=1)
    path = write(tmp_path, xpt_library(8) + member * 2)
    assert "more than one data set (member)" in fail_to_read(path, XPT)


def test_text_that_looks_like_a_member_header_is_text(tmp_path: Path) -> None:
    text = b"see HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!! there"
    path = write(tmp_path, one_member([("A", "char", 80, "")], [text.ljust(80)]))
    assert read_all(path, XPT) == {"A": [text.decode()]}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"**COMPRESSED** **COMPRESSED** and more", "a SAS CPORT file"),
        (b"PAR1 and more", "a Parquet file"),
        (b"USUBJID,AGE\n1,2\n", "something else"),
    ],
)
def test_another_format_is_refused_by_name(tmp_path: Path, content: Any, kind: Any) -> None:
    message = fail_to_read(write(tmp_path, content), XPT)
    assert f"found {kind}, expected a SAS transport file" in message


def test_a_damaged_header_is_refused(tmp_path: Path) -> None:
    content = one_member([NUMBER], [ONE]).replace(b"NAMESTR", b"NAMESXX")
    assert "the header is damaged: no NAMESTR" in fail_to_read(write(tmp_path, content), XPT)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert "the file is empty" in fail_to_read(write(tmp_path, b""), XPT)


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    assert "there is no such file" in fail_to_read(tmp_path / "none.xpt", XPT)
