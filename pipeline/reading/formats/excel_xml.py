"""What openpyxl does not say of a sheet that it reads row by row: formulas and merged cells."""

from __future__ import annotations

import re
import zipfile
from typing import BinaryIO

_FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?\bref=\"([A-Z]+)(\d+):([A-Z]+)(\d+)\"")
_OVERLAP = 200
_BLOCK = 2**20


def scan_sheet(handle: BinaryIO, part: str) -> tuple[bool, tuple[tuple[int, int, str], ...]]:
    """Looks through the XML of a sheet.

    Args:
        handle: The workbook.
        part: The sheet's part of it.

    Returns:
        Whether the sheet has formulas; and its merged cells: numbers of the first and of the last
        column, from 0, and the range in words.
    """
    handle.seek(0)
    has_formulas, merged, rest = False, {}, b""
    with zipfile.ZipFile(handle) as archive, archive.open(part.lstrip("/")) as stream:
        while block := stream.read(_BLOCK):
            content = rest + block
            has_formulas |= _FORMULA.search(content) is not None
            for match in _MERGED.finditer(content):
                first, top, last, bottom = (part.decode() for part in match.groups())
                words = f"{first}{top}:{last}{bottom}"
                merged[words] = (_number(first), _number(last), words)
            rest = content[-_OVERLAP:]
    return has_formulas, tuple(merged.values())


def _number(letters: str) -> int:
    """Number of a column from 0 by its letters."""
    from openpyxl.utils import column_index_from_string

    return int(column_index_from_string(letters)) - 1
