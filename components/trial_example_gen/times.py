"""Times to the endpoints of the researcher's analysis: to the event, or censored before it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.names import event_key, time_key
from pipeline.reading.evaluate import evaluate, is_true
from pipeline.reading.joined import JoinedRows, JoinedSubjects
from pipeline.study.sections import TimeToEvent
from pipeline.study.study import Study


def derive_times(study: Study, subjects: JoinedSubjects) -> dict[str, pa.Array]:
    """Derives time and event of every endpoint.

    Args:
        study: The study.
        subjects: Joined subjects, n of them.

    Returns:
        Two columns of float64 for each endpoint, shape [n], null where the subject has no row,
        or its row no time that is 0 or later, or it is unknown whether the event happened, or a
        rejected row may say something earlier.
    """
    columns = {}
    for name, endpoint in study.analysis.time_to_event.items():
        time, event = _times(study, endpoint, subjects)
        columns[time_key(name)] = pa.array(time, pa.float64(), from_pandas=True)
        columns[event_key(name)] = pa.array(event, pa.float64(), from_pandas=True)
    return columns


def _times(
    study: Study, endpoint: TimeToEvent, subjects: JoinedSubjects
) -> tuple[NDArray[Any], NDArray[Any]]:
    dataset = endpoint.dataset or study.subject.dataset
    rows = subjects.rows[dataset]
    rows = rows.filter(np.array(is_true(endpoint.where, rows.table), bool))
    happened = pc.cast(evaluate(endpoint.event, rows.table), pa.float64())
    event = happened.to_numpy()
    time = rows.table[endpoint.time].to_numpy()
    usable = np.flatnonzero((time >= 0) & ~np.isnan(event))
    # Of several rows the earliest counts, of equal times the event: it is assigned last.
    order = usable[np.lexsort((event[usable], -time[usable]))]
    times = np.full(len(subjects.keys), np.nan)
    events = times.copy()
    times[rows.subject[order]] = time[order]
    events[rows.subject[order]] = event[order]
    lost = subjects.lost_rows(dataset, endpoint.where, endpoint.event)
    if lost is not None:
        unknown = _may_be_earlier(endpoint, lost, times)
        times[unknown] = events[unknown] = np.nan
    return times, events


def _may_be_earlier(
    endpoint: TimeToEvent, lost: JoinedRows, times: NDArray[Any]
) -> NDArray[np.bool_]:
    """Subjects of whom a rejected row may hold a time that counts before theirs, shape [n]."""
    may_count = pc.fill_null(evaluate(endpoint.where, lost.table), True).to_numpy()
    time = lost.table[endpoint.time].to_numpy()
    outside = (time < 0) | (time > times[lost.subject])
    found = lost.subject[may_count & ~outside]
    return np.bincount(found, minlength=len(times)).astype(bool)
