"""What the summary does not know of subjects, since one of their rows was rejected.

A rejected row could have said something else than the used ones, unless what is readable of it
shows otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow.compute as pc

from pipeline.reading.buckets import SUBJECT
from pipeline.reading.evaluate import evaluate
from pipeline.reading.joined import JoinedSubjects
from pipeline.reading.text import as_text
from pipeline.study.conditions import Condition
from pipeline.study.sections import Visits
from pipeline.study.study import Study

_Cell = str | None


@dataclass(frozen=True)
class Unknown:
    """What rejected rows leave unknown.

    Attributes:
        events: Keys of the subjects of whom a rejected row may be an adverse event, or say what
            one was.
        dispositions: (key, reason) of each rejected row that may be a disposition; None where the
            reason can't be read.
        visits: By endpoint (key, visit) of each rejected row that may be a measurement; None where
            the visit can't be read.
    """

    events: frozenset[str] = frozenset()
    dispositions: frozenset[tuple[str, _Cell]] = frozenset()
    visits: dict[str, frozenset[tuple[str, _Cell]]] = field(default_factory=dict)


def find_unknown(study: Study, subjects: JoinedSubjects) -> Unknown:
    """Finds what the rejected rows of subjects leave unknown in the summary."""
    return Unknown(
        _events(study, subjects),
        _dispositions(study, subjects),
        {name: _measurements(visits, subjects) for name, visits in study.summary.endpoints.items()},
    )


def _events(study: Study, subjects: JoinedSubjects) -> frozenset[str]:
    described = study.summary.adverse_events
    if described is None:
        return frozenset()
    shown = filter(None, (described.category, described.severity))
    values = [Condition(column=column, present=True) for column in shown]
    lost = subjects.lost_rows(described.dataset, described.where, *values)
    if lost is None:
        return frozenset()
    may_be = pc.fill_null(evaluate(described.where, lost.table), True)
    return frozenset(lost.table[SUBJECT].filter(may_be).to_pylist())


def _dispositions(study: Study, subjects: JoinedSubjects) -> frozenset[tuple[str, _Cell]]:
    described = study.summary.disposition
    if described is None:
        return frozenset()
    dataset = described.dataset or study.subject.dataset
    return _lost(subjects, dataset, described.where, [described.column], described.column)


def _measurements(visits: Visits, subjects: JoinedSubjects) -> frozenset[tuple[str, _Cell]]:
    needed = [visits.value, visits.visit]
    return _lost(subjects, visits.dataset, visits.where, needed, visits.visit)


def _lost(
    subjects: JoinedSubjects,
    dataset: str,
    where: Condition | None,
    needed: Iterable[str],
    told: str,
) -> frozenset[tuple[str, _Cell]]:
    """Key and a column's text of rows that may meet a condition and have all values they need."""
    present = [Condition(column=column, present=True) for column in needed]
    lost = subjects.lost_rows(dataset, where, *present)
    if lost is None:
        return frozenset()
    counts = Condition(all=(*([where] if where else []), *present))
    may_count = pc.fill_null(evaluate(counts, lost.table), True)
    rows = lost.table.filter(may_count)
    texts = as_text(rows[told].combine_chunks()).to_pylist()
    return frozenset(zip(rows[SUBJECT].to_pylist(), texts, strict=True))
