"""Adds rows to a store: all of an export or nothing, and never twice."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Table
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.errors import UserError
from pipeline.store.engine import StoreDownError, store_engine, store_url, transaction
from pipeline.store.migrate import check_current, migrate
from pipeline.store.rows import Rows

ATTEMPTS_VARIABLE = "TRIAL_STORE_ATTEMPTS"
"""Environment variable with how often a store that does not answer is tried."""

_MOST_ATTEMPTS = 10

_INSERTS: dict[str, Callable[[Table], Any]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}


@dataclass(frozen=True)
class Patience:
    """How long a store that does not answer is waited for.

    Attributes:
        attempts: How often it is tried.
        first_wait: Seconds before the second attempt; each further wait is twice as long.
    """

    attempts: int = 4
    first_wait: float = 1.0

    @classmethod
    def from_environment(cls) -> Patience:
        """The default, or as many attempts as `TRIAL_STORE_ATTEMPTS` says.

        Raises:
            UserError: It is no number from 1 to 10.
        """
        given = os.environ.get(ATTEMPTS_VARIABLE)
        if not given:
            return cls()
        if not (given.isdecimal() and 1 <= int(given) <= _MOST_ATTEMPTS):
            raise UserError(
                f"{ATTEMPTS_VARIABLE} is {given!r}. Expected how often a store that does not "
                f"answer is tried, 1 to {_MOST_ATTEMPTS}; each wait is twice as long as the one "
                "before, the first is a second."
            )
        return cls(attempts=int(given))


def export(address: str, rows: Rows, patience: Patience | None = None) -> int:
    """Adds rows in one transaction; those that are there already stay as they are.

    Args:
        address: The store's; a SQLite file is made and migrated on the way.
        rows: Rows by table.
        patience: How long a store that does not answer is waited for; the environment's if none.

    Returns:
        How many rows were handed over.

    Raises:
        StoreDownError: The store did not take them, however often it was tried; nothing of them
            is visible.
        UserError: The address is wrong, the store's tables are not those of this release, or it
            refuses the rows; then another attempt is of no use.
    """
    patience = patience or Patience.from_environment()
    is_file = store_url(address).get_backend_name() == "sqlite"
    if is_file:
        _patiently(patience, lambda: migrate(address))
    with store_engine(address) as engine:
        if not is_file:
            _patiently(patience, lambda: check_current(engine))
        _patiently(patience, lambda: _add_all(engine, rows))
    return sum(map(len, rows.values()))


def _patiently(patience: Patience, action: Callable[[], None]) -> None:
    wait = patience.first_wait
    for attempt in range(patience.attempts):
        try:
            return action()
        except StoreDownError:
            if attempt == patience.attempts - 1:
                raise
            time.sleep(wait)
            wait *= 2
    return None


def _add_all(engine: Engine, rows: Rows) -> None:
    with transaction(engine) as connection:
        for model, found in rows.items():
            table = model.__table__
            assert isinstance(table, Table)
            if found:
                insert = _INSERTS[connection.dialect.name](table)
                connection.execute(insert.on_conflict_do_nothing(), found)
