"""Finds columns whose values repeat as a subject key does, in a file that is read a row a subject.

A file in long format (a row per visit, say) that is read with `subject.row_number` puts one person
into train and into test. Nothing in such a file says what its rows are, so that this module judges
by what a subject key does there and other columns don't:

1. **Its name is that of a subject key** (USUBJID, PATNO, patient_id, pid, id, ...), some of its
   values are in several rows, and there are at least three, and at most 100 rows for each.
2. **Other columns are constant within its values.** A person has one sex and one arm in all rows.
   But a site has one country, too, and an age one age band: a column counts as a key only if two of
   the columns that it decides are crossed, that is, if two levels of the one are each found with
   two levels of the other, by two keys at least (two sexes in each of two arms). Constant means
   an agreement of rows with one value that exceeds chance by at least 95 % (Cohen's kappa, Educ
   Psychol Meas 1960;20:37-46), which takes some 35 more rows than keys not to be chance (p < 1e-9).
3. **Each of its values is in equally many rows**, two or more, and there are at least 20 values.

By 2 and 3 only text and whole numbers of at least ten different values are judged, no dates, and in
the first 20,000 rows, which cost no noticeable time; names are looked for in all rows. What the
study file calls arm or site is no key. Where the rule is wrong (matched pairs, families, a number
within the site), `subject.rows_are_subjects` says so.
"""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.reading.formats import column_types, extents, read
from pipeline.reading.formats.base import FileFormat
from pipeline.reading.plan import ReadingPlan

ROWS_JUDGED = 20_000
"""Rows of a file in which values are compared."""

_SUBJECT = r"(subj(ect)?|patient(en)?|pat|participant|person|proband(en)?)"
_NUMBER = r"(id|ident(ifier)?|key|code|no|nr|num(ber)?|nummer)"
_KEY_NAME = re.compile(
    rf"{_SUBJECT}s?|(.*[\W_])?[a-z]?{_SUBJECT}s?[\W_]?{_NUMBER}|.*subjid|"
    rf"([a-z]?p|pt|case|record|chart|mrn)[\W_]?{_NUMBER}|pidn(o|um)|mrn|id",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\d{1,4}[-/. ]?([A-Za-z]{3}|\d{1,2})[-/. ]\d{1,4}.*|\d{1,2}[A-Za-z]{3}\d{2,4}.*"
)
_FEWEST_NAMED = 3
_MOST_ROWS_NAMED = 100
"""Rows for each value of a column with a key's name: a few codes may be called `id`, too."""

_FEWEST_VALUES = 10
_FEWEST_EQUAL = 20
_MOST_LEVELS = 1000
"""Levels of a column beyond which it is not asked whether another one crosses it."""
_LEAST_KAPPA = 0.95
_CHANCE = 1e-9
_PAIRS_FIRST = 200
"""Pairs of rows that rule out nearly every column before all pairs are looked at."""

_Codes = NDArray[np.int64]


@dataclass(frozen=True)
class RepeatedKey:
    """A column that repeats as a subject key does.

    Attributes:
        column: Its name.
        rows: Rows that have a value.
        distinct: Number of different values.
    """

    column: str
    rows: int
    distinct: int

    @property
    def is_so_by_name(self) -> bool:
        """Whether its name is a subject key's and its values repeat: nothing else is needed."""
        enough = max(_FEWEST_NAMED, self.rows / _MOST_ROWS_NAMED)
        return looks_like_subject_key(self.column) and enough <= self.distinct < self.rows


def looks_like_subject_key(name: str) -> bool:
    """Whether a column is called as subject keys are.

    Examples:
        >>> [looks_like_subject_key(name) for name in ("USUBJID", "pat_no", "pidnum", "id")]
        [True, True, True, True]
        >>> [looks_like_subject_key(name) for name in ("INPATIENT", "LIPID", "ID14", "VISITNUM")]
        [False, False, False, False]
    """
    return _KEY_NAME.fullmatch(name) is not None


