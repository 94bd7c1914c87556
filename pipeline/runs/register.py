"""Registration: a run's model becomes a candidate and, if the rules let it, the champion."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipeline import storage
from pipeline.errors import UserError
from pipeline.results.division import Division, write_division
from pipeline.results.registration import Candidate, ModelOrigin, RegisteredModel
from pipeline.results.trail import Actor, PromotionRule
from pipeline.runs.divisions import division_folder
from pipeline.runs.entries import (
    HISTORY,
    UPDATES,
    EntryFile,
    StoredEntry,
    folder_digest,
    model_digest,
    read_entries,
    write_entry,
)
from pipeline.runs.promotion import DropTasks, why_not_served, why_tasks_drop
from pipeline.runs.trail import Book, book_to_change, extend

NONE = "none"
"""In place of a champion's id where there was none."""


@dataclass(frozen=True)
class NewModel:
    """A model that a run has made.

    Attributes:
        candidate: What is known of it.
        model: Folder of its SavedModel.
        statistics: Folder of the statistics of the train split.
        division: Who was in which part or fold; None where that is not kept.
        documents: Content of its card and verdict, by name.
    """

    candidate: Candidate
    model: str
    statistics: str
    division: Division | None
    documents: Mapping[str, bytes]


@dataclass(frozen=True)
class Decision:
    """What decides whether a run's model becomes the champion.

    Attributes:
        compared_with: Id of the champion that it was compared with, or `none`.
        rule: `registry.promotion` of the study file.
        drop_tasks: `evaluation.drop_tasks` of the study file.
        account: Account that the run has.
    """

    compared_with: str
    rule: PromotionRule = "automatic"
    drop_tasks: DropTasks = "refused"
    account: str = ""


@dataclass(frozen=True)
class Registered:
    """The result of a registration.

    Attributes:
        entry: Its entry, or that of the same model that the registry held already.
        is_champion: Whether this run made it the champion.
        reason: Why not, the end of a sentence; None where it did.
    """

    entry: RegisteredModel
    is_champion: bool
    reason: str | None


def register_model(root: str, new: NewModel, decision: Decision | None) -> Registered:
    """Copies a model into the registry and decides on its promotion in one compare-and-swap.

    Args:
        root: Root of the registry.
        new: The model.
        decision: What decides on its promotion; by the defaults, compared with the champion of
            this moment, where it is None.

    Raises:
        UserError: There is no SavedModel in the folder, or the registry can't be written.
    """
    if not storage.exists(f"{new.model}/saved_model.pb"):
        raise UserError(f"{new.model}: saved_model.pb not found, so the model can't be registered.")
    study = new.candidate.study
    folder = f"{root}/{study}"
    book = book_to_change(folder, study)
    decision = decision or Decision(compared_with=book.standing.champion or NONE)
    digest = model_digest(new.model)
    held = _same_candidate(book, new, digest)
    is_new = held is None
    while True:
        champion = book.champion()
        if champion and _is_same(champion, new.candidate, digest):
            return Registered(champion, champion.run == new.candidate.run, _already(champion, new))
        held = held or _copied(root, new, digest)
        refused = _refusal(book, held.model, champion, digest, decision)
        drafts = list(_drafts(held, new.candidate.run, decision, refused, is_new))
        if not drafts:
            return Registered(held.model, False, refused)
        if extend(book, drafts):
            return Registered(held.model, refused is None, refused)
        # Another writer was first: what it decided may decide on this model too.
        book = book_to_change(folder, study)


def register_update(
    folder: str, made: RegisteredModel, origin: ModelOrigin, model_dir: str
) -> RegisteredModel:
    """Copies an updated model into the registry; it does not become the champion.

    Args:
        folder: The study's folder.
        made: The registration that was updated, with run and code of the update.
        origin: How it was updated.
        model_dir: Folder of the updated SavedModel.
    """
    identifier = uuid.uuid4().hex[:16]
    model, statistics = f"models/{identifier}", f"statistics/{identifier}"
    storage.copy_folder(model_dir, f"{folder}/{model}")
    storage.copy_folder(made.statistics_uri, f"{folder}/{statistics}")
    kept = made.model_dump(include=set(Candidate.model_fields) - {"metrics"})
    stored = StoredEntry(
        id=identifier,
        model=model,
        statistics=statistics,
        registered_at=_now(),
        model_digest=folder_digest(model_dir),
        origin=origin,
        metrics={},
        digests=_digests(folder, model=model, statistics=statistics),
        **kept,
    )
    return write_entry(folder, stored, UPDATES).model


