"""What can be seen in one column of a data file: its type, its kind, its levels, its codes."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.reading.formats import ColumnLabels

MISSING_CODES = ("NA", "N/A", "NULL", "NaN", ".")
"""Texts of delimited files that may stand for a missing value."""

_ISO_DATE = re.compile(r"\d{4}(-(\d{2}|-)(-(\d{2}|-))?)?(T.*)?")
_LEADING_ZERO = re.compile(r"[-+]?0\d")
_TRAILING_DIGITS = re.compile(r"\d+$")
_QUANTITIES = re.compile(
    r"\w*dy|aval|base|p?chg|\w\wstres[nu]?n|age(y(rs?)?)?|age_?years|bmi\w{0,2}|\w*(days|weeks|months)",
    re.I,
)
"""Names of quantities, however few values they have."""

_FEW = 10
"""Most distinct values of a number that is taken for a code."""

_FEWEST_SHOWN = 10
"""Fewest rows of a level that is named in a draft: rarer ones are counted only."""

_FEWEST_OF_A_RANGE = 100
"""Fewest rows from which the middle of a number is given, rounded."""


@dataclass
class ColumnSeen:
    """What was seen of one column.

    Attributes:
        type: Its type in the file.
        values: How often each value occurs, codes of a missing value not among them.
        codes: How often each text of `MISSING_CODES` occurs.
        increases: Whether each number is larger than the one before.
    """

    type: str
    values: Counter[Any] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    increases: bool = True
    _last: float = -math.inf

    def add(self, array: pa.Array, may_be_codes: bool) -> None:
        """Counts the values of a batch.

        Args:
            array: The column in the batch.
            may_be_codes: Whether texts such as NA may stand for a missing value.
        """
        for pair in array.value_counts().to_pylist():
            value, count = pair["values"], pair["counts"]
            if may_be_codes and value in MISSING_CODES:
                self.codes[value] += count
            elif value is not None:
                self.values[value] += count
        if self.increases:
            self._compare_with_last(array)

    def _compare_with_last(self, array: pa.Array) -> None:
        for value in array.to_pylist():
            number = _number(value)
            if number is None or number <= self._last:
                self.increases = False
                return
            self._last = number

    @property
    def present(self) -> int:
        """Number of rows with a value."""
        return self.values.total()

    @property
    def are_dates(self) -> bool:
        """Whether every value is a date in ISO 8601."""
        texts = [str(value) for value in self.values]
        return bool(texts) and all(_ISO_DATE.fullmatch(text) and "-" in text for text in texts)

    @property
    def are_numbers(self) -> bool:
        """Whether every value is a number; a text with a leading zero is a code."""
        return bool(self.values) and all(_number(value) is not None for value in self.values)

    @property
    def are_whole(self) -> bool:
        """Whether every value is a whole number."""
        numbers = [_number(value) for value in self.values]
        return bool(numbers) and all(n is not None and n.is_integer() for n in numbers)

    def has_values_like(self, code: str) -> bool:
        """Whether a code may be a value: NA among country codes is Namibia, among flags a level."""
        return code == "NA" and bool(self.values) and not (self.are_numbers or self.are_dates)


@dataclass(frozen=True)
class ColumnDraft:
    """One column as it looks.

    Attributes:
        type: Its type in the study file.
        kind: How a model would read it; None where it is no candidate for a feature.
        distinct: Number of distinct values.
        present: Number of rows with a value.
        increases: Whether it holds whole numbers that increase from row to row.
        levels: Levels with their rows, the frequent ones of a category.
        middle: 5th and 95th percentile of a number, rounded to two digits.
        note: What a person should check, a clause; empty where it is plain.
        missing: Texts that mean missing in this column alone.
        is_whole: Whether it holds whole numbers.
        smallest_is_zero: Whether its smallest number is 0.
        is_compact_text: Whether it holds texts without blanks.
        label: What the file says that it means; empty if it does not say.
        labelled: Values that the file labels, each with its label or with nothing.
        defined: Its type and origin by Define-XML; empty without one.
    """

    type: str
    kind: Literal["number", "category"] | None
    distinct: int
    present: int
    increases: bool = False
    levels: tuple[tuple[str, int], ...] = ()
    middle: tuple[str, str] | None = None
    note: str = ""
    missing: tuple[str, ...] = ()
    is_whole: bool = False
    smallest_is_zero: bool = False
    is_compact_text: bool = False
    label: str = ""
    labelled: tuple[tuple[str, str], ...] = ()
    defined: str = ""

    def described(self, rows: int) -> str:
        """One line of what was seen."""
        parts = [f"{self.type} in {self.present} of {rows} rows, {self.distinct} distinct"]
        if self.levels:
            shown = ", ".join(f"{level} ({count} rows)" for level, count in self.levels)
            rest = self.distinct - len(self.levels)
            parts.append(shown + (f" and {rest} rarer" if rest else ""))
        if self.middle:
            parts.append("most from {} to {}".format(*self.middle))
        if self.labelled:
            labelled = [f"{v} = {label}" if label else v for v, label in self.labelled[:_FEW]]
            more = len(self.labelled) - len(labelled)
            parts.append("codes " + ", ".join(labelled) + (f" and {more} more" if more else ""))
        if self.defined:
            parts.append(f"defined as {self.defined}")
        if self.note:
            parts.append(self.note)
        described = "; ".join(parts)
        return f"{self.label}: {described}" if self.label else described


def missing_of_all(seen: Mapping[str, ColumnSeen]) -> tuple[str, ...]:
    """Texts that mean missing in every column of a file in which they occur, several at least."""
    columns = Counter(code for column in seen.values() for code in column.codes)
    codes = {code for code, number in columns.items() if number > 1}
    return tuple(
        sorted(
            code
            for code in codes
            if not any(c.codes[code] and c.has_values_like(code) for c in seen.values())
        )
    )


def draft_columns(
    seen: Mapping[str, ColumnSeen], is_text: bool, rows: int, missing: Sequence[str]
) -> dict[str, ColumnDraft]:
    """Judges the columns of a file.

    Args:
        seen: What was seen of each.
        is_text: Whether the file is delimited text, which carries no types.
        rows: Number of rows that were looked at.
        missing: Texts that mean missing in all columns.
    """
    drafts = {name: _draft(name, column, is_text, rows, missing) for name, column in seen.items()}
    return _like_their_siblings(seen, drafts)


def with_labels(
    drafts: Mapping[str, ColumnDraft], labels: Mapping[str, ColumnLabels]
) -> dict[str, ColumnDraft]:
    """Adds what a file says of its columns.

    Args:
        drafts: The columns.
        labels: Labels by column; columns may be missing.
    """
    return {
        name: replace(
            draft,
            label=said.label.strip(),
            labelled=tuple((_text(value), label) for value, label in said.levels),
        )
        if (said := labels.get(name))
        else draft
        for name, draft in drafts.items()
    }


def _draft(
    name: str, seen: ColumnSeen, is_text: bool, rows: int, missing: Sequence[str]
) -> ColumnDraft:
    notes: list[str] = []
    own: list[str] = []
    values = Counter(seen.values)
    for code, count in seen.codes.items():
        if code in missing:
            continue
        if seen.has_values_like(code):
            values[code] += count
            notes.append(
                f"{code} in {count} rows is a value here; if it means missing, add "
                f"`missing: [{code}]`"
            )
        else:
            own.append(code)
    kind = _type_of(name, seen, is_text, notes)
    distinct = len(values)
    middle = _middle(seen) if kind == "number" and seen.present >= _FEWEST_OF_A_RANGE else None
    levels: tuple[tuple[str, int], ...] = ()
    feature = _kind_of(seen, kind, distinct, rows)
    if seen.are_whole and distinct == seen.present == rows >= _FEWEST_OF_A_RANGE:
        feature = None
        notes.append("another value in every row, so it is drafted as no feature")
    if feature == "category" or (kind == "number" and distinct <= _FEW):
        levels = tuple(
            (_text(value), count)
            for value, count in sorted(values.items(), key=lambda item: str(item[0]))
            if count >= _FEWEST_SHOWN
        )[:_FEW]
    numbers = [_number(value) for value in seen.values] if seen.are_numbers else []
    return ColumnDraft(
        type=kind,
        kind=feature,
        distinct=distinct,
        present=values.total(),
        increases=seen.are_whole and seen.increases,
        levels=levels,
        middle=middle,
        note="; ".join(notes),
        missing=tuple(sorted(own)),
        is_whole=seen.are_whole,
        smallest_is_zero=bool(numbers) and min(n for n in numbers if n is not None) == 0,
        is_compact_text=kind == "text"
        and not any(" " in str(value).strip() for value in seen.values),
    )


def _type_of(name: str, seen: ColumnSeen, is_text: bool, notes: list[str]) -> str:
    if not is_text:
        return seen.type
    if not seen.values:
        notes.append("no value, so its type is a guess")
        return "text"
    if seen.are_dates:
        return "date"
    if not seen.are_numbers:
        return "text"
    # Few whole numbers are codes more often than not, and codes have no order.
    is_few = len(seen.values) <= _FEW and seen.are_whole
    if len({_number(value) for value in seen.values}) < len(seen.values):
        notes.append("one number is written in several ways (1, 1.0), which as text are several")
        return "number"
    if is_few and not _QUANTITIES.fullmatch(name):
        if len(seen.values) > 2:
            notes.append("taken for a code; if it is a quantity, say number here and below")
        return "text"
    return "number"


def _kind_of(
    seen: ColumnSeen, kind: str, distinct: int, rows: int
) -> Literal["number", "category"] | None:
    if distinct < 2 or kind in ("date", "datetime") or seen.are_dates:
        return None
    if kind == "number":
        return "number"
    # A text that nearly every row has to itself is a key or a remark.
    return "category" if distinct <= max(_FEW, rows // 2) else None


def _like_their_siblings(
    seen: Mapping[str, ColumnSeen], drafts: dict[str, ColumnDraft]
) -> dict[str, ColumnDraft]:
    """Columns that differ in a number of their name alone (apgar1, apgar5) have one type."""
    stems = Counter(
        _stem(name)
        for name, draft in drafts.items()
        if draft.type == "number" and _stem(name) != name.lower()
    )
    return {
        name: _like(draft, _stem(name), stems[_stem(name)], seen[name].are_numbers)
        if _stem(name) != name.lower() and stems[_stem(name)]
        else draft
        for name, draft in drafts.items()
    }


def _like(draft: ColumnDraft, stem: str, siblings: int, are_numbers: bool) -> ColumnDraft:
    if draft.type == "number" and siblings > 1:
        note = f"several {stem}... columns: is each of them known as early?"
        return replace(draft, note="; ".join(part for part in (draft.note, note) if part))
    if draft.kind == "category" and are_numbers and draft.distinct > 2:
        note = f"a number as the other {stem}... columns"
        return replace(draft, type="number", kind="number", levels=(), note=note)
    return draft


def _stem(name: str) -> str:
    return _TRAILING_DIGITS.sub("", name).lower() or name.lower()


def _middle(seen: ColumnSeen) -> tuple[str, str]:
    numbers = sorted((_number(value) or 0.0, count) for value, count in seen.values.items())
    wanted = (0.05 * seen.present, 0.95 * seen.present)
    found = []
    for place in wanted:
        below = 0
        for value, count in numbers:
            below += count
            if below >= place:
                found.append(_rounded(value))
                break
    return found[0], found[1]


def _text(value: object) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)  # type: ignore[call-overload]


def _rounded(value: float) -> str:
    if value == 0:
        return "0"
    digits = 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, digits):.{max(digits, 0)}f}"


def _number(value: object) -> float | None:
    if isinstance(value, str) and _LEADING_ZERO.match(value):
        return None
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
