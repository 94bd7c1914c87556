"""Damages files of a format, and reads them: each is read, or refused in one line.

`python -m tests.pipeline.reading.formats.fuzzing FORMAT SEED FOLDER SECONDS [INPUTS]` runs in a
process of its own, which a reader may crash; the last line that it writes is the number of inputs.
An input that is neither read nor refused stays in the folder. What was mended goes to `damaged/`,
whose files `test_damaged_files.py` reads.
"""

from __future__ import annotations

import random
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.reading import formats
from pipeline.reading.formats import FileFormat
from tests.pipeline.reading.formats.every_format import WRITERS, Writer
from tests.pipeline.reading.formats.tables import Cell, Described, Table
from tests.pipeline.reading.formats.written_files import DATA

_LONGEST = 20
"""Seconds within which a small file is read or refused."""

_MEMORY = 8 << 30
_INTERESTING = (b"\0", b"\1", b"\x7f", b"\x80", b"\xff", b'"', b"\n", b"\r", b",", b"{", b"]", b"<")


def sas_sample(folder: Path, name: str, table: Table) -> Described:
    """A data set of SAS, which nothing but SAS writes: a sample among the trial data."""
    del table
    path = folder / f"{name}.sas7bdat"
    shutil.copyfile(DATA / "stat_files" / "sample.sas7bdat", path)
    return {"file": path.name, "format": "sas7bdat"}


TARGETS: Mapping[str, Writer] = {**WRITERS, "sas7bdat": sas_sample}
"""What is damaged: one file of each reader, and of each way in which it is written here."""


def table() -> Table:
    """A small dataset with texts, numbers, dates and missing cells."""
    rows: list[dict[str, Cell]] = [
        {
            "USUBJID": f"S{number:02d}",
            "SEX": "FM"[number % 2],
            "AGE": None if number % 7 == 0 else f"{20 + number}.5",
            "DAY": None if number % 5 == 0 else f"2020-01-{number + 1:02d}",
        }
        for number in range(20)
    ]
    columns: Any = {"USUBJID": "text", "SEX": "text", "AGE": "number", "DAY": "date"}
    return Table(columns, frozenset({"AGE"}), tuple(rows))


def damaged(content: bytes, chance: random.Random) -> bytes:
    """A file with some bytes changed, copied, cut out or repeated."""
    found = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        place = chance.randrange(len(found) + 1)
        end = min(len(found), place + chance.randrange(1, 12))
        match chance.randrange(6):
            case 0 if place < len(found):
                found[place] ^= 1 << chance.randrange(8)
            case 1:
                found[place:end] = chance.choice(_INTERESTING) * (end - place)
            case 2:
                found[place:end] = chance.randbytes(end - place)
            case 3:
                source = chance.randrange(len(found) + 1)
                found[place:end] = found[source : source + end - place]
            case 4:
                del found[place:end]
            case _:
                found[place:place] = found[place:end] * chance.choice((1, 2, 50))
    return bytes(found)


def read(path: Path, fmt: FileFormat) -> None:
    """Reads all of a file.

    Raises:
        UserError: It is refused.
    """
    types = formats.column_types(str(path), fmt)
    formats.labels(str(path), fmt)
    for extent in formats.extents(str(path), fmt, 15):
        for _ in formats.read(extent, fmt, list(types), 7):
            pass


def read_or_refuse(path: Path, fmt: FileFormat) -> None:
    """Reads a file, or checks that it is refused for the person who must get it again.

    Raises:
        AssertionError: The message has more than one line, or does not name the file.
        Exception: What else the reader raised.
    """
    try:
        with _within(_LONGEST):
            read(path, fmt)
    except UserError as error:
        message = str(error)
        assert "\n" not in message, "the message has more than one line"
        assert path.name in message, "the message does not name the file"


@contextmanager
def _within(seconds: int) -> Iterator[None]:
    def end(*_: object) -> None:
        raise TimeoutError(f"not read within {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def main(name: str, seed: int, folder: Path, seconds: float, most: int = sys.maxsize) -> int:
    """Reads damaged files of a format for some time.

    Args:
        name: One of `TARGETS`.
        seed: The damage of the first file; that of the next ones is counted on from it.
        folder: Where the files are written.
        seconds: For how long at most.
        most: How many files at most.

    Returns:
        How many were read or refused.

    Raises:
        Exception: What a reader raised beside UserError.
    """
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    described = TARGETS[name](folder, "dm", table())
    path = folder / described.pop("file")
    if described["format"] in ("stata", "spss", "sas7bdat"):
        described["encoding"] = ""
    fmt = FileFormat(**described)
    whole = path.read_bytes()
    read(path, fmt)
    end = time.monotonic() + seconds
    inputs = 0
    while inputs < most and time.monotonic() < end:
        # A name of its own: a reader may remember what it knows of a file.
        changed = path.with_name(f"{seed + inputs}-{path.name}")
        changed.write_bytes(damaged(whole, random.Random(seed + inputs)))
        read_or_refuse(changed, fmt)
        changed.unlink()
        inputs += 1
    return inputs


if __name__ == "__main__":
    made = main(
        sys.argv[1],
        int(sys.argv[2]),
        Path(sys.argv[3]),
        float(sys.argv[4]),
        *(int(most) for most in sys.argv[5:]),
    )
    sys.stdout.write(f"{made}\n")