def _already(champion: RegisteredModel, new: NewModel) -> str | None:
    """Why a model is not registered that is the champion; None where this run registered it."""
    if champion.run == new.candidate.run:
        return None
    by = f" by the run {champion.run}" if champion.run else ""
    return f"it is the champion already, registered{by} at {champion.registered_at}."


def _refusal(
    book: Book,
    entry: RegisteredModel,
    champion: RegisteredModel | None,
    digest: str,
    decision: Decision,
) -> str | None:
    """Why a model does not become the champion now, the end of a sentence; None where it does."""
    now = champion.id if champion else NONE
    if decision.compared_with != now:
        return (
            f"it was compared with the champion {decision.compared_with}, but now the champion is "
            f"{now}: run again, so that it is compared with that one."
        )
    for reason in (why_not_served(entry), why_tasks_drop(entry, champion, decision.drop_tasks)):
        if reason:
            return reason
    if digest in _retired_digests(book):
        return "this very model was retired; `trial models list` says why."
    if decision.rule != "automatic":
        who = "a person decides" if decision.rule == "person" else "two persons decide"
        return (
            f"it is a candidate, and {who} (`registry.promotion: {decision.rule}`): "
            f"`trial models promote {entry.id}`."
        )
    if book.standing.suspended:
        return (
            "it is a candidate: automatic promotion is suspended since a rollback, until "
            "`trial models resume`."
        )
    return None


def _retired_digests(book: Book) -> set[str]:
    if not book.standing.retired:
        return set()
    entries = read_entries(book.folder, book.study, HISTORY)
    return {e.model.model_digest for e in entries if e.model.id in book.standing.retired}


def _drafts(
    held: EntryFile, run: str, decision: Decision, refused: str | None, is_new: bool
) -> Iterator[dict[str, Any]]:
    said = {
        "actor": Actor(account=decision.account, run=run),
        "model": held.model.id,
        "entry_digest": held.digest,
        "run": run,
        "compared_with": decision.compared_with,
        "rule": decision.rule,
        "study_digest": held.model.study_digest,
    }
    if is_new:
        yield {"action": "registered", "refused": refused or "", **said}
    if refused is None:
        yield {"action": "promoted", "reason": "blessed by the Evaluator", **said}


def _same_candidate(book: Book, new: NewModel, digest: str) -> EntryFile | None:
    """The registration of the same model that waits for its promotion."""
    standing = book.standing
    done = {*standing.former, *standing.retired}
    found = [
        entry
        for entry in read_entries(book.folder, book.study, HISTORY)
        if entry.model.id not in done and _is_same(entry.model, new.candidate, digest)
    ]
    known = {entry.model for entry in book.entries()} if found else set()
    return next((entry for entry in reversed(found) if entry.model.id in known), None)


def _copied(root: str, new: NewModel, digest: str) -> EntryFile:
    """Copies the files of a model, then writes its entry."""
    study = new.candidate.study
    folder, identifier = f"{root}/{study}", uuid.uuid4().hex[:16]
    places = {name: f"{name}/{identifier}" for name in ("models", "statistics", "documents")}
    storage.copy_folder(new.model, f"{folder}/{places['models']}")
    storage.copy_folder(new.statistics, f"{folder}/{places['statistics']}/Split-train")
    for name, content in new.documents.items():
        storage.write_whole(f"{folder}/{places['documents']}/{name}", content)
    if new.division is not None:
        write_division(division_folder(root, study, identifier), new.division)
    documents = places["documents"] if new.documents else ""
    kept = {"model": places["models"], "statistics": places["statistics"], "documents": documents}
    stored = StoredEntry(
        id=identifier,
        registered_at=_now(),
        model=kept["model"],
        statistics=kept["statistics"],
        documents=documents,
        model_digest=digest,
        digests=_digests(folder, **{name: place for name, place in kept.items() if place}),
        **new.candidate.model_dump(),
    )
    return write_entry(folder, stored, HISTORY)


def _is_same(entry: RegisteredModel, candidate: Candidate, digest: str) -> bool:
    """Whether an entry is the candidate's, and its files are where they should be."""
    return (
        entry.label_digest == candidate.label_digest
        and entry.split_seed == candidate.split_seed
        and entry.division == candidate.division
        and digest == (entry.model_digest or model_digest(entry.model_uri))
        and storage.exists(f"{entry.model_uri}/saved_model.pb")
    )


def _digests(folder: str, **places: str) -> dict[str, str]:
    return {name: folder_digest(f"{folder}/{place}") for name, place in places.items()}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
