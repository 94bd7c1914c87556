"""The rows of the prediction log: one for each subject and task.

This is the one place that makes them, for all writers and for all that they are kept in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa

from pipeline.names import SUBJECT_HASH
from pipeline.results.scored_file import FLAGS, INPUTS, MODEL
from pipeline.results.uncertainty import LOWER, UPPER, is_part, output_name
from pipeline.skew.bins import BINNED

PREDICTED_AT = "predicted_at"
STUDY = "study"
TASK = "task"
SOURCE = "source"
RUN = "run"
PREDICTION = "prediction"

SCORE: Literal["score"] = "score"
SERVE: Literal["serve"] = "serve"

ROWS = pa.schema(
    [
        (PREDICTED_AT, pa.timestamp("us", "UTC")),
        (STUDY, pa.string()),
        (TASK, pa.string()),
        (MODEL, pa.string()),
        (SOURCE, pa.string()),
        (RUN, pa.string()),
        (SUBJECT_HASH, pa.string()),
        (PREDICTION, pa.float32()),
        (LOWER, pa.float32()),
        (UPPER, pa.float32()),
        (FLAGS, pa.list_(pa.string())),
        (INPUTS, BINNED),
    ]
)
"""Columns of the log:

- `predicted_at`: when it was predicted;
- `study`, `task`, `model`: of what, and by which registration;
- `source`, `run`: `score` and the id of the run, or `serve` and the id of the service's process;
- `subject_hash`: the pseudonym; null where the caller gave none;
- `prediction`, `lower`, `upper`: with its interval; null where there is none, or the subject was
  refused;
- `flags`: as the file of a batch scoring has them;
- `inputs`: bin of each feature, see `pipeline.skew.bins`.
"""


@dataclass(frozen=True)
class Occasion:
    """What rows that are written together have in common.

    Attributes:
        study: Name of the study.
        source: Who predicted: `score` or `serve`.
        run: Id of the run, or of the service's process.
    """

    study: str
    source: Literal["score", "serve"]
    run: str


def log_rows(occasion: Occasion, scored: pa.Table, predicted_at: datetime | pa.Array) -> pa.Table:
    """Rows of the log.

    Args:
        occasion: What the rows have in common.
        scored: Columns `subject_hash`, `flags`, `model`, `inputs` and the outputs of a model's
            signature, as `pipeline.results.scored_file` has them, `[n]`.
        predicted_at: When all were predicted, or each, `[n]`.

    Returns:
        Of the schema `ROWS`, n for each task.
    """
    common = [SUBJECT_HASH, FLAGS, MODEL, INPUTS]
    outputs = [name for name in scored.schema.names if name not in common]
    n = len(scored)
    if isinstance(predicted_at, datetime):
        predicted_at = pa.array([predicted_at] * n, ROWS.field(PREDICTED_AT).type)
    texts = {STUDY: occasion.study, SOURCE: occasion.source, RUN: occasion.run}
    shared: dict[str, Any] = {
        PREDICTED_AT: predicted_at,
        **{name: pa.array([text] * n, pa.string()) for name, text in texts.items()},
        **{name: scored[name] for name in common},
    }
    tables = [ROWS.empty_table()]
    for task in (name for name in outputs if not is_part(name)):
        own = {
            TASK: pa.array([task] * n, pa.string()),
            PREDICTION: scored[task],
            **{end: _end(scored, task, end) for end in (LOWER, UPPER)},
        }
        columns = shared | own
        tables.append(pa.table([columns[name] for name in ROWS.names], ROWS.names).cast(ROWS))
    return pa.concat_tables(tables).combine_chunks()


def _end(scored: pa.Table, task: str, end: str) -> pa.Array | pa.ChunkedArray:
    name = output_name(task, end)
    if name in scored.schema.names:
        return scored[name]
    return pa.nulls(len(scored), pa.float32())
