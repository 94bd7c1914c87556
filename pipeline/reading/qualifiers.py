"""Supplemental qualifiers (SUPP--) as columns of their parent (SDTM Implementation Guide 3.4, 8.4).

A qualifier without IDVAR belongs to every record of its subject; with IDVAR to those of its records
whose column IDVAR has the value IDVARVAL. Of two values of one record the last counts, by dataset,
file and row, whichever worker read them. Where the files say of which domain a record is (DOMAIN)
and to which a qualifier belongs (RDOMAIN), a qualifier of another domain is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.reading.buckets import SUBJECT
from pipeline.reading.plan import DatasetPlan, ReadingPlan
from pipeline.reading.rows import FILE, ROW
from pipeline.reading.text import as_text
from pipeline.study.references import DOMAIN, RELATED_DOMAIN

_Contents = dict[tuple[str, str, str], str]
"""A qualifier's values by subject, IDVAR and IDVARVAL."""


def add_qualifiers(
    plan: DatasetPlan, table: pa.Table, supplements: Sequence[pa.Table]
) -> tuple[pa.Table, Counter[str]]:
    """Adds the qualifiers that a plan asks for.

    Args:
        plan: Plan of the parent.
        table: Its rows.
        supplements: Rows of its supplemental datasets, in their order.

    Returns:
        The rows with a column of text for each qualifier, null where there is none; and the number
        of values found of each qualifier.
    """
    contents: dict[str, _Contents] = {qualifier: {} for qualifier in plan.qualifiers}
    for supplement in supplements:
        _collect(supplement, contents)
    keys = table[SUBJECT].to_pylist()
    for qualifier in plan.qualifiers:
        values = _values(contents[qualifier], keys, table, plan.record_keys)
        table = table.append_column(qualifier, pa.array(values, pa.string()))
    return table, Counter({qualifier: len(found) for qualifier, found in contents.items()})


def of_domain(supplement: pa.Table, parent: pa.Table | None) -> NDArray[np.bool_]:
    """Whether qualifiers belong to the domain of a parent.

    Args:
        supplement: Rows of a supplemental dataset, n of them.
        parent: Rows of its parent; None where there are none.

    Returns:
        Booleans, shape [n]; true where one of the two files does not say its domain.
    """
    unknown = np.ones(len(supplement), bool)
    if parent is None or DOMAIN not in parent.column_names:
        return unknown
    domains = pc.unique(parent[DOMAIN]).drop_null() if len(parent) else pa.array([], pa.string())
    if RELATED_DOMAIN not in supplement.column_names or not len(domains):
        return unknown
    related = supplement[RELATED_DOMAIN]
    return np.asarray(pc.or_(pc.is_in(related, domains), pc.is_null(related)), bool)


def names_no_record_key(supplement: pa.Table, parent: DatasetPlan) -> NDArray[np.bool_]:
    """Whether the IDVAR of qualifiers is no column that identifies a record.

    Args:
        supplement: Rows of a supplemental dataset, n of them.
        parent: Plan of its parent.

    Returns:
        Booleans, shape [n].
    """
    known = pa.array(["", *parent.record_keys], pa.string())
    found = pc.is_in(pc.fill_null(supplement["IDVAR"], ""), known)
    return ~np.asarray(found, bool)


def unknown_qualifiers(plan: ReadingPlan, counts: Mapping[tuple[str, ...], int]) -> Iterator[str]:
    """Words the columns that neither a file nor its supplemental qualifiers have.

    Args:
        plan: What was read.
        counts: Values found by ("qualifiers", dataset, qualifier), of all buckets.

    Yields:
        A message for a person each.
    """
    for name, dataset in plan.datasets.items():
        for qualifier in dataset.qualifiers:
            if not counts.get(("qualifiers", name, qualifier)):
                yield (
                    f"Dataset {name}: there is no column {qualifier}, and no row of its "
                    "supplemental dataset has this QNAM. Check the spelling in the study file."
                )


def _collect(supplement: pa.Table, contents: dict[str, _Contents]) -> None:
    table = supplement.sort_by([(FILE, "ascending"), (ROW, "ascending")])
    columns = [table[c].to_pylist() for c in (SUBJECT, "IDVAR", "IDVARVAL", "QNAM", "QVAL")]
    for subject, variable, value, qualifier, content in zip(*columns, strict=True):
        if qualifier in contents and content is not None:
            contents[qualifier][subject, variable or "", value or ""] = content


def _values(
    found: _Contents, keys: Sequence[str], table: pa.Table, record_keys: frozenset[str]
) -> list[str | None]:
    variables = {variable for _, variable, _ in found} & record_keys
    values = [found.get((key, "", "")) for key in keys]
    # In one order on all workers: two IDVARs may name the same record.
    for variable in sorted(variables):
        numbers = as_text(table[variable].combine_chunks()).to_pylist()
        for i, (key, number) in enumerate(zip(keys, numbers, strict=True)):
            values[i] = found.get((key, variable, number or ""), values[i])
    return values
