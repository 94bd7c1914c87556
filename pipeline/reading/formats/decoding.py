"""Converts the text of delimited files to UTF-8."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from pipeline.reading.formats import base

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks; UTF-32's before UTF-16's, which are its beginning."""

_FIRST_BLOCK = 64 * 1024
_BLOCK = 4 * 1024 * 1024
_ASCII = bytes(range(128))


def encoding_of(head: bytes, declared: str) -> tuple[str, int]:
    """Encoding of a text: a byte order mark decides, what is declared holds without one.

    Args:
        head: The first bytes of the file.
        declared: The encoding that the study file names.

    Returns:
        Its encoding, and the number of bytes of the byte order mark.
    """
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    return declared, 0


def is_utf_8(encoding: str) -> bool:
    """Whether a name is one of UTF-8's."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def is_wide(encoding: str) -> bool:
    """Whether each character takes two or more bytes."""
    return codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))


def check_mark(path: str, encoding: str) -> None:
    """Refuses an encoding whose byte order only a mark tells, which the file does not have.

    Args:
        path: The file.
        encoding: Its encoding, from `encoding_of`.

    Raises:
        DataFileError: The byte order is not known.
    """
    if codecs.lookup(encoding).name in ("utf-16", "utf-32"):
        raise base.data_error(
            path,
            f"the file has no byte order mark, by which {encoding} is read; declare {encoding}-le "
            f"or {encoding}-be in the study file (encoding)",
        )


def utf_8_blocks(handle: BinaryIO, declared: str, *, errors: str = "strict") -> Iterator[bytes]:
    """Reads a file from its start as UTF-8, without its byte order mark.

    Args:
        handle: A seekable handle on it.
        declared: The encoding that the study file names.
        errors: What to do with bytes that do not decode, as `bytes.decode` knows it. UTF-8 itself
            is passed on as it is.

    Yields:
        Pieces of text; a character may lie in two of them where the file is UTF-8.

    Raises:
        UnicodeDecodeError: Bytes do not decode.
    """
    encoding, mark = encoding_of(base.head_of(handle), declared)
    handle.seek(mark)
    size = _FIRST_BLOCK
    if is_utf_8(encoding):
        while block := handle.read(size):
            yield block
            size = _BLOCK
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    keeps_ascii = _keeps_ascii(encoding)
    while block := handle.read(size):
        size = _BLOCK
        if keeps_ascii and block.isascii() and not decoder.getstate()[0]:
            yield block
        else:
            yield decoder.decode(block).encode(errors="replace")
    yield decoder.decode(b"", final=True).encode()


def _keeps_ascii(encoding: str) -> bool:
    try:
        return _ASCII.decode(encoding) == _ASCII.decode("ascii")
    except UnicodeDecodeError:
        return False
