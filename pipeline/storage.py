"""Files by address: a local path, `gs://bucket/...` or `s3://bucket/...`.

Addresses go through Beam's file systems, as those of the study's data do: TensorFlow can't open
`s3://`. For an S3-compatible store, boto3's own environment variables give its address and
credentials (`AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`).
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UserError
from pipeline.object_store import S3, objects_below, read_object, remove_object, write_object

if TYPE_CHECKING:
    from apache_beam.io.filesystems import FileSystems

_AS_IS = "uncompressed"
_BLOCK = 2**20


@cache
def file_systems() -> type[FileSystems]:
    """Beam's file systems, also before a Beam pipeline has set their options."""
    with _unwarned():
        # Beam takes a second to import.
        from apache_beam.io.filesystems import FileSystems
        from apache_beam.options.pipeline_options import PipelineOptions

        FileSystems.set_options(PipelineOptions([]))
    return FileSystems


@contextmanager
def _unwarned() -> Iterator[None]:
    """Suppresses warnings of Google's libraries when Beam imports them."""
    logged = logging.root.manager.disable
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logged)


def exists(path: str) -> bool:
    """Whether a file exists; object stores have no folders."""
    with _translate_errors(path) as files:
        return bool(files.exists(path))


def read(path: str) -> bytes | None:
    """Content of a file, or None if it does not exist; here and in S3 without Beam."""
    with errors_for_people(path):
        if path.startswith(S3):
            return read_object(path)
        if not is_remote(path):
            return _read_file(Path(path))
        files = file_systems()
        if not files.exists(path):
            return None
        with files.open(path, compression_type=_AS_IS) as stream:
            return bytes(stream.read())


