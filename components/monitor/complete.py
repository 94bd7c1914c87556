"""From which data cut on an outcome counts: the first one after the subject's follow-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.names import SUBJECT_HASH
from pipeline.predictions.outcomes import RECORDED_AT
from pipeline.predictions.rows import PREDICTED_AT, TASK
from pipeline.predictions.scored_outcomes import FIRST_RECORDED_AT

COUNTED_SINCE = "counted_since"

_MICROSECONDS_OF_A_DAY = 86_400_000_000


def complete(known: pa.Table, outcomes: Sequence[pa.Table], days: Mapping[str, int]) -> pa.Table:
    """Those of the known outcomes that count, whether the subject had the event or not.

    An event is known when it happens, its absence at the horizon alone: counted as soon as they
    are known, the newest subjects would be events alone. So both wait for the first cut that was
    recorded after the day of the horizon; counted from the day of the prediction, since the log
    does not have that of the landmark. Which cut it is does not change with later ones.

    Args:
        known: Rows of the schema `SCORED_ROWS` with an outcome.
        outcomes: All outcomes of their subjects, of the schema `OUTCOME_ROWS`.
        days: Days from landmark to horizon, by task; a task without a horizon is not among them,
            and its outcomes count from the first cut that has them.

    Returns:
        The rows that count, with the moment of the cut in `counted_since`.
    """
    predicted, recorded = (_moments(known, name) for name in (PREDICTED_AT, FIRST_RECORDED_AT))
    tasks = known[TASK].to_pylist()
    # The day of the horizon still counts.
    wait = np.array([days.get(task, -1) + 1 for task in tasks], np.int64)
    followed = (predicted // _MICROSECONDS_OF_A_DAY + wait) * _MICROSECONDS_OF_A_DAY
    earliest = np.where(wait > 0, np.maximum(recorded, followed), recorded)
    names = [TASK, SUBJECT_HASH]
    rows = pd.DataFrame({**{name: known[name].to_pylist() for name in names}, "since": earliest})
    rows["place"] = np.arange(len(rows))
    cuts = rows.merge(_cuts(outcomes), on=names)
    found = cuts[cuts["cut"] >= cuts["since"]].groupby("place")["cut"].min()
    counted = known.take(pa.array(found.index.to_numpy(), pa.int64()))
    moments = pa.array(found.to_numpy(), pa.int64()).cast(pa.timestamp("us", "UTC"))
    return counted.append_column(COUNTED_SINCE, moments).combine_chunks()


def _cuts(outcomes: Sequence[pa.Table]) -> pd.DataFrame:
    """When the cuts with each subject and task were recorded."""
    rows = pa.concat_tables(outcomes)
    columns = {name: rows[name].to_pylist() for name in (TASK, SUBJECT_HASH)}
    return pd.DataFrame({**columns, "cut": _moments(rows, RECORDED_AT)}).drop_duplicates()


def _moments(rows: pa.Table, name: str) -> np.ndarray:  # type: ignore[type-arg]
    return rows[name].cast(pa.int64()).to_numpy()
