"""Measures a stage of a run and writes its record, even if it fails."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from pipeline import interrupts
from pipeline.beam.failure import find_user_error
from pipeline.results.findings import Finding
from pipeline.runs.stage_record import CountedRows, StageRecord

_SAMPLE_SECONDS = 0.2
_SAMPLES_PER_SEARCH = 5
_DISTRIBUTIONS = (
    "tfx",
    "tensorflow",
    "keras",
    "apache-beam",
    "tensorflow-data-validation",
    "tensorflow-transform",
    "tensorflow-model-analysis",
)


def versions(code_version: str) -> dict[str, str]:
    """Versions of the dependencies that determine a result."""
    found = {name: version(name) for name in _DISTRIBUTIONS}
    return {"clinical-trial-pipeline": code_version, **found}


@contextmanager
def recorded(
    record: StageRecord, folder: Path, side: int | None = None, is_beside: bool = False
) -> Iterator[StageRecord]:
    """Measures a stage and writes its record, even if the stage fails.

    Args:
        record: Gets time, memory, structured log data, and the error, if any. A line with the data
            `held_back` takes back the rows that were counted before it.
        folder: Where `<stage>.json` is written.
        side: Number of the process beside this one in which other stages run at the same time;
            its log records carry the mark `beside`.
        is_beside: Whether this stage runs in that process.

    Yields:
        The record; the caller may set the status `cached`.
    """
    record.started = datetime.now(UTC).replace(microsecond=0)
    start = time.monotonic()
    collector = _Collector(record)
    collector.addFilter(lambda entry: getattr(entry, "beside", False) == is_beside)
    logging.getLogger().addHandler(collector)
    memory = _PeakMemory(side, is_beside)
    try:
        with memory:
            yield record
        if record.status == "running":
            record.status = "done"
    except KeyboardInterrupt:
        interrupts.handle()
        record.status = interrupts.end_status()
        record.error = interrupts.end_reason()
        raise
    except BaseException as error:
        record.status = "failed"
        if mistake := find_user_error(error):
            record.error = str(mistake)
        else:
            record.exception = type(error).__name__
            record.error = f"{type(error).__name__}: {error}"
        raise
    finally:
        logging.getLogger().removeHandler(collector)
        record.seconds = round(time.monotonic() - start, 3)
        record.peak_memory_mb = round(memory.peak / 2**20, 1)
        record.write(folder)


class _Collector(logging.Handler):
    """Collects structured log data of stages."""

    def __init__(self, record: StageRecord) -> None:
        super().__init__(logging.INFO)
        self._record = record

    def emit(self, entry: logging.LogRecord) -> None:
        rows = getattr(entry, "rows", None)
        if isinstance(rows, dict):
            self._record.rows.append(CountedRows.model_validate(rows))
        if getattr(entry, "held_back", False):
            self._record.rows.clear()
        findings = getattr(entry, "findings", None)
        if isinstance(findings, list):
            self._record.findings.extend(map(Finding.model_validate, findings))


class _PeakMemory:
    """Samples the resident memory of a stage's process and its children.

    Args:
        side: Number of the process in which stages run beside those of this process.
        is_beside: Whether the stage runs there; else that process does not count.
    """

    def __init__(self, side: int | None, is_beside: bool) -> None:
        self.peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._process = psutil.Process(side if is_beside else None)
        self._other = None if is_beside else side
        self._counted = [self._process]
        self._samples = 0

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._samples = 0
        self._measure()

    def _sample(self) -> None:
        while not self._stop.wait(_SAMPLE_SECONDS):
            self._measure()

    def _measure(self) -> None:
        # A search for children reads every process of the machine.
        if self._samples % _SAMPLES_PER_SEARCH == 0:
            try:
                self._counted = [self._process, *self._process.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
        self._samples += 1
        total = 0
        for process in self._counted:
            try:
                if self._other not in (process.pid, process.ppid()):
                    total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        self.peak = max(self.peak, total)
