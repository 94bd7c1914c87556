"""Evaluates a study file's conditions over Arrow tables, in three-valued logic."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import UserError
from pipeline.reading.unreadable import UNREADABLE
from pipeline.study.conditions import Condition, Scalar

_COMPARE: dict[str, Callable[..., Any]] = {
    "at_least": pc.greater_equal,
    "at_most": pc.less_equal,
    "above": pc.greater,
    "below": pc.less,
}


def evaluate(condition: Condition | None, table: pa.Table) -> pa.ChunkedArray:
    """Evaluates a condition on every row.

    Args:
        condition: The condition; None is true everywhere.
        table: Columns of text (string) or numbers (float64), null where missing.

    Returns:
        Booleans, one a row; null where the condition is unknown (Kleene), also where a cell of a
        rejected row is marked as `UNREADABLE`.

    Raises:
        UserError: A column of text is compared with a number, or the other way round.
    """
    if condition is None:
        return pa.chunked_array([pa.array([True] * table.num_rows, pa.bool_())])
    if condition.negated is not None:
        return pc.invert(evaluate(condition.negated, table))
    if condition.all is not None:
        parts = [evaluate(member, table) for member in condition.all]
        return functools.reduce(pc.and_kleene, parts)
    if condition.any is not None:
        parts = [evaluate(member, table) for member in condition.any]
        return functools.reduce(pc.or_kleene, parts)
    return _compare(condition, table)


def is_true(condition: Condition | None, table: pa.Table) -> Any:
    """Like `evaluate`, with unknown as false.

    Returns:
        NumPy booleans, shape [rows].
    """
    return pc.fill_null(evaluate(condition, table), False).to_numpy()


def check_types(condition: Condition | None, types: dict[str, str], where: str) -> None:
    """Refuses comparisons that the columns' types can't answer, before any row is read.

    Args:
        condition: The condition.
        types: Type of each column: text, number, date or datetime.
        where: The condition's place in the study file, for the message.

    Raises:
        UserError: A column of text is compared with a number, or the other way round; or a
            date is compared with anything.
    """
    if condition is None:
        return
    for member in condition.members():
        check_types(member, types, where)
    if condition.column is None:
        return
    kind = types[condition.column]
    expected, accepted = _ACCEPTED[kind]
    if any(type(value) not in accepted for value in _values(condition)):
        raise UserError(
            f"{where}: column {condition.column} holds {_NAMES[kind]}: {expected}, or declare its "
            "type under the dataset's `columns`."
        )
    references = tuple(filter(None, (condition.above_column, condition.below_column)))
    for column in (condition.column, *references) if references else ():
        if types[column] != "number":
            raise UserError(
                f"{where}: column {column} holds {_NAMES[types[column]]}: only columns of numbers "
                "can be compared with each other. Name another column, or declare its type under "
                "the dataset's `columns`."
            )


def compares_with_numbers(condition: Condition, column: str) -> bool:
    """Whether a condition compares a column with numbers, or with a column of numbers."""
    if any(compares_with_numbers(member, column) for member in condition.members()):
        return True
    if column in (condition.above_column, condition.below_column):
        return True
    if condition.column != column:
        return False
    if condition.above_column or condition.below_column:
        return True
    return any(type(value) in (int, float) for value in _values(condition))


_NAMES = {"text": "text", "number": "a number", "date": "a date", "datetime": "a date and time"}
_DATES = "only `present` can be asked of it", ()
_ACCEPTED: dict[str, tuple[str, tuple[type, ...]]] = {
    "text": ("compare it with text (in quotes)", (str,)),
    "number": ("compare it with numbers", (int, float)),
    "date": _DATES,
    "datetime": _DATES,
}


def _values(condition: Condition) -> Iterator[Scalar]:
    """The values that a comparison compares its column with."""
    if condition.equals is not None:
        yield condition.equals
    yield from condition.is_in or ()
    for limit in (getattr(condition, name) for name in _COMPARE):
        if limit is not None:
            yield limit


def _compare(condition: Condition, table: pa.Table) -> pa.ChunkedArray:
    column = table.column(str(condition.column))
    parts = []
    if condition.present is not None:
        valid = pc.is_valid(column)
        outcome = valid if condition.present else pc.invert(valid)
        parts.append(_unless_unreadable(outcome, condition, table))
    if condition.equals is not None:
        parts.append(pc.equal(column, pa.scalar(condition.equals, column.type)))
    if condition.is_in is not None:
        member = pc.is_in(column, pa.array(condition.is_in, column.type))
        parts.append(pc.if_else(pc.is_valid(column), member, pa.scalar(None, pa.bool_())))
    for name, compare in _COMPARE.items():
        limit = getattr(condition, name)
        if limit is not None:
            parts.append(compare(column, pa.scalar(limit, column.type)))
    if condition.above_column is not None:
        parts.append(pc.greater(column, table.column(condition.above_column)))
    if condition.below_column is not None:
        parts.append(pc.less(column, table.column(condition.below_column)))
    return functools.reduce(pc.and_kleene, parts)


def _unless_unreadable(
    outcome: pa.ChunkedArray, condition: Condition, table: pa.Table
) -> pa.ChunkedArray:
    """Null where the cell of a rejected row was at fault: it is empty, but not missing."""
    name = f"{condition.column}{UNREADABLE}"
    if name not in table.column_names:
        return outcome
    return pc.if_else(pc.fill_null(table[name], False), pa.scalar(None, pa.bool_()), outcome)