def repeated_key(
    columns: Mapping[str, pa.Array], not_keys: Collection[str] = ()
) -> RepeatedKey | None:
    """Looks for a column that repeats as a subject key does.

    Args:
        columns: Columns of a table, of one length, null where missing.
        not_keys: Columns that are known to be none: arm, site.

    Returns:
        The first such column, those with the name of a key before others; None without one.
    """
    coded = {name: _coded(array) for name, array in columns.items()}
    for name, codes in coded.items():
        found = _described(name, codes)
        if found.is_so_by_name:
            return found
    judged = [
        name
        for name, array in columns.items()
        if name not in not_keys and _may_identify(array, coded[name])
    ]
    for name in judged:
        if _is_balanced(coded[name]) or _decides_crossed(coded, name):
            return _described(name, coded[name])
    return None


class FirstRows:
    """The first rows of a file."""

    def __init__(self, names: Sequence[str], most: int = ROWS_JUDGED) -> None:
        """Waits for rows.

        Args:
            names: The columns that they have.
            most: How many are kept; whole batches, so that there may be more.
        """
        self._most = most
        self._rows = 0
        self._arrays: dict[str, list[pa.Array]] = {name: [] for name in names}

    @property
    def are_all(self) -> bool:
        """Whether no further rows are needed."""
        return self._rows >= self._most

    def add(self, batch: pa.RecordBatch) -> None:
        """Takes rows, unless there are enough."""
        if not self.are_all:
            self._rows += batch.num_rows
            for parts, array in zip(self._arrays.values(), batch.columns, strict=True):
                parts.append(array)

    def columns(self) -> dict[str, pa.Array]:
        """The columns; none without rows."""
        return {name: _one_array(parts) for name, parts in self._arrays.items() if parts}


def check_rows_are_subjects(plan: ReadingPlan) -> None:
    """Stops where rows that are to be subjects look like several rows of each subject.

    Args:
        plan: What is read; nothing is done here without `subject.row_number`.

    Raises:
        UserError: A column of the file repeats as a subject key does.
    """
    study = plan.study
    if not study.subject.row_number or study.subject.rows_are_subjects:
        return
    dataset = plan.datasets[study.subject.dataset]
    [(path, _)] = dataset.files
    site = [study.site.column] if study.site else []
    not_keys = {*site, *(study.arm.columns if study.arm else ())}
    names = list(column_types(path, dataset.format))
    # Keys are looked for by name in the whole file, by value in its first rows.
    named = [name for name in names if looks_like_subject_key(name)]
    found = repeated_key(_columns(path, dataset.format, named, sys.maxsize)) if named else None
    found = found or repeated_key(_columns(path, dataset.format, names, ROWS_JUDGED), not_keys)
    if found:
        raise UserError(
            f"{path}: column {found.column} has {found.distinct} different values in {found.rows} "
            "rows, as the key of subjects with several rows has. With `subject.row_number` one "
            "subject could be in train and in test. Give a file with one row for each subject and "
            f"name its key (`subject.column`), or, if each row is a subject of its own, say "
            "`subject.rows_are_subjects: true`."
        )


def _columns(
    path: str, file_format: FileFormat, names: Sequence[str], most: int
) -> dict[str, pa.Array]:
    """Columns of a file's first rows."""
    found = FirstRows(names, most)
    for extent in extents(path, file_format):
        for _, batch in read(extent, file_format, names):
            found.add(batch)
            if found.are_all:
                return found.columns()
    return found.columns()


def _one_array(parts: list[pa.Array]) -> pa.Array:
    # A column may be numbers in one batch and text in the next: the text decides.
    if len({part.type for part in parts}) > 1:
        parts = [pc.cast(part, pa.string()) for part in parts]
    return pa.chunked_array(parts).combine_chunks()


def _coded(array: pa.Array) -> _Codes:
    """Numbers for the values of a column, from 0; -1 where missing."""
    indices = pc.fill_null(array.dictionary_encode().indices, -1)
    return np.asarray(indices.to_numpy(zero_copy_only=False), np.int64)


