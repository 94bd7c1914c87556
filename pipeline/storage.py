"""Files by address: a local path, `gs://bucket/...` or `s3://bucket/...`.

Addresses go through Beam's file systems, as those of the study's data do: TensorFlow can't open
`s3://`. For an S3-compatible store, boto3's own environment variables say where it is and who
asks (`AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`).
"""

from __future__ import annotations

import logging
import shutil
import uuid
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UserError

if TYPE_CHECKING:
    from apache_beam.io.filesystems import FileSystems

_AS_IS = "uncompressed"
_BLOCK = 2**20


@cache
def file_systems() -> type[FileSystems]:
    """Beam's file systems, also where no Beam pipeline has told them its options yet."""
    with _unwarned():
        # Beam takes a second to import.
        from apache_beam.io.filesystems import FileSystems
        from apache_beam.options.pipeline_options import PipelineOptions

        FileSystems.set_options(PipelineOptions([]))
    return FileSystems


@contextmanager
def _unwarned() -> Iterator[None]:
    """Keeps from a person what Google's libraries warn of when Beam imports them."""
    logged = logging.root.manager.disable
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logged)


def exists(path: str) -> bool:
    """Whether a file is there; a folder is none in an object store."""
    with _told(path) as files:
        return bool(files.exists(path))


def read(path: str) -> bytes | None:
    """Content of a file, or None where there is none."""
    with _told(path) as files:
        if not files.exists(path):
            return None
        with files.open(path, compression_type=_AS_IS) as stream:
            return bytes(stream.read())


def write_whole(path: str, content: bytes) -> None:
    """Writes a file so that a reader sees all of it or its previous state.

    Args:
        path: File to write; its folder is made where it is missing.
        content: What it gets.
    """
    with _told(path) as files:
        if is_remote(path):
            # An object store shows an object only when it is complete.
            with files.create(path, compression_type=_AS_IS) as stream:
                stream.write(content)
            return
        folder, name = files.split(path)
        _make_folder(files, folder)
        draft = files.join(folder, f".{name}.{uuid.uuid4().hex}")
        with files.create(draft, compression_type=_AS_IS) as stream:
            stream.write(content)
        files.rename([draft], [path])


def files_below(folder: str) -> list[str]:
    """Paths of all files in a folder and its subfolders, relative to it and sorted."""
    root = folder.rstrip("/")
    if not is_remote(root):
        paths = (path for path in Path(root).rglob("*") if path.is_file())
        return sorted(path.relative_to(root).as_posix() for path in paths)
    with _told(folder) as files:
        (found,) = files.match([f"{root}/**"])
        return sorted(item.path.removeprefix(f"{root}/") for item in found.metadata_list)


def newest_change(patterns: Iterable[str]) -> datetime | None:
    """When the newest of the files was changed.

    Args:
        patterns: Paths or globs.

    Returns:
        UTC; None where no file is there.
    """
    newest = 0.0
    for pattern in patterns:
        with _told(pattern) as files:
            (found,) = files.match([pattern])
            newest = max([newest, *(item.last_updated_in_seconds for item in found.metadata_list)])
    return datetime.fromtimestamp(newest, UTC) if newest else None


def copy_folder(source: str, target: str) -> None:
    """Copies a folder with all files in it, from any file system to any other.

    Args:
        source: Folder to copy.
        target: Folder that gets the content; what it held is removed.
    """
    source, target = source.rstrip("/"), target.rstrip("/")
    with _told(target) as files:
        remove_folder(target)
        for name in files_below(source):
            path = f"{target}/{name}"
            if not is_remote(target):
                _make_folder(files, files.split(path)[0])
            with (
                files.open(f"{source}/{name}", compression_type=_AS_IS) as reading,
                files.create(path, compression_type=_AS_IS) as writing,
            ):
                shutil.copyfileobj(reading, writing, _BLOCK)


def remove_folder(folder: str) -> None:
    """Removes a folder with all files in it, if there is one."""
    root = folder.rstrip("/")
    if files_below(root):
        with _told(root) as files:
            files.delete([f"{root}/"] if is_remote(root) else [root])


def is_remote(path: str) -> bool:
    """Whether an address names an object store."""
    return "://" in path


def make_folder(path: str) -> None:
    """Makes a folder, with those above it; nothing happens where it is there.

    Args:
        path: Local path or address.

    Raises:
        UserError: The file system refuses it.
    """
    with _told(path) as files:
        _make_folder(files, path)


def _make_folder(files: type[FileSystems], folder: str) -> None:
    if not files.exists(folder):
        try:
            files.mkdirs(folder)
        except OSError:
            # Another process may have made it in the meantime.
            if not files.exists(folder):
                raise


@contextmanager
def _told(path: str) -> Iterator[Any]:
    """Beam's file systems, whose refusals become messages for a person."""
    with _unwarned():
        from apache_beam.io.filesystem import BeamIOError

    try:
        yield file_systems()
    except ValueError as error:
        raise UserError(
            f"{path}: there is no file system for this address ({error}). Expected a local path, "
            "gs://bucket/... or s3://bucket/...."
        ) from error
    except Exception as error:
        # The client of each object store has exceptions of its own.
        if not (is_remote(path) or isinstance(error, BeamIOError | OSError)):
            raise
        raise UserError(
            f"{path}: the file system refuses it ({type(error).__name__}: {error}). Check the "
            "address, that the store answers, and that this process may read and write there."
        ) from error
