"""Section about the SQL database that datasets of the format `sql` are read from."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, field_validator

from pipeline.documents import StrictModel
from pipeline.errors import UserError

_SECRET = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+")
_EXPECTED = "expected postgresql://user@host:5432/database or sqlite:///file.sqlite"
_REMEDY = (
    "Remove it, change it since the study file is no secret, and name where the new one is: "
    "`password: env:NAME` or `file:PATH`."
)
_OPTIONS = {
    "postgresql": frozenset(
        {"application_name", "connect_timeout", "host", "port", "sslcert", "sslmode"}
        | {"sslrootcert", "target_session_attrs"}
    ),
    "sqlite": frozenset[str](),
}
"""Options that an address may have behind `?`: none holds a secret or undoes that only is read."""


class Database(StrictModel):
    """The SQL database of datasets of the format `sql`.

    Attributes:
        address: SQLAlchemy's address without a password: `postgresql://user@host:5432/database`, or
            `sqlite:///file.sqlite`, a file below the data folder or, with four slashes, anywhere.
        password: Where the password of the address's user is: `env:NAME` (environment variable) or
            `file:PATH`; never the password itself.
        keep_snapshots: How many of the newest snapshots of the tables are kept, the run's own
            included; each holds the subjects' data.
    """

    address: str
    password: str | None = None
    keep_snapshots: Annotated[int, Field(ge=1)] = 1

    @field_validator("address", mode="before")
    @classmethod
    def _address_has_no_password(cls, value: object) -> object:
        # No message shows the address: it may have a password where none is expected.
        if not isinstance(value, str):
            raise ValueError(_EXPECTED)
        _check_address(value)
        return value

    @field_validator("password", mode="before")
    @classmethod
    def _password_is_named(cls, value: object) -> object:
        if value is not None and not (isinstance(value, str) and _SECRET.fullmatch(value)):
            raise ValueError(
                "expected where the password is, env:NAME or file:PATH; what stands here is not "
                "shown, and if it is the password, change it: the study file is no secret"
            )
        return value

    @property
    def backend(self) -> str:
        """`postgresql` or `sqlite`."""
        return "sqlite" if self.address.startswith("sqlite") else "postgresql"


def _check_address(address: str) -> None:
    # SQLAlchemy takes a while to import, and most studies have no database.
    from pipeline.sql_address import sql_url

    try:
        url = sql_url(address, "the database", _REMEDY, _OPTIONS)
    except UserError as error:
        raise ValueError(str(error)) from None
    if address.partition("://")[0] not in ("postgresql", "postgresql+psycopg", "sqlite"):
        raise ValueError(f"{_EXPECTED}; no other database or driver is read")
    database = url.database or ""
    if any(mark in database for mark in ("=", "?", "://")) or database.startswith("file:"):
        raise ValueError(f"the name of the database can't hold settings; {_EXPECTED}")
    if not database:
        raise ValueError(f"the address names no database; {_EXPECTED}")