def _described(name: str, codes: _Codes) -> RepeatedKey:
    present = codes[codes >= 0]
    return RepeatedKey(name, len(present), int(present.max(initial=-1)) + 1)


def _may_identify(array: pa.Array, codes: _Codes) -> bool:
    """Whether a column is text or whole numbers, no date, of many values, most rows having one."""
    found = _described("", codes)
    if not _FEWEST_VALUES <= found.distinct < found.rows or found.rows < 0.9 * len(codes):
        return False
    values = [value for value in pc.unique(array).to_pylist() if value is not None]
    if pa.types.is_floating(array.type):
        return all(value.is_integer() for value in values)
    if not pa.types.is_string(array.type):
        return pa.types.is_integer(array.type)
    return not all(_DATE.fullmatch(value) or _has_decimals(value) for value in values)


def _has_decimals(text: str) -> bool:
    return re.fullmatch(r"-?\d*(\.\d*)?", text.strip()) is not None and "." in text


def _is_balanced(codes: _Codes) -> bool:
    counts = np.bincount(codes[codes >= 0])
    return len(counts) >= _FEWEST_EQUAL and counts.min() == counts.max() >= 2


def _decides_crossed(coded: Mapping[str, _Codes], key: str) -> bool:
    """Whether two columns that are constant within the key's values are crossed."""
    order = np.argsort(coded[key], kind="stable")
    order = order[coded[key][order] >= 0]
    keys = coded[key][order]
    pairs = np.flatnonzero(keys[1:] == keys[:-1])
    others = [codes for name, codes in coded.items() if name != key]
    some = pairs[:: max(len(pairs) // _PAIRS_FIRST, 1)]
    constant = [
        codes[order]
        for codes in others
        if _often_agrees(codes[order[some]], codes[order[some + 1]])
        and _is_constant(codes[order], pairs)
    ]
    first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    of_key = [codes[first] for codes in constant if codes.max() < _MOST_LEVELS]
    return any(_are_crossed(one, other) for one, other in itertools.combinations(of_key, 2))


def _often_agrees(one: _Codes, other: _Codes) -> bool:
    """Whether pairs of rows agree as often as kappa asks for at least; rules out what varies."""
    present = (one >= 0) & (other >= 0)
    agreeing = np.count_nonzero(present & (one == other))
    return agreeing > 0 and agreeing >= _LEAST_KAPPA * np.count_nonzero(present)


def _is_constant(codes: _Codes, pairs: NDArray[np.int64]) -> bool:
    """Whether a column agrees in pairs of neighbouring rows, far beyond chance."""
    counts = np.bincount(codes[codes >= 0])
    by_chance = float(np.square(counts / counts.sum()).sum())
    if by_chance == 1 or len(pairs) * np.log(by_chance) >= np.log(_CHANCE):
        return False
    # Pairs in the middle of the file rule out what varies.
    for some in (pairs[:: max(len(pairs) // _PAIRS_FIRST, 1)], pairs):
        some = some[(codes[some] >= 0) & (codes[some + 1] >= 0)]
        if not len(some):
            return False
        agreement = float(np.mean(codes[some] == codes[some + 1]))
        if (agreement - by_chance) / (1 - by_chance) < _LEAST_KAPPA:
            return False
    return True


def _are_crossed(one: _Codes, other: _Codes) -> bool:
    """Whether two levels of one column are each found with two levels of the other."""
    both = (one >= 0) & (other >= 0)
    if not both.any():
        return False
    cells = np.zeros((one[both].max() + 1, other[both].max() + 1), np.int64)
    np.add.at(cells, (one[both], other[both]), 1)
    # A single key in a cell may be an error of the data.
    filled = (cells >= 2).astype(np.float32)
    shared = filled @ filled.T
    np.fill_diagonal(shared, 0)
    return bool((shared >= 2).any())
