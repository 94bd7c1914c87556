"""Rows of a prediction log as a scoring writes them, and of the outcomes of a data cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.predictions.outcomes import OUTCOME_ROWS
from pipeline.predictions.rows import ROWS

MARCH = datetime(2026, 3, 10, tzinfo=UTC)
CHAMPION, CHALLENGER = "c" * 16, "d" * 16


def predictions(
    values: Sequence[float] | NDArray[np.float64],
    inputs: Sequence[Mapping[str, str | None]] | Mapping[str, str | None],
    at: datetime = MARCH,
    *,
    model: str = CHAMPION,
    task: str = "death",
    first: int = 0,
    study: str = "pilot",
    flags: Sequence[Sequence[str]] = (),
) -> pa.Table:
    """Rows of subjects `s<first>` and on.

    Args:
        values: What was predicted, a number a subject.
        inputs: Bins of each subject, or those of all.
        at: When.
        model: By what.
        task: What.
        first: Number of the first subject.
        study: Of which study.
        flags: Of each subject; none where empty.
    """
    n = len(values)
    bins = [inputs] * n if isinstance(inputs, Mapping) else inputs
    columns = {
        "predicted_at": [at] * n,
        "study": [study] * n,
        "task": [task] * n,
        "model": [model] * n,
        "source": ["score"] * n,
        "run": [at.isoformat()] * n,
        "subject_hash": [f"s{first + number}" for number in range(n)],
        "prediction": np.asarray(values, np.float32),
        "lower": [None] * n,
        "upper": [None] * n,
        "flags": [list(of) for of in flags] or [[]] * n,
        "inputs": [list(of.items()) for of in bins],
    }
    return pa.table([pa.array(columns[f.name], f.type) for f in ROWS], schema=ROWS)


def outcomes(
    values: Sequence[int | None] | NDArray[np.int64],
    recorded_at: datetime,
    *,
    task: str = "death",
    first: int = 0,
    study: str = "pilot",
    weights: Sequence[float] = (),
) -> pa.Table:
    """Rows of a data cut; None is censored.

    Args:
        values: Outcome of each subject.
        recorded_at: When the cut was recorded; the outcomes are known since then.
        task: Of which task.
        first: Number of the first subject.
        study: Of which study.
        weights: Weight of each subject; 1 where empty.
    """
    n = len(values)
    known = [value is not None for value in values]
    columns = {
        "study": [study] * n,
        "task": [task] * n,
        "subject_hash": [f"s{first + number}" for number in range(n)],
        "outcome": [None if value is None else int(value) for value in values],
        "status": ["observed" if is_known else "censored" for is_known in known],
        "weight": list(weights) or [float(is_known) for is_known in known],
        "known_at": [recorded_at] * n,
        "recorded_at": [recorded_at] * n,
        "cut": [recorded_at.isoformat()] * n,
    }
    return pa.table([pa.array(columns[f.name], f.type) for f in OUTCOME_ROWS], schema=OUTCOME_ROWS)
