"""Restores a backup, to places that hold nothing: what is there is never overwritten."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import storage
from pipeline.backup.checks import check_databases, check_free, check_kinds
from pipeline.backup.databases import log_tables, sqlite_path, store_tables
from pipeline.backup.manifest import (
    PREDICTIONS,
    REGISTRY,
    ROOT,
    STORE,
    SUBJECTS,
    Manifest,
    Places,
    read_manifest,
)
from pipeline.backup.take import STORE_FILE
from pipeline.forgetting.forget import (
    IN_LOG,
    Forgetting,
    divisions_with,
    forget_in_divisions,
    forget_in_log,
)
from pipeline.runs.divisions import subjects_root
from pipeline.runs.forgotten import (
    FORGOTTEN_FILE,
    ForgottenList,
    read_forgotten,
    write_forgotten,
)
from pipeline.runs.trail import POINTER

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class _Folder:
    """A folder of the backup, and where it goes.

    Attributes:
        part: Its name in the backup.
        target: A local path or `s3://bucket/folder`.
        file: Its one file, where the target is a file.
    """

    part: str
    target: str
    file: str = ""


@contextmanager
def opened(source: str) -> Iterator[tuple[Path, Manifest]]:
    """A backup, all files of which are as they were written.

    Args:
        source: A local folder or `s3://bucket/folder`.

    Yields:
        A local folder, and what it holds.

    Raises:
        UserError: It is no backup, not whole, or damaged.
    """
    if not storage.is_remote(source):
        yield Path(source), read_manifest(Path(source))
        return
    with tempfile.TemporaryDirectory() as copy:
        storage.fetch_folder(source, Path(copy))
        yield Path(copy), read_manifest(Path(copy))


def restore_backup(
    folder: Path, manifest: Manifest, places: Places, forgotten: ForgottenList
) -> int:
    """Writes what a backup holds, without subjects who were forgotten.

    Databases come first, each in one transaction; folders appear by renames at the end, the root
    last.

    Args:
        folder: The backup, as `opened` gives it.
        manifest: What it holds.
        places: Where to; none of them may hold anything yet.
        forgotten: Who was forgotten since; whom the backup knows of is joined to it.

    Returns:
        How many rows of forgotten subjects were left out.

    Raises:
        UserError: One of them does, or can't be written.
    """
    check_kinds(manifest, places)
    targets = list(_folders(manifest, places))
    for target in targets:
        check_free(target.target, bool(target.file))
    check_free(str(places.root))
    check_databases(manifest, places)
    with _drafts(places.root, targets) as drafts:
        for found in targets:
            _copy(folder / found.part, drafts[found.target], found.file)
        # Before a file appears, so that no reader ever sees a row of them.
        removed = _forget(targets, drafts, forgotten)
        everyone = _all_forgotten(targets, drafts, forgotten)
        removed += _load_databases(folder, manifest, places, everyone)
        for found in targets:
            if storage.is_remote(found.target):
                _upload(drafts[found.target], found.target)
            elif not _is_below(found.target, places.root):
                _rename(drafts[found.target], Path(found.target))
        _rename(drafts[str(places.root)], places.root)
    return removed


def _forget(targets: list[_Folder], drafts: dict[str, Path], forgotten: ForgottenList) -> int:
    """Removes forgotten subjects from what is about to be restored, and keeps the list of them."""
    everyone = _all_forgotten(targets, drafts, forgotten)
    counted = Forgetting()
    by_part = {found.part: drafts[found.target] for found in targets}
    if subjects := by_part.get(SUBJECTS):
        for study in everyone.subjects:
            them = everyone.of(study)
            forget_in_divisions(divisions_with(str(subjects), them), them, counted)
            own = ForgottenList(subjects={study: everyone.subjects[study]})
            write_forgotten(str(subjects / study / FORGOTTEN_FILE), own)
    removed = counted.rows.total()
    if log := by_part.get(PREDICTIONS):
        removed += _forget_in(str(log), everyone)
    return removed


def _forget_in(log: str, forgotten: ForgottenList) -> int:
    return sum(forget_in_log(log, forgotten.of(study)) for study in forgotten.subjects)


def _all_forgotten(
    targets: list[_Folder], drafts: dict[str, Path], forgotten: ForgottenList
) -> ForgottenList:
    """Those of a list, and whom the backup knows of."""
    for found in targets:
        if found.part == SUBJECTS:
            for path in sorted(drafts[found.target].glob(f"*/{FORGOTTEN_FILE}")):
                forgotten = forgotten.joined(read_forgotten(str(path)))
    return forgotten


def _folders(manifest: Manifest, places: Places) -> Iterator[_Folder]:
    """What is restored as files, of what the backup has."""
    parts = {name.partition("/")[0] for name in manifest.files}
    if ROOT in parts:
        yield _Folder(ROOT, str(places.root))
    if REGISTRY in parts:
        yield _Folder(REGISTRY, places.registry.rstrip("/"))
    # Without divisions it may still get the list of forgotten subjects.
    yield _Folder(SUBJECTS, subjects_root(places.registry))
    if manifest.store.kind == "sqlite":
        yield _Folder(STORE, str(sqlite_path(places.store)), STORE_FILE)
    if manifest.prediction_log.kind == "files" and PREDICTIONS in parts:
        yield _Folder(PREDICTIONS, places.prediction_log.rstrip("/"))


def _load_databases(
    folder: Path, manifest: Manifest, places: Places, forgotten: ForgottenList
) -> int:
    """Fills databases; returns how many rows of forgotten subjects were left out."""
    if "postgresql" not in (manifest.store.kind, manifest.prediction_log.kind):
        return 0
    from pipeline.backup.tables import load_tables

    counted = Forgetting()
    if manifest.store.kind == "postgresql":
        load_tables(store_tables(places.store), manifest.store.revision, folder / STORE)
    if manifest.prediction_log.kind == "postgresql":
        revision = manifest.prediction_log.revision
        # In the transaction that fills them: no reader ever sees a row of them.
        forget = partial(_forget_rows, forgotten, counted)
        load_tables(log_tables(places.prediction_log), revision, folder / PREDICTIONS, forget)
    return counted.rows.total()


def _forget_rows(forgotten: ForgottenList, counted: Forgetting, connection: Connection) -> None:
    from pipeline.predictions.postgres_log import remove_subjects, subjects_in

    for study in forgotten.subjects:
        them = forgotten.of(study)
        names = {name for name in subjects_in(connection, study) if them.has(name.encode())}
        counted.rows[IN_LOG] += remove_subjects(connection, study, names)


@contextmanager
def _drafts(root: Path, targets: list[_Folder]) -> Iterator[dict[str, Path]]:
    """Where each folder is written first: beside itself, or in the draft of the root."""
    drafts = {str(root): _beside(root)}
    for found in targets:
        path = Path(found.target)
        if storage.is_remote(found.target):
            drafts[found.target] = _beside(Path(tempfile.gettempdir()) / found.part)
        elif _is_below(found.target, root):
            inside = path.resolve().relative_to(root.resolve())
            drafts[found.target] = drafts[str(root)] / inside
        else:
            drafts[found.target] = _beside(path)
    before = os.umask(0o077)
    try:
        with storage.errors_for_people(str(root)):
            drafts[str(root)].mkdir(mode=0o700, parents=True)
        yield drafts
    finally:
        os.umask(before)
        for draft in drafts.values():
            if draft.is_dir():
                shutil.rmtree(draft, ignore_errors=True)
            else:
                draft.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.resolve().with_name(f".{path.resolve().name}.{uuid.uuid4().hex}")


def _is_below(target: str, root: Path) -> bool:
    return not storage.is_remote(target) and Path(target).resolve().is_relative_to(root.resolve())


def _copy(source: Path, target: Path, file: str) -> None:
    with storage.errors_for_people(str(target)):
        target.parent.mkdir(parents=True, exist_ok=True)
        if file:
            shutil.copyfile(source / file, target)
            return
        for path in sorted(source.rglob("*")):
            if path.is_file():
                copy = target / path.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)


def _upload(source: Path, target: str) -> None:
    # Pointers last: a server must not be led to a model that is not there yet.
    for path in sorted(source.rglob("*"), key=lambda path: (path.name == POINTER, path)):
        if path.is_file():
            name = path.relative_to(source).as_posix()
            storage.write_private(f"{target}/{name}", path.read_bytes())


def _rename(draft: Path, target: Path) -> None:
    if not draft.exists():
        return
    with storage.errors_for_people(str(target)):
        # A link stays, and what it leads to is replaced.
        draft.replace(target.resolve())
