"""Single values of a request, as JSON has them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.reading.days import dates_of
from pipeline.reading.text import trimmed

_LARGEST = float(np.finfo(np.float32).max)
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


def is_read(value: object) -> bool:
    """Whether a value could be read."""
    return value is not BAD


def number_of(value: object) -> Any:
    """A number of a request, NaN where it is missing; `BAD` where it is none."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        return BAD
    return value if value != value or abs(value) <= _LARGEST else BAD


def text_of(value: object) -> Any:
    """A text of a request, None where it is missing; `BAD` where it is none."""
    if value is None:
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


def trimmed_texts(texts: Mapping[str, Sequence[str | None]]) -> dict[str, list[str | None]]:
    """Texts of columns as a reader of files hands them on; one call for all of them.

    Examples:
        >>> trimmed_texts({"SEX": [" F", None], "arm": ["", "Active"]})
        {'SEX': ['F', None], 'arm': [None, 'Active']}
    """
    given = list(dict.fromkeys(text for column in texts.values() for text in column if text))
    found = dict(zip(given, trimmed(pa.array(given, "str")).to_pylist(), strict=True))
    return {
        name: [found[text] if text else None for text in column] for name, column in texts.items()
    }


def are_dates(texts: Sequence[str | None]) -> list[bool]:
    """Whether each text is a date, whole or partial; a missing one counts as one."""
    _, wrong = dates_of(pa.array(texts, "str"))
    return [not is_wrong for is_wrong in wrong.tolist()]
