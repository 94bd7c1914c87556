"""What a process gives back of its memory, on files that the test has mapped itself."""

from __future__ import annotations

import ctypes
import mmap
import sys
from pathlib import Path

import pytest

from pipeline.service import memory
from pipeline.service.memory import give_back, pages_of_files

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux takes pages back when it is asked"
)

SIZE = 256 * mmap.PAGESIZE


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "library.so"
    path.write_bytes(b"\1" * SIZE)
    return path


def _mapped(path: Path, protection: int) -> mmap.mmap:
    """A mapping of a file of which every page was read."""
    with path.open("rb") as stream:
        found = mmap.mmap(stream.fileno(), SIZE, flags=mmap.MAP_PRIVATE, prot=protection)
    assert sum(found[:: mmap.PAGESIZE]) == SIZE // mmap.PAGESIZE
    return found


def _resident_bytes(path: Path) -> int:
    """Memory that the mappings of a file take in this process."""
    lines = Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines()
    is_it, total = False, 0
    for line in lines:
        if not line.split(" ")[0].endswith(":"):
            is_it = line.endswith(str(path))
        elif is_it and line.startswith("Rss:"):
            total += int(line.split()[1]) * 1024
    return total


def test_pages_that_were_read_of_a_file_are_given_back_and_can_be_read_again(file: Path) -> None:
    with _mapped(file, mmap.PROT_READ) as mapped:
        assert _resident_bytes(file) == SIZE
        give_back()
        assert _resident_bytes(file) == 0
        assert mapped[:] == b"\1" * SIZE


def test_what_was_written_over_a_page_stays_though_it_can_be_read_alone_since(file: Path) -> None:
    """As the tables of addresses of a library, which the loader fills in."""
    with _mapped(file, mmap.PROT_READ | mmap.PROT_WRITE) as mapped:
        mapped[7] = 2
        address = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
        system = ctypes.CDLL(None)
        system.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        assert system.mprotect(address, SIZE, mmap.PROT_READ) == 0
        give_back()
        assert mapped[7] == 2


@pytest.mark.parametrize(
    "lines",
    [
        ["1000-3000 r--p 0 00:0f 7 /anon_hugepage (deleted)", "Anonymous: 0 kB"],
        ["1000-3000 r--p 0 00:0f 7 /huge/library.so", "Anonymous: 0 kB", "Private_Hugetlb: 8 kB"],
        ["1000-3000 r--s 0 00:0f 7 /lib/library.so", "Anonymous: 0 kB"],
    ],
)
def test_what_is_no_page_of_a_file_stays(lines: list[str]) -> None:
    assert list(pages_of_files(lines)) == []


def test_a_system_that_hides_the_mappings_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(memory, "_MAPPINGS", tmp_path / "smaps")

    give_back()

    assert "Memory of the start is kept" in caplog.text
