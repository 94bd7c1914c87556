"""A store in a SQLite file: its address, and checks that need no SQLAlchemy."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import UserError

_HEADER = b"SQLite format 3\x00"
"""First bytes of each file of SQLite (www.sqlite.org/fileformat.html); an empty file is one too."""


def sqlite_address(path: Path) -> str:
    """Address of a SQLite file."""
    return f"sqlite:///{path}"


def check_sqlite_file(path: Path) -> None:
    """Checks that a file is a SQLite database, or does not exist yet.

    Raises:
        UserError: It is something else, or can't be read.
    """
    try:
        with path.open("rb") as file:
            begin = file.read(len(_HEADER))
    except FileNotFoundError:
        return
    except OSError as error:
        raise UserError(
            f"{path}: the store can't be read: {error.strerror}. Name another file (STORE=, "
            "--store)."
        ) from error
    if begin and begin != _HEADER:
        raise UserError(
            f"{path} is not a SQLite database. Name another file (STORE=, --store): one that does "
            "not exist is created."
        )
