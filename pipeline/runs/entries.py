"""Entries of the registry: the file of a registration, and what identifies its model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ConfigDict

from pipeline import storage
from pipeline.documents import parse_document
from pipeline.errors import UserError
from pipeline.results.registration import Candidate, ModelOrigin, RegisteredModel
from pipeline.results.served_tasks import TASKS_FILE, ServedTasks
from pipeline.results.uncertainty import SERVED_FILE

HISTORY = "history"
"""Folder of the registrations of trained models."""

UPDATES = "updates"
"""Folder of the registrations of updated models."""

REPAIR = (
    "Restore champion.json from a backup, or delete it and run `trial models recover`, which makes "
    "it again from the trail; a damaged file of history/ can be restored from a backup only."
)


class StoredEntry(Candidate):
    """An entry as its file holds it; a later release may have added keys.

    Attributes:
        id: Unique among all registrations.
        model: Folder of the SavedModel, below the study's folder.
        statistics: Folder of the train statistics, below the study's folder.
        registered_at: UTC time in ISO 8601.
        run: Id of the run that registered it; empty in entries that do not say.
        model_digest: Identity of the model; empty in entries of 0.1.0.
        origin: What was updated, and on which data; null for a trained model.
        documents: Folder of card and verdict, below the study's folder; empty where there is none.
        digests: Digest of the files in `model`, `statistics` and `documents`; empty in entries of
            0.2.0 and before.
    """

    model_config = ConfigDict(strict=True)

    id: str
    model: str
    statistics: str
    registered_at: str
    run: str = ""
    model_digest: str = ""
    origin: ModelOrigin | None = None
    documents: str = ""
    digests: dict[str, str] = {}


@dataclass(frozen=True)
class EntryFile:
    """An entry with its file.

    Attributes:
        path: The file, below the study's folder.
        digest: SHA-256 of the file.
        model: What it says, with full addresses.
    """

    path: str
    digest: str
    model: RegisteredModel


def read_entries(folder: str, study: str, kind: str) -> Iterator[EntryFile]:
    """All entries of a kind, the oldest first.

    Args:
        folder: The study's folder in the registry.
        study: Name of the study.
        kind: `HISTORY` or `UPDATES`.

    Raises:
        UserError: An entry is damaged.
    """
    for name in storage.files_below(f"{folder}/{kind}"):
        if not name.endswith(".json") or name.startswith("."):
            continue
        content = storage.read(f"{folder}/{kind}/{name}")
        if content is not None:
            yield entry_file(folder, study, f"{kind}/{name}", content)


def entry_file(folder: str, study: str, path: str, content: bytes) -> EntryFile:
    """An entry from the content of its file.

    Raises:
        UserError: It is damaged, or of another study.
    """
    where = f"{folder}/{path}"
    stored = parse_document(StoredEntry, content, where, "an entry of the registry", REPAIR)
    if stored.study != study:
        raise UserError(f"{where}: an entry of the study {stored.study}, not {study}. {REPAIR}")
    return EntryFile(path, sha256(content), registered_model(folder, stored))


def registered_model(folder: str, stored: StoredEntry) -> RegisteredModel:
    """An entry with full addresses."""
    return RegisteredModel(
        model_uri=f"{folder}/{stored.model}",
        statistics_uri=f"{folder}/{stored.statistics}",
        documents_uri=f"{folder}/{stored.documents}" if stored.documents else "",
        **stored.model_dump(exclude={"model", "statistics", "documents"}),
    )


def write_entry(folder: str, stored: StoredEntry, kind: str) -> EntryFile:
    """Writes an entry to a new file."""
    content = json.dumps(stored.model_dump(), indent=2, sort_keys=True).encode()
    time = stored.registered_at.replace("-", "").replace(":", "").replace("+0000", "Z")
    path = f"{kind}/{time}-{stored.id}.json"
    storage.write_whole(f"{folder}/{path}", content)
    return EntryFile(path, sha256(content), registered_model(folder, stored))


def model_digest(folder: str) -> str:
    """Identity of a SavedModel: its trained model, tasks, intervals and sets; else all its files.

    Args:
        folder: Folder of the SavedModel.

    Raises:
        UserError: Its list of tasks is damaged.
    """
    found = _tasks_of(folder)
    if found is None:
        return folder_digest(folder)
    uncertainty = storage.read(f"{folder}/{SERVED_FILE}")
    if uncertainty is None:  # a model of an earlier release
        return found.digest
    return sha256(f"{found.digest}\0{sha256(uncertainty)}".encode())


def served_tasks(folder: str) -> tuple[str, ...] | None:
    """Tasks that a SavedModel serves, by its list of tasks; None if it has no list.

    Args:
        folder: Folder of the SavedModel.

    Raises:
        UserError: The list is damaged.
    """
    found = _tasks_of(folder)
    return None if found is None else found.blessed


def _tasks_of(folder: str) -> ServedTasks | None:
    path = f"{folder}/{TASKS_FILE}"
    content = storage.read(path)
    if content is None:
        return None
    return parse_document(ServedTasks, content, path, "the tasks of a model", REPAIR)


def folder_digest(folder: str) -> str:
    """SHA-256 over names and contents of all files below a folder, in hexadecimal."""
    digest = hashlib.sha256()
    for name in sorted(storage.files_below(folder)):
        content = storage.read(f"{folder}/{name}") or b""
        digest.update(f"{name}\0{sha256(content)}\n".encode())
    return digest.hexdigest()


def sha256(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
