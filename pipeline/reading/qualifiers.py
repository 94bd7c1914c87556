"""Supplemental qualifiers (SUPP--) as columns of their parent (SDTM Implementation Guide 3.4, 8.4).

A qualifier without IDVAR belongs to every record of its subject; with IDVAR to those of its records
whose column IDVAR has the value IDVARVAL. Numbers are compared as numbers, however they are written
("1", "01", " 1.0"), text as text without outer blanks. Of two values of one record the last counts,
by dataset, file and row, whichever worker read them.

Of the domain of its parent is a qualifier whose RDOMAIN is the parent's DOMAIN, or, where the
parent's file has no such column, what the dataset is called or its keys begin with; one that is of
no record is rejected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.reading.buckets import SUBJECT
from pipeline.reading.exact_numbers import number_text
from pipeline.reading.plan import DatasetPlan, ReadingPlan
from pipeline.reading.rejects import RejectReason, RowFilter
from pipeline.reading.rows import FILE, ROW
from pipeline.reading.text import as_text
from pipeline.study.references import DOMAIN, NUMERIC_RECORD_KEY, RELATED_DOMAIN

MATCHED = "#matched"
"""Column of a supplemental dataset: whether a qualifier belongs to a record."""
_SUPPLEMENT = "#supplement"


def add_qualifiers(
    plan: DatasetPlan, table: pa.Table | None, supplements: Sequence[pa.Table]
) -> tuple[pa.Table | None, list[pa.Table], Counter[str]]:
    """Adds the qualifiers that a plan asks for.

    Args:
        plan: Plan of the parent.
        table: Its rows; None where there are none.
        supplements: Rows of its supplemental datasets, in their order.

    Returns:
        The rows with a column of text for each qualifier, null where there is none; the
        supplemental datasets with the column `MATCHED`; and the number of values found of each
        qualifier.
    """
    if table is None or not supplements:
        unmatched = [_with_matches(part, np.zeros(len(part), bool)) for part in supplements]
        # An empty table is false.
        own = None if table is None else _with_columns(plan, table, {})
        return own, unmatched, Counter()
    everything = _in_order(supplements)
    matched = np.zeros(len(everything), bool)
    values: dict[str, pa.Array] = {}
    named = everything["QNAM"].combine_chunks()
    # In one order on all workers: two IDVARs may name the same record.
    for variable in ("", *sorted(plan.record_keys)):
        of_records, of_qualifiers = _places(table, everything, variable)
        matched |= (of_qualifiers >= 0) & np.isin(of_qualifiers, of_records[of_records >= 0])
        for qualifier in plan.qualifiers:
            given = pc.and_(pc.equal(named, qualifier), pc.is_valid(everything["QVAL"]))
            chosen = np.flatnonzero(_mask(given) & (of_qualifiers >= 0))
            if len(chosen):
                found = _last_values(everything, chosen, of_qualifiers, of_records)
                earlier = values.get(qualifier)
                values[qualifier] = found if earlier is None else pc.coalesce(found, earlier)
    counts = Counter(
        pc.filter(named, pc.is_valid(everything["QVAL"]).combine_chunks()).drop_null().to_pylist()
    )
    found_counts = Counter({name: counts[name] for name in plan.qualifiers if counts[name]})
    return (
        _with_columns(plan, table, values),
        _divided(supplements, everything, matched),
        found_counts,
    )


def of_domain(
    supplement: pa.Table, parent: pa.Table | None, plan: DatasetPlan, name: str
) -> NDArray[np.bool_]:
    """Whether qualifiers belong to the domain of a parent.

    Args:
        supplement: Rows of a supplemental dataset, n of them.
        parent: Rows of its parent; None where there are none.
        plan: Plan of the parent.
        name: Name of the supplemental dataset.

    Returns:
        Booleans, shape [n]; true where RDOMAIN is missing or there is no such column.

    Raises:
        UserError: The qualifiers are of several domains, and nothing says which is the parent's.
    """
    everyone = np.ones(len(supplement), bool)
    if RELATED_DOMAIN not in supplement.column_names:
        return everyone
    related = pc.utf8_upper(supplement[RELATED_DOMAIN])
    domains = set(plan.domains)
    if not plan.is_domain_declared and parent is not None and DOMAIN in parent.column_names:
        own = {str(code).upper() for code in pc.unique(parent[DOMAIN]).drop_null().to_pylist()}
        domains = own or domains
    if not domains:
        if len(pc.unique(related).drop_null()) > 1:
            raise UserError(
                f"Dataset {name}: its qualifiers are of several domains ({RELATED_DOMAIN}), and "
                f"nothing says which is that of dataset {plan.name}. Say it in the study file "
                f"(datasets.{plan.name}.domain)."
            )
        return everyone
    return _mask(pc.or_(pc.is_in(related, pa.array(sorted(domains))), pc.is_null(related)))


def reject_qualifiers(rows: RowFilter, supplement: pa.Table, parent: DatasetPlan) -> None:
    """Rejects the qualifiers that belong to no record.

    Args:
        rows: The rows of the supplemental dataset.
        supplement: The same rows, with the column `MATCHED`.
        parent: Plan of the parent.
    """
    variable = pc.fill_null(supplement["IDVAR"], "")
    known = pa.array(["", *parent.record_keys], pa.string())
    # A value of IDVARVAL without IDVAR names no record.
    dangling = pc.and_(pc.equal(variable, ""), pc.is_valid(supplement["IDVARVAL"]))
    rows.reject(_mask(pc.is_null(supplement["QNAM"])), "QNAM", RejectReason.NO_QUALIFIER_NAME)
    unknown = pc.or_(pc.invert(pc.is_in(variable, known)), dangling)
    rows.reject(_mask(unknown), "IDVAR", RejectReason.NO_SUCH_IDVAR)
    rows.reject(~_mask(supplement[MATCHED]), "IDVARVAL", RejectReason.NO_SUCH_RECORD)


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


def _in_order(supplements: Sequence[pa.Table]) -> pa.Table:
    """All qualifiers in the order in which the last one counts."""
    names = [SUBJECT, "IDVAR", "IDVARVAL", "QNAM", "QVAL", FILE, ROW]
    parts = [
        part.select(names).append_column(_SUPPLEMENT, pa.array(np.full(len(part), number)))
        for number, part in enumerate(supplements)
    ]
    order = [(_SUPPLEMENT, "ascending"), (FILE, "ascending"), (ROW, "ascending")]
    return pa.concat_tables(parts).sort_by(order).combine_chunks()


def _divided(
    supplements: Sequence[pa.Table], everything: pa.Table, matched: NDArray[np.bool_]
) -> list[pa.Table]:
    """The supplemental datasets, each sorted as `_in_order` does, with `MATCHED`."""
    number = everything[_SUPPLEMENT].to_numpy()
    order = [(FILE, "ascending"), (ROW, "ascending")]
    return [
        _with_matches(part.sort_by(order), matched[number == place])
        for place, part in enumerate(supplements)
    ]


def _with_matches(supplement: pa.Table, matched: NDArray[np.bool_]) -> pa.Table:
    return supplement.append_column(MATCHED, pa.array(matched, pa.bool_()))


def _with_columns(plan: DatasetPlan, table: pa.Table, values: Mapping[str, pa.Array]) -> pa.Table:
    for qualifier in plan.qualifiers:
        column = values.get(qualifier, pa.nulls(len(table), pa.string()))
        table = table.append_column(qualifier, column)
    return table


def _places(
    table: pa.Table, qualifiers: pa.Table, variable: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A number for each subject and value of a variable, of the records and of the qualifiers.

    Returns:
        int64, shapes [records] and [qualifiers]; -1 for what is of no place.
    """
    subjects = pc.unique(table[SUBJECT])
    of_records = _codes(table[SUBJECT], subjects)
    of_qualifiers = _codes(qualifiers[SUBJECT], subjects)
    is_asked = _mask(pc.equal(pc.fill_null(qualifiers["IDVAR"], ""), variable))
    if not variable:
        is_asked &= _mask(pc.is_null(qualifiers["IDVARVAL"]))
        return of_records, np.where(is_asked, of_qualifiers, -1)
    if not is_asked.any():
        return of_records, np.full(len(qualifiers), -1)
    column = table[variable].combine_chunks()
    is_number = pa.types.is_floating(column.type) or bool(NUMERIC_RECORD_KEY.fullmatch(variable))
    own = _comparable(as_text(column), is_number)
    named = _comparable(qualifiers["IDVARVAL"].combine_chunks(), is_number)
    values = pc.unique(own).drop_null()
    own_codes, named_codes = _codes(own, values), _codes(named, values)
    width = len(values) + 1
    return (
        np.where((of_records >= 0) & (own_codes >= 0), of_records * width + own_codes, -1),
        np.where(
            is_asked & (of_qualifiers >= 0) & (named_codes >= 0),
            of_qualifiers * width + named_codes,
            -1,
        ),
    )


