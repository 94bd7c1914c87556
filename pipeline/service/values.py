"""Values of a request, as JSON has them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.reading.days import dates_of
from pipeline.reading.text import trimmed

_LARGEST = float(np.finfo(np.float32).max)


class _Absent:
    """No value; as a number it is a missing one."""

    def __float__(self) -> float:
        return math.nan


_NUMBERS = {int, float, NoneType, _Absent}
_TEXTS = {str, NoneType}
BAD = object()
"""In place of a value that can't be read."""
ABSENT = _Absent()
"""In place of a value of a column that a request does not have."""
EXPECTED = {
    "number": "a finite number, or null where it is missing",
    "category": "a text, or null where it is missing",
    "date": "a date in ISO 8601 as a text, or null where it is missing",
}
"""What is expected of a column, by its kind."""


def number_of(value: object) -> Any:
    """A number of a request, NaN where it is missing; `BAD` where it is none."""
    if value is None or value is ABSENT:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        return BAD
    return value if value != value or abs(value) <= _LARGEST else BAD


def text_of(value: object) -> Any:
    """A text of a request, None where it is missing; `BAD` where it is none."""
    if value is None or value is ABSENT:
        return None
    is_text = isinstance(value, str) and "\0" not in value and is_unicode(value)
    return value if is_text else BAD


def is_unicode(text: str) -> bool:
    """Whether a text can be sent: JSON can hold half of a surrogate pair.

    Examples:
        >>> is_unicode("æ"), is_unicode(chr(0xD800))
        (True, False)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def numbers_of(
    columns: Mapping[str, Sequence[object]],
) -> tuple[dict[str, NDArray[np.float64]], dict[str, list[int]]]:
    """Numbers of columns; all are read at once where none is amiss.

    Args:
        columns: A value a subject, by column.

    Returns:
        Numbers, NaN where missing or no number, `[n]`; and the places of what is no number.

    Examples:
        >>> numbers_of({"AGE": [60, None, "2"]})
        ({'AGE': array([60., nan, nan])}, {'AGE': [2]})
    """
    found = _all_at_once(list(columns.values()))
    if found is not None:
        return dict(zip(columns, found, strict=True)), {name: [] for name in columns}
    read = {name: _one_by_one(values) for name, values in columns.items()}
    return (
        {name: numbers for name, (numbers, _) in read.items()},
        {name: wrong for name, (_, wrong) in read.items()},
    )


def _all_at_once(columns: Sequence[Sequence[object]]) -> NDArray[np.float64] | None:
    """Numbers `[columns, n]` where each value is one, and none is near the largest; else None."""
    if not set(map(type, itertools.chain.from_iterable(columns))) <= _NUMBERS:
        return None
    try:
        found = np.array(columns, float)
    except OverflowError:
        return None
    return None if np.any(np.abs(found) > _LARGEST / 2) else found


def _one_by_one(values: Sequence[object]) -> tuple[NDArray[np.float64], list[int]]:
    read = [number_of(value) for value in values]
    wrong = [place for place, value in enumerate(read) if value is BAD]
    return np.array([math.nan if v is BAD else v for v in read], float), wrong


def texts_of(values: Sequence[object]) -> tuple[list[str | None], list[int]]:
    """Texts of a column; a text that stands there again is not looked at again.

    Args:
        values: A value a subject.

    Returns:
        Texts, None where missing or no text, and the places of what is no text.

    Examples:
        >>> texts_of(["F", None, 2])
        (['F', None, None], [2])
    """
    if set(map(type, values)) <= _TEXTS:
        known: dict[Any, Any] = {value: text_of(value) for value in set(values)}
        read = [known[value] for value in values]
        if BAD not in known.values():
            return read, []
    else:
        read = [text_of(value) for value in values]
    wrong = [place for place, value in enumerate(read) if value is BAD]
    return [None if value is BAD else value for value in read], wrong


def trimmed_texts(texts: Mapping[str, Sequence[str | None]]) -> dict[str, list[str | None]]:
    """Texts of columns as a reader of files hands them on; one call for all of them.

    Examples:
        >>> trimmed_texts({"SEX": [" F", None], "arm": ["", "Active"]})
        {'SEX': ['F', None], 'arm': [None, 'Active']}
    """
    found: dict[str | None, str | None] = {
        text: text for column in texts.values() for text in column
    }
    found[""] = None
    given = [text for text in found if text and not (text.isascii() and text == text.strip())]
    if given:
        found |= zip(given, trimmed(pa.array(given, "str")).to_pylist(), strict=True)
    return {name: [found[text] for text in column] for name, column in texts.items()}


def are_dates(texts: Sequence[str | None]) -> list[bool]:
    """Whether each text is a date, whole or partial; a missing one counts as one."""
    _, wrong = dates_of(pa.array(texts, "str"))
    return [not is_wrong for is_wrong in wrong.tolist()]
