"""The registry of blessed models: the champion, its candidates and all former champions of a study.

Layout below the registry's root, for each study::

    <study>/champion.json                      the pointer to the champion, and to the trail's end
    <study>/trail/<number>-<digest>.json       the audit trail: one entry per decision, chained
    <study>/history/<UTC time>-<id>.json       one entry per registration, never changed
    <study>/updates/<UTC time>-<id>.json       one entry per updated model, never the champion
    <study>/models/<id>/                       the registered SavedModel
    <study>/statistics/<id>/Split-train/       statistics of the data it was trained on
    <study>/documents/<id>/                    its card and its verdict

Who was in which part or fold lies beside the root, see `pipeline.runs.divisions`. Entries name
their files relative to the study's folder, so a registry can be moved. Files are written first and
the pointer last, by compare-and-swap (`pipeline.runs.trail`): an interrupted registration never
becomes the champion; what it had copied remains unused.

A champion is identified by its content: a model whose files are those of the champion is not
registered again, so the pointer, and with it the cache of later runs, stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline import storage
from pipeline.errors import UserError
from pipeline.results.division import Division, has_division
from pipeline.results.registration import Candidate, ModelOrigin, RegisteredModel
from pipeline.runs.divisions import division_folder
from pipeline.runs.entries import HISTORY, UPDATES, folder_digest, read_entries
from pipeline.runs.register import Decision, NewModel, Registered, register_model, register_update
from pipeline.runs.trail import Book, read_book

NO_CHAMPION = "none"
"""Token of a study that has no champion yet."""


class Registry:
    """The registry below one root: a local folder or one in an object store.

    Args:
        root: A local path or `s3://bucket/registry`; `gs://bucket/registry` can be read only.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as root:
        ...     Registry(root).champion("ist"), Registry(root).champion_token("ist")
        (None, 'none')
    """

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/")

    def folder(self, study: str) -> str:
        """The folder of a study."""
        return f"{self._root}/{study}"

    def book(self, study: str) -> Book:
        """Pointer and trail of a study.

        Raises:
            UserError: The pointer is damaged.
        """
        return read_book(self.folder(study), study)

    def champion(self, study: str) -> RegisteredModel | None:
        """The current champion, or None where there is none.

        Raises:
            UserError: The pointer or the champion's entry is damaged.
        """
        return self.book(study).champion()

    def champion_token(self, study: str) -> str:
        """SHA-256 of the champion's entry in hexadecimal, or `none`: it changes with the champion.

        It is a parameter of a run, so the cache recognizes another champion.

        Raises:
            UserError: The pointer is damaged.
        """
        return self.book(study).token or NO_CHAMPION

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
        book = self.book(study)
        if book.token == token:
            return book.champion()
        for entry in read_entries(self.folder(study), study, HISTORY):
            if entry.digest == token:
                return entry.model
        raise UserError(
            f"{self.folder(study)}: no registration has the token {token[:12]}… that this run "
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
                f"{self.folder(study)}: no registration has the id {identifier}; there are: "
                f"{known}."
            )
        return found

    def check_files(self, entry: RegisteredModel) -> None:
        """Checks that the files of a registration are there, and are those that were registered.

        Raises:
            UserError: They are missing, or were changed.
        """
        for problem in file_problems(entry):
            raise UserError(f"{problem} Restore it, or name another registration.")

    def updates(self, study: str) -> tuple[RegisteredModel, ...]:
        """All updated models of a study, the oldest first; none of them has been the champion.

        Raises:
            UserError: An entry is damaged.
        """
        return self._entries(study, UPDATES)

    def history(self, study: str) -> tuple[RegisteredModel, ...]:
        """All registrations of a study, the oldest first.

        Raises:
            UserError: A file of the history is damaged.
        """
        return self._entries(study, HISTORY)

    def _entries(self, study: str, kind: str) -> tuple[RegisteredModel, ...]:
        return tuple(entry.model for entry in read_entries(self.folder(study), study, kind))

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
        documents: Mapping[str, bytes] | None = None,
        decision: Decision | None = None,
    ) -> Registered:
        """Copies a model into the registry; it becomes the champion if the rules let it.

        The present champion stays where it is this very model, trained for the same labels on
        the same division of the subjects.

        Args:
            candidate: The model's data.
            model_dir: Folder of its SavedModel.
            statistics_dir: Folder of the statistics of the train split (`FeatureStats.pb`).
            division: Who was in which part or fold, and the predictions out of fold.
            documents: Content of its card and verdict, by name: a model without them becomes no
                champion.
            decision: What decides on its promotion; the champion of this moment is the one that it
                was compared with, where none is given.

        Raises:
            UserError: There is no SavedModel in the folder, or the registry can't be written.
        """
        new = NewModel(candidate, model_dir, statistics_dir, division, documents or {})
        return register_model(self._root, new, decision)

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
        made = updated.model_copy(update={"run": run, "code_version": code_version})
        return register_update(self.folder(updated.study), made, origin, model_dir)


def file_problems(entry: RegisteredModel, copies: Mapping[str, str] | None = None) -> Iterator[str]:
    """What is wrong with the files of a registration, a sentence each.

    Digests are compared where the entry has them: those of 0.2.0 and before have none.

    Args:
        entry: The registration.
        copies: Copies of its folders that are checked in their place, by `model`, `statistics` and
            `documents`.
    """
    read_from = copies or {}
    folders = {"model": entry.model_uri, "statistics": entry.statistics_uri}
    if entry.documents_uri:
        folders["documents"] = entry.documents_uri
    for name, folder in folders.items():
        place = read_from.get(name, folder)
        if not storage.files_below(place):
            yield f"{folder}: the registry's files of the model {entry.id} are missing."
        elif name in entry.digests and folder_digest(place) != entry.digests[name]:
            yield (
                f"{folder}: the registry's files of the model {entry.id} are not those that were "
                "registered (other digest)."
            )
