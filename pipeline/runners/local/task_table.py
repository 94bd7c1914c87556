"""A table of tasks for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

GAP = "  "
"""Between columns, and before what belongs to the line above."""


@dataclass(frozen=True)
class TaskTable:
    """A table with a line for each task, or two where name and numbers do not fit in one.

    Attributes:
        heads: Heading of each column.
        cells: Cells of each task, one for each heading.
        width: Columns of the terminal.
    """

    heads: Sequence[str]
    cells: Mapping[str, Sequence[str]]
    width: int

    @property
    def heading(self) -> str:
        """The line of headings."""
        return self._line("task", self.heads)

    def line(self, task: str) -> str:
        """The line of a task; nothing of it is truncated."""
        return self._line(task, self.cells[task])

    @cached_property
    def _widths(self) -> list[int]:
        columns = zip(self.heads, *self.cells.values(), strict=True)
        return [max(map(len, column)) for column in columns]

    def _line(self, name: str, values: Sequence[str]) -> str:
        widths = self._widths
        names = max(map(len, ["task", *self.cells]))
        numbers = GAP.join(value.rjust(wide) for value, wide in zip(values, widths, strict=True))
        if names + sum(widths) + len(GAP) * len(widths) > self.width:
            return f"{name}\n{GAP}{numbers}"
        return f"{name.ljust(names)}{GAP}{numbers}"
