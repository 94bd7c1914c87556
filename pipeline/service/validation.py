"""Checks the columns of a request; says what is wrong by name, never a value."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.names import ARM
from pipeline.reading.examples import Categories, ExampleColumns
from pipeline.results.scored_file import flag_text
from pipeline.results.scoring import FLAG_TITLES
from pipeline.service.checked import CheckedRows
from pipeline.service.given import GivenColumns, both
from pipeline.service.inputs import Input, Inputs
from pipeline.service.membership import Given, membership
from pipeline.service.subject_columns import columns_of_arm
from pipeline.service.values import (
    ABSENT,
    EXPECTED,
    are_dates,
    numbers_of,
    texts_of,
    trimmed_texts,
)
from pipeline.skew.flags import Flag, flags_of_values
from pipeline.study.sections import Reaction
from pipeline.study.study import Study

UNKNOWN_COLUMN = "unknown_column"
GIVEN_TWICE = "given_twice"
WRONG_TYPE = "wrong_type"
IMPOSSIBLE = "impossible_number"
ARM_MISSING = "arm_missing"
ANOTHER_ARM = "another_arm"

_LONGEST_NAME = 200
_MOST_PROBLEMS = 100


@dataclass(frozen=True)
class InputProblem:
    """Something wrong with a request's columns.

    Attributes:
        row: Place of the subject in the request, from 0.
        column: Name of the column; empty where it is about the row.
        problem: What kind of problem.
        detail: A sentence for people, without any value.
    """

    row: int
    column: str
    problem: str
    detail: str

    def to_json(self) -> dict[str, Any]:
        """The problem as a member of problem details."""
        return asdict(self)


class InvalidRowsError(Exception):
    """Columns of a request can't be predicted from.

    Attributes:
        problems: What is wrong, the first hundred.
    """

    def __init__(self, problems: Sequence[InputProblem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = tuple(problems[:_MOST_PROBLEMS])


def check_rows(
    study: Study,
    given: GivenColumns,
    inputs: Inputs,
    reactions: Mapping[str, Reaction],
) -> CheckedRows:
    """Checks subjects against the champion's columns.

    Args:
        study: The champion's study.
        given: Columns of the subjects.
        inputs: The columns that a request may have.
        reactions: What happens to a subject with a flag, by kind of flag: those of a kind to be
            refused are problems.

    Raises:
        InvalidRowsError: Something is wrong with a column of any subject.
    """
    problems: list[InputProblem] = []
    cells = _cells(given, inputs, problems)
    numbers, texts = _read(inputs, cells, problems)
    if ARM in texts:
        problems += [*_without_arm(texts[ARM], problems), *_of_another_arm(study, texts)]
    if problems:
        raise InvalidRowsError(sorted(problems, key=lambda problem: problem.row))
    members = membership(
        study, inputs.of_subjects, dict(_given(inputs, cells, texts, numbers)), given.rows
    )
    categories = {c.name: _categories(texts[c.name]) for c in inputs.columns if c.name in texts}
    features = ExampleColumns(
        subjects=given.rows,
        numbers=_float32({c.name: numbers[c.name] for c in inputs.columns if c.name in numbers}),
        categories=categories,
    )
    flags = _raised([*members.flags, *flags_of_values(features, inputs.seen)])
    refused = list(_refused(flags, reactions))
    if refused:
        raise InvalidRowsError(sorted(refused, key=lambda problem: problem.row))
    return CheckedRows(
        rows=given.rows,
        arguments={
            column.argument: features.numbers[column.name]
            if column.kind == "number"
            else _bytes(categories[column.name])
            for column in inputs.columns
        },
        slices=members.slices,
        unknown=_named(members.unknown, given.rows),
        flags=_flags(flags, reactions, given.rows) if flags else ((),) * given.rows,
        arms=tuple(str(arm) for arm in texts[ARM]) if ARM in texts else None,
    )


def _read(
    inputs: Inputs, cells: Mapping[str, Sequence[object]], problems: list[InputProblem]
) -> tuple[dict[str, NDArray[np.float64]], dict[str, list[str | None]]]:
    """Numbers, NaN where missing, and texts, None where missing, of each column."""
    numbers, wrong = numbers_of({c.name: cells[c.name] for c in inputs.all if c.kind == "number"})
    texts = dict[str, list[str | None]]()
    for name in (column.name for column in inputs.all if column.kind != "number"):
        texts[name], wrong[name] = texts_of(cells[name])
    outside = _impossible(inputs, numbers)
    for column in inputs.all if outside or any(wrong.values()) else ():
        for row in outside.get(column.name, ()):
            detail = f"Expected a number from {column.lower:g} to {column.upper:g}."
            problems.append(InputProblem(row, column.name, IMPOSSIBLE, detail))
        problems += [_wrong_type(row, column) for row in wrong[column.name]]
    texts = trimmed_texts(texts)
    for column in inputs.all:
        if column.kind == "date":
            no_dates = [row for row, ok in enumerate(are_dates(texts[column.name])) if not ok]
            problems += [_wrong_type(row, column) for row in no_dates]
    return numbers, texts


def _given(
    inputs: Inputs,
    cells: Mapping[str, Sequence[object]],
    texts: Mapping[str, list[str | None]],
    numbers: Mapping[str, NDArray[np.float64]],
) -> Iterator[tuple[str, Given]]:
    """Columns that groups and membership are found by; what the model reads is always given."""
    others = {column.name for column in inputs.others}
    for name in {column.source for column in inputs.of_subjects} | ({ARM} & texts.keys()):
        is_text = name in texts
        values = (
            pa.array(texts[name], "str") if is_text else pa.array(numbers[name], from_pandas=True)
        )
        given = cells[name]
        present = np.ones(len(given), bool)
        if name in others:
            present[:] = [cell is not ABSENT for cell in given]
        yield name, Given(values, present)


def _float32(numbers: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float32]]:
    return dict(zip(numbers, np.array(list(numbers.values()), np.float32), strict=True))


def _named(found: Mapping[str, NDArray[np.bool_]], rows: int) -> tuple[tuple[str, ...], ...]:
    if not any(who.any() for who in found.values()):
        return ((),) * rows
    of_rows = zip(*(who.tolist() for who in found.values()), strict=True)
    return tuple(tuple(itertools.compress(found, is_so)) for is_so in of_rows)


def _cells(
    given: GivenColumns, inputs: Inputs, problems: list[InputProblem]
) -> dict[str, Sequence[object]]:
    """Values of each column; `ABSENT` where the request does not have it."""
    absent = [ABSENT] * given.rows
    cells: dict[str, Sequence[object]] = {column.name: absent for column in inputs.all}
    for name, values in given.values.items():
        column = inputs.names.get(name)
        if column is None:
            detail = "There is no such column; see the model's metadata for those there are."
            wrong = [row for row, value in enumerate(values) if value is not ABSENT]
            found = name[:_LONGEST_NAME]
            problems += [InputProblem(row, found, UNKNOWN_COLUMN, detail) for row in wrong]
        elif cells[column.name] is absent:
            cells[column.name] = values
        else:
            cells[column.name], twice = both(cells[column.name], values)
            detail = f"The column is also given as {column.name}: give it once."
            problems += [InputProblem(row, name, GIVEN_TWICE, detail) for row in twice]
    return cells


def _wrong_type(row: int, column: Input) -> InputProblem:
    return InputProblem(row, column.name, WRONG_TYPE, f"Expected {EXPECTED[column.kind]}.")


def _impossible(inputs: Inputs, numbers: Mapping[str, NDArray[np.float64]]) -> dict[str, list[int]]:
    """Places of numbers outside of the range that the study file declares, by column."""
    if not inputs.limited:
        return {}
    given = np.array([numbers[name] for name in inputs.limited])
    outside = (given < inputs.limits[:, :1]) | (given > inputs.limits[:, 1:])
    found = dict[str, list[int]]()
    for place, row in np.argwhere(outside).tolist() if outside.any() else ():
        found.setdefault(inputs.limited[place], []).append(row)
    return found


def _without_arm(arms: Sequence[str | None], earlier: Sequence[InputProblem]) -> list[InputProblem]:
    known = {problem.row for problem in earlier if problem.column == ARM}
    detail = "The arm is a feature of the model, and none is assumed: say which one."
    return [
        InputProblem(row, ARM, ARM_MISSING, detail)
        for row, arm in enumerate(arms)
        if arm is None and row not in known
    ]


def _of_another_arm(
    study: Study, texts: Mapping[str, Sequence[str | None]]
) -> Iterator[InputProblem]:
    """Features of the arm's own columns that say another arm than the one that is named."""
    said = {
        arm: {
            name: value
            for name, value in (columns_of_arm(study, arm) or {}).items()
            if name != ARM and name in texts
        }
        for arm in set(filter(None, texts[ARM]))
    }
    for row, arm in enumerate(texts[ARM]) if any(said.values()) else ():
        for name, value in said[arm].items() if arm else ():
            if texts[name][row] not in (None, value):
                detail = "It says another arm than the column arm: which one is assumed?"
                yield InputProblem(row, name, ANOTHER_ARM, detail)


