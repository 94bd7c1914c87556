"""Every byte of a delimited file belongs to the header, to one record, or to a blank line."""

import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.reading.formats import DataFileError, FileFormat
from pipeline.reading.formats.records import Records
from tests.pipeline.reading.formats.written_files import as_read, fail_to_read, read_all

CSV = FileFormat("csv")
LINE_ENDS = ["\n", "\r\n", "\r"]
cells = st.text('ab1,;" \n\r', max_size=6)
tables = st.lists(st.tuples(cells, cells, cells), max_size=8)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[i : i + size] for i in range(0, len(data), size))


def divide(data: bytes, size: int, width: int = 3) -> tuple[list[bytes], list[int]]:
    """Chunks behind the header and their numbers of rows, read in pieces of `size` bytes."""
    records = Records("x.csv", pieces(data, size), ",")
    records.header()
    chunks = list(records.chunks(width))
    assert [c.first_row for c in chunks] == [
        sum(d.rows for d in chunks[:i]) for i in range(len(chunks))
    ]
    return [chunk.data for chunk in chunks], [chunk.rows for chunk in chunks]


def may_look_like_rows(text: str) -> bool:
    """Whether a field may be refused as rows of three that a quote has swallowed."""
    lines = len(re.findall("\r\n|\r|\n", text))
    return lines > 0 and text.count(",") == 2 * lines


def written(rows: Sequence[tuple[str, ...]], line_end: str, *, quote_all: bool) -> bytes:
    """Rows as RFC 4180 has them."""

    def field(text: str) -> str:
        needs_quotes = quote_all or set(text) & set(',"\r\n')
        return '"' + text.replace('"', '""') + '"' if needs_quotes else text

    return "".join(",".join(map(field, row)) + line_end for row in rows).encode()


@given(
    rows=tables,
    size=st.integers(1, 40),
    line_end=st.sampled_from(LINE_ENDS),
    quote_all=st.booleans(),
)
@settings(max_examples=150)
def test_wherever_blocks_end_the_chunks_are_the_file_and_hold_all_its_records(
    rows: list[tuple[str, ...]], size: int, line_end: str, quote_all: bool
) -> None:
    header = written([("A", "B", "C")], line_end, quote_all=False)
    body = written(rows, line_end, quote_all=quote_all)
    try:
        chunks, counts = divide(header + body, size)
    except DataFileError:
        # Nothing else is a reason to refuse what RFC 4180 allows.
        assert any(may_look_like_rows(text) for row in rows for text in row)
        return
    assert b"".join(chunks) == body
    assert sum(counts) == len(rows)
    assert all(chunk.endswith((b"\n", b"\r")) for chunk in chunks)


@given(rows=tables, at=st.integers(0, 200), size=st.integers(1, 40))
@settings(max_examples=150)
def test_one_quote_more_never_makes_fewer_rows_without_a_word(
    rows: list[tuple[str, ...]], at: int, size: int
) -> None:
    plain = [
        tuple(as_read(c.translate({34: "", 10: "", 13: "", 44: ""})) or "x" for c in r)
        for r in rows
    ]
    body = written(plain, "\n", quote_all=False)
    place = at % (len(body) + 1)
    damaged = body[:place] + b'"' + body[place:]
    with pytest.raises(DataFileError, match="quote"):
        divide(b"A,B,C\n" + damaged, size)


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 999), st.sampled_from(["ok", "x y"])), min_size=2, max_size=9
    ),
    first=st.integers(0, 7),
    last=st.integers(1, 8),
    end=st.sampled_from(LINE_ENDS[:2]),
)
@settings(max_examples=150)
def test_two_stray_quotes_never_make_one_row_of_several(
    rows: list[tuple[int, str]], first: int, last: int, end: str
) -> None:
    opens, closes = sorted((first % len(rows), last % len(rows)))
    if opens == closes:
        return
    lines = [f"S{key:03},{key},{text}" for key, text in rows]
    lines[opens] = lines[opens].replace(",", ',"', 2).replace(',"', ",", 1)
    lines[closes] += '"'
    with pytest.raises(DataFileError, match=f"row {opens + 1}: .*line {opens + 2} of the file"):
        divide(f"A,B,C{end}{end.join(lines)}{end}".encode(), 1000)


STRAY = {
    "never closed, to the end of the file": ('1,"see note,2\n3,4,5\n', 1, 2),
    "never closed, in the last row": ('1,2,3\n4,5,"6', 2, 3),
    "closed by the opening quote of a later field": ('1,"see note,2\n3,"ok",5\n', 1, 2),
    "within a field that begins without one": ('1,2,3\n4,6" tall,5\n', 2, 3),
    "at the end of a field that begins without one": ('1,2,3\n4,tall 6",5\n', 2, 3),
    "within a field in quotes, not written twice": ('1,2,3\n\n4,"say "yes" now",5\n', 2, 4),
    "behind a blank": ('1, "2",3\n', 1, 2),
    "before other text": ('"1"x,2,3\n', 1, 2),
    "closed in the same column of a later row": ('1,"a,x\n2,b,y\n3,c",z\n', 1, 2),
}


@pytest.mark.parametrize("kind", STRAY)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_stray_quote_is_refused_with_row_and_line(kind: str, size: int) -> None:
    body, row, line = STRAY[kind]
    with pytest.raises(DataFileError, match="quote") as caught:
        divide(f"A,B,C\n{body}".encode(), size)
    assert str(caught.value).startswith(f"x.csv, row {row}: ")
    assert f"line {line} of the file" in str(caught.value)


@pytest.mark.parametrize(
    "cell",
    [
        "two\nlines",
        "fever, mild\nrash, arms",
        "a,b\nc,d",
        "\n",
        '"\n"',
        "1)\r\n2)",
        ",\n,",
        "\n\n\n",
    ],
)
def test_line_ends_within_quotes_belong_to_the_text(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(
        written([("A", "B", "C"), ("1", cell, "x"), ("2", "b", "y")], "\r\n", quote_all=True)
    )
    assert read_all(path, CSV) == {"A": ["1", "2"], "B": [as_read(cell), "b"], "C": ["x", "y"]}


def test_a_line_end_of_two_characters_in_quotes_survives_the_end_of_a_block(tmp_path: Path) -> None:
    for before in range(64 * 1024 - 40, 64 * 1024 - 20):
        path = tmp_path / "x.csv"
        path.write_bytes(b'A,B,C\r\n0,"' + b"z" * before + b'\r\ny",Y\r\n1,plain,N\r\n')
        table = read_all(path, CSV)
        assert [text[-4:] for text in table["B"]] == ["z\r\ny", "lain"]


def test_a_missing_quote_is_refused_in_a_blank_separated_file_too(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text('A B\n1 2\n3 "4\n5 6\n')
    message = fail_to_read(path, FileFormat("csv", delimiter=" "))
    assert "row 2: found a quote that is not closed" in message
    assert "line 3 of the file" in message


def test_a_quote_in_the_header_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('A,"B\n1,2\n')
    assert "line 1: found a quote that is not closed" in fail_to_read(path, CSV)


@given(
    rows=st.lists(st.sampled_from(["1,2", "", "3,4"]), max_size=12), end=st.sampled_from(LINE_ENDS)
)
@settings(max_examples=60)
def test_blank_lines_are_no_records_and_change_no_number_of_a_row(
    rows: list[str], end: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_text(end.join(["", "A,B", *rows, "5"]) + end, newline="")
        message = fail_to_read(path, CSV)
    assert f"row {sum(map(bool, rows)) + 1}: found 1 fields, expected 2" in message
    assert f"line {len(rows) + 3} of the file" in message
