"""Finds which of the values that a study file names occur in the rows that are read."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.study.conditions import Scalar
from pipeline.study.levels import NamedLevels, level_name

MOST_LEVELS = 1000
"""Different values of a column are counted up to this many by each reader."""

FOUND = "levels"
VALUES = "values"


class LevelFinder:
    """Looks for the named values of one dataset, batch by batch.

    A value that was found is not looked for again, so a study file that names only values that
    there are costs nothing after the first batches.
    """

    def __init__(self, dataset: str, levels: Iterable[NamedLevels]) -> None:
        """Prepares to look.

        Args:
            dataset: Name of the dataset.
            levels: The values that the study file names of its columns.
        """
        self._dataset = dataset
        self._missing: dict[str, set[Scalar]] = {}
        self._seen: dict[str, set[str]] = {}
        for named in levels:
            self._missing.setdefault(named.column, set()).update(named.levels)

    def find(self, table: pa.Table) -> Counter[tuple[str, ...]]:
        """Looks through typed rows.

        Args:
            table: The rows; columns that only qualifiers hold are not among them.

        Returns:
            ("levels", dataset, column, value) for each named value that was found now, and for
            columns that lack one ("values", dataset, column, hash) for each further value.
        """
        counts: Counter[tuple[str, ...]] = Counter()
        for column, missing in self._missing.items():
            if not missing or column not in table.column_names:
                continue
            values = table.column(column)
            for level in list(missing):
                if _occurs(level, values):
                    missing.discard(level)
                    counts[FOUND, self._dataset, column, level_name(level)] = 1
            # A column in which all were found at once is never counted.
            if missing:
                counts.update(self._others(column, values))
        return counts

    def _others(self, column: str, values: pa.ChunkedArray) -> Iterator[tuple[str, ...]]:
        seen = self._seen.setdefault(column, set())
        if len(seen) >= MOST_LEVELS:
            return
        for value in pc.unique(values)[:MOST_LEVELS].to_pylist():
            if value is None or len(seen) >= MOST_LEVELS:
                continue
            # The values themselves don't travel.
            name = hashlib.blake2b(repr(value).encode(), digest_size=8).hexdigest()
            if name not in seen:
                seen.add(name)
                yield VALUES, self._dataset, column, name


def _occurs(level: Scalar, values: pa.ChunkedArray) -> bool:
    if pa.types.is_string(values.type):
        return bool(pc.any(pc.equal(values, pa.scalar(str(level)))).as_py())
    if isinstance(level, str):
        return False
    return bool(pc.any(pc.equal(values, pa.scalar(float(level)))).as_py())
