"""Asks the process that runs pyreadstat for the header or for rows of a file."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.reading.formats import base
from pipeline.reading.formats.base import DataFileError, FileFormat, data_error
from pipeline.reading.formats.child_process import child_process

PROGRAMS = {"sas7bdat": "SAS", "stata": "Stata", "spss": "SPSS"}
"""Which program's files a format has."""

_CHILD = Path(__file__).with_name("readstat_child.py")


@dataclass(frozen=True)
class Variable:
    """A variable as a file's header describes it.

    Attributes:
        name: Its name.
        is_text: Whether it holds text; otherwise numbers.
        display: Its display format, such as `DATE9` or `%tdD_m_Y`; empty if it has none.
        label: What it means, for people; empty if the file does not say.
        levels: Labelled values (value, label).
    """

    name: str
    is_text: bool
    display: str
    label: str
    levels: tuple[tuple[str | float, str], ...]


@dataclass(frozen=True)
class Header:
    """What a file says of itself.

    Attributes:
        variables: Its variables, in file order.
        rows: Number of records; None where the file does not say.
    """

    variables: tuple[Variable, ...]
    rows: int | None

    def variable(self, name: str) -> Variable:
        """The variable of a name."""
        return next(variable for variable in self.variables if variable.name == name)


def read_header(path: str, local: str, fmt: FileFormat) -> Header:
    """Reads a file's header.

    Args:
        path: The file, for messages.
        local: Its local path.
        fmt: Its format and encoding.

    Raises:
        DataFileError: The file can't be read.
    """
    answer, _ = _ask(path, fmt, {"path": local})
    variables = tuple(
        Variable(**{**item, "levels": tuple(map(tuple, item["levels"]))})
        for item in answer["variables"]
    )
    return Header(variables, answer["rows"])


def read_rows(
    path: str, local: str, fmt: FileFormat, columns: Sequence[str], first: int, rows: int
) -> tuple[pa.RecordBatch, dict[str, dict[str, int]]]:
    """Reads consecutive records.

    Args:
        path: The file, for messages.
        local: Its local path.
        fmt: Its format and encoding.
        columns: Columns of the file, at least one.
        first: 0-based number of the first record.
        rows: How many; 0 for all.

    Returns:
        The records, text as pa.string() and numbers as pa.float64(), null where missing; and by
        column how often it holds which value that the file declares missing.

    Raises:
        DataFileError: The file can't be read.
    """
    request = {"path": local, "columns": list(columns), "first": first, "rows": rows}
    answer, content = _ask(path, fmt, request)
    with pa.ipc.open_stream(content) as stream:
        return stream.read_next_batch(), answer["missing"]


def _ask(path: str, fmt: FileFormat, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    encoding = _iconv_name(path, fmt)
    try:
        answer, content = child_process(_CHILD).ask(
            {**request, "format": fmt.format, "encoding": encoding}
        )
    except EOFError:
        raise data_error(
            path,
            "the library that reads the file (ReadStat) crashed on it, so it is damaged; copy it "
            f"again, or write it again in {PROGRAMS[fmt.format]}",
        ) from None
    if "error" in answer:
        raise _refusal(path, fmt, answer)
    return answer, content


def _iconv_name(path: str, fmt: FileFormat) -> str | None:
    """The encoding as the library names it; None: what the file says."""
    if not fmt.encoding:
        return None
    base.check_encoding(path, fmt)
    return codecs.lookup(fmt.encoding).name.upper()


def _refusal(path: str, fmt: FileFormat, answer: Mapping[str, Any]) -> DataFileError:
    program = PROGRAMS[fmt.format]
    text = answer.get("text", "")
    if answer["error"] == "duplicate":
        return data_error(path, "two columns have one name; names must be unique")
    if answer["error"] == "encoding" or "convert string" in text:
        return data_error(
            path,
            f"found bytes that are not {fmt.encoding or 'of the encoding that the file names'}; "
            "declare the file's encoding in the study file (encoding: windows-1252 is often right)",
        )
    if "encoding" in text or "charset" in text:
        return data_error(
            path,
            f"its encoding is not known to the library that reads it (ReadStat: {text}); declare "
            "the file's encoding in the study file",
        )
    return data_error(
        path,
        f"the file is cut, damaged or of a kind that can't be read (ReadStat: {text}); copy it "
        f"again, or write it again in {program}",
    )
