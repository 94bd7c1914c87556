"""Addresses of SQL databases: what is accepted, and that no part of one holds a secret."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote_plus

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from pipeline.errors import UserError

_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


def sql_url(address: str, what: str, remedy: str, parameters: Mapping[str, frozenset[str]]) -> URL:
    """Parses the address of a PostgreSQL or SQLite database.

    Args:
        address: `postgresql://user@host:5432/database`, or `sqlite:///file`.
        what: Whose address it is, for the message: "the store".
        remedy: What to do with a password, a sentence.
        parameters: What may stand behind `?`, by kind of database: none that can hold a secret.

    Returns:
        The address, without a password.

    Raises:
        UserError: It is invalid, names another kind of database, or a part of it is or may be a
            password; the message repeats nothing but names of parameters that are known.
    """
    url = _parsed(address, what)
    backend = url.get_backend_name()
    if backend not in parameters:
        raise UserError(
            f"{what[0].upper()}{what[1:]} can be PostgreSQL or SQLite, not {backend}: "
            "postgresql://user@host:5432/database or sqlite:///path/to/file."
        )
    names = _parameter_names(address)
    others = len(names - parameters[backend])
    # libpq reads a database name with "=" as further connection parameters.
    disguised = backend == "postgresql" and (
        ":" in (url.username or "") or "=" in (url.database or "") or "://" in (url.database or "")
    )
    if url.password is not None or disguised or {"password", "sslpassword"} & names:
        raise UserError(
            f"The address of {what} contains a password, which would be logged. {remedy}"
        )
    if others:
        listed = ", ".join(sorted(parameters[backend])) or "none"
        raise UserError(
            f"The address of {what} has {others} parameters after the question mark that are not "
            f"among those accepted: {listed}."
        )
    return url


def _parameter_names(address: str) -> set[str]:
    """Names behind the question mark; of a word without a value, which SQLAlchemy drops, itself."""
    words = address.partition("?")[2].split("&")
    return {unquote_plus(word.partition("=")[0]) for word in words if word}


def _parsed(address: str, what: str) -> URL:
    try:
        url = make_url(address)
        url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
        url.get_dialect()
    # A port that is no number is a ValueError, whose text repeats what stands there.
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise UserError(
            f"The address of {what} is invalid. Expected postgresql://user@host:5432/database or "
            "sqlite:///path/to/file."
        ) from error
    if url.port is not None and not 0 < url.port < 65536:
        raise UserError(f"The address of {what} has a port that is not between 1 and 65535.")
    return url