def _categories(texts: Sequence[str | None]) -> Categories:
    places = {text: place for place, text in enumerate(dict.fromkeys(filter(None, texts)))}
    codes = dict[str | None, int](places) | {None: -1}
    return Categories(
        codes=np.array([codes[text] for text in texts], np.int32), values=tuple(places)
    )


def _bytes(found: Categories) -> NDArray[np.object_]:
    # The last place stands for a missing value.
    return np.array([*(value.encode() for value in found.values), b""], object)[found.codes]


_Found = Sequence[tuple[Flag, NDArray[np.bool_]]]


def _raised(found: _Found) -> _Found:
    """The flags that any subject has: of the many hardly one is."""
    are_raised = np.array([who for _, who in found]).any(axis=1).tolist()
    return list(itertools.compress(found, are_raised))


def _refused(found: _Found, reactions: Mapping[str, Reaction]) -> Iterator[InputProblem]:
    for (flag, feature), who in found:
        if reactions[flag] == "refuse":
            for row in np.flatnonzero(who):
                detail = f"{FLAG_TITLES[flag]}: the study file refuses to predict such a subject."
                yield InputProblem(int(row), feature or "", flag, detail)


def _flags(
    found: _Found, reactions: Mapping[str, Reaction], rows: int
) -> tuple[tuple[str, ...], ...]:
    flags: list[list[str]] = [[] for _ in range(rows)]
    for flag, who in found:
        if reactions[flag[0]] == "flag":
            text = flag_text(*flag)
            for row in np.flatnonzero(who).tolist():
                flags[row].append(text)
    return tuple(map(tuple, flags))
