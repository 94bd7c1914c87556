"""Records of stages: one JSON file per stage with status, time and memory, even if it failed."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import psutil

from pipeline.beam.failure import find_user_error
from pipeline.runs.run_file import RUN_FILE

_SAMPLE_SECONDS = 0.2
_DISTRIBUTIONS = (
    "tfx",
    "tensorflow",
    "keras",
    "apache-beam",
    "tensorflow-data-validation",
    "tensorflow-transform",
    "tensorflow-model-analysis",
)

Status = Literal["running", "done", "cached", "failed"]


@dataclass
class StageRecord:
    """One stage of one run.

    Attributes:
        run: Identifies the run.
        stage: The stage's node in the graph.
        status: Its status.
        started: UTC, ISO 8601.
        seconds: Wall time.
        peak_memory_mb: Largest resident memory of the process with its children, in MiB.
        rows: Rows logged by the stage; empty for a stage that reads no subjects, and for a cached
            one.
        findings: Findings of the stage (DataGate).
        error: Reason of the failure.
        exception: Type of the unexpected exception with which the stage failed; its message is not
            shown, since it may quote data.
        versions: Versions of this project and its main dependencies.
    """

    run: str
    stage: str
    status: Status = "running"
    started: str = ""
    seconds: float = 0.0
    peak_memory_mb: float = 0.0
    rows: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None
    exception: str | None = None
    versions: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The record as JSON-like content."""
        content: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str))
        return content


def versions(code_version: str) -> dict[str, str]:
    """Versions of the dependencies that determine a result."""
    found = {name: version(name) for name in _DISTRIBUTIONS}
    return {"clinical-trial-pipeline": code_version, **found}


def describe_unexpected(exception: str) -> str:
    """Describes an unexpected exception without its message, which may quote a subject's value.

    Args:
        exception: Its type.
    """
    return f"Unexpected {exception}; see the run's log."


@contextmanager
def recorded(record: StageRecord, folder: Path) -> Iterator[StageRecord]:
    """Measures a stage and writes its record, even if the stage fails.

    Args:
        record: Gets time, memory, structured log data, and the error, if any.
        folder: Where `<stage>.json` is written.

    Yields:
        The record; the caller may set the status `cached`.
    """
    record.started = datetime.now(UTC).isoformat(timespec="seconds")
    start = time.monotonic()
    collector = _Collector(record)
    logging.getLogger().addHandler(collector)
    memory = _PeakMemory()
    try:
        with memory:
            yield record
        if record.status == "running":
            record.status = "done"
    except KeyboardInterrupt:
        record.status = "failed"
        record.error = "interrupted"
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
        write_record(record, folder)


def write_record(record: StageRecord, folder: Path) -> None:
    """Writes a stage's record to its run's folder as `<stage>.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record.to_json(), indent=1)
    (folder / f"{record.stage}.json").write_text(text + "\n", encoding="utf-8")


def read_records(folder: Path) -> list[dict[str, Any]]:
    """All records of a run's folder, as JSON-like content, in the order of their starts."""
    files = (path for path in folder.glob("*.json") if path.name != RUN_FILE)
    records: list[dict[str, Any]] = [json.loads(path.read_text("utf-8")) for path in files]
    return sorted(records, key=lambda record: (record["started"], record["stage"]))


class _Collector(logging.Handler):
    """Collects structured log data of stages."""

    def __init__(self, record: StageRecord) -> None:
        super().__init__(logging.INFO)
        self._record = record

    def emit(self, entry: logging.LogRecord) -> None:
        rows = getattr(entry, "rows", None)
        if isinstance(rows, dict):
            self._record.rows.append(rows)
        findings = getattr(entry, "findings", None)
        if isinstance(findings, list):
            self._record.findings.extend(findings)


class _PeakMemory:
    """Samples the resident memory of this process and its children."""

    def __init__(self) -> None:
        self.peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._process = psutil.Process()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._measure()

    def _sample(self) -> None:
        while not self._stop.wait(_SAMPLE_SECONDS):
            self._measure()

    def _measure(self) -> None:
        total = self._process.memory_info().rss
        for child in self._process.children(recursive=True):
            try:
                total += child.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        self.peak = max(self.peak, total)
