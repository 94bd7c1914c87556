"""Computes the sums of one bucket of subjects from their rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.trial_summary.sums import ANY, UNKNOWN, Moments, Progress, Sums
from components.trial_summary.unknown import Unknown, find_unknown
from components.trial_summary.uses import enrolment_column, expected_columns, summed_rows
from pipeline.reading.buckets import SUBJECT
from pipeline.reading.days import LATEST
from pipeline.reading.evaluate import is_true
from pipeline.reading.joined import JoinedSubjects
from pipeline.reading.text import as_text
from pipeline.results.trial_progress import COMPLETED
from pipeline.study.conditions import Condition
from pipeline.study.sections import AdverseEvents, Disposition, Visits
from pipeline.study.study import Study

_ARM = "#arm"
_SITE = "#site"
_RANK = "#rank"


def sum_up(study: Study, subjects: JoinedSubjects) -> Progress:
    """Computes the sums of the subjects of one bucket.

    Args:
        study: The study.
        subjects: Enrolled subjects whose own row is used, with their rows.

    Returns:
        Their sums; empty without subjects.
    """
    progress = Progress(treated=Sums() if study.summary.safety else None)
    progress.qualifiers.update(
        {key: number for key, number in subjects.counts.items() if key[0] == "qualifiers"}
    )
    if not subjects.keys:
        return progress
    tables = {name: rows.table for name, rows in subjects.rows.items() if len(rows.table)}
    name = study.subject.dataset
    rows = tables[name]
    rows = rows.append_column(_ARM, _joined(rows, study.arm.columns if study.arm else ()))
    rows = rows.append_column(_SITE, _joined(rows, (study.site.column,) if study.site else ()))
    unknown = find_unknown(study, subjects)
    progress.enrolled = _sums(study, tables | {name: rows}, unknown)
    if progress.treated is not None:
        treated = rows.filter(pa.array(is_true(study.summary.safety, rows)))
        progress.treated = _sums(study, tables | {name: treated}, unknown)
    for endpoint, visits in study.summary.endpoints.items():
        progress.visit_order |= _visit_order(endpoint, visits, tables.get(visits.dataset))
    return progress


def _joined(rows: pa.Table, columns: tuple[str, ...]) -> pa.Array:
    """Values of columns joined by `/`; `UNKNOWN` if one is missing or there is no column."""
    if not columns:
        return pa.array([UNKNOWN] * rows.num_rows, pa.string())
    texts = [as_text(rows[column].combine_chunks()) for column in columns]
    return pc.fill_null(pc.binary_join_element_wise(*texts, "/"), UNKNOWN)


def _sums(study: Study, tables: Mapping[str, pa.Table], unknown: Unknown) -> Sums:
    sums = Sums()
    subjects = _subjects(study, tables[study.subject.dataset])
    sums.arms = _count(subjects, [_ARM])
    subjects["#month"] = _months(study, subjects)
    sums.enrolled = _count(subjects, [_SITE, "#month"])
    for what, column in study.summary.exposure.items():
        for arm, of_arm in subjects.groupby(_ARM):
            known = of_arm[column].dropna().to_numpy(np.float64)
            if len(known):
                sums.exposure[str(arm), what] = Moments.of(known)
    # Adverse events and visits of several endpoints use the same rows.
    rows_of = cache(lambda dataset: _rows(tables, dataset, subjects))
    summary = study.summary
    if summary.disposition:
        rows = rows_of(summary.disposition.dataset or study.subject.dataset)
        sums.dispositions = _dispositions(summary.disposition, rows, subjects, unknown)
    if summary.adverse_events:
        rows = rows_of(summary.adverse_events.dataset)
        if unknown.events:
            sums.events_unknown = _count(subjects[subjects.index.isin(unknown.events)], [_ARM])
            if rows is not None:
                left = pc.is_in(rows[SUBJECT], pa.array(sorted(unknown.events)))
                rows = rows.filter(pc.invert(left))
        sums.events = _events(summary.adverse_events, rows)
    for name, visits in summary.endpoints.items():
        _add_visits(name, visits, rows_of(visits.dataset), unknown, sums)
    for dataset, columns in expected_columns(study).items():
        wanted = summed_rows(study, dataset)
        _add_completeness(dataset, columns, _meeting(rows_of(dataset), wanted), sums)
    return sums


def _subjects(study: Study, rows: pa.Table) -> pd.DataFrame:
    """Subjects by key, with arm, site, dates of enrolment and exposures."""
    enrolment = enrolment_column(study)
    dates = (enrolment, enrolment + LATEST) if enrolment else ()
    columns = dict.fromkeys([SUBJECT, _ARM, _SITE, *dates, *study.summary.exposure.values()])
    return rows.select(list(columns)).to_pandas().set_index(SUBJECT)


def _rows(tables: Mapping[str, pa.Table], dataset: str, subjects: pd.DataFrame) -> pa.Table | None:
    """Rows of a dataset of these subjects, each with its subject's arm and site."""
    table = tables.get(dataset)
    if table is None:
        return None
    keys = table[SUBJECT].to_pandas()
    inside = keys.isin(subjects.index).to_numpy()
    table = table.filter(pa.array(inside))
    of_row = subjects.reindex(keys[inside])
    for name in (_ARM, _SITE):
        column = pa.array(of_row[name].to_numpy(), pa.string())
        if name in table.column_names:
            table = table.drop([name])
        table = table.append_column(name, column)
    return table


