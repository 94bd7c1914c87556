"""Conditions of a study file: declarative, never evaluated as code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import (
    BeforeValidator,
    Field,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)
from pydantic_core import PydanticCustomError

from pipeline.documents import StrictModel

NO_VALUE = "no_value"
"""Type of the error for what is neither a text nor a number."""


def _checked_scalar(value: object) -> object:
    # No data holds YAML's true, false and dates, so a comparison with one would never be met.
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise PydanticCustomError(NO_VALUE, "expected a text or a number.")
    return checked_text(value) if isinstance(value, str) else value


def checked_text(text: str) -> str:
    """Refuses a text with outer blanks, which nothing that is read of the data equals.

    Raises:
        ValueError: It has some.
    """
    if text != text.strip() and text.strip():
        raise ValueError(
            f'text of the data is read without outer blanks, so nothing equals "{text}": write '
            f'"{text.strip()}"'
        )
    return text


Scalar = Annotated[StrictInt | StrictFloat | StrictStr, BeforeValidator(_checked_scalar)]

_COMPARISONS = (
    "equals",
    "is_in",
    "at_least",
    "at_most",
    "above",
    "below",
    "above_column",
    "below_column",
    "present",
)


class Condition(StrictModel):
    """One comparison of a column, or `all`, `any`, `not` of further conditions.

    A comparison with a missing value is neither true nor false but unknown, and unknown
    combines as in Kleene's three-valued logic: `any` with one true member is true even if others
    are unknown, `all` with one false member is false.

    Attributes:
        column: Column whose value is compared.
        equals: The value is this one.
        in: The value is one of these.
        at_least: The number is this or above.
        at_most: The number is this or below.
        above: The number is above this.
        below: The number is below this.
        above_column: The value is above that of this column in the same row.
        below_column: The value is below that of this column in the same row.
        present: Whether there is a value.
        all: Each of these conditions is met.
        any: At least one of these conditions is met.
        not: This condition is not met.
    """

    column: str | None = None
    equals: Scalar | None = None
    is_in: Annotated[tuple[Scalar, ...] | None, Field(alias="in", min_length=1)] = None
    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    below: float | None = None
    above_column: str | None = None
    below_column: str | None = None
    present: bool | None = None
    all: Annotated[tuple[Condition, ...] | None, Field(min_length=1)] = None
    any: Annotated[tuple[Condition, ...] | None, Field(min_length=1)] = None
    negated: Annotated[Condition | None, Field(alias="not")] = None

    @model_validator(mode="after")
    def _one_form(self) -> Condition:
        groups = [self.all is not None, self.any is not None, self.negated is not None]
        comparisons = [name for name in _COMPARISONS if getattr(self, name) is not None]
        if self.column is not None:
            if any(groups):
                raise ValueError("write either a column with its comparison, or all/any/not")
            if not comparisons:
                raise ValueError(
                    f"column {self.column} needs a comparison: equals, in, at_least, at_most, "
                    "above, below, above_column, below_column or present"
                )
        elif comparisons:
            raise ValueError("a comparison needs the key `column`")
        elif sum(groups) != 1:
            raise ValueError("expected one of: column with a comparison, all, any, not")
        return self

    def columns(self) -> Iterator[str]:
        """Names every column that the condition reads, including references of comparisons.

        Examples:
            >>> worse = {"column": "AVAL", "above_column": "BASE"}
            >>> female = {"column": "SEX", "equals": "F"}
            >>> condition = Condition.model_validate({"all": [worse, female]})
            >>> sorted(condition.columns())
            ['AVAL', 'BASE', 'SEX']
            >>> list(condition.judged_columns())
            ['AVAL', 'SEX']
        """
        yield from self.judged_columns()
        yield from self.reference_columns()

    def judged_columns(self) -> Iterator[str]:
        """Names the columns that the condition judges (`column: X`)."""
        if self.column is not None:
            yield self.column
        for member in self.members():
            yield from member.judged_columns()

    def reference_columns(self) -> Iterator[str]:
        """Names the columns that others are compared with (`above_column: X`)."""
        for reference in (self.above_column, self.below_column):
            if reference is not None:
                yield reference
        for member in self.members():
            yield from member.reference_columns()

    def members(self) -> tuple[Condition, ...]:
        """The conditions that this one combines; empty for a comparison."""
        if self.negated is not None:
            return (self.negated,)
        return self.all or self.any or ()


Condition.model_rebuild()
