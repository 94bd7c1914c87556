"""The trail of a registry: read, extended by compare-and-swap, and checked against its digests.

The pointer names the last entry by its digest, each entry the one before. A writer writes its
entries under names that no other writer has, then swaps the pointer: entries that no pointer
names, of a writer that lost or died, are no part of the trail.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pipeline import storage
from pipeline.documents import parse_document
from pipeline.errors import UserError
from pipeline.results.registration import RegisteredModel
from pipeline.results.trail import Actor, Pointer, Served, Standing, TrailEnd, TrailEntry
from pipeline.runs.chain import chained, read_chain
from pipeline.runs.entries import HISTORY, REPAIR, EntryFile, entry_file, read_entries, sha256
from pipeline.runs.standing import after
from pipeline.swap import Seen, replace_seen, see

POINTER = "champion.json"
TRAIL = "trail"
_EARLIER = Actor(account="earlier release")
_LOOKS = 10
_SECONDS_BETWEEN_LOOKS = 0.1


@dataclass(frozen=True)
class Book:
    """The state of a study's registry, as one writer or reader has seen it.

    Attributes:
        folder: The study's folder.
        study: Its name.
        seen: The pointer's file.
        pointer: What it says.
        token: SHA-256 of the champion's entry; empty without a champion.
        adopted: Registrations of an earlier release that no trail knows yet, with the champion.
    """

    folder: str
    study: str
    seen: Seen
    pointer: Pointer
    token: str
    adopted: TrailEntry | None = None

    @property
    def standing(self) -> Standing:
        """What follows from the trail."""
        return self.pointer.standing

    def champion(self) -> RegisteredModel | None:
        """The champion's entry.

        Raises:
            UserError: Its file is missing or not the one that was registered.
        """
        served = self.pointer.champion
        if served is None:
            return None
        path = f"{self.folder}/{served.entry}"
        content = storage.read(path)
        if content is None or sha256(content) != served.entry_digest:
            problem = "missing" if content is None else "not the file that was registered"
            raise UserError(f"{path}: the champion's entry is {problem}. {REPAIR}")
        return entry_file(self.folder, self.study, served.entry, content).model

    def entries(self) -> tuple[TrailEntry, ...]:
        """All entries of the trail, the oldest first.

        Raises:
            UserError: One is missing, or was changed.
        """
        if self.adopted:
            return (self.adopted,)
        return read_trail(self.folder, self.pointer.trail)


def read_book(folder: str, study: str) -> Book:
    """Reads the state of a study's registry; nothing is written.

    Raises:
        UserError: The pointer is damaged, or missing though there is a trail.
    """
    pointer = f"{folder}/{POINTER}"
    return _book(folder, study, _seen(folder, lambda: Seen(storage.read(pointer), "")))


def book_to_change(folder: str, study: str) -> Book:
    """Reads the state of a study's registry that is to be changed.

    Raises:
        UserError: As `read_book`; or the place has no compare-and-swap.
    """
    return _book(folder, study, _seen(folder, lambda: see(f"{folder}/{POINTER}")))


def extend(book: Book, drafts: Sequence[Mapping[str, Any]]) -> Book | None:
    """Adds entries to the trail and moves the pointer, in one compare-and-swap.

    Args:
        book: The state that the change was decided on.
        drafts: What the entries say: fields of `TrailEntry` without number, previous digest, time
            and champion.

    Returns:
        The new state; None where the registry has changed since, and nothing was written.
    """
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    standing = book.standing
    entries = [book.adopted] if book.adopted else []
    for draft in drafts:
        entry = TrailEntry.model_validate({"number": 0, "previous": "", "at": now, **draft})
        standing = after(standing, entry)
        entries.append(entry.model_copy(update={"champion": standing.champion}))
    end, files = chained(f"{book.folder}/{TRAIL}", book.pointer.trail, entries)
    if book.adopted:
        book = _with_kept_entry(book)
    champion, version = _served(book, standing.champion)
    pointer = Pointer(
        study=book.study, champion=champion, standing=standing, trail=end, version=version
    )
    content = json.dumps(pointer.model_dump(), indent=1, sort_keys=True).encode()
    for path, text in files.items():
        storage.write_whole(path, text)
    if not replace_seen(f"{book.folder}/{POINTER}", content, book.seen):
        for path in files:
            storage.remove_file(path)
        return None
    token = champion.entry_digest if champion else ""
    return replace(book, seen=Seen(content, ""), pointer=pointer, token=token, adopted=None)


def read_trail(folder: str, end: TrailEnd) -> tuple[TrailEntry, ...]:
    """The entries that lead to an end, the oldest first.

    Raises:
        UserError: One is missing, or is not the one that the next entry or the pointer names.
    """
    return read_chain(TrailEntry, f"{folder}/{TRAIL}", end, "the audit trail", REPAIR)


def find_entry(folder: str, study: str, model: str) -> EntryFile | None:
    """The registration of a trained model; None if there is none.

    Raises:
        UserError: An entry is damaged.
    """
    found = read_entries(folder, study, HISTORY)
    return next((entry for entry in found if entry.model.id == model), None)


def _seen(folder: str, look: Callable[[], Seen]) -> Seen:
    """Reads the pointer; another one who registers first writes the trail, then the pointer.

    Raises:
        UserError: It is missing, though there is a trail.
    """
    for _ in range(_LOOKS):
        seen = look()
        if seen.content is not None or not storage.files_below(f"{folder}/{TRAIL}"):
            return seen
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    raise UserError(
        f"{folder}/{POINTER}: the pointer to the champion is missing, though there is an audit "
        "trail. Restore it from a backup, or run `trial models recover`, which makes it again "
        "from the trail."
    )


def _book(folder: str, study: str, seen: Seen) -> Book:
    path = f"{folder}/{POINTER}"
    if seen.content is None:
        empty = Pointer(
            study=study, champion=None, standing=Standing(), trail=TrailEnd(), version=0
        )
        return Book(folder, study, seen, empty, "")
    if not _is_pointer(seen.content):
        return _earlier_book(folder, study, seen)
    pointer = parse_document(Pointer, seen.content, path, "the pointer to a champion", REPAIR)
    if pointer.study != study:
        raise UserError(f"{path}: an entry of the study {pointer.study}, not {study}. {REPAIR}")
    if (pointer.champion.id if pointer.champion else "") != pointer.standing.champion:
        raise UserError(f"{path}: the pointer contradicts itself. {REPAIR}")
    token = pointer.champion.entry_digest if pointer.champion else ""
    return Book(folder, study, seen, pointer, token)


def _is_pointer(content: bytes) -> bool:
    """Whether it is a pointer; 0.2.0 and before had the champion's entry itself in its place."""
    try:
        found = json.loads(content)
    except ValueError:
        return False
    return isinstance(found, dict) and "trail" in found


