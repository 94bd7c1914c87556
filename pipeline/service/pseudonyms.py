"""The pseudonym that a client may give beside a subject's columns; no model reads it."""

from __future__ import annotations

import re

from pipeline.names import SUBJECT_HASH
from pipeline.service.given import GivenColumns
from pipeline.service.validation import WRONG_TYPE, InputProblem, InvalidRowsError
from pipeline.service.values import ABSENT

PATTERN = "^[0-9a-f]{32}$"
"""What a pseudonym looks like: no identifier of a clinic does."""

_PSEUDONYM = re.compile(PATTERN[1:-1])
_DETAIL = (
    "Expected a pseudonym, 32 hexadecimal digits, as batch scoring writes it; never the original "
    "key of a subject."
)


def without_pseudonyms(given: GivenColumns) -> tuple[GivenColumns, tuple[str | None, ...]]:
    """The columns of a request without the pseudonyms, and these.

    Args:
        given: Columns of n subjects.

    Returns:
        The other columns, and the pseudonym of each subject, None where it has none, `[n]`.

    Raises:
        InvalidRowsError: Something else stands there, such as an original key.
    """
    if SUBJECT_HASH not in given.values:
        return given, (None,) * given.rows
    found, problems = list[str | None](), list[InputProblem]()
    for row, value in enumerate(given.values[SUBJECT_HASH]):
        if value is ABSENT or value is None or value == "":
            found.append(None)
        elif isinstance(value, str) and _PSEUDONYM.fullmatch(value):
            found.append(value)
        else:
            problems.append(InputProblem(row, SUBJECT_HASH, WRONG_TYPE, _DETAIL))
    if problems:
        raise InvalidRowsError(problems)
    others = {name: values for name, values in given.values.items() if name != SUBJECT_HASH}
    return GivenColumns(given.rows, others), tuple(found)
