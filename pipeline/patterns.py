"""Files that a pattern of a study file names, below a folder that a person names.

Neither Beam nor TensorFlow can quote `*`, `?` and `[`: a folder whose own name has one of them must
be no part of a pattern.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from pipeline.errors import UserError
from pipeline.storage import errors_for_people, file_systems, is_remote, special_character


@dataclass(frozen=True, order=True)
class Match:
    """A file that a pattern names.

    Attributes:
        path: Its path or address.
        size: Its size, bytes.
        changed: When it was changed, seconds since 1970.
    """

    path: str
    size: int
    changed: float


def matching(folder: str, pattern: str) -> list[Match]:
    """Files that a pattern names, sorted by path.

    Args:
        folder: Folder that the pattern is relative to, a local path or an address.
        pattern: Path or glob; `*` stays within a folder, `**` does not.

    Raises:
        UserError: The file system refuses access, the pattern has a range of characters that ends
            before it begins, or the address of an object store has a character of a pattern.
    """
    try:
        return _matching(folder, pattern)
    except re.error as error:
        raise UserError(
            f"The pattern {pattern} of files has [...] with a range that ends before it begins, "
            "such as [9-0]. Correct it in the study file (`file` of the dataset)."
        ) from error


def _matching(folder: str, pattern: str) -> list[Match]:
    if not is_remote(folder):
        with errors_for_people(folder):
            return sorted(_local(folder, pattern))
    check_no_pattern(folder, "The address")
    with errors_for_people(folder):
        files = file_systems()
        [match] = files.match([files.join(folder, pattern)])
        return sorted(
            Match(item.path, item.size_in_bytes, item.last_updated_in_seconds)
            for item in match.metadata_list
        )


def newest_change(folder: str, patterns: Iterable[str]) -> datetime | None:
    """When the newest of some files was changed.

    Args:
        folder: Folder that the patterns are relative to, a local path or an address.
        patterns: Paths or globs.

    Returns:
        UTC; None if no file exists.
    """
    newest = max((m.changed for pattern in patterns for m in matching(folder, pattern)), default=0)
    return datetime.fromtimestamp(newest, UTC) if newest else None


def check_no_pattern(path: str, what: str) -> None:
    """Refuses a path with a character of a pattern, for what TFX reads and writes below it.

    Args:
        path: A local path or an address.
        what: What it is, for the message.

    Raises:
        UserError: It has one.
    """
    found = special_character(path)
    if found:
        raise UserError(
            f"{what} {path} has the character {found} in its name, which TensorFlow and Beam "
            "read as a pattern of several files. Choose a folder without *, ? and [ in its path."
        )


def _local(folder: str, pattern: str) -> Iterator[Match]:
    parts = PurePosixPath(pattern).parts
    fixed = next((n for n, part in enumerate(parts) if special_character(part)), len(parts))
    within = "" if pattern.startswith("/") else f"{folder.rstrip('/')}/"
    if fixed == len(parts):
        yield from _files([f"{within}{pattern}"])
        return
    # Beam takes a second to import.
    from apache_beam.io.filesystem import FileSystem

    base = f"{within}{'/'.join(parts[:fixed])}".rstrip("/")
    named = re.compile(FileSystem.translate_pattern("/".join(parts[fixed:])))
    for found, _, names in os.walk(base):
        paths = (f"{found}/{name}" for name in names)
        yield from _files(path for path in paths if named.match(path.removeprefix(f"{base}/")))


def _files(paths: Iterable[str]) -> Iterator[Match]:
    for path in paths:
        file = Path(path)
        if file.is_file():
            found = file.stat()
            yield Match(path, found.st_size, found.st_mtime)
