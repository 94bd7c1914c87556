"""Compare-and-swap on one file: a writer replaces what it has read, or learns that it changed.

A local file is replaced by a rename while a lock on a file beside it is held, which the system
releases when its holder dies. In an S3-compatible store the write is conditional (`If-Match`,
`If-None-Match`); a store that accepts a write whose condition is false is refused. Nothing else
was tested, so nothing else is written: `gs://` is refused.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pipeline import storage
from pipeline.errors import UserError
from pipeline.file_lock import lock_within
from pipeline.object_store import S3, s3_client

LOCK = ".lock"
"""Ending of the file that is locked, or that a store's conditional writes are tried on."""

_LONGEST_SECONDS = 30.0
_POLL_SECONDS = 0.02

_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_ABSENT = {"NoSuchKey", "404"}
_NO_TAG = '"00000000000000000000000000000000"'


@dataclass(frozen=True)
class Seen:
    """A file as a writer has read it.

    Attributes:
        content: Its content; None where there was no file.
        tag: What identifies the content to its store; empty where there was no file.
    """

    content: bytes | None
    tag: str


def see(path: str) -> Seen:
    """Reads a file that is to be replaced.

    Args:
        path: A local path or `s3://bucket/...`.

    Raises:
        UserError: Its store has no conditional writes that this project has tested.
    """
    if not storage.is_remote(path):
        content = storage.read(path)
        return Seen(content, "" if content is None else _digest(content))
    bucket, key = _place(path)
    with _refused(path):
        try:
            found = s3_client().get_object(Bucket=bucket, Key=key)
        except s3_client().exceptions.ClientError as error:
            if _code(error) in _ABSENT:
                return Seen(None, "")
            raise
        return Seen(found["Body"].read(), found["ETag"])


def replace_seen(path: str, content: bytes, seen: Seen) -> bool:
    """Replaces a file if it still is what was read.

    Args:
        path: A local path or `s3://bucket/...`.
        content: Its new content; different from what every other writer would write.
        seen: What `see` has read.

    Returns:
        Whether it was replaced; otherwise it has changed and is left alone.

    Raises:
        UserError: The file can't be written, another process holds its lock for long, or its store
            ignores conditions.
    """
    if storage.is_remote(path):
        return _replace_object(path, content, seen)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        now = storage.read(path)
        if (None if now is None else _digest(now)) != (seen.tag or None):
            return False
        storage.write_whole(path, content)
    return True


def _replace_object(path: str, content: bytes, seen: Seen) -> bool:
    bucket, key = _place(path)
    with _refused(path):
        _check_conditions(bucket, key.rpartition("/")[0])
        condition = {"IfMatch": seen.tag} if seen.tag else {"IfNoneMatch": "*"}
        if _put(bucket, key, content, condition):
            return True
        # The answer to an earlier try of the client may have been lost.
        return see(path).content == content


@contextmanager
def _locked(path: str) -> Iterator[None]:
    lock = Path(f"{path}{LOCK}")
    try:
        stream = lock.open("ab")
    except OSError as error:
        raise UserError(
            f"{lock}: {error.strerror}. Change the permissions of its folder: who changes the "
            "file beside it must be able to write there."
        ) from error
    with stream:
        _wait_for(stream, lock)
        yield


def _wait_for(stream: BinaryIO, lock: Path) -> None:
    """Locks a file; writers hold it for milliseconds."""
    if not lock_within(stream, _LONGEST_SECONDS, _POLL_SECONDS):
        raise UserError(
            f"{lock}: another process has held this lock for {_LONGEST_SECONDS:.0f} seconds, "
            "and a writer needs milliseconds. Find it (`fuser`) and end it, then try again."
        )


def _check_conditions(bucket: str, folder: str) -> None:
    """Tries the store's conditional writes once, on an object of their own.

    Raises:
        UserError: It ignores a condition, so that one writer would undo another's change.
    """
    key = f"{folder}/{uuid.uuid4().hex}{LOCK}"
    client = s3_client()
    try:
        client.put_object(Bucket=bucket, Key=key, Body=b"")
        ignored = [
            name
            for name, value in (("IfNoneMatch", "*"), ("IfMatch", _NO_TAG))
            if _put(bucket, key, b"", {name: value})
        ]
    finally:
        client.delete_object(Bucket=bucket, Key=key)
    if ignored:
        raise UserError(
            f"s3://{bucket}/{folder}: the object store ignores the conditions of writes "
            f"({', '.join(ignored)}), so two writers could undo each other's change. Keep the "
            "registry in a store that has conditional writes, or in a local folder."
        )


def _put(bucket: str, key: str, content: bytes, condition: dict[str, str]) -> bool:
    """Writes an object if a condition holds.

    Returns:
        Whether it was written.
    """
    client = s3_client()
    try:
        client.put_object(Bucket=bucket, Key=key, Body=content, **condition)
    except client.exceptions.ClientError as error:
        # An object to be matched that is gone is a change like any other.
        if _code(error) in _CHANGED or ("IfMatch" in condition and _code(error) in _ABSENT):
            return False
        raise
    return True


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _place(path: str) -> tuple[str, str]:
    if not path.startswith(S3):
        raise UserError(
            f"{path}: the file can't be changed there: registries and lists of forgotten subjects "
            "are changed by a conditional write, which was tested in local folders and in "
            "S3-compatible stores (s3://bucket/...) only. Keep it in one of them."
        )
    bucket, _, key = path.removeprefix(S3).partition("/")
    return bucket, key


@contextmanager
def _refused(path: str) -> Iterator[None]:
    """The errors of the store's client become messages for the user."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise UserError(
            f"{path}: the object store refused access ({type(error).__name__}: {error}). Check the "
            "address, that the store answers, and that this process may read and write it."
        ) from error


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