def _read_file(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def write_whole(path: str, content: bytes) -> None:
    """Writes a file atomically: a reader sees the new or the previous content.

    Args:
        path: File to write; its folder is created if missing.
        content: Its content.
    """
    with _translate_errors(path) as files:
        if is_remote(path):
            # Objects in an object store become visible only when complete.
            with files.create(path, compression_type=_AS_IS) as stream:
                stream.write(content)
            return
        folder, name = files.split(path)
        _make_folder(files, folder)
        draft = files.join(folder, f".{name}.{uuid.uuid4().hex}")
        with files.create(draft, compression_type=_AS_IS) as stream:
            stream.write(content)
        files.rename([draft], [path])


def write_private(path: str, content: bytes) -> None:
    """Writes a file atomically that only its owner may read, as may only they list its folder.

    In an object store the rights are those of the bucket's policy for the prefix. Here and in S3
    without Beam.

    Args:
        path: File to write; its folder is created if missing.
        content: Its content.
    """
    if path.startswith(S3):
        with errors_for_people(path):
            write_object(path, content)
        return
    if is_remote(path):
        write_whole(path, content)
        return
    file = Path(path)
    with errors_for_people(path):
        missing = [folder for folder in (file.parent, *file.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(mode=0o700, exist_ok=True)
        draft = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        draft.replace(file)


def files_below(folder: str) -> list[str]:
    """Paths of all files in a folder and its subfolders, relative to it and sorted."""
    root = folder.rstrip("/")
    if not is_remote(root):
        paths = (path for path in Path(root).rglob("*") if path.is_file())
        return sorted(path.relative_to(root).as_posix() for path in paths)
    with errors_for_people(folder):
        if root.startswith(S3):
            return sorted(objects_below(root))
        (found,) = file_systems().match([f"{root}/**"])
        return sorted(item.path.removeprefix(f"{root}/") for item in found.metadata_list)


def copy_folder(source: str, target: str, last: str = "") -> None:
    """Copies a folder with all files in it, from any file system to any other.

    Args:
        source: Folder to copy.
        target: Folder for the content; its previous content is removed.
        last: File that is copied when all others are there, if the folder has it.
    """
    source, target = source.rstrip("/"), target.rstrip("/")
    with _translate_errors(target) as files:
        remove_folder(target)
        for name in sorted(files_below(source), key=lambda name: (name == last, name)):
            path = f"{target}/{name}"
            if not is_remote(target):
                _make_folder(files, files.split(path)[0])
            with (
                files.open(f"{source}/{name}", compression_type=_AS_IS) as reading,
                files.create(path, compression_type=_AS_IS) as writing,
            ):
                shutil.copyfileobj(reading, writing, _BLOCK)


@contextmanager
def local_folder(folder: str) -> Iterator[str]:
    """A folder as TensorFlow can read it: itself, or a copy.

    TensorFlow can't read each object store, and takes `*`, `?` and `[` in a path for a pattern.

    Args:
        folder: A local path or an address.

    Yields:
        A local path; a copy is removed at the end.
    """
    if not (is_remote(folder) or special_character(folder)):
        yield folder
        return
    with tempfile.TemporaryDirectory() as copy:
        fetch_folder(folder, Path(copy))
        yield copy


def fetch_folder(folder: str, target: Path) -> None:
    """Copies a folder to this machine, a file at a time in memory; from S3 without Beam.

    Args:
        folder: A local path or an address.
        target: A local folder; it is made if missing.
    """
    for name in files_below(folder):
        content = read(f"{folder.rstrip('/')}/{name}")
        if content is not None:
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def remove_folder(folder: str) -> None:
    """Removes a folder with all files in it, if it exists."""
    root = folder.rstrip("/")
    if not is_remote(root):
        # Beam would take its name for a pattern.
        with errors_for_people(root):
            if Path(root).is_dir():
                shutil.rmtree(root)
    elif files_below(root):
        with _translate_errors(root) as files:
            files.delete([f"{root}/"])


def remove_file(path: str) -> None:
    """Removes a file, if it exists; here and in S3 without Beam."""
    if path.startswith(S3):
        with errors_for_people(path):
            remove_object(path)
        return
    if not is_remote(path):
        with errors_for_people(path):
            Path(path).unlink(missing_ok=True)
        return
    with _translate_errors(path) as files:
        if files.exists(path):
            files.delete([path])


def is_remote(path: str) -> bool:
    """Whether an address names an object store."""
    return "://" in path


def special_character(path: str) -> str:
    """First character of a path that makes a pattern of it; empty if it has none.

    Neither Beam nor TensorFlow can quote them.

    Examples:
        >>> special_character("runs/[first]"), special_character("runs/first")
        ('[', '')
    """
    return next((character for character in path if character in "*?["), "")


def make_folder(path: str) -> None:
    """Creates a folder and its parents, if it does not exist.

    Args:
        path: Local path or address.

    Raises:
        UserError: The file system refuses it.
    """
    with _translate_errors(path) as files:
        _make_folder(files, path)


def _make_folder(files: type[FileSystems], folder: str) -> None:
    if not files.exists(folder):
        try:
            files.mkdirs(folder)
        except OSError:
            # Another process may have created it in the meantime.
            if not files.exists(folder):
                raise


@contextmanager
def _translate_errors(path: str) -> Iterator[Any]:
    """Beam's file systems; their errors become messages for the user."""
    with errors_for_people(path):
        yield file_systems()


@contextmanager
def errors_for_people(path: str) -> Iterator[None]:
    """Errors of a file system become messages for the user."""
    try:
        yield
    except ValueError as error:
        raise UserError(
            f"{path}: there is no file system for this address ({error}). Expected a local path, "
            "gs://bucket/... or s3://bucket/...."
        ) from error
    except Exception as error:
        # The client of each object store has its own exceptions; Beam's are an OSError.
        if not (is_remote(path) or isinstance(error, OSError)):
            raise
        raise UserError(
            f"{path}: the file system refused access ({type(error).__name__}: {error}). Check the "
            "address, that the store answers, and that this process may read and write it."
        ) from error
