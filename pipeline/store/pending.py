"""`export.json`, MetricsExporter's record of an export, with rows that are still to be added."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pipeline.documents import Document, parse_document
from pipeline.errors import UserError
from pipeline.storage import read
from pipeline.store.models import Base, UtcTime
from pipeline.store.renamed import with_names_of_today
from pipeline.store.rows import Row, Rows

EXPORT_FILE = "export.json"


class ExportFile(Document):
    """`export.json`.

    Attributes:
        status: `pending` where the store did not accept the rows; `with the outcome` where the run
            exports them itself when it ends.
        store: Address of the store, without a password.
        rows: Number of rows submitted.
        reason: Why the store did not accept them.
        pending: The rows that are still to be added, by table.
    """

    status: Literal["done", "pending", "with the outcome", "no store"]
    store: str
    rows: int = 0
    reason: str | None = None
    pending: Mapping[str, list[dict[str, Any]]] = {}

    def to_json(self) -> str:
        """The file's content."""
        return self.model_dump_json(indent=1) + "\n"

    def pending_rows(self) -> Rows:
        """The rows that are still to be added.

        Raises:
            UserError: This release has no such table.
        """
        tables = {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}
        unknown = sorted(set(self.pending) - set(tables))
        if unknown:
            raise UserError(
                f"{EXPORT_FILE}: this release's store has no table {unknown[0]}. Export it with "
                "the release that wrote it."
            )
        return {
            tables[name]: [
                _with_moments(tables[name], with_names_of_today(name, row)) for row in rows
            ]
            for name, rows in self.pending.items()
        }


def by_table(rows: Rows) -> dict[str, list[Row]]:
    """Rows by the names of their tables."""
    return {model.__tablename__: found for model, found in rows.items()}


def read_export(folder: str) -> ExportFile | None:
    """Reads `export.json` of an output of MetricsExporter.

    Args:
        folder: Path or address of the artifact.

    Returns:
        The document, or None where the folder has none.

    Raises:
        UserError: It is something else.
    """
    path = f"{folder.rstrip('/')}/{EXPORT_FILE}"
    text = read(path)
    if text is None:
        return None
    return parse_document(
        ExportFile, text, path, "what MetricsExporter writes", "Run MetricsExporter again."
    )


def _with_moments(model: type[Base], row: Row) -> Row:
    columns = model.__table__.columns
    return {
        name: datetime.fromisoformat(value)
        if value is not None and isinstance(columns[name].type, UtcTime)
        else value
        for name, value in row.items()
    }
