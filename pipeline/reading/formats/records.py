"""Divides delimited text into whole records, and accounts for each of its bytes.

The grammar is RFC 4180's: a field begins with a quote and ends with one, quotes within it are
written twice, or it holds no quote at all. Every byte belongs to the header, to one record, or to a
blank line. A quote that the grammar does not allow is an error with its place: what follows it
could be taken for part of its field, and rows would vanish without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.reading.formats.base import DataFileError, data_error

_LONGEST_RECORD = 64 * 1024 * 1024
_QUOTE, _LF, _CR = b'"\n\r'
_LINE_END = re.compile(rb"\r\n|\r|\n")
_DIGITS = re.compile(rb"\d+")
_LETTERS = re.compile(rb"[^\W\d_]+|[\x80-\xff]+")
_EACH_BYTE = np.uint64(0x0101010101010101)
_SURE_DELIMITERS = 8
"""As many delimiters, at the places of those of further rows, mean that rows were merged."""


@dataclass(frozen=True)
class Chunk:
    """Whole records of a file.

    Attributes:
        data: Their text in UTF-8, with line ends.
        rows: Number of records; blank lines are none.
        first_row: 0-based number of the first record behind the header.
        first_line: 1-based number of the first line in the file.
    """

    data: bytes
    rows: int
    first_row: int
    first_line: int

    def line_of(self, row: int) -> int:
        """Number of the line, from 1, in which a record begins.

        Args:
            row: 0-based number of the record in the file.
        """
        layout = _Layout(self.data, is_end=True)
        start = int(layout.record_starts[row - self.first_row])
        return self.first_line + layout.lines_before(start)


class Records:
    """The records of one file, read once from its start to its end."""

    def __init__(self, path: str, blocks: Iterator[bytes], delimiter: str) -> None:
        """Starts at the first byte.

        Args:
            path: The file, for messages.
            blocks: Its text in UTF-8, in pieces of any length.
            delimiter: The character between two fields, of one byte.
        """
        self._path = path
        self._blocks = blocks
        self._delimiter = delimiter.encode()
        self._rest = b""
        self._line = 1
        self._row = 0
        self._width: int | None = None

    def header(self) -> bytes | None:
        """Takes the next record that is no blank line, without its line end.

        Returns:
            Its text in UTF-8; None at the end of the file.

        Raises:
            DataFileError: A quote in it is not closed, or stands where none may stand.
        """
        while True:
            layout, is_end = self._next_layout()
            starts = layout.record_starts
            if len(starts):
                start = int(starts[0])
                later = layout.ends[layout.ends >= start]
                end = int(later[0]) + 1 if len(later) else len(layout.data)
                self._check_quotes(_Layout(layout.data[:end], is_end=True))
                self._keep(layout, end)
                return layout.data[start:end].rstrip(b"\r\n")
            self._keep(layout, len(layout.data) if is_end else layout.end)
            if is_end:
                return None

    def chunks(self, width: int) -> Iterator[Chunk]:
        """Takes all further records.

        Args:
            width: Number of columns.

        Yields:
            Whole records, in order; together all that follow the header.

        Raises:
            DataFileError: A quote is not closed, stands where none may stand, or a quoted field
                holds what looks like whole rows of the file.
        """
        self._width = width
        is_end = False
        while not is_end:
            layout, is_end = self._next_layout()
            end = len(layout.data) if is_end else layout.end
            chunk = Chunk(layout.data[:end], layout.rows, self._row, self._line)
            self._keep(layout, end)
            self._row += chunk.rows
            if chunk.rows:
                yield chunk

    def _next_layout(self) -> tuple[_Layout, bool]:
        """Reads until there is a whole record, or the file ends."""
        data = self._rest
        while True:
            block = next(self._blocks, b"")
            data += block
            layout = _Layout(data, is_end=not block)
            if self._width is not None:
                self._check_quotes(layout)
            if not block or layout.end:
                return layout, not block
            if len(data) > _LONGEST_RECORD:
                if layout.is_open:
                    raise self._never_closed(layout)
                raise self._error(layout, 0, f"a row is longer than {_LONGEST_RECORD // 2**20} MiB")

    def _keep(self, layout: _Layout, end: int) -> None:
        self._rest = layout.data[end:]
        self._line += layout.lines_before(end)

    def _check_quotes(self, layout: _Layout) -> None:
        if not layout.has_quotes:
            return
        wrong = layout.misplaced_quote(self._delimiter[0])
        if wrong is not None:
            raise self._misplaced(layout, wrong)
        if layout.is_open and layout.is_end:
            raise self._never_closed(layout)
        has_inner_lines = len(layout.ends) < len(layout.line_ends)
        if has_inner_lines and self._width is not None and self._width > 1:
            self._check_swallowed(layout, layout.quotes[0::2], layout.quotes[1::2])

    def _misplaced(self, layout: _Layout, at: int) -> DataFileError:
        index = int(np.searchsorted(layout.quotes, at))
        if index % 2 == 0:
            return self._error(
                layout,
                at,
                "found a quote within a field that does not begin with one; put the whole field in "
                "quotes and write each quote in it twice, or remove the quote",
            )
        opening = layout.opening_of(index)
        line = self._line + layout.lines_before(at)
        return self._error(
            layout,
            opening,
            "the field in quotes that begins here is followed by other text behind the quote in "
            f"line {line}: a quote is not closed, or a quote in the text is not written twice; "
            "correct it",
        )

    def _never_closed(self, layout: _Layout) -> DataFileError:
        opening = layout.opening_of(len(layout.quotes))
        return self._error(
            layout, opening, "found a quote that is not closed; close it or remove it"
        )

    def _check_swallowed(
        self, layout: _Layout, opening: NDArray[np.int64], closing: NDArray[np.int64]
    ) -> None:
        """Refuses a field in quotes that holds the end of a row, and the start of a later one.

        A quote that was forgotten in one row and another in a later one make one field of the rows
        between them. The rows in it reveal it: each has as many delimiters as
        the header, and a first field of the same form.
        """
        lines = layout.line_ends
        pairs = len(closing)
        inner = np.searchsorted(lines, closing) - np.searchsorted(lines, opening[:pairs])
        is_twice = opening[1:] == closing[: len(opening) - 1] + 1
        alone = np.ones(pairs, bool)
        alone[1:] &= ~is_twice[: pairs - 1]
        alone[: len(is_twice)] &= ~is_twice
        for pair in np.flatnonzero((inner > 0) & alone):
            start, end = int(opening[pair]), int(closing[pair])
            if self._looks_like_rows(layout, start, end, int(inner[pair])):
                raise self._error(
                    layout,
                    start,
                    f"the field in quotes that begins here holds {inner[pair]} line ends, and what "
                    "looks like whole rows of this file: a quote is not closed, or one too many; "
                    "correct it, or replace the line ends within the field",
                )

    def _looks_like_rows(self, layout: _Layout, start: int, end: int, lines: int) -> bool:
        width = self._width or 0
        data, delimiter = layout.data, self._delimiter
        if data.count(delimiter, start, end) != lines * (width - 1):
            return False
        before = data[layout.start_of(start) : start]
        if before.startswith(b'"'):
            # Rows of this file begin with a quote, and the field holds none.
            return False
        first, *others = _LINE_END.split(data[start + 1 : end])
        column = before.count(delimiter)
        counts = [first.count(delimiter), *(line.count(delimiter) for line in others)]
        if counts != [width - 1 - column, *[width - 1] * (lines - 1), column]:
            return False
        if lines * (width - 1) >= _SURE_DELIMITERS:
            return True
        forms = {_form(text.split(delimiter)[0]) for text in (before or first, *others)}
        return len(forms) == 1 and forms != {b""}

    def _error(self, layout: _Layout, at: int, problem: str) -> DataFileError:
        line = self._line + layout.lines_before(at)
        if self._width is None:
            return data_error(self._path, f"line {line}: {problem}")
        row = self._row + int(np.searchsorted(layout.record_starts, at, side="right"))
        return data_error(self._path, f"{problem} (line {line} of the file)", row=row)


class _Layout:
    """Where quotes, lines and records are in a text that begins outside of quotes."""

    def __init__(self, data: bytes, *, is_end: bool) -> None:
        self.data = data
        self.is_end = is_end
        self.bytes = np.frombuffer(data, np.uint8)
        self.has_quotes = b'"' in data

    @cached_property
    def quotes(self) -> NDArray[np.int64]:
        """Position of each quote."""
        return np.flatnonzero(self._is_quote)

    @property
    def is_open(self) -> bool:
        """Whether the text ends within quotes."""
        return self.has_quotes and bool(self._is_inside[-1])

    def misplaced_quote(self, delimiter: int) -> int | None:
        """Finds the first quote that neither begins nor ends a field, nor is one written twice.

        Args:
            delimiter: The byte between two fields.

        Returns:
            Its position; None if there is none.
        """
        data, is_quote, is_inside = self.bytes, self._is_quote, self._is_inside
        # A quote written twice closes the field and opens it again.
        may_be_next = is_quote | (data == _LF) | (data == _CR) | (data == delimiter)
        wrong = is_quote & is_inside
        wrong[1:] &= ~may_be_next[:-1]
        wrong[0] = False
        is_closing = is_quote[:-1] & ~is_inside[:-1]
        wrong[:-1] |= is_closing & ~may_be_next[1:]
        first = int(wrong.argmax())
        return first if wrong[first] else None

    @cached_property
    def line_ends(self) -> NDArray[np.int64]:
        """Position of the last byte of each line end, within quotes or not."""
        is_end = self.bytes == _LF
        if self._has_lone_returns:
            behind = np.append(self.bytes[1:], 0)
            lone = (self.bytes == _CR) & (behind != _LF)
            # At the end of a piece the line feed may be yet to come.
            lone[-1:] &= self.is_end
            is_end |= lone
        return np.flatnonzero(is_end)

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """Position of the last byte of each line end outside of quotes."""
        ends = self.line_ends
        return ends[~self._is_inside[ends]] if self.has_quotes else ends

    @cached_property
    def end(self) -> int:
        """Number of bytes of the whole records."""
        return int(self.ends[-1]) + 1 if len(self.ends) else 0

    @property
    def rows(self) -> int:
        """Number of the whole records; at the end of the file the last needs no line end."""
        starts = self.record_starts
        return len(starts) if self.is_end else int(np.searchsorted(starts, self.end))

    @cached_property
    def record_starts(self) -> NDArray[np.int64]:
        """Position of the first byte of each record, the unfinished one included."""
        starts = np.concatenate([np.zeros(1, np.int64), self.ends + 1])
        starts = starts[starts < len(self.data)]
        return starts[(self.bytes[starts] != _LF) & (self.bytes[starts] != _CR)]

    def start_of(self, at: int) -> int:
        """Position at which the record with a byte begins."""
        starts = self.record_starts
        return int(starts[np.searchsorted(starts, at, side="right") - 1])

    def lines_before(self, at: int) -> int:
        """Number of line ends before a position."""
        return int(np.searchsorted(self.line_ends, at))

    def opening_of(self, index: int) -> int:
        """Position of the quote that opens the field which quote number `index` would close."""
        first = index - 1
        while first >= 2 and self.quotes[first] == self.quotes[first - 1] + 1:
            first -= 2
        return int(self.quotes[first])

    @cached_property
    def _is_quote(self) -> NDArray[np.bool_]:
        return self.bytes == _QUOTE

    @cached_property
    def _is_inside(self) -> NDArray[np.bool_]:
        """Whether a byte is within quotes: the opening quote is, the closing one is not."""
        return odd_so_far(self._is_quote)

    @cached_property
    def _has_lone_returns(self) -> bool:
        if b"\r" not in self.data:
            return False
        returns = np.flatnonzero(self.bytes == _CR)
        behind = self.bytes[np.minimum(returns + 1, len(self.bytes) - 1)]
        return bool((behind != _LF).any())


def odd_so_far(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether the number of flags up to each one, itself included, is odd.

    Args:
        flags: Booleans, shape [n].

    Returns:
        Booleans, shape [n].

    Examples:
        >>> odd_so_far(np.array([False, True, False, True, True])).tolist()
        [False, True, True, False, True]
    """
    # Eight at once: the product's byte i is the sum of the word's bytes up to i.
    padded = np.zeros(-(-len(flags) // 8) * 8, np.uint8)
    padded[: len(flags)] = flags
    sums = (padded.view("<u8") * _EACH_BYTE) & _EACH_BYTE
    words = np.bitwise_xor.accumulate((sums >> np.uint64(56)).astype(np.uint8))
    sums[1:] ^= words[:-1] * _EACH_BYTE
    odd: NDArray[np.bool_] = sums.view(np.bool_)[: len(flags)]
    return odd


def _form(text: bytes) -> bytes:
    """A text with each run of digits and of letters as one of its kind."""
    return _LETTERS.sub(b"a", _DIGITS.sub(b"0", text.strip()))
