"""Takes a backup: a folder that its owner alone can read, whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from pipeline import storage
from pipeline.backup.databases import copy_sqlite, log_tables, sqlite_path, store_tables
from pipeline.backup.manifest import (
    FORMAT,
    MANIFEST,
    PREDICTIONS,
    REGISTRY,
    ROOT,
    STORE,
    SUBJECTS,
    Manifest,
    Part,
    Places,
    described,
)
from pipeline.errors import UserError
from pipeline.permissions import UNBLINDED_FOLDER, is_unblinded
from pipeline.predictions.open_log import is_sql
from pipeline.runs.alive import no_living_run
from pipeline.runs.divisions import subjects_root
from pipeline.runs.trail import POINTER
from pipeline.version import code_version

STORE_FILE = "store.sqlite"
"""Name of a store in SQLite, in a backup."""

METADATA = "metadata.sqlite"
_TRIES = 3
_ONE_MOMENT = "a backup would not be of one moment. Take it when the run has ended."
_DRAFT = re.compile(r"\.(.+)\.[0-9a-f]{32}")


def take_backup(places: Places, target: str, subject_key: str) -> Manifest:
    """Takes a backup while no run is alive below the root.

    Args:
        places: What is kept.
        target: A local folder that does not exist yet, or `s3://bucket/folder`.
        subject_key: Id of the subject key; empty where there is none.

    Returns:
        What it holds.

    Raises:
        UserError: The target is there already or lies in the root, a run is alive, or a part can't
            be read; nothing is left of it.
    """
    _check(places, target)
    with _drafted(target) as draft:
        with no_living_run(_folders_of_runs(places.root), _ONE_MOMENT):
            for file in _metadata(places.root):
                copy_sqlite(file, _made(draft / ROOT / file.relative_to(places.root)))
            _copy_registry(places.registry, draft)
            store = _keep_store(places.store, draft / STORE)
            log = _keep_log(places.prediction_log, draft / PREDICTIONS)
        files = {
            path.relative_to(draft).as_posix(): described(path)
            for path in sorted(draft.rglob("*"))
            if path.is_file()
        }
        manifest = Manifest(
            format=FORMAT,
            version=code_version(),
            taken=datetime.now(UTC).isoformat(timespec="seconds"),
            subject_key=subject_key,
            store=store,
            prediction_log=log,
            files=files,
        )
        (draft / MANIFEST).write_text(manifest.model_dump_json(indent=1))
        _put(draft, target)
    return manifest


def _check(places: Places, target: str) -> None:
    if is_unblinded(places.root):
        raise UserError(
            f"{places.root}: a root of unblinded runs has no backup by this command, since a copy "
            "would lie where its readers are not asked. Copy it as a whole, to a place of its "
            "named readers."
        )
    if not places.root.is_dir():
        raise UserError(f"{places.root}: there is no root of runs. Name it (--root).")
    if storage.is_remote(target):
        if not target.startswith("s3://"):
            raise UserError(f"{target}: expected a local folder or s3://bucket/folder.")
        if storage.files_below(target):
            raise UserError(f"{target}: there are objects already. Name another folder.")
        return
    path = Path(target)
    if path.exists() or path.is_symlink():
        raise UserError(f"{target}: it is there already. Name a folder that does not exist yet.")
    if not path.parent.is_dir():
        raise UserError(f"{path.parent}: the folder does not exist. Make it first.")
    if path.resolve().is_relative_to(places.root.resolve()):
        raise UserError(
            f"{target}: it lies below the root {places.root}, with which it would be lost. Name a "
            "folder outside of it."
        )


@contextmanager
def _drafted(target: str) -> Iterator[Path]:
    """An empty folder of the owner, which is gone afterwards."""
    folder = Path(target).resolve().parent if not storage.is_remote(target) else None
    name = f".{Path(target).name}.{uuid.uuid4().hex}"
    draft = (folder or Path(tempfile.gettempdir())) / name
    before = os.umask(0o077)
    try:
        with storage.errors_for_people(str(draft)):
            draft.mkdir(mode=0o700)
        yield draft
    finally:
        os.umask(before)
        shutil.rmtree(draft, ignore_errors=True)


def _put(draft: Path, target: str) -> None:
    if not storage.is_remote(target):
        with storage.errors_for_people(target):
            draft.rename(target)
        return
    # Last the manifest: a folder without it is no backup.
    for name in sorted(storage.files_below(str(draft)), key=lambda name: (name == MANIFEST, name)):
        storage.write_private(f"{target.rstrip('/')}/{name}", (draft / name).read_bytes())


def _metadata(root: Path) -> list[Path]:
    return [file for folder in _folders_of_runs(root) if (file := folder / METADATA).is_file()]


def _folders_of_runs(root: Path) -> list[Path]:
    """Folders that may be those of a study's runs, validations or scorings.

    A root of unblinded runs below has readers of its own, who copy it as a whole.
    """
    studies = [folder for folder in sorted(root.glob("*")) if folder.name != UNBLINDED_FOLDER]
    return [*studies, *(folder for study in studies for folder in sorted(study.glob("*")))]


def _copy_registry(registry: str, draft: Path) -> None:
    """Copies a registry that nothing changes meanwhile.

    Raises:
        UserError: It was changed each time.
    """
    parts = {REGISTRY: registry.rstrip("/"), SUBJECTS: subjects_root(registry)}
    for _ in range(_TRIES):
        before = _state(registry)
        for part, source in parts.items():
            shutil.rmtree(draft / part, ignore_errors=True)
            _copy_files(source, draft / part)
        if _state(registry) == before:
            return
    raise UserError(
        f"{registry}: the registry was changed while it was read, {_TRIES} times. Take the backup "
        "when nothing registers or decides."
    )


def _state(registry: str) -> dict[str, bytes | None]:
    """Names of all files, and the content of the pointers: other files are never changed."""
    root = registry.rstrip("/")
    return {
        name: storage.read(f"{root}/{name}") if name.endswith(f"/{POINTER}") else None
        for name in storage.files_below(root)
    }


def _copy_files(source: str, target: Path) -> None:
    """Copies a folder, without locks and the drafts of writers."""
    for name in storage.files_below(source):
        if name.endswith(".lock") or _DRAFT.fullmatch(name.rpartition("/")[2]):
            continue
        if not storage.is_remote(source):
            # The retention period may remove a file of the prediction log meanwhile.
            with storage.errors_for_people(f"{source}/{name}"), suppress(FileNotFoundError):
                shutil.copyfile(f"{source}/{name}", _made(target / name))
        elif (content := storage.read(f"{source}/{name}")) is not None:
            _made(target / name).write_bytes(content)


def _keep_store(address: str, folder: Path) -> Part:
    if not address:
        return Part()
    file = sqlite_path(address)
    if file is not None:
        if not file.exists():
            raise UserError(f"{file}: there is no store. Name another one (--store).")
        copy_sqlite(file, _made(folder / STORE_FILE))
        return Part(kind="sqlite")
    from pipeline.backup.tables import dump_tables

    folder.mkdir()
    return Part(kind="postgresql", revision=dump_tables(store_tables(address), folder))


def _keep_log(address: str, folder: Path) -> Part:
    if not address:
        return Part()
    if not is_sql(address):
        _copy_files(address.rstrip("/"), folder)
        return Part(kind="files")
    from pipeline.backup.tables import dump_tables

    folder.mkdir()
    return Part(kind="postgresql", revision=dump_tables(log_tables(address), folder))


def _made(path: Path) -> Path:
    """A path whose folder exists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
