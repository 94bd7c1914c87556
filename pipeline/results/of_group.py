"""What belongs to a task and a group of subjects, in the documents of the Evaluator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator

from pipeline.documents import Document
from pipeline.metrics import current_name

ModelRole = str
"""Whose metric it is: `challenger`, `champion`, `difference`, or the name of a reference model."""

Group = tuple[tuple[str, str], ...]
"""A group of subjects: (slicing, value) pairs; empty for all subjects."""

OVERALL: Group = ()

MetricName = Annotated[str, BeforeValidator(current_name)]
"""A metric's name; documents of 0.1.0 may have a former one."""


class OfGroup(Document):
    """A part of a document that belongs to a task and a group.

    Attributes:
        task: The task.
        slice: The group's value by slicing; empty for all subjects.
    """

    task: str
    slice: dict[str, str]

    @property
    def group(self) -> Group:
        """The group, hashable."""
        return tuple(self.slice.items())

    @property
    def slicing(self) -> tuple[str, ...]:
        """The slicing of the group."""
        return tuple(self.slice)

    @property
    def group_text(self) -> str:
        """The group for people: `overall`, or its values."""
        return group_text(self.slice)


def group_text(group: Mapping[str, str]) -> str:
    """A group for people.

    Args:
        group: Its value by slicing.

    Examples:
        >>> group_text({"sex": "F", "age": "65+"}), group_text({})
        ('sex F, age 65+', 'overall')
    """
    return ", ".join(f"{slicing} {value}" for slicing, value in group.items()) or "overall"
