"""What a backup says of itself: its parts, and the digest of each of its files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.documents import Document, parse_document
from pipeline.errors import UserError

MANIFEST = "manifest.json"
"""The file, written last: a folder without it is no backup."""

FORMAT = 1
"""Number of the layout."""

ROOT = "root"
REGISTRY = "registry"
SUBJECTS = "registry-subjects"
STORE = "store"
PREDICTIONS = "prediction-log"
"""Folders of the parts of a backup."""

Kind = Literal["none", "files", "sqlite", "postgresql"]

_INSTEAD = "Take another backup."


class BackupFile(Document):
    """A file of a backup.

    Attributes:
        sha256: Its digest, in hexadecimal.
        bytes: Its size.
    """

    sha256: str
    bytes: int


class Part(Document):
    """A part that is a database, or files.

    Attributes:
        kind: What it is; `none` where there was none.
        revision: Revision of its tables; empty for files.
    """

    kind: Kind = "none"
    revision: str = ""


class Manifest(Document):
    """What a backup holds.

    Attributes:
        format: Number of the layout.
        version: Version of the project that took it.
        taken: When, UTC, ISO 8601.
        subject_key: Id of the subject key of this moment, never the key; empty where there was
            none.
        store: The store.
        prediction_log: The prediction log.
        files: Each file, by its path in the backup.
    """

    format: int
    version: str
    taken: str
    subject_key: str
    store: Part
    prediction_log: Part
    files: dict[str, BackupFile]


@dataclass(frozen=True)
class Places:
    """Where the parts are.

    Attributes:
        root: Root of the runs.
        registry: Root of the registry: a folder, or `s3://bucket/folder`.
        store: Address of the store; empty for none.
        prediction_log: Address of the prediction log; empty for none.
    """

    root: Path
    registry: str
    store: str
    prediction_log: str


def described(path: Path) -> BackupFile:
    """Digest and size of a file."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return BackupFile(sha256=digest, bytes=path.stat().st_size)


def read_manifest(folder: Path) -> Manifest:
    """Reads what a backup says of itself, and checks each of its files against it.

    Raises:
        UserError: It is no backup, not whole, damaged, or of a later release.
    """
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path}: {error.strerror}: the folder is no backup, or one that was not finished. "
            "Nothing was written. Name another one."
        ) from error
    found = parse_document(Manifest, content, str(path), "the manifest of a backup", _INSTEAD)
    if found.format != FORMAT:
        raise UserError(
            f"{path}: a backup of the format {found.format}, taken by version {found.version}; "
            f"this release reads the format {FORMAT}. Nothing was written. Restore it with that "
            "version."
        )
    problems = list(_problems(folder, found))
    if problems:
        more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        raise UserError(
            f"{problems[0]}{more}. The backup is damaged, and nothing of it was written. Restore "
            "an earlier one."
        )
    return found


def _problems(folder: Path, manifest: Manifest) -> Iterator[str]:
    for name, file in manifest.files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            yield f"{folder / MANIFEST}: a file lies outside of the backup"
        elif not path.is_file():
            yield f"{path}: the file is missing"
        elif described(path) != file:
            yield f"{path}: not the file that was written"
    listed = {MANIFEST, *manifest.files}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.relative_to(folder).as_posix() not in listed:
            yield f"{path}: the file is not part of the backup"
