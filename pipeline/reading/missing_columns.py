"""Messages about columns that a file lacks."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from pipeline.study.references import Reference

_MOST_SHOWN = 40


def missing_columns(
    dataset: str, path: str, uses: Sequence[Reference], found: Sequence[str]
) -> str:
    """Describes the absence of columns that the study file uses.

    Args:
        dataset: Name of the dataset.
        path: The file.
        uses: What uses its columns; one of them is not there.
        found: The file's columns.

    Returns:
        One message for a person.
    """
    keys = {str(use.column): use.key for use in reversed(uses)}
    named = list(dict.fromkeys(str(use.column) for use in uses))
    absent = [column for column in named if column not in found]
    if len(absent) == len(named):
        # A file without a header has patients' values in its first line: it is not quoted.
        return (
            f"{path}: none of the {len(named)} columns that the study file uses for dataset "
            f"{dataset} is there, such as {absent[0]}. Expected a header with the columns' names "
            "in the first line, in the study file's format, delimiter and encoding: check that "
            "this is the right file."
        )
    hints = []
    for column in absent:
        near = difflib.get_close_matches(column, found, 1, cutoff=0.6)
        hints.append(f"{column} (did you mean {near[0]}?)" if near else column)
    places = ", ".join(dict.fromkeys(f"`{keys[column]}`" for column in absent))
    return (
        f"{path}: no column {', '.join(hints)}, which the study file uses for dataset {dataset} "
        f"({places}). The file has: {', '.join(found[:_MOST_SHOWN])}"
        f"{', ...' if len(found) > _MOST_SHOWN else ''}."
    )