def _frame(
    rows: pa.Table,
    where: Condition | None,
    categories: Sequence[str | None],
    numbers: Sequence[str | None] = (),
) -> pd.DataFrame:
    """Subject, arm and columns of the rows that meet a condition; categories as text."""
    kept = rows.filter(pa.array(is_true(where, rows)))
    columns = dict.fromkeys([SUBJECT, _ARM, *filter(None, (*categories, *numbers))])
    frame = kept.select([name for name in columns if name in kept.column_names]).to_pandas()
    for name in filter(None, categories):
        frame[name] = as_text(kept[name].combine_chunks()).to_pandas()
    return frame


def _count(frame: pd.DataFrame, columns: list[str]) -> Counter[Any]:
    """Rows by the values of columns, none of which is missing."""
    sizes = frame.groupby(columns, sort=False).size()
    return Counter({key: int(number) for key, number in sizes.items()})


def _months(study: Study, subjects: pd.DataFrame) -> pd.Series[Any] | str:
    """Months of enrolment; `UNKNOWN` if the date is missing or lacks the month."""
    column = enrolment_column(study)
    if column is None:
        return UNKNOWN
    ends = [
        pd.to_datetime(subjects[name], unit="D", errors="coerce").dt.strftime("%Y-%m")
        for name in (column, column + LATEST)
    ]
    return ends[0].where(ends[0] == ends[1], UNKNOWN)


def _dispositions(
    described: Disposition, rows: pa.Table | None, subjects: pd.DataFrame, unknown: Unknown
) -> Counter[tuple[str, str]]:
    reasons = pd.Series(UNKNOWN, subjects.index)
    if rows is not None:
        frame = _frame(rows, described.where, [described.column])
        recorded = frame.dropna(subset=[described.column]).groupby(SUBJECT)[described.column]
        agreed = recorded.first()[recorded.nunique() == 1]
        doubted = [key for key, text in unknown.dispositions if agreed.get(key) != text]
        agreed = agreed[~agreed.index.isin(doubted)]
        [completed] = as_text(pa.array([described.completed])).to_pylist()
        reasons.update(agreed.mask(agreed == completed, COMPLETED))
    return _count(subjects.assign(reason=reasons), [_ARM, "reason"])


