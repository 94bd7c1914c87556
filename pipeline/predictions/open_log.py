"""Which kind of prediction log an address names."""

from __future__ import annotations

from pathlib import Path

from pipeline.predictions.log import PredictionLog
from pipeline.predictions.parquet_log import ParquetLog


def resolved(address: str) -> str:
    """An address that holds in another working folder, too."""
    return address if "://" in address else str(Path(address).resolve())


def open_log(address: str) -> PredictionLog:
    """The log at an address; nothing is connected to or written yet.

    Args:
        address: A local folder or `s3://bucket/folder`.

    Raises:
        UserError: The address is not one.
    """
    return ParquetLog(address)
