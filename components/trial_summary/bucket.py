"""One bucket of subjects: from their rows to sums.

Keys of counts: `subjects`; `arm`, arm; `site`, site; `month`, month; `site_month`, site, month;
`disposition`, arm, category; `event`, arm; `event_category`, arm, category; `event_severity`, arm,
worst severity; `values`, site, dataset and `present`, site, dataset. Keys of moments: `exposure`,
arm, what; `endpoint`, endpoint, arm, visit. An event or value counts where the subject's arm is
known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from components.trial_summary.plan import completeness_columns, enrolment_column, supplement_of
from components.trial_summary.sums import Sums
from pipeline.reading.buckets import SUBJECT
from pipeline.reading.evaluate import is_true
from pipeline.study import Study, Visits
from pipeline.trial_progress import COMPLETED

_UNKNOWN = ""


def summarise_bucket(
    study: Study, tables: Mapping[str, pa.Table], qualifiers: Sequence[str] = ()
) -> Sums:
    """Sums up the subjects of one bucket.

    Args:
        study: The study.
        tables: All rows of these subjects by dataset, with the column `SUBJECT`; dates as days
            since 1970-01-01, float64.
        qualifiers: Columns of the subject dataset that its supplemental dataset holds.

    Returns:
        Their sums; empty without subjects.
    """
    sums = Sums()
    rows = tables.get(study.subject.dataset)
    if rows is None:
        return sums
    supplement = supplement_of(study, study.subject.dataset)
    rows = _with_qualifiers(rows, tables.get(supplement) if supplement else None, qualifiers)
    subjects = _subjects(study, rows)
    _count_subjects(study, subjects, sums)
    _count_completeness(study, subjects, sums)
    arms = subjects.set_index(SUBJECT)["#arm"]
    arms = arms[arms != _UNKNOWN]
    _count_events(study, tables, arms, sums)
    for name, visits in study.summary.endpoints.items():
        _add_visits(name, visits, tables.get(visits.dataset), arms, sums)
    return sums


def _with_qualifiers(
    rows: pa.Table, supplement: pa.Table | None, qualifiers: Sequence[str]
) -> pa.Table:
    """Subjects with their supplemental qualifiers as columns of text."""
    empty: dict[str, str] = {}
    for name in qualifiers:
        values = empty
        if supplement is not None:
            of_name = supplement.filter(pc.equal(supplement["QNAM"], name))
            pairs = zip(of_name[SUBJECT].to_pylist(), of_name["QVAL"].to_pylist(), strict=True)
            values = dict(pairs)
        column = [values.get(key) for key in rows[SUBJECT].to_pylist()]
        rows = rows.append_column(name, pa.array(column, pa.string()))
    return rows


def _subjects(study: Study, rows: pa.Table) -> pd.DataFrame:
    """Subjects of the population, one row each, with `#arm` and `#site`."""
    kept = rows.filter(pa.array(is_true(study.population, rows)))
    frame = kept.to_pandas().drop_duplicates(SUBJECT)
    frame["#arm"] = _joined(frame, study.arm.columns if study.arm else ())
    frame["#site"] = _joined(frame, (study.site.column,) if study.site else ())
    return frame


def _joined(frame: pd.DataFrame, columns: tuple[str, ...]) -> Any:
    if not columns:
        return _UNKNOWN
    known = frame[list(columns)].notna().all(axis=1)
    text = frame[list(columns)].astype(str).agg("/".join, axis=1)
    return text.where(known, _UNKNOWN)


def _count_subjects(study: Study, subjects: pd.DataFrame, sums: Sums) -> None:
    sums.counts["subjects",] += len(subjects)
    _count(sums, "arm", subjects["#arm"])
    _count(sums, "site", subjects["#site"])
    column = enrolment_column(study)
    if column:
        months = pd.to_datetime(subjects[column], unit="D", errors="coerce").dt.strftime("%Y-%m")
        dated = months.notna()
        _count(sums, "month", months[dated])
        _count(sums, "site_month", subjects["#site"][dated], months[dated])
    disposition = study.summary.disposition
    if disposition:
        reasons = subjects[disposition.column].fillna(_UNKNOWN).astype(str)
        reasons = reasons.mask(reasons == str(disposition.completed), COMPLETED)
        _count(sums, "disposition", subjects["#arm"], reasons)
    for what, name in study.summary.exposure.items():
        for arm in subjects["#arm"].unique():
            values = subjects[name][subjects["#arm"] == arm]
            sums.add_values(("exposure", str(arm), what), _numbers(values))


def _count(sums: Sums, kind: str, *columns: pd.Series) -> None:
    """Counts rows by the values of columns, none of them missing."""
    for values in zip(*columns, strict=True):
        sums.counts[(kind, *map(str, values))] += 1


def _count_completeness(study: Study, subjects: pd.DataFrame, sums: Sums) -> None:
    columns = list(completeness_columns(study))
    dataset = study.subject.dataset
    for name in subjects["#site"].unique():
        site = str(name)
        present = subjects.loc[subjects["#site"] == name, columns].notna().to_numpy()
        sums.counts["values", site, dataset] += present.size
        sums.counts["present", site, dataset] += int(present.sum())


def _count_events(
    study: Study, tables: Mapping[str, pa.Table], arms: pd.Series, sums: Sums
) -> None:
    described = study.summary.adverse_events
    rows = tables.get(described.dataset) if described else None
    if described is None or rows is None:
        return
    frame = rows.filter(pa.array(is_true(described.where, rows))).to_pandas()
    frame = frame[frame[SUBJECT].isin(arms.index)]
    frame["#arm"] = arms.reindex(frame[SUBJECT]).to_numpy()
    _count(sums, "event", frame.drop_duplicates(SUBJECT)["#arm"])
    if described.category:
        of_category = frame.dropna(subset=[described.category])
        once = of_category.drop_duplicates([SUBJECT, described.category])
        _count(sums, "event_category", once["#arm"], once[described.category])
    if described.severity:
        rank = {name: place for place, name in enumerate(described.severities)}
        frame["#rank"] = frame[described.severity].map(rank)
        ranked = frame.dropna(subset=["#rank"]).sort_values("#rank", kind="stable")
        worst = ranked.drop_duplicates(SUBJECT, keep="last")
        _count(sums, "event_severity", worst["#arm"], worst[described.severity])


def _add_visits(
    name: str, visits: Visits, rows: pa.Table | None, arms: pd.Series, sums: Sums
) -> None:
    if rows is None:
        return
    frame = rows.filter(pa.array(is_true(visits.where, rows))).to_pandas()
    frame = frame[frame[SUBJECT].isin(arms.index)].dropna(subset=[visits.visit, visits.value])
    # A subject has one value a visit; of several the first counts.
    frame = frame.drop_duplicates([SUBJECT, visits.visit])
    frame["#arm"] = arms.reindex(frame[SUBJECT]).to_numpy()
    for arm, visit in set(zip(frame["#arm"], frame[visits.visit], strict=True)):
        values = frame[visits.value][(frame["#arm"] == arm) & (frame[visits.visit] == visit)]
        sums.add_values(("endpoint", name, str(arm), str(visit)), _numbers(values))
    if visits.order:
        ordered = frame.dropna(subset=[visits.order])
        for visit, order in zip(ordered[visits.visit], ordered[visits.order], strict=True):
            sums.add_order(("endpoint", name, str(visit)), float(order))


def _numbers(values: pd.Series) -> np.ndarray:
    found = pd.to_numeric(values, errors="coerce").to_numpy(np.float64)
    return found[np.isfinite(found)]
