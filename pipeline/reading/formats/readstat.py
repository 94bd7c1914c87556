"""Asks the process that runs pyreadstat for the header or for rows of a file."""

from __future__ import annotations

import atexit
import codecs
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa

from pipeline.reading.formats import base
from pipeline.reading.formats.base import DataFileError, FileFormat, data_error
from pipeline.storage import is_remote

PROGRAMS = {"sas7bdat": "SAS", "stata": "Stata", "spss": "SPSS"}
"""Which program's files a format has."""

_CHILD = Path(__file__).with_name("readstat_child.py")
_COPY_BLOCK = 2**22


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


@contextlib.contextmanager
def local_path(path: str, handle: BinaryIO) -> Iterator[str]:
    """A file as C code can open it.

    Args:
        path: Its path or address.
        handle: A handle on it at its start.

    Yields:
        The path itself, or that of a copy which only its owner reads and which is removed.
    """
    if not is_remote(path):
        yield str(Path(path).absolute())
        return
    with tempfile.NamedTemporaryFile(suffix=Path(path).suffix) as copy:
        shutil.copyfileobj(handle, copy, _COPY_BLOCK)
        copy.flush()
        yield copy.name


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
        answer, content = _process().ask({**request, "format": fmt.format, "encoding": encoding})
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


class _Process:
    """The process that reads, started once and asked by one thread at a time."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Sends a request and waits for its answer.

        Raises:
            EOFError: The process ended before it had answered.
        """
        with self._lock:
            process = self._process or self._start()
            stdin, stdout = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
            try:
                stdin.write(json.dumps(request).encode() + b"\n")
                stdin.flush()
                line = stdout.readline()
                answer = json.loads(line) if line.endswith(b"\n") else {"bytes": -1}
                content = stdout.read(max(answer["bytes"], 0))
            except OSError:
                answer, content = {"bytes": -1}, b""
            if len(content) != answer["bytes"]:
                self.stop()
                raise EOFError
            return answer, content

    def _start(self) -> subprocess.Popen[bytes]:
        # -P: the folder of the script holds modules that have the names of others.
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return self._process

    def stop(self) -> None:
        """Ends the process, if there is one; the next request starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


_reader = _Process()


def _process() -> _Process:
    global _reader
    if _reader.owner != os.getpid():
        # A forked worker must not answer for its parent.
        _reader = _Process()
    return _reader


atexit.register(lambda: _process().stop())
