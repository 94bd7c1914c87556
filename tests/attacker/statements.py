"""What a document tells about sets of subjects.

The subjects of a trial are a table of counts: a cell for each combination of what is known of a
subject (arm, site, split, whether the label of a task is known, ...). Whatever number a document
shows bounds a sum of cells, or a difference of such sums.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

UNKNOWN, NEGATIVE, POSITIVE = "unknown", "negative", "positive"
LABELS = (UNKNOWN, NEGATIVE, POSITIVE)
KNOWN_LABELS = frozenset({NEGATIVE, POSITIVE})
MISSING = "missing"

_EXACT = 1e-7
"""Tolerance of sums, below what tells two fractions of the sizes here apart."""

Counts = NDArray[np.float64]
Profile = tuple[str, ...]
"""A subject's value of each attribute, in the order of the attributes."""


def label_of(task: str) -> str:
    """Name of the attribute that is the label of a task."""
    return f"label of {task}"


@dataclass(frozen=True)
class Box:
    """The subjects whose attributes have one of some values; without a condition all subjects.

    Attributes:
        conditions: (attribute, values) by rising name of the attribute.
    """

    conditions: tuple[tuple[str, frozenset[str]], ...] = ()

    @classmethod
    def of(cls, conditions: Mapping[str, str | frozenset[str]]) -> Box:
        """A box of one value or some values for each attribute.

        Args:
            conditions: By attribute.
        """
        sets = {
            name: frozenset({values}) if isinstance(values, str) else values
            for name, values in conditions.items()
        }
        return cls(tuple(sorted(sets.items())))

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes that it has a condition for."""
        return frozenset(name for name, _ in self.conditions)

    def and_(self, name: str, values: str | frozenset[str]) -> Box:
        """The box with one more condition."""
        return Box.of({**dict(self.conditions), name: values})

    def __str__(self) -> str:
        texts = (f"{name} {'/'.join(sorted(values))}" for name, values in self.conditions)
        return " & ".join(texts) or "all"


@dataclass(frozen=True)
class Form:
    """A sum of the sizes of boxes, each with a coefficient."""

    terms: tuple[tuple[float, Box], ...]

    @classmethod
    def size(cls, box: Box) -> Form:
        """The number of subjects of a box."""
        return cls(((1.0, box),))

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes of its boxes."""
        return frozenset().union(*(box.attributes for _, box in self.terms))

    def __str__(self) -> str:
        return " ".join(f"{coefficient:+g}·[{box}]" for coefficient, box in self.terms)


@dataclass(frozen=True)
class Statement:
    """Bounds of a form.

    Attributes:
        form: What is bounded.
        lower: Least value.
        upper: Largest value.
        source: Where it is shown.
    """

    form: Form
    lower: float
    upper: float
    source: str


def count(box: Box, number: float, source: str, within: float = 0.0) -> Statement:
    """That a box has a number of subjects.

    Args:
        box: The subjects.
        number: How many are shown.
        source: Where.
        within: How far the true number may lie from a rounded one.
    """
    return Statement(Form.size(box), number - within, number + within, source)


def share(part: Box, whole: Box, value: float, source: str, within: float = 0.0) -> list[Statement]:
    """That a part is a share of a whole, both of unknown size.

    `part = share * whole` leaves only the fractions that are shown as this share: beside integer
    counts this is the reconstruction of a fraction from its decimals.

    Args:
        part: The subjects of the numerator.
        whole: Those of the denominator.
        value: The share.
        source: Where it is shown.
        within: Half a unit of its last digit; 0 where it is shown with all digits.
    """
    bounds = {-1.0: value - within, 1.0: value + within}
    not_empty = Statement(Form.size(whole), 1, math.inf, source)
    if not within:
        exact = Form(((1.0, part), (-value, whole)))
        return [not_empty, Statement(exact, -_EXACT, _EXACT, source)]
    return [
        not_empty,
        *(
            Statement(Form(((side, part), (-side * end, whole))), -math.inf, _EXACT, source)
            for side, end in bounds.items()
        ),
    ]


@dataclass(frozen=True)
class Table:
    """The true subjects, as a table of counts.

    Attributes:
        domains: Values of each attribute.
        counts: Subjects by profile.
    """

    domains: Mapping[str, tuple[str, ...]]
    counts: Mapping[Profile, int]

    @classmethod
    def of(
        cls,
        columns: Mapping[str, Sequence[str]],
        further: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> Table:
        """The table of subjects with these values.

        Args:
            columns: Value of each subject by attribute, all of the same length.
            further: Values that an attribute may have though no subject has them; the labels of
                tasks have all of theirs.
        """
        domains = {}
        for name, values in columns.items():
            labels = LABELS if name.startswith(label_of("")) else ()
            domains[name] = tuple(sorted({*values, *labels, *further.get(name, ())}))
        return cls(domains, Counter(zip(*columns.values(), strict=True)))

    def only(self, attributes: Iterable[str]) -> Table:
        """The table by some attributes alone."""
        wanted = set(attributes)
        places = [place for place, name in enumerate(self.domains) if name in wanted]
        found: Counter[Profile] = Counter()
        for profile, number in self.counts.items():
            found[tuple(profile[place] for place in places)] += number
        return Table({name: v for name, v in self.domains.items() if name in wanted}, found)

    @cached_property
    def cells(self) -> list[Profile]:
        """Every combination of values."""
        return list(itertools.product(*self.domains.values()))

    @cached_property
    def sizes(self) -> Counts:
        """Subjects of each cell, shape [cells]."""
        return np.array([self.counts.get(cell, 0) for cell in self.cells], np.float64)

    @cached_property
    def _codes(self) -> dict[str, NDArray[np.int64]]:
        """Place of each cell's value in the domain, shape [cells], by attribute."""
        shape = [len(values) for values in self.domains.values()]
        codes = np.indices(shape).reshape(len(shape), -1)
        return dict(zip(self.domains, codes, strict=True))

    def row(self, form: Form) -> Counts:
        """Coefficient of each cell in a form, shape [cells]."""
        row = np.zeros(len(self.cells))
        for coefficient, box in form.terms:
            inside = np.ones(len(self.cells), bool)
            for name, allowed in box.conditions:
                has = np.array([value in allowed for value in self.domains[name]])
                inside &= has[self._codes[name]]
            row += coefficient * inside
        return row

    def value(self, form: Form) -> float:
        """The true value of a form."""
        return float(self.row(form) @ self.sizes)
