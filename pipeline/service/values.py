"""Values of a request, as JSON has them."""

from __future__ import annotations

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
_NUMBERS = {int, float, NoneType}
_TEXTS = {str, NoneType}
BAD = object()
"""In place of a value that can't be read."""
ABSENT = object()
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


def numbers_of(values: Sequence[object]) -> tuple[NDArray[np.float64], list[int]]:
    """Numbers of a column.

    Args:
        values: A value a subject.

    Returns:
        Numbers, NaN where missing or no number, `[n]`; and the places of what is no number.

    Examples:
        >>> numbers_of([1, None, "2"])
        (array([ 1., nan, nan]), [2])
    """
    if set(map(type, values)) <= _NUMBERS:
        found = _all_at_once(values)
        if found is not None:
            return found, []
    read = [number_of(value) for value in values]
    wrong = [place for place, value in enumerate(read) if value is BAD]
    return np.array([math.nan if v is BAD else v for v in read], float), wrong


def _all_at_once(values: Sequence[object]) -> NDArray[np.float64] | None:
    """Numbers of which none is near the largest one; None where one is."""
    try:
        found = np.array(values, float)
    except OverflowError:
        return None
    return None if np.any(np.abs(found) > _LARGEST / 2) else found


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
    given = list(set[str | None]().union(*texts.values()) - {None, ""})
    found = dict(zip(given, trimmed(pa.array(given, "str")).to_pylist(), strict=True))
    found |= {None: None, "": None}
    return {name: [found[text] for text in column] for name, column in texts.items()}


def are_dates(texts: Sequence[str | None]) -> list[bool]:
    """Whether each text is a date, whole or partial; a missing one counts as one."""
    _, wrong = dates_of(pa.array(texts, "str"))
    return [not is_wrong for is_wrong in wrong.tolist()]
