"""Records of stages: one JSON file per stage with status, time and memory, even if it failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    AliasChoices,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from pipeline.documents import Count, Document, parse_document
from pipeline.results.documents import read_result
from pipeline.results.findings import Finding, Findings
from pipeline.runs.run_file import RUN_FILE, write_record

Status = Literal["running", "done", "cached", "failed", "interrupted", "killed"]

ENDED_EARLY = ("failed", "interrupted", "killed")
"""Statuses of a stage that ends its run."""


class CountedRows(Document):
    """Rows or subjects that a stage counted; only what it counted is written.

    Attributes:
        dataset: Dataset of the study, for rows.
        split: Split of the subjects.
        task: Task whose known labels were counted.
        rows_in: Rows read.
        used: Rows used.
        excluded: Rows that the study file excludes; `left_out` in records of 0.1.0.
        rejected: Rejected rows.
        reasons: Rejected rows by reason.
        subjects: Subjects.
    """

    dataset: str | None = None
    split: str | None = None
    task: str | None = None
    rows_in: Count | None = None
    used: Count | None = None
    excluded: Count | None = Field(None, validation_alias=AliasChoices("excluded", "left_out"))
    rejected: Count | None = None
    reasons: dict[str, Count] | None = None
    subjects: Count | None = None

    @model_serializer(mode="wrap")
    def _write_counted(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in write(self).items() if key in self.model_fields_set}


class StageRecord(Document):
    """One stage of one run; it is filled in while the stage runs.

    Attributes:
        run: Identifies the run.
        stage: The stage's node in the graph, as its release calls it: it is a key of the store.
        status: Its status.
        started: Start, in UTC.
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

    model_config = ConfigDict(frozen=False)

    run: str
    stage: str
    status: Status = "running"
    started: datetime = Field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0.0
    peak_memory_mb: float = 0.0
    rows: list[CountedRows] = []
    findings: list[Finding] = []
    error: str | None = None
    exception: str | None = None
    versions: dict[str, str] = {}

    @property
    def shown_error(self) -> str | None:
        """The reason of the failure without the message of a foreign exception."""
        return describe_unexpected(self.exception) if self.exception else self.error

    def write(self, folder: Path) -> None:
        """Writes `<stage>.json` to the run's folder of records."""
        write_record(folder / f"{self.stage}.json", self)


def read_records(folder: Path) -> list[StageRecord]:
    """All records of a run's folder, in the order of their starts.

    Raises:
        UserError: A file is no stage's record.
    """
    files = (path for path in folder.glob("*.json") if path.name != RUN_FILE)
    records = [
        parse_document(
            StageRecord,
            path.read_bytes(),
            str(path),
            "a stage's record",
            "Run the pipeline again.",
        )
        for path in files
    ]
    return sorted(records, key=lambda record: (record.started, record.stage))


def gate_findings(folder: str | None, records: Sequence[StageRecord]) -> Findings:
    """Findings of the data gate; empty if the run did not reach it.

    Args:
        folder: Folder of its output; None if there is none, as after it stopped the run.
        records: Records of the run's stages, which hold its findings even then.

    Raises:
        UserError: The file is missing or damaged.
    """
    if folder:
        return read_result(Findings, folder)
    return Findings(tuple(finding for record in records for finding in record.findings))


def describe_unexpected(exception: str) -> str:
    """Describes an unexpected exception without its message, which may quote a subject's value.

    Args:
        exception: Its type.
    """
    return f"Unexpected {exception}; see the run's log."