def _events(described: AdverseEvents, rows: pa.Table | None) -> Counter[tuple[str, str, str]]:
    found: Counter[tuple[str, str, str]] = Counter()
    if rows is None:
        return found
    frame = _frame(rows, described.where, [described.category, described.severity])
    ranks = {name: rank for rank, name in enumerate(described.severities)}
    frame[_RANK] = frame[described.severity].map(ranks).fillna(-1) if described.severity else -1
    worst = frame.groupby([SUBJECT, _ARM], sort=False)[_RANK].max().reset_index()
    _add_worst(worst.assign(category=ANY), described, found)
    if described.category:
        classed = frame.dropna(subset=[described.category])
        classed = classed.assign(category=classed[described.category])
        by_class = classed.groupby([SUBJECT, _ARM, "category"], sort=False)[_RANK].max()
        _add_worst(by_class.reset_index(), described, found)
    return found


def _add_worst(
    worst: pd.DataFrame, described: AdverseEvents, found: Counter[tuple[str, str, str]]
) -> None:
    names = dict(enumerate(described.severities)) | {-1: UNKNOWN}
    counted = _count(worst, [_ARM, "category", _RANK])
    for (arm, category, rank), number in counted.items():
        found[arm, category, names[int(rank)]] += number


def _add_visits(
    name: str, visits: Visits, rows: pa.Table | None, unknown: Unknown, sums: Sums
) -> None:
    if rows is None:
        return
    frame = _frame(rows, visits.where, [visits.visit], [visits.value])
    known = frame.dropna(subset=[visits.visit, visits.value])
    known = known.assign(visit=known[visits.visit])
    known = known[~_is_doubted(known, unknown.visits[name])]
    of_subject = known.groupby([SUBJECT, _ARM, "visit"], sort=False)[visits.value].mean()
    for (arm, visit), values in of_subject.groupby([_ARM, "visit"], sort=False):
        sums.visits[str(arm), name, str(visit)] = Moments.of(values.to_numpy(np.float64))


def _is_doubted(known: pd.DataFrame, lost: frozenset[tuple[str, str | None]]) -> NDArray[np.bool_]:
    """Measurements of subjects and visits of which a rejected row may be one, too."""
    of_visit = pd.MultiIndex.from_frame(known[[SUBJECT, "visit"]])
    anywhere = [key for key, visit in lost if visit is None]
    return np.asarray(of_visit.isin(list(lost)) | known[SUBJECT].isin(anywhere), bool)


def _visit_order(
    endpoint: str, visits: Visits, rows: pa.Table | None
) -> dict[tuple[str, str], float]:
    if rows is None or visits.order is None:
        return {}
    frame = _frame(rows, visits.where, [visits.visit], [visits.order])
    ordered = frame.dropna(subset=[visits.visit, visits.order])
    first = ordered.groupby(visits.visit)[visits.order].min()
    return {(endpoint, str(visit)): float(order) for visit, order in first.items()}


def _meeting(rows: pa.Table | None, wanted: Sequence[Condition] | None) -> pa.Table | None:
    """Rows that meet one of the conditions; all rows without conditions."""
    if rows is None or wanted is None:
        return rows
    keep = np.zeros(len(rows), bool)
    for condition in wanted:
        keep |= is_true(condition, rows)
    return rows.filter(pa.array(keep)) if keep.any() else None


def _add_completeness(
    dataset: str, columns: tuple[str, ...], rows: pa.Table | None, sums: Sums
) -> None:
    if rows is None or not columns:
        return
    sums.with_rows[dataset] += pc.count_distinct(rows[SUBJECT]).as_py()
    present = np.zeros(len(rows), np.int64)
    for column in columns:
        present += np.asarray(pc.is_valid(rows[column]))
    of_site = pd.Series(present).groupby(rows[_SITE].to_pandas())
    for site, number in of_site.size().items():
        sums.expected[dataset, str(site)] += int(number) * len(columns)
    for site, number in of_site.sum().items():
        sums.present[dataset, str(site)] += int(number)
