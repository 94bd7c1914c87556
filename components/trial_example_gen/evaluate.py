"""Evaluates a study file's conditions over Arrow tables, in three-valued logic."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.conditions import Condition, Scalar
from pipeline.errors import UserError

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
        Booleans, one a row; null where the condition is unknown (Kleene).

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
        UserError: A column of text is compared with a number, or the other way round.
    """
    if condition is None:
        return
    for member in condition.members():
        check_types(member, types, where)
    if condition.column is None or condition.present is not None:
        return
    has_text = types[condition.column] == "text"
    wants_text = isinstance(_example_value(condition), str)
    if condition.above_column or condition.below_column:
        wants_text = False
    if has_text != wants_text:
        kind = "text" if has_text else "a number"
        expected = "text (in quotes)" if has_text else "numbers"
        raise UserError(
            f"{where}: column {condition.column} holds {kind}: compare it with {expected}, or "
            "declare its type under the dataset's `columns`."
        )


def _example_value(condition: Condition) -> Scalar | None:
    if condition.equals is not None:
        return condition.equals
    if condition.is_in is not None:
        return condition.is_in[0]
    return 0


def _compare(condition: Condition, table: pa.Table) -> pa.ChunkedArray:
    column = table.column(str(condition.column))
    parts = []
    if condition.present is not None:
        valid = pc.is_valid(column)
        parts.append(valid if condition.present else pc.invert(valid))
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
