"""Gives memory back that only the start of a process needed."""

from __future__ import annotations

import ctypes
import logging
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger(__name__)

_MAPPINGS = Path("/proc/self/smaps")
_DONT_NEED = 4
"""Linux's `MADV_DONTNEED`."""
_OTHER_THAN_THE_FILE = ("Anonymous", "Swap", "Private_Hugetlb", "Shared_Hugetlb")
"""Sizes of pages that were written since, or that are no file's: where all are zero, every page is
that of the file."""
_DELETED = " (deleted)"
"""Behind the path of what no longer is a file, or never was one."""
_READ_ONLY = ("r--p", "r-xp")


@dataclass(frozen=True)
class Mapping:
    """A part of a file in the address space, read-only, whose pages are those of the file.

    Attributes:
        start: Address of its first byte.
        size: Bytes that it spans.
    """

    start: int
    size: int


def give_back() -> None:
    """Gives back what loading libraries and a model has left behind; on Linux alone.

    To load TensorFlow's libraries, some 270 MB of them are read once: tables of addresses, code
    that runs at the start. These pages stay in the system's cache of files, from where one that is
    needed again comes back at once, without reading the file. What the C library keeps of freed
    memory goes as well.
    """
    if not sys.platform.startswith("linux"):
        return
    system = ctypes.CDLL(None, use_errno=True)
    system.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for mapping in pages_of_files(_read_mappings().splitlines()):
        if system.madvise(mapping.start, mapping.size, _DONT_NEED):
            # It takes memory, and no more than that.
            logger.debug("Pages of a file stay in memory: %d.", ctypes.get_errno())
    if hasattr(system, "malloc_trim"):
        system.malloc_trim(0)


def _read_mappings() -> str:
    """The mappings of this process; nothing where the system does not show them."""
    try:
        return _MAPPINGS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        logger.warning("Memory of the start is kept: %s can't be read (%s).", _MAPPINGS, error)
        return ""


def pages_of_files(lines: Iterable[str]) -> Iterator[Mapping]:
    """Mappings whose pages can be had from their files again.

    Args:
        lines: Those of `/proc/<pid>/smaps`.

    Examples:
        >>> [found.size for found in pages_of_files([
        ...     "1000-3000 r-xp 00000000 fe:00 7 /lib/code.so", "Anonymous:   0 kB",
        ...     "3000-4000 r--p 00002000 fe:00 7 /lib/code.so", "Anonymous:   4 kB",
        ... ])]
        [8192]
    """
    found: Mapping | None = None
    for line in lines:
        first, _, rest = line.partition(" ")
        if not first.endswith(":"):
            if found:
                yield found
            found = _read_only(first, rest)
        elif first[:-1] in _OTHER_THAN_THE_FILE and int(rest.split()[0]):
            found = None
    if found:
        yield found


def _read_only(addresses: str, rest: str) -> Mapping | None:
    permissions, _, _, inode, *path = rest.split(maxsplit=4)
    if permissions not in _READ_ONLY or inode == "0" or not path or path[0].endswith(_DELETED):
        return None
    start, end = (int(address, 16) for address in addresses.split("-"))
    return Mapping(start, end - start)
