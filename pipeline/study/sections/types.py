"""Types that several sections share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

FORMAT_VERSION: Literal[1] = 1
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_KNOWN = re.compile(r"baseline|after|day -?\d+")
ColumnType = Literal["text", "number", "date", "datetime"]
Aggregate = Literal["last", "first", "mean", "min", "max", "change", "count", "any"]
Severity = Literal["stop", "warn", "ignore"]
Side = Literal["at_least", "at_most"]
"""On which side of its limit a metric passes."""


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("expected a name of letters, digits and _, beginning with a letter")
    return name


def _checked_known(text: str) -> str:
    if not _KNOWN.fullmatch(text):
        raise ValueError("expected `baseline`, `day N` (a study day) or `after`")
    return text


def refuse(problems: Iterable[str]) -> None:
    """Raises all problems at once, one a line, so that a file is fixed in one go."""
    found = list(problems)
    if found:
        raise ValueError("\n".join(found))


Name = Annotated[str, AfterValidator(_checked_name)]
Known = Annotated[str, AfterValidator(_checked_known)]
Share = Annotated[float, Field(ge=0, le=1)]
