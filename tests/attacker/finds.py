"""Which groups of subjects may not be found, and which the attacker does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.attacker.solver import Solver
from tests.attacker.statements import (
    KNOWN_LABELS,
    UNKNOWN,
    Box,
    Form,
    Statement,
    Table,
    count,
    label_of,
)


@dataclass(frozen=True)
class Find:
    """Something that follows from the documents though it concerns fewer than may be shown.

    Attributes:
        kind: What is known: the `size` of a group; how many of it have an `unknown` label; by how
            many the known labels of two tasks differ (`difference`); the `arm` or the `label` that
            all of a small group have.
        what: The group.
        number: Its number of subjects, or the difference.
    """

    kind: str
    what: str
    number: int


@dataclass(frozen=True)
class View:
    """Attributes that the attacker looks at together.

    Attributes:
        groups: Attributes that groups are formed by, beside arm and split.
        tasks: Tasks whose labels are looked at.
        arm: Attribute of the arm; None without arms.
        split: Attribute of the split; None where documents are about all subjects.
    """

    groups: tuple[str, ...]
    tasks: tuple[str, ...] = ()
    arm: str | None = "arm"
    split: str | None = None

    @property
    def attributes(self) -> tuple[str, ...]:
        """All of them."""
        others = [name for name in (self.arm, self.split) if name]
        return (*others, *self.groups, *map(label_of, self.tasks))


def find_subjects(
    truth: Table, statements: Sequence[Statement], view: View, smallest: int
) -> list[Find]:
    """Tries all groups of a view.

    Args:
        truth: The true table; it may have more attributes than the view.
        statements: What the documents tell.
        view: What is looked at.
        smallest: Fewest subjects that may be shown.

    Returns:
        Everything that is determined and concerns 1 to `smallest` - 1 subjects.
    """
    table = truth.only(view.attributes)
    solver = Solver(table, statements)
    beside_sizes = Solver(table, [*_of_arms(table, view), *_sizes(table, view)])
    beside_large = Solver(table, [*_of_arms(table, view), *_empty(table, view, smallest)])
    found = []
    for kind, form, what, number in [*_forbidden(table, view), *_values(table, view, smallest)]:
        is_small = 0 < number < smallest
        excused = {"size": None, "arm": beside_large}.get(kind, beside_sizes)
        if not is_small or (excused and excused.is_determined(form)):
            continue
        if solver.is_determined(form):
            found.append(Find(kind, what, number))
    return found


def _of_arms(table: Table, view: View) -> Iterator[Statement]:
    """What may be known: outcomes by arm and split.

    How many of an arm had or lack an outcome may be counted (CONSORT 2010, items 13 and 17). If
    no other subject was in the arm, or all had the outcome, that says something of each.
    """
    for box in _combined(table, [name for name in (view.arm, view.split) if name]):
        yield _true(table, box)
        for task in view.tasks:
            for label in table.domains[label_of(task)]:
                yield _true(table, box.and_(label_of(task), label))


def _sizes(table: Table, view: View) -> Iterator[Statement]:
    """The sizes of all groups: beside them nothing of labels may follow."""
    named = (name for name in (*view.groups, view.arm, view.split) if name)
    yield from (_true(table, box) for box in _combined(table, list(named)))


def _empty(table: Table, view: View, smallest: int) -> Iterator[Statement]:
    """The sizes of groups, and of large ones in which arms there is no subject."""
    for box in _combined(table, view.groups):
        whole = _true(table, box)
        yield whole
        for value in table.domains[view.arm] if view.arm and whole.lower >= smallest else ():
            part = _true(table, box.and_(str(view.arm), value))
            if not part.upper:
                yield part


def _true(table: Table, box: Box) -> Statement:
    return count(box, table.value(Form.size(box)), "allowed")


def _forbidden(table: Table, view: View) -> Iterator[tuple[str, Form, str, int]]:
    """Kind, form and number of what may not be known where the number is small."""
    for box in _combined(table, [name for name in (*view.groups, view.arm, view.split) if name]):
        yield "size", (size := Form.size(box)), str(box), _number(table, size)
        for task in view.tasks:
            unknown = box.and_(label_of(task), UNKNOWN)
            form = Form.size(unknown)
            yield "unknown", form, str(unknown), _number(table, form)
        for one, other in itertools.combinations(view.tasks, 2):
            known = [box.and_(label_of(task), KNOWN_LABELS) for task in (one, other)]
            form = Form(((1.0, known[0]), (-1.0, known[1])))
            text = f"{box}: known labels of {one} minus {other}"
            yield "difference", form, text, _number(table, form)


def _number(table: Table, form: Form) -> int:
    return abs(round(table.value(form)))


def _values(table: Table, view: View, smallest: int) -> Iterator[tuple[str, Form, str, int]]:
    """Small groups of which all are in one arm, or have one label, with the form that is then 0.

    A reader who knows a subject of the group learns it of this subject.
    """
    for box in _combined(table, view.groups):
        size = _number(table, Form.size(box))
        for name in filter(None, (view.arm, *map(label_of, view.tasks))):
            for value in table.domains[name]:
                others = box.and_(name, frozenset(table.domains[name]) - {value})
                if 0 < size < smallest and not table.value(Form.size(others)):
                    kind = "arm" if name == view.arm else "label"
                    yield kind, Form.size(others), f"{box}: all {name} {value}", size


def _combined(table: Table, names: Sequence[str]) -> Iterator[Box]:
    """Groups by one value of each of some of the attributes."""
    for number in range(1, len(names) + 1):
        for chosen in itertools.combinations(names, number):
            for values in itertools.product(*(table.domains[name] for name in chosen)):
                yield Box.of(dict(zip(chosen, values, strict=True)))
