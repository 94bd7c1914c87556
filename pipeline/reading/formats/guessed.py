"""What the beginning of a delimited file looks like: encoding, delimiter, decimal point."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from pipeline.reading.formats.base import FileFormat
from pipeline.reading.formats.decoding import encoding_of
from pipeline.reading.formats.delimited import SEPARATOR_LINE

_DELIMITERS = (",", ";", "\t", "|", " ")
_OTHER_ENCODING = "windows-1252"
_LINES_FOR_DELIMITER = 20
_LINES_FOR_DECIMAL = 1_000
_WITH_COMMA = re.compile(r"[-+]?\d*,\d+")
_WITH_POINT = re.compile(r"[-+]?\d*\.\d+")


def guess_format(head: bytes, encoding: str) -> FileFormat:
    """Guesses how a delimited file is to be read.

    Args:
        head: The beginning of the file; it may end anywhere.
        encoding: The encoding that is tried first, where there is no byte order mark.

    Returns:
        The format. Its decimal point is a comma where fields look like numbers with a comma, none
        like one with a point, and the comma is not the delimiter.
    """
    named, mark = encoding_of(head, encoding)
    if not mark and not _decodes(head, named):
        named = _OTHER_ENCODING
    text = head[mark:].decode(named, errors="replace")
    lines = text.splitlines() or [""]
    if len(lines) > _LINES_FOR_DELIMITER and not text.endswith("\n"):
        lines.pop()
    first = SEPARATOR_LINE.fullmatch(lines[0])
    delimiter = first[1] if first else _delimiter_of(lines[:_LINES_FOR_DELIMITER])
    fields = {
        field.strip()
        for row in csv.reader(lines[1:_LINES_FOR_DECIMAL], delimiter=delimiter)
        for field in row
    }
    has_comma = any(map(_WITH_COMMA.fullmatch, fields))
    has_point = any(map(_WITH_POINT.fullmatch, fields))
    decimal = "," if has_comma and not has_point and delimiter != "," else "."
    return FileFormat("csv", named, delimiter, decimal=decimal)


def _decodes(head: bytes, encoding: str) -> bool:
    try:
        # The head may end within a character.
        head[: head.rfind(b"\n") + 1].decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter_of(lines: Sequence[str]) -> str:
    """The delimiter that divides all lines into equally many fields, the most if several do."""
    best, most = ",", 1
    for delimiter in _DELIMITERS:
        rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter == " ")
        widths = {len(row) for row in rows if row}
        if len(widths) == 1 and (width := widths.pop()) > most:
            best, most = delimiter, width
    return best
