"""What a column is read as: by how its files hold it and what the study file declares.

| stored, declared: | nothing | text | number | date, datetime |
|---|---|---|---|---|
| text | text | text | each value is parsed | ISO 8601, or a count with `unit`, `epoch` |
| number | number | its digits | number | days or seconds since 1960, or as declared |
| date, datetime | as stored | ISO 8601 | refused | read as stored |
| boolean | text | `true`, `false` | refused | refused |
| empty (no value at all) | as its uses ask | missing | missing | missing |
| unreadable (lists, bytes) | refused | refused | refused | refused |
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.errors import UserError
from pipeline.reading.formats import ColumnType, StoredType
from pipeline.reading.formats.base import READ_AS
from pipeline.study.sections import Dataset

_ANY: frozenset[ColumnType] = frozenset({"text", "number", "date", "datetime"})
_GIVES: dict[StoredType, frozenset[ColumnType]] = {
    "text": _ANY,
    "number": _ANY,
    "date": _ANY - {"number"},
    "datetime": _ANY - {"number"},
    "boolean": frozenset({"text"}),
    "empty": _ANY,
    "unreadable": frozenset(),
}
_WORDS: dict[StoredType, str] = {
    "text": "text",
    "number": "numbers",
    "date": "dates",
    "datetime": "dates",
    "boolean": "true and false",
}


def resolve_type(
    name: str, dataset: Dataset, column: str, stored: Mapping[str, StoredType]
) -> ColumnType | None:
    """Decides what a column is read as.

    Args:
        name: Name of the dataset.
        dataset: What the study file says of it.
        column: The column.
        stored: How each file holds it, by path.

    Returns:
        Its type; None where no file has a value of it and none is declared.

    Raises:
        UserError: The files do not hold what is declared, or not one and the same.
    """
    declared = dataset.columns[column].type if column in dataset.columns else None
    for path, type_ in stored.items():
        _check_given(name, path, column, type_, declared)
    found = {path: type_ for path, type_ in stored.items() if type_ != "empty"}
    types = {READ_AS[type_] for type_ in found.values()}
    both = {"text", "number"}
    if declared is not None and not (types >= both and declared in ("date", "datetime")):
        return declared
    if types == {"date", "datetime"}:
        return "datetime"
    if len(types) > 1:
        first, *others = found
        path = next(path for path in others if READ_AS[found[path]] != READ_AS[found[first]])
        raise UserError(
            f"{path}: its columns differ from those of {first}: {column} holds "
            f"{_WORDS[found[path]]} here, {_WORDS[found[first]]} there. Write all files of dataset "
            f"{name} in one layout, or declare its type (datasets.{name}.columns.{column}.type)."
        )
    return next(iter(types), None)


def _check_given(
    name: str, path: str, column: str, stored: StoredType, declared: ColumnType | None
) -> None:
    if stored == "unreadable":
        raise UserError(
            f"{path}: column {column} holds lists, bytes or other values that can't be read, and "
            f"the study file uses it for dataset {name}. Write it as text, number or date, or name "
            "another column."
        )
    if declared is not None and declared not in _GIVES[stored]:
        fitting = " or ".join(sorted(_GIVES[stored]))
        raise UserError(
            f"{path}: column {column} holds {_WORDS[stored]}, but datasets.{name}.columns.{column}."
            f"type says {declared}. Declare it as {fitting}, or leave `type` out."
        )