def _codes(values: pa.Array | pa.ChunkedArray, known: pa.Array) -> NDArray[np.int64]:
    found = pc.fill_null(pc.index_in(_one_array(values), known, skip_nulls=True), -1)
    return np.asarray(found.to_numpy(zero_copy_only=False), np.int64)


def _comparable(texts: pa.Array, is_number: bool) -> pa.Array:
    """Text without outer blanks, numbers in their one way of being written."""
    trimmed = pc.utf8_trim_whitespace(texts)
    if not is_number:
        return trimmed
    encoded = trimmed.dictionary_encode()
    written = [_number_or_text(text) for text in encoded.dictionary.to_pylist()]
    return pa.array(written, pa.string()).take(encoded.indices)


def _number_or_text(text: str) -> str:
    try:
        return number_text(text)
    except ValueError:
        return text


def _last_values(
    qualifiers: pa.Table,
    chosen: NDArray[np.int64],
    of_qualifiers: NDArray[np.int64],
    of_records: NDArray[np.int64],
) -> pa.Array:
    """The last of the chosen qualifiers' values at each record's place."""
    places, last = np.unique(of_qualifiers[chosen][::-1], return_index=True)
    rows = chosen[::-1][last]
    near = np.minimum(np.searchsorted(places, of_records), len(places) - 1)
    absent = places[near] != of_records
    return qualifiers["QVAL"].combine_chunks().take(pa.array(rows[near], mask=absent))


def _mask(values: pa.Array | pa.ChunkedArray) -> NDArray[np.bool_]:
    found = pc.fill_null(_one_array(values), False)
    return np.array(found.to_numpy(zero_copy_only=False), bool)


def _one_array(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