def _earlier_book(folder: str, study: str, seen: Seen) -> Book:
    """The state of a registry that an earlier release has written."""
    champion = entry_file(folder, study, POINTER, seen.content or b"")
    history = list(read_entries(folder, study, HISTORY))
    # The pointer was a copy of a file of the history.
    place = next((entry.path for entry in history if entry.digest == champion.digest), POINTER)
    adopted = TrailEntry(
        number=1,
        previous="",
        at=champion.model.registered_at,
        action="adopted",
        actor=_EARLIER,
        reason="registered before there was an audit trail",
        champion=champion.model.id,
        models={entry.model.id: entry.digest for entry in history},
    )
    version = int(datetime.fromisoformat(champion.model.registered_at).timestamp())
    served = Served(
        id=champion.model.id,
        entry=place,
        entry_digest=champion.digest,
        model=champion.model.model_uri.removeprefix(f"{folder}/"),
        version=version,
    )
    pointer = Pointer(
        study=study,
        champion=served,
        standing=after(Standing(), adopted),
        trail=TrailEnd(),
        version=version,
    )
    return Book(folder, study, seen, pointer, champion.digest, adopted)


def _with_kept_entry(book: Book) -> Book:
    """The state with the champion's entry in the history, where the pointer alone held it."""
    served = book.pointer.champion
    if served is None or served.entry != POINTER:
        return book
    path = f"{HISTORY}/{served.id}.json"
    storage.write_whole(f"{book.folder}/{path}", book.seen.content or b"")
    champion = served.model_copy(update={"entry": path})
    return replace(book, pointer=book.pointer.model_copy(update={"champion": champion}))


def _served(book: Book, champion: str) -> tuple[Served | None, int]:
    """The champion as the pointer names it, and the last number of a champion."""
    before = book.pointer.champion
    if champion == (before.id if before else ""):
        return before, book.pointer.version
    version = max(book.pointer.version + 1, int(time.time()))
    if not champion:
        return None, version
    found = find_entry(book.folder, book.study, champion)
    if found is None:
        raise UserError(f"{book.folder}/{HISTORY}: there is no entry {champion}. {REPAIR}")
    served = Served(
        id=champion,
        entry=found.path,
        entry_digest=found.digest,
        model=found.model.model_uri.removeprefix(f"{book.folder}/"),
        version=version,
    )
    return served, version
