"""Predictions beside what became known later: the join that performance is measured on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.names import SUBJECT_HASH
from pipeline.predictions.outcomes import (
    CUT,
    KNOWN_AT,
    OBSERVED,
    OUTCOME,
    OUTCOME_ROWS,
    RECORDED_AT,
    STATUS,
    WEIGHT,
)
from pipeline.predictions.rows import PREDICTED_AT, PREDICTION, ROWS, RUN, SOURCE, STUDY, TASK
from pipeline.results.scored_file import FLAGS, INPUTS, MODEL
from pipeline.results.uncertainty import LOWER, UPPER

FIRST_RECORDED_AT = "first_recorded_at"

AFTER = "after"
"""Status of a prediction that was made when the outcome was known: it is not scored."""

_OF_PREDICTIONS = (
    *(TASK, MODEL, SOURCE, SUBJECT_HASH, PREDICTED_AT),
    *(PREDICTION, LOWER, UPPER, FLAGS, INPUTS),
)
_TIME = pa.timestamp("us", "UTC")

SCORED_ROWS = pa.schema(
    [
        *(ROWS.field(name) for name in _OF_PREDICTIONS),
        *(OUTCOME_ROWS.field(name) for name in (OUTCOME, STATUS, WEIGHT, KNOWN_AT)),
        (FIRST_RECORDED_AT, _TIME),
    ]
)
"""Columns of the join, one row for each subject, task and model:

- those of the prediction;
- `outcome`: null unless the status is `observed`: only such a row is scored;
- `status`: of the newest cut: `observed`, `censored`, `unknown`; `after` where the prediction was
  made when the outcome was known; null where no cut has the subject;
- `weight`: of the newest cut; 0 unless the status is `observed`;
- `known_at`, `first_recorded_at`: since when the outcome was known, and when the first cut that
  has it was recorded; null unless it is known.
"""

_KEY = [STUDY, TASK, SUBJECT_HASH]


@dataclass(frozen=True)
class ScoredOutcomes:
    """The join, and what it leaves out.

    Attributes:
        rows: Of the schema `SCORED_ROWS`, in the order of their predictions.
        repeated: Predictions of a subject, task and model that were made before.
        refused: Predictions without a number: the subject was refused.
        nameless: Predictions without a pseudonym.
    """

    rows: pa.Table
    repeated: int
    refused: int
    nameless: int


def scored_outcomes(
    predictions: Iterable[pa.Table], outcomes: Iterable[pa.Table]
) -> ScoredOutcomes:
    """Joins the predictions of a study with its outcomes.

    Of a subject, task and model the first prediction counts, so that what was counted once does
    not change. It is scored only where it was made before any cut says that the outcome was known.

    Args:
        predictions: Of the schema `ROWS`.
        outcomes: Of the schema `OUTCOME_ROWS`.
    """
    predicted = pa.concat_tables([ROWS.empty_table(), *predictions]).combine_chunks()
    named = predicted.filter(pc.is_valid(predicted[SUBJECT_HASH]))
    numbered = named.filter(pc.is_valid(named[PREDICTION])).combine_chunks()
    first = numbered.take(pa.array(_first(numbered), pa.int64())).combine_chunks()
    known = _known(pa.concat_tables([OUTCOME_ROWS.empty_table(), *outcomes]))
    found = _frame(first, [*_KEY, PREDICTED_AT]).merge(known, "left", _KEY)
    is_after = ((found[STATUS] == OBSERVED) & (found[PREDICTED_AT] >= found[KNOWN_AT])).to_numpy()
    status = np.where(is_after, AFTER, found[STATUS].to_numpy(object))
    is_scored = status == OBSERVED
    has_time = found[KNOWN_AT].notna().to_numpy() & (is_scored | is_after)
    own: dict[str, pa.Array] = {
        OUTCOME: pa.array(found[OUTCOME].to_numpy(), pa.int8(), mask=~is_scored, safe=False),
        STATUS: pa.array(status, pa.string(), from_pandas=True),
        WEIGHT: pa.array(np.where(is_scored, found[WEIGHT], 0).astype(np.float32)),
        **{name: _times(found[name], has_time) for name in (KNOWN_AT, FIRST_RECORDED_AT)},
    }
    columns = [first[name] for name in _OF_PREDICTIONS]
    return ScoredOutcomes(
        rows=pa.table([*columns, *own.values()], SCORED_ROWS.names).cast(SCORED_ROWS),
        repeated=len(numbered) - len(first),
        refused=len(named) - len(numbered),
        nameless=len(predicted) - len(named),
    )


def _first(numbered: pa.Table) -> list[int]:
    """Places of the first prediction of each subject, task and model, by time."""
    frame = _frame(numbered, [*_KEY, MODEL, PREDICTED_AT, SOURCE, RUN])
    ordered = frame.sort_values([PREDICTED_AT, SOURCE, RUN, *_KEY, MODEL], kind="stable")
    return ordered.drop_duplicates([*_KEY, MODEL]).index.to_list()


def _known(outcomes: pa.Table) -> pd.DataFrame:
    """What is known of each subject and task, from all cuts.

    What the newest cut says counts. The outcome was known since the earliest moment that any cut
    names: where a study has no dates that is when a cut was recorded, and each later cut would
    make it later.
    """
    frame = _frame(outcomes, OUTCOME_ROWS.names).sort_values([RECORDED_AT, CUT], kind="stable")
    observed = frame[frame[STATUS] == OBSERVED].groupby(_KEY, as_index=False)
    times = observed.agg({KNOWN_AT: "min", RECORDED_AT: "min"})
    times = times.rename(columns={RECORDED_AT: FIRST_RECORDED_AT})
    newest = frame.drop_duplicates(_KEY, keep="last")
    return newest.drop(columns=[KNOWN_AT, RECORDED_AT, CUT]).merge(times, "left", _KEY)


def _frame(table: pa.Table, names: list[str]) -> pd.DataFrame:
    """Columns of a table as pandas has them; times as microseconds since 1970."""
    columns: dict[str, Any] = {}
    for name in names:
        column = table[name]
        if pa.types.is_timestamp(column.type):
            columns[name] = column.cast(pa.int64()).to_numpy()
        elif pa.types.is_string(column.type):
            columns[name] = np.array(column.to_pylist(), object)
        else:
            columns[name] = column.to_numpy().astype(np.float64)
    return pd.DataFrame(columns)


def _times(found: pd.Series[Any], has_time: Any) -> pa.Array:
    times = np.where(has_time, found.to_numpy(np.float64, na_value=0), 0).astype(np.int64)
    return pa.array(times, pa.int64(), mask=~has_time).cast(_TIME)
