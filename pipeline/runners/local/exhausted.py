"""What a run lacked that the machine did not give it: memory, files, space."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping

_MEMORY = (
    "The memory that the run may take is used up: free some, or run one stage at a time with one "
    "worker (`--stages-at-once 1 --workers 1`)."
)
_FILES = "Too many files are open: raise their limit (`ulimit -n 4096`)."
_SPACE = "The disk is full: free some space, or choose another root (`--root`)."

_BY_ERROR: Mapping[int, str] = {
    errno.ENOMEM: _MEMORY,
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
}
_WORDS = {os.strerror(number): lacking for number, lacking in _BY_ERROR.items()}
"""What to do by the system's words, which are all that TensorFlow's errors have."""

_OF_MEMORY = re.compile(r"\b(?:MemoryError|ArrowMemoryError|ResourceExhaustedError)\b")


def what_was_lacking(error: BaseException) -> str:
    """Says what to do where the machine gave a run no more of something.

    Beam and the process of the second lane keep nothing of an exception but its text, so the text
    is searched as well; nothing of it is repeated.

    Args:
        error: What a stage raised.

    Returns:
        One or two sentences; empty where nothing was lacking.

    Examples:
        >>> what_was_lacking(RuntimeError("OSError: [Errno 24] Too many open files"))
        'Too many files are open: raise their limit (`ulimit -n 4096`).'
    """
    for found in _chain(error):
        if isinstance(found, OSError) and (lacking := _BY_ERROR.get(found.errno or 0)):
            return lacking
        text = str(found)
        # Before memory: TensorFlow has one class for all of them.
        for words, lacking in _WORDS.items():
            if words in text:
                return lacking
        if _OF_MEMORY.search(f"{type(found).__name__}: {text}"):
            return _MEMORY
        for number in re.findall(r"\[Errno (\d+)\]", text):
            if int(number) in _BY_ERROR:
                return _BY_ERROR[int(number)]
    return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it came from, each once."""
    seen: list[BaseException] = []
    left: BaseException | None = error
    while left is not None and left not in seen:
        seen.append(left)
        yield left
        left = left.__cause__ or left.__context__
