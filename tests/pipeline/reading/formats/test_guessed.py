"""What a delimited file looks like."""

import codecs

import pytest

from pipeline.reading.formats.guessed import guess_format

ROWS = [("ID", "KG"), ("P1", "60.5"), ("P2", "7"), ("P3", "0.5")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("has_line", [True, False])
def test_delimiter_decimal_point_and_encoding_are_found(
    delimiter: str, decimal: str, encoding: str, has_line: bool
) -> None:
    if delimiter == decimal:
        return
    lines = [delimiter.join(row).replace(".", decimal) for row in ROWS]
    text = "\n".join([f"sep={delimiter}"] * has_line + lines) + "\n"
    marks = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
    found = guess_format(marks.get(encoding, b"") + text.encode(encoding), "utf-8")
    assert (found.delimiter, found.decimal, found.encoding) == (delimiter, decimal, encoding)


def test_points_and_commas_together_are_no_decimal_comma() -> None:
    assert guess_format(b"A;B\n1,5;x\n2.5;y\n", "utf-8").decimal == "."


def test_bytes_that_are_not_utf_8_are_another_encoding() -> None:
    assert guess_format("A;B\né;x\n".encode("latin-1"), "utf-8").encoding == "windows-1252"
