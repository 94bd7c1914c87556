"""Who was in which part or fold of a run, and how the run predicted its subjects out of fold.

The registry keeps it of each champion, apart from the models (`pipeline.runs.divisions`): subjects
of the champion's run keep their part or fold, and champion and challenger are compared only on
subjects that neither was trained on.

A division is a folder with `predictions.parquet` (`pipeline.results.predictions`) and
`evaluation.json`. Under `split` there is one row for each subject, the fold is the number of its
part in `pipeline.names.SPLITS`, and nothing is predicted.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline import storage
from pipeline.names import CHALLENGER, CHAMPION, SUBJECT_HASH
from pipeline.results.evaluation_plan import PLAN_FILE, EvaluationPlan, read_plan
from pipeline.results.predictions import (
    PREDICTIONS_FILE,
    Predictions,
    predictions_content,
    read_predictions,
)

NO_DIVISION = "none"
"""Digest of a run that inherits no division."""

DEALT_FOLDER = "dealt"
"""Folder below TrialExampleGen's examples with the part of each subject, a file for each bucket."""

_PART = "part"


@dataclass(frozen=True)
class Division:
    """Part, or fold in each repeat, of every subject of a run.

    Attributes:
        plan: How the run evaluated its model.
        rows: Pseudonym, repeat and fold; out of fold with predictions of the model `champion`.
    """

    plan: EvaluationPlan
    rows: Predictions

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of who was where; predictions do not count."""
        plan = self.plan
        rows = self.rows.sorted()
        digest = hashlib.sha256(
            json.dumps([plan.scheme, plan.folds, plan.repeats, plan.by, plan.groups]).encode()
        )
        for column in (rows.subjects.astype(bytes), rows.repeat, rows.fold):
            digest.update(column.tobytes())
        return digest.hexdigest()


def division_of_run(
    plan: EvaluationPlan, examples: str, predictions: str | None, tasks: Sequence[str] | None
) -> Division:
    """The division of a run whose model is registered.

    Args:
        plan: How the run evaluated its model.
        examples: Folder of TrialExampleGen's examples.
        predictions: Folder of CrossFit's predictions; None without.
        tasks: Tasks that the model serves; only their predictions are kept. None keeps those of all
            tasks.

    Raises:
        UserError: A file is missing.
    """
    if not plan.out_of_fold or predictions is None:
        subjects, parts = read_parts(examples)
        first = np.zeros(len(subjects), np.int16)
        return Division(plan, Predictions(subjects.astype(object), first, parts, {}))
    found = read_predictions(predictions)
    of = found.of[CHALLENGER]
    if tasks is not None:
        of = {task: values for task, values in of.items() if task in tasks}
    return Division(plan, Predictions(found.subjects, found.repeat, found.fold, {CHAMPION: of}))


def write_division(folder: str, division: Division) -> None:
    """Writes a division, readable by the owner alone where the file system has owners."""
    plan = division.plan.model_dump_json()
    storage.write_private(f"{folder}/{PLAN_FILE}", plan.encode())
    # Last: a folder without it has no division.
    storage.write_private(f"{folder}/{PREDICTIONS_FILE}", predictions_content(division.rows))


def has_division(folder: str) -> bool:
    """Whether a folder holds a whole division."""
    return storage.exists(f"{folder}/{PREDICTIONS_FILE}")


def read_division(folder: str) -> Division:
    """Reads a division.

    Raises:
        UserError: A file is missing or invalid.
    """
    return Division(read_plan(folder), read_predictions(folder))


def parts_content(subjects: Iterable[bytes], parts: NDArray[np.int16]) -> bytes:
    """Content of a file of `DEALT_FOLDER`.

    Args:
        subjects: Pseudonyms of the subjects of a bucket.
        parts: Part of each, `[subjects]`.
    """
    import pyarrow as pa
    from pyarrow import parquet

    buffer = io.BytesIO()
    columns = {
        SUBJECT_HASH: pa.array(list(subjects), pa.binary()),
        _PART: pa.array(parts, pa.int16()),
    }
    parquet.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def read_parts(examples: str) -> tuple[NDArray[np.bytes_], NDArray[np.int16]]:
    """Reads who is in which part of a run under `split`.

    Args:
        examples: Folder of TrialExampleGen's examples.

    Returns:
        Pseudonyms, rising, bytes `[subjects]`, and part, int16 `[subjects]`; no subject for
        examples of an earlier release.
    """
    from pyarrow import parquet

    folder = f"{examples}/{DEALT_FOLDER}"
    subjects, parts = [np.zeros(0, "S1")], [np.zeros(0, np.int16)]
    for name in storage.files_below(folder):
        table = parquet.read_table(io.BytesIO(storage.read(f"{folder}/{name}") or b""))
        subjects.append(table[SUBJECT_HASH].to_numpy().astype(bytes))
        parts.append(table[_PART].to_numpy())
    found = np.concatenate(subjects)
    order = np.argsort(found)
    return found[order], np.concatenate(parts)[order]
