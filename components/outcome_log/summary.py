"""Counts of recorded outcomes, so that no single subject is shown."""

from __future__ import annotations

import functools
from collections import Counter

import pyarrow as pa

from components.outcome_log.settings import OutcomeLogSettings
from pipeline.names import SUBJECT_HASH
from pipeline.predictions.outcomes import CENSORED, OBSERVED, OUTCOME, STATUS, UNKNOWN
from pipeline.predictions.rows import TASK
from pipeline.predictions.scored_outcomes import scored_outcomes
from pipeline.results.recorded_outcomes import RecordedOutcomes, TaskOutcomes

_SCORED, _AFTER = "scored", "after"
_PARTS = (_SCORED, _AFTER, CENSORED, UNKNOWN)


def summarize(
    settings: OutcomeLogSettings,
    fingerprint: str,
    subjects: int,
    rows: pa.Table,
    predictions: list[pa.Table],
    is_new: bool,
) -> RecordedOutcomes:
    """Counts subjects of a cut.

    Args:
        settings: What is read of the study.
        fingerprint: The cut's.
        subjects: Subjects of the cut.
        rows: Rows of those who were predicted, of the schema `OUTCOME_ROWS`.
        predictions: Predictions of the study.
        is_new: Whether the cut was added to the log.
    """
    coarse = functools.partial(rounded_down, smallest_group=settings.smallest_group)
    counts = task_counts(rows, predictions)
    return RecordedOutcomes(
        study=settings.study_name,
        fingerprint=fingerprint,
        is_new=is_new,
        subjects=coarse(subjects),
        predicted=coarse(len(rows[SUBJECT_HASH].unique())),
        smallest_group=settings.smallest_group,
        tasks=tuple(
            TaskOutcomes(
                task=task,
                title=title,
                **{name: coarse(counts.get(task, Counter())[name]) for name in _PARTS},
            )
            for task, title in settings.titles.items()
        ),
    )


def rounded_down(subjects: int, smallest_group: int) -> int | None:
    """A number as it is shown: a multiple of the smallest group, None where it is smaller.

    Runs of a study show numbers of nearly the same subjects, from week to week and beside those of
    a scoring: few subjects would follow from exact ones by their difference.

    Examples:
        >>> [rounded_down(subjects, 50) for subjects in (0, 49, 50, 149)]
        [0, None, 50, 100]
    """
    if 0 < subjects < smallest_group:
        return None
    return subjects - subjects % smallest_group


def task_counts(rows: pa.Table, predictions: list[pa.Table]) -> dict[str, Counter[str]]:
    """Subjects by task, and by what their rows are for the predictions.

    Each subject with a row is counted once: as `scored` where a prediction of any model was made
    before the outcome was known, as `after` where all were made later or have no number, otherwise
    as `censored` or `unknown`.
    """
    joined = scored_outcomes(predictions, [rows]).rows
    is_scored = joined[OUTCOME].is_valid()
    scored = set(_keys(joined.filter(is_scored)))
    counts: dict[str, Counter[str]] = {}
    for key, status in zip(_keys(rows), rows[STATUS].to_pylist(), strict=True):
        if status == OBSERVED:
            status = _SCORED if key in scored else _AFTER
        counts.setdefault(key[0], Counter())[status] += 1
    return counts


def _keys(table: pa.Table) -> list[tuple[str, str]]:
    return list(zip(table[TASK].to_pylist(), table[SUBJECT_HASH].to_pylist(), strict=True))
