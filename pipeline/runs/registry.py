"""The registry of blessed models: the current and all former champions of each study.

Layout below the registry's root, for each study::

    <study>/champion.json                      the champion's entry (the pointer)
    <study>/history/<UTC time>-<id>.json       one entry per registration, never changed
    <study>/updates/<UTC time>-<id>.json       one entry per updated model, never the champion
    <study>/models/<id>/                       the registered SavedModel
    <study>/statistics/<id>/Split-train/       statistics of the data it was trained on

Who was in which part or fold lies beside the root, see `pipeline.runs.divisions`.

The pointer is a byte-for-byte copy of a file of the history and is written last, whole, so an
interrupted registration never becomes the champion; files copied by then remain unused. Entries
name their files relative to the study's folder, so a registry can be moved.

A champion is identified by its content: a model whose files are those of the champion is not
registered again, so the pointer, and with it the cache of later runs, stays as it is.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import UTC, datetime

from pydantic import ConfigDict

from pipeline import storage
from pipeline.documents import parse_document
from pipeline.errors import UserError
from pipeline.results.division import Division, has_division, write_division
from pipeline.results.registration import Candidate, ModelOrigin, RegisteredModel
from pipeline.results.served_tasks import TASKS_FILE, ServedTasks
from pipeline.runs.divisions import division_folder

NO_CHAMPION = "none"
"""Token of a study that has no champion yet."""


class StoredEntry(Candidate):
    """An entry as its file holds it; a later release may have added keys.

    Attributes:
        id: Unique among all registrations.
        model: Folder of the SavedModel, below the study's folder.
        statistics: Folder of the train statistics, below the study's folder.
        registered_at: UTC time in ISO 8601.
        run: Id of the run that registered it; empty in entries that do not say.
        model_digest: Digest of the SavedModel's files; empty in entries of 0.1.0.
        origin: What was updated, and on which data; null for a trained model.
    """

    model_config = ConfigDict(strict=True)

    id: str
    model: str
    statistics: str
    registered_at: str
    run: str = ""
    model_digest: str = ""
    origin: ModelOrigin | None = None


class Registry:
    """The registry below one root: a local folder or one in an object store.

    Args:
        root: A local path, `gs://bucket/registry` or `s3://bucket/registry`.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as root:
        ...     Registry(root).champion("ist"), Registry(root).champion_token("ist")
        (None, 'none')
    """

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/")

    def champion(self, study: str) -> RegisteredModel | None:
        """The current champion, or None before the first registration.

        Raises:
            UserError: The pointer is damaged.
        """
        content = self._pointer_content(study)
        return None if content is None else self._parse(study, self._pointer(study), content)

    def champion_token(self, study: str) -> str:
        """SHA-256 of the pointer in hexadecimal, or `none`: it changes with the champion.

        It is a parameter of a run, so the cache recognizes another champion.

        Raises:
            UserError: The pointer is damaged.
        """
        content = self._pointer_content(study)
        if content is None:
            return NO_CHAMPION
        self._parse(study, self._pointer(study), content)
        return _token(content)

    def entry_of_token(self, study: str, token: str) -> RegisteredModel | None:
        """The champion of the time when a token was made, even if there is another one now.

        Args:
            study: Name of the study.
            token: A result of `champion_token`.

        Returns:
            The entry, or None if there was no champion.

        Raises:
            UserError: No registration has this token, or a file is damaged.
        """
        if token == NO_CHAMPION:
            return None
        for path in (self._pointer(study), *reversed(self._paths(study, "history"))):
            content = storage.read(path)
            if content is not None and _token(content) == token:
                return self._parse(study, path, content)
        raise UserError(
            f"{self._folder(study)}: no registration has the token {token[:12]}… that this run "
            "was created with: the registry was changed, or it is another registry. Check its "
            "root and create the run again."
        )

    def entry(self, study: str, identifier: str) -> RegisteredModel:
        """The registration with an id: of a former or the present champion, or of an update.

        Args:
            study: Name of the study.
            identifier: Its id.

        Raises:
            UserError: There is none.
        """
        registered = (*self.history(study), *self.updates(study))
        found = next((entry for entry in registered if entry.id == identifier), None)
        if found is None:
            known = ", ".join(entry.id for entry in registered) or "none"
            raise UserError(
                f"{self._folder(study)}: no registration has the id {identifier}; there are: "
                f"{known}."
            )
        return found

    def check_files(self, entry: RegisteredModel) -> None:
        """Checks that the files of a registration are there.

        Raises:
            UserError: They are missing.
        """
        for folder in (entry.model_uri, entry.statistics_uri):
            if not storage.files_below(folder):
                raise UserError(
                    f"{folder}: the registry's files of the model {entry.id} are missing. Restore "
                    "them, or name another registration."
                )

    def updates(self, study: str) -> tuple[RegisteredModel, ...]:
        """All updated models of a study, the oldest first; none of them has been the champion.

        Raises:
            UserError: An entry is damaged.
        """
        return self._entries(study, "updates")

    def history(self, study: str) -> tuple[RegisteredModel, ...]:
        """All registrations of a study, the oldest first.

        Raises:
            UserError: A file of the history is damaged.
        """
        return self._entries(study, "history")

    def _entries(self, study: str, kind: str) -> tuple[RegisteredModel, ...]:
        contents = ((path, storage.read(path)) for path in self._paths(study, kind))
        return tuple(
            self._parse(study, path, content) for path, content in contents if content is not None
        )

    def entry_of_division(self, study: str, digest: str) -> RegisteredModel | None:
        """The newest registration whose run divided its subjects so; None if there is none.

        Raises:
            UserError: A file of the history is damaged.
        """
        found = (e for e in reversed(self.history(study)) if e.division == digest)
        return next((e for e in found if has_division(self.division_folder(e))), None)

    def division_folder(self, entry: RegisteredModel) -> str:
        """Folder with who was in which part or fold of a champion's run."""
        return division_folder(self._root, entry.study, entry.id)

    def register(
        self,
        candidate: Candidate,
        model_dir: str,
        statistics_dir: str,
        division: Division | None = None,
    ) -> RegisteredModel:
        """Copies a model and its train statistics into the registry and makes it the champion.

        The present champion stays where it is this very model, trained for the same labels on
        the same division of the subjects.

        Args:
            candidate: The model's data.
            model_dir: Folder of its SavedModel.
            statistics_dir: Folder of the statistics of the train split (`FeatureStats.pb`).
            division: Who was in which part or fold, and the predictions out of fold.

        Returns:
            The champion: the new one, with the candidate's `run`, or the one that stays.

        Raises:
            UserError: There is no SavedModel in the folder.
        """
        if not storage.exists(f"{model_dir}/saved_model.pb"):
            raise UserError(
                f"{model_dir}: saved_model.pb not found, so the model can't be registered."
            )
        digest = model_digest(model_dir)
        champion = self.champion(candidate.study)
        if champion and self._is_same(champion, candidate, digest):
            return champion
        identifier = uuid.uuid4().hex[:16]
        now = datetime.now(UTC)
        stored = StoredEntry(
            id=identifier,
            model=f"models/{identifier}",
            statistics=f"statistics/{identifier}",
            registered_at=now.isoformat(timespec="microseconds"),
            model_digest=digest,
            **candidate.model_dump(),
        )
        folder = self._folder(candidate.study)
        storage.copy_folder(model_dir, f"{folder}/{stored.model}")
        storage.copy_folder(statistics_dir, f"{folder}/{stored.statistics}/Split-train")
        if division is not None:
            write_division(division_folder(self._root, stored.study, identifier), division)
        content = self._write_entry(stored, "history", now)
        storage.write_whole(self._pointer(candidate.study), content)
        return self._entry(stored)

    def register_update(
        self,
        updated: RegisteredModel,
        origin: ModelOrigin,
        model_dir: str,
        run: str,
        code_version: str,
    ) -> RegisteredModel:
        """Copies an updated model into the registry; the champion stays.

        The same update of the same model on the same data is registered once.

        Args:
            updated: The registration that was updated; its statistics are those of the update too.
            origin: How it was updated.
            model_dir: Folder of the updated SavedModel.
            run: Id of the run.
            code_version: Version of the project.
        """
        earlier = next((e for e in self.updates(updated.study) if e.origin == origin), None)
        if earlier is not None:
            return earlier
        identifier = uuid.uuid4().hex[:16]
        now = datetime.now(UTC)
        kept = updated.model_dump(include=set(Candidate.model_fields) - {"run", "metrics"})
        stored = StoredEntry(
            id=identifier,
            model=f"models/{identifier}",
            statistics=f"statistics/{identifier}",
            registered_at=now.isoformat(timespec="microseconds"),
            model_digest=folder_digest(model_dir),
            origin=origin,
            **{**kept, "run": run, "code_version": code_version, "metrics": {}},
        )
        folder = self._folder(updated.study)
        storage.copy_folder(model_dir, f"{folder}/{stored.model}")
        storage.copy_folder(updated.statistics_uri, f"{folder}/{stored.statistics}")
        self._write_entry(stored, "updates", now)
        return self._entry(stored)

    def _write_entry(self, stored: StoredEntry, kind: str, now: datetime) -> bytes:
        """Writes an entry to a new file.

        Returns:
            Its content.
        """
        content = json.dumps(stored.model_dump(), indent=2, sort_keys=True).encode()
        name = f"{now:%Y%m%dT%H%M%S.%fZ}-{stored.id}.json"
        storage.write_whole(f"{self._folder(stored.study)}/{kind}/{name}", content)
        return content

    def _is_same(self, champion: RegisteredModel, candidate: Candidate, digest: str) -> bool:
        """Whether the champion is the candidate, and its files are where they should be."""
        return (
            champion.label_digest == candidate.label_digest
            and champion.split_seed == candidate.split_seed
            and champion.division == candidate.division
            and digest == (champion.model_digest or model_digest(champion.model_uri))
            and storage.exists(f"{champion.model_uri}/saved_model.pb")
        )

    def _folder(self, study: str) -> str:
        return f"{self._root}/{study}"

    def _pointer(self, study: str) -> str:
        return f"{self._folder(study)}/champion.json"

    def _pointer_content(self, study: str) -> bytes | None:
        return storage.read(self._pointer(study))

    def _paths(self, study: str, kind: str) -> list[str]:
        folder = f"{self._folder(study)}/{kind}"
        return [f"{folder}/{name}" for name in storage.files_below(folder) if _is_json(name)]

    def _parse(self, study: str, path: str, content: bytes) -> RegisteredModel:
        stored = parse_document(StoredEntry, content, path, "an entry of the registry", _REPAIR)
        if stored.study != study:
            raise UserError(f"{path}: an entry of the study {stored.study}, not {study}. {_REPAIR}")
        return self._entry(stored)

    def _entry(self, stored: StoredEntry) -> RegisteredModel:
        folder = self._folder(stored.study)
        return RegisteredModel(
            model_uri=f"{folder}/{stored.model}",
            statistics_uri=f"{folder}/{stored.statistics}",
            **stored.model_dump(exclude={"model", "statistics"}),
        )


_REPAIR = (
    "If this is champion.json, copy the newest good file of history/ over it, or delete it to "
    "continue without a champion; a damaged file of history/ can be moved away."
)


def model_digest(folder: str) -> str:
    """Identity of a SavedModel: that of its trained model and tasks, else of its files.

    Args:
        folder: Folder of the SavedModel.

    Raises:
        UserError: Its list of tasks is damaged.
    """
    found = _tasks_of(folder)
    return folder_digest(folder) if found is None else found.digest


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
    return parse_document(ServedTasks, content, path, "the tasks of a model", _REPAIR)


def folder_digest(folder: str) -> str:
    """SHA-256 over names and contents of all files below a folder, in hexadecimal."""
    digest = hashlib.sha256()
    for name in sorted(storage.files_below(folder)):
        content = storage.read(f"{folder}/{name}") or b""
        digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


def _token(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _is_json(name: str) -> bool:
    return name.endswith(".json") and not name.startswith(".")
