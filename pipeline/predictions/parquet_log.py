"""A prediction log of Parquet files, in a folder that only its owner can read or in a bucket.

`<study>/<day>/<source>-<name>.parquet`: one file for each batch, which appears when it is whole.
The day is that of its newest row, so that days expire by their folders.

`<study>/outcomes/<fingerprint>.parquet`: the outcomes of one data cut.
"""

from __future__ import annotations

import io
import time
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import storage
from pipeline.errors import UserError
from pipeline.names import SUBJECT_HASH
from pipeline.predictions.log import Batch
from pipeline.predictions.outcomes import OUTCOME_ROWS, RECORDED_AT, RecordedCut
from pipeline.predictions.rows import ROWS, SCORE

_ENDING = ".parquet"
_OUTCOMES = "outcomes"
"""Folder of a study's outcomes, beside the days of its predictions."""

_SECONDS_OF_A_DRAFT = 3600
"""No file takes so long to be written: a draft that is older was left by a process that died."""


class ParquetLog:
    """A log of files.

    Args:
        address: A local folder, which need not exist yet, or `s3://bucket/folder`.
    """

    def __init__(self, address: str) -> None:
        if storage.is_remote(address) and not address.startswith("s3://"):
            raise UserError(
                "The address of the prediction log names no place that it can be kept in. Expected "
                "a local folder, s3://bucket/folder or postgresql://user@host:5432/database."
            )
        self._root = address.rstrip("/")

    def append(self, batch: Batch, tables: Iterable[pa.Table]) -> None:
        """See `PredictionLog`."""
        sink = io.BytesIO()
        with pq.ParquetWriter(sink, ROWS, compression="zstd") as writer:
            for table in tables:
                writer.write_table(table)
        occasion = batch.occasion
        if occasion.source == SCORE and self._holds_of_another_day(batch):
            return
        place = f"{occasion.study}/{batch.day.isoformat()}/{occasion.source}-{batch.name}{_ENDING}"
        storage.write_private(f"{self._root}/{place}", sink.getvalue())

    def read(self, study: str) -> Iterator[pa.Table]:
        """See `PredictionLog`."""
        for path in self._files(study):
            if not _holds_outcomes(path):
                yield self._table(path)

    def append_outcomes(self, cut: RecordedCut, outcomes: pa.Table) -> bool:
        """See `PredictionLog`."""
        path = f"{self._root}/{cut.study}/{_OUTCOMES}/{cut.fingerprint}{_ENDING}"
        # What was recorded first stays: it says since when the outcomes are known.
        if not len(outcomes) or storage.exists(path):
            return False
        storage.write_private(path, _content(outcomes))
        return True

    def read_outcomes(self, study: str) -> Iterator[pa.Table]:
        """See `PredictionLog`."""
        for path in self._files(study):
            if _holds_outcomes(path):
                yield self._table(path)

    def forget(self, study: str, pseudonyms: Collection[str]) -> int:
        """See `PredictionLog`."""
        self._clear_drafts()
        removed = 0
        for path in self._files(study):
            table = self._table(path)
            of_them = pc.is_in(table[SUBJECT_HASH], value_set=pa.array(pseudonyms, pa.string()))
            kept = table.filter(pc.invert(of_them))
            if len(kept) == len(table):
                continue
            removed += len(table) - len(kept)
            if len(kept):
                storage.write_private(path, _content(kept))
            else:
                storage.remove_file(path)
        return removed

    def expire(self, before: date) -> int:
        """See `PredictionLog`."""
        self._clear_drafts()
        removed = 0
        for path in self._files():
            if self._day(path) < before.isoformat():
                removed += len(self._table(path))
                storage.remove_file(path)
        return removed

    def _files(self, study: str = "") -> list[str]:
        """Paths of the whole files; a draft has another ending."""
        folder = f"{self._root}/{study}" if study else self._root
        found = storage.files_below(folder)
        return [f"{folder}/{name}" for name in found if name.endswith(_ENDING)]

    def _holds_of_another_day(self, batch: Batch) -> bool:
        """Whether a scoring that is tried again after midnight was written on the day before.

        A batch of the service keeps its day, however late it is written.
        """
        name = f"{batch.occasion.source}-{batch.name}{_ENDING}"
        written = (path for path in self._files(batch.occasion.study) if path.endswith(f"/{name}"))
        return any(self._day(path) != batch.day.isoformat() for path in written)

    def _day(self, path: str) -> str:
        if _holds_outcomes(path):
            return str(pc.max(self._table(path)[RECORDED_AT]).as_py().date())
        return path.split("/")[-2]

    def _table(self, path: str) -> pa.Table:
        content = storage.read(path)
        rows = OUTCOME_ROWS if _holds_outcomes(path) else ROWS
        try:
            return rows.empty_table() if content is None else pq.read_table(io.BytesIO(content))
        # What pyarrow raises for damage differs by its place and release.
        except (pa.ArrowException, OSError) as error:
            raise UserError(
                f"{path}: the file of the prediction log can't be read: it is damaged. Restore it "
                "from a backup, or remove it; what it holds is lost."
            ) from error

    def _clear_drafts(self) -> None:
        """Removes what processes that died have left: it may hold rows, too."""
        if storage.is_remote(self._root):
            return
        oldest = time.time() - _SECONDS_OF_A_DRAFT
        for path in Path(self._root).rglob(f".*{_ENDING}.*"):
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)


def _holds_outcomes(path: str) -> bool:
    return path.split("/")[-2] == _OUTCOMES


def _content(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()
