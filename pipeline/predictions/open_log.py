"""Which kind of prediction log an address names."""

from __future__ import annotations

from pathlib import Path

from pipeline.predictions.log import PredictionLog
from pipeline.predictions.parquet_log import ParquetLog
from pipeline.storage import is_remote


def is_sql(address: str) -> bool:
    """Whether an address is that of PostgreSQL.

    Examples:
        >>> is_sql("postgresql://user@host/database"), is_sql("s3://bucket/log")
        (True, False)
    """
    return address.partition("://")[0].partition("+")[0] in ("postgresql", "postgres")


def checked_address(address: str) -> str:
    """The address of a log as it holds in another working folder, too.

    Raises:
        UserError: See `open_log`.
    """
    open_log(address)
    return address if is_remote(address) else str(Path(address).resolve())


def open_log(address: str) -> PredictionLog:
    """The log at an address; nothing is connected to or written yet.

    Args:
        address: A local folder, `s3://bucket/folder` or `postgresql://user@host:5432/database`.

    Raises:
        UserError: The address is not one, or holds a password.
    """
    if is_sql(address):
        # Files need no driver for PostgreSQL.
        from pipeline.predictions.postgres_log import PostgresLog

        return PostgresLog(address)
    return ParquetLog(address)
