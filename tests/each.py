"""Values that are all checked, of which there must be some."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

Value = TypeVar("Value")


def each(values: Iterable[Value]) -> list[Value]:
    """The values, at least one: a test that checks each of none would pass without a check.

    Args:
        values: What a test goes through.

    Returns:
        The same values.
    """
    found = list(values)
    assert found, "there is nothing to check"
    return found
