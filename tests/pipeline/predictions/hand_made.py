"""Batches of predictions written out by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.predictions.log import Batch, PredictionLog
from pipeline.predictions.outcomes import OUTCOME_ROWS, RecordedCut
from pipeline.predictions.rows import SCORE, Occasion, log_rows
from pipeline.results.scored_file import ScoredRows, table_of
from pipeline.skew.bins import BINNED

STUDY = "stroke"
DAY = date(2026, 11, 30)
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def scored(*subjects: str | None) -> pa.Table:
    """Subjects that were scored: of two tasks, one of them with an interval."""
    n = len(subjects)
    return table_of(
        ScoredRows(
            subjects=np.array(subjects, object),
            outputs={
                "death": np.linspace(0.25, 0.5, n, dtype=np.float32),
                "death/lower": np.full(n, 0.125, np.float32),
                "death/upper": np.full(n, 0.75, np.float32),
                "death/set_negative": np.ones(n, np.float32),
                "relapse": np.full(n, 0.5, np.float32),
            },
            flags={("out_of_range", "AGE"): np.arange(n) == 0},
            refused=np.arange(n) == n - 1,
            model="0123456789abcdef",
            inputs=pa.array([[("AGE", "0"), ("SEX", None)]] * n, BINNED),
        )
    )


def add(
    log: PredictionLog,
    *subjects: str | None,
    run: str = "run-1",
    day: date = DAY,
    study: str = STUDY,
) -> None:
    """Adds a batch of some subjects, who were predicted at noon."""
    occasion = Occasion(study, SCORE, run)
    noon = NOON.replace(year=day.year, month=day.month, day=day.day)
    log.append(Batch(occasion, run, day), [log_rows(occasion, scored(*subjects), noon)])


def outcomes(*subjects: str, cut: str = "cut-1", day: date = DAY, study: str = STUDY) -> pa.Table:
    """Outcomes of some subjects: the first one died, the last one is censored."""
    recorded_at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return pa.Table.from_pylist(
        [
            {
                "study": study,
                "task": "death",
                "subject_hash": subject,
                "outcome": None if place == len(subjects) - 1 else int(place == 0),
                "status": "censored" if place == len(subjects) - 1 else "observed",
                "weight": 0.0 if place == len(subjects) - 1 else 1.25,
                "known_at": recorded_at,
                "recorded_at": recorded_at,
                "cut": cut,
            }
            for place, subject in enumerate(subjects)
        ],
        OUTCOME_ROWS,
    )


def record(
    log: PredictionLog,
    *subjects: str,
    cut: str = "cut-1",
    day: date = DAY,
    study: str = STUDY,
) -> bool:
    """Records a cut with the outcomes of some subjects, at noon."""
    found = outcomes(*subjects, cut=cut, day=day, study=study)
    recorded_at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return log.append_outcomes(RecordedCut(study, cut, recorded_at), found)


def rows_of(*tables: pa.Table) -> list[dict[str, Any]]:
    """Rows in an order of their own, with inputs by name."""
    rows = [row | {"inputs": dict(row["inputs"])} for t in tables for row in t.to_pylist()]
    return sorted(rows, key=lambda row: (row["task"], row["subject_hash"] or ""))


def subjects_of(tables: Iterable[pa.Table]) -> list[str | None]:
    """Pseudonym of each row, sorted; those without one come first."""
    found = [name for table in tables for name in table["subject_hash"].to_pylist()]
    return sorted(found, key=lambda name: (name is not None, name or ""))
