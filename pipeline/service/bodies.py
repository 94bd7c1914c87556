"""Bodies of requests and answers as JSON; what JSON leaves open is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.responses import JSONResponse

from pipeline.service.given import GivenColumns, columns_of_rows
from pipeline.service.problems import malformed

MOST_SUBJECTS = 10_000
"""Most subjects of a request: a body of empty objects has many more than a model predicts at once,
and while they are read no other request is."""
_ESCAPED = b"\\u003"
"""Begins the one way to write a colon in a text without a colon."""


class JsonAnswer(JSONResponse):
    """An answer of texts, numbers, lists and objects."""

    def render(self, content: Any) -> bytes:
        """The body; a number that is none is null."""
        return orjson.dumps(content)


def read_json(body: bytes) -> dict[str, Any]:
    """An object from a request's body; `NaN` is a missing number, as for TensorFlow Serving.

    Raises:
        ProblemError: It is no JSON object, or a key stands twice in an object.
    """
    found = _read_plain(body)
    if found is None:
        found = _read_any(body)
    if not isinstance(found, dict):
        raise malformed("Expected a JSON object as the body.")
    return found


def _read_plain(body: bytes) -> object:
    """What most bodies hold, read five times as fast; None for those that need a closer look.

    These have `NaN`, an error, or a key twice, of which orjson takes the last value and says
    nothing: written again, the object then has fewer colons.
    """
    if _ESCAPED in body:
        return None
    try:
        found: object = orjson.loads(body)
        again = orjson.dumps(found)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return found if again.count(b":") == body.count(b":") else None


def _read_any(body: bytes) -> object:
    try:
        found: object = json.loads(body, object_pairs_hook=_object, parse_constant=_constant)
    except _TwiceError:
        raise malformed("A key stands twice in one object of the JSON body.") from None
    except (ValueError, RecursionError):
        # Without the cause: its message may quote the body.
        raise malformed("The body is no JSON document in UTF-8.") from None
    return found


def given_by_row(found: object, name: str, most_names: int) -> GivenColumns:
    """Subjects of a request, one object each.

    Args:
        found: What the body has.
        name: Its key, for messages.
        most_names: Names of columns to keep; more than the model knows.

    Raises:
        ProblemError: It is no list of objects, or empty.
    """
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise malformed(f"Expected `{name}` as a list of objects, one a subject.")
    if not found:
        raise malformed(f"`{name}` is empty: expected one subject or more.")
    _check_size(len(found))
    return columns_of_rows(found, most_names)


def given_by_column(columns: Mapping[str, Sequence[object]], expected: str) -> GivenColumns:
    """Subjects of values by column.

    Args:
        columns: Values of each column.
        expected: What to say where columns differ in length, or have no value.

    Raises:
        ProblemError: They do.
    """
    sizes = {len(values) for values in columns.values()}
    if len(sizes) != 1 or sizes == {0}:
        raise malformed(expected)
    (rows,) = sizes
    _check_size(rows)
    return GivenColumns(rows, columns)


def _check_size(subjects: int) -> None:
    if subjects > MOST_SUBJECTS:
        raise malformed(f"A request has at most {MOST_SUBJECTS:,} subjects: send fewer.")


def flag_of(body: Mapping[str, object], name: str) -> bool:
    """A choice in a body, by default false.

    Raises:
        ProblemError: It is neither true nor false.
    """
    found = body.get(name, False)
    if not isinstance(found, bool):
        raise malformed(f"Expected true or false as `{name}`.")
    return found


class _TwiceError(ValueError):
    """A key stands twice in an object."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _TwiceError
    return found


def _constant(text: str) -> float:
    return {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}[text]
