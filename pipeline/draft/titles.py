"""Titles of features, from what data files and Define-XML say of columns and parameters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Mapping
from typing import TYPE_CHECKING

from pipeline.draft.roles import parameter_column
from pipeline.names import LONGEST_TITLE

if TYPE_CHECKING:
    import pyarrow as pa

_CODES = re.compile(r"(param|\w{2}test)cd", re.I)
_UNDECODABLE = "\ufffd"
_FEWEST_NAMED = 10
"""Fewest rows of a parameter that is named in a draft."""


def title_of(label: str, name: str, taken: Container[str] = ()) -> str | None:
    """A label as a title: one short line.

    Args:
        label: What a file says.
        name: Name of the feature.
        taken: Titles of other features.

    Returns:
        The title; None where the label is empty, the name itself, the title of another feature, or
        written in another encoding than the file's.

    Examples:
        >>> title_of("Albumin  (g/L) ", "ALB"), title_of("Age", "AGE")
        ('Albumin (g/L)', None)
    """
    words = "".join(sign if sign.isprintable() else " " for sign in label).split()
    title = " ".join(words)
    if len(title) > LONGEST_TITLE:
        title = title[: LONGEST_TITLE - 1].rstrip() + "…"
    is_unreadable = _UNDECODABLE in title
    if not title or is_unreadable or title.lower() == name.lower() or title in taken:
        return None
    return title


def parameter_titles(columns: Mapping[str, pa.Array]) -> dict[str, str]:
    """What the codes of the parameter column mean, by the column beside it.

    Args:
        columns: Columns of a table, of one length.

    Returns:
        Each code that enough rows have with its text (PARAM, --TEST), or with nothing where there
        is none or several; in alphabetical order.
    """
    parameter = parameter_column(columns)
    if parameter is None:
        return {}
    by_name = {name.lower(): name for name in columns}
    stem = _CODES.fullmatch(parameter)
    decode = by_name.get(stem[1].lower()) if stem else None
    codes = columns[parameter].to_pylist()
    texts = columns[decode].to_pylist() if decode else [None] * len(codes)
    rows = Counter(str(code) for code in codes if code is not None)
    said: dict[str, set[str]] = {}
    for code, text in zip(codes, texts, strict=True):
        said.setdefault(str(code), set()).update([] if text is None else [str(text)])
    return {
        code: next(iter(said[code])) if len(said[code]) == 1 else ""
        for code, number in sorted(rows.items())
        if number >= _FEWEST_NAMED
    }
