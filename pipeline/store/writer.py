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
"""Environment variable with the number of attempts to reach a store."""

_MOST_ATTEMPTS = 10

_INSERTS: dict[str, Callable[[Table], Any]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}


@dataclass(frozen=True)
class Patience:
    """How long to wait for a store that does not answer.

    Attributes:
        attempts: Number of attempts.
        first_wait: Seconds before the second attempt; each further wait is twice as long.
    """

    attempts: int = 4
    first_wait: float = 1.0

    @classmethod
    def from_environment(cls) -> Patience:
        """The default, or the number of attempts in `TRIAL_STORE_ATTEMPTS`.

        Raises:
            UserError: It is not a number from 1 to 10.
        """
        given = os.environ.get(ATTEMPTS_VARIABLE)
        if not given:
            return cls()
        if not (given.isdecimal() and 1 <= int(given) <= _MOST_ATTEMPTS):
            raise UserError(
                f"{ATTEMPTS_VARIABLE} is {given!r}. Expected the number of attempts to reach a "
                f"store, 1 to {_MOST_ATTEMPTS}; each wait is twice as long as the one "
                "before, the first is one second."
            )
        return cls(attempts=int(given))


def export(address: str, rows: Rows, patience: Patience | None = None) -> int:
    """Adds rows in one transaction; existing rows stay unchanged.

    Args:
        address: The store's; a SQLite file is created and migrated as needed.
        rows: Rows by table.
        patience: How long a store that does not answer is waited for; the environment's if none.

    Returns:
        How many rows were handed over.

    Raises:
        StoreDownError: The store accepted them in no attempt; none of them is visible.
        UserError: The address is invalid, the store's tables are not those of this release, or it
            refuses the rows; another attempt would fail too.
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
