"""Finds which of the declared codes of missing values occur in the rows that are read."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.reading.formats.texts import codes_found
from pipeline.reading.text import as_text
from pipeline.reading.typed import is_number, without_codes
from pipeline.study.conditions import Scalar
from pipeline.study.levels import level_name
from pipeline.study.sections import Column
from pipeline.study.study import Study

CODES = "codes"


class MissingCodeFinder:
    """Looks for the missing codes of one dataset's columns, batch by batch.

    A code that no row has may be misspelt: the true one would be taken for a value. A code that
    was found is not looked for again.
    """

    def __init__(self, study: Study, dataset: str) -> None:
        """Prepares to look.

        Args:
            study: The study.
            dataset: Name of the dataset.
        """
        self._dataset = dataset
        self._in_file: set[str] = set()
        self._sought: dict[str, set[Scalar]] = {
            name: set(column.missing) for name, column in study.datasets[dataset].columns.items()
        }

    def find_in_file(self, batch: pa.RecordBatch) -> Counter[tuple[str, ...]]:
        """Notes which of the codes of all columns the reader found, for a delimited file.

        Args:
            batch: Records as they were read.

        Returns:
            ("codes", dataset, code) for each code that was found now.
        """
        new = {code for code in codes_found(batch) if code not in self._in_file}
        self._in_file |= new
        return Counter({(CODES, self._dataset, code): 1 for code in new})

    def find(self, column: str, values: pa.Array, *, as_texts: bool) -> Counter[tuple[str, ...]]:
        """Looks through a column as its file holds it.

        Args:
            column: Its name.
            values: Its values, shape [n].
            as_texts: Whether the codes are compared with the values' texts, even of numbers.

        Returns:
            ("codes", dataset, column, code) for each code that was found now.
        """
        counts: Counter[tuple[str, ...]] = Counter()
        sought = self._sought.get(column)
        if not sought:
            return counts
        values = as_text(values) if as_texts else values
        for code in list(sought):
            if _occurs(code, values):
                sought.discard(code)
                counts[CODES, self._dataset, column, level_name(code)] = 1
        return counts


def _occurs(code: Scalar, values: pa.Array) -> bool:
    if pa.types.is_floating(values.type):
        same = is_number(code) and pc.any(pc.equal(values, pa.scalar(float(code)))).as_py()
        return bool(same)
    left = without_codes(values, Column(missing=(code,)))
    return bool(left.null_count > values.null_count)
