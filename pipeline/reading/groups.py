"""Groups of subjects: arm, site, and the slice of each slicing."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.names import slice_key
from pipeline.reading.days import date_range
from pipeline.reading.periods import period_names
from pipeline.reading.text import as_text
from pipeline.study.sections import Site, Slicing

MISSING_GROUP = "missing"
"""Group of the subjects whose value a slice does not know."""

ARM_SEPARATOR = "/"
"""Between the values of an arm's columns, where it has several."""


def arm_names(columns: Sequence[str], subjects: pa.Table) -> pa.Array:
    """Arm of each subject, by the columns of the arm; null where a part of it is missing."""
    parts = [as_text(subjects[column].combine_chunks()) for column in columns]
    return pc.binary_join_element_wise(*parts, ARM_SEPARATOR)


def site_names(site: Site, subjects: pa.Table) -> pa.Array:
    """Site of each subject, null where it is missing."""
    return as_text(subjects[site.column].combine_chunks())


def slice_columns(
    slicings: Mapping[str, Slicing], table: pa.Table, columns: Mapping[str, pa.Array]
) -> dict[str, pa.Array]:
    """Column of each slicing.

    Args:
        slicings: The slicings by name.
        table: Own rows of the subjects.
        columns: Their arm and site, as far as a slicing is of these.
    """
    found = {name: _slices(slicing, table, columns) for name, slicing in slicings.items()}
    return {
        slice_key(name): pc.fill_null(values, MISSING_GROUP) if values.null_count else values
        for name, values in found.items()
    }


def _slices(slicing: Slicing, table: pa.Table, columns: Mapping[str, pa.Array]) -> pa.Array:
    """Slice of each subject; null where it is not known."""
    if slicing.date:
        return period_names(date_range(table, slicing.date), slicing.period or "year")
    source = columns[slicing.of] if slicing.of else table[str(slicing.column)].combine_chunks()
    return _group_names(slicing, source)


def _group_names(slicing: Slicing, source: pa.Array) -> pa.Array:
    if not slicing.bands:
        return as_text(source)
    edges = [f"{edge:g}" for edge in slicing.bands]
    names = [f"<{edges[0]}"]
    names += [f"{low} to <{high}" for low, high in itertools.pairwise(edges)]
    names.append(f">={edges[-1]}")
    values = source.to_numpy(zero_copy_only=False)
    band = np.searchsorted(slicing.bands, values, side="right")
    return pa.array(np.array(names, object)[band], pa.string(), mask=np.isnan(values))
