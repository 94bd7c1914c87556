"""Checks a registry against its audit trail, and makes a lost pointer again from the trail.

What is found: an entry of the trail that was changed, removed or moved; a pointer that does not
follow from the trail or was set back; a registration or a file of a model that is not the one that
was recorded. What can't be found by the registry alone: a trail whose end and all later files were
removed, or which a writer with all rights has written again. Compare the digest of its end
with one that was noted elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline import storage
from pipeline.documents import parse_document
from pipeline.errors import UserError
from pipeline.results.trail import Actor, Pointer, Standing, TrailEnd, TrailEntry
from pipeline.runs.entries import HISTORY, REPAIR, read_entries, sha256
from pipeline.runs.promotion import why_not_served
from pipeline.runs.registry import file_problems
from pipeline.runs.standing import after_all
from pipeline.runs.trail import POINTER, TRAIL, Book, extend, read_book, read_trail
from pipeline.swap import see

_REPLACE = "Run the pipeline again, promote another model, or retire it."


@dataclass(frozen=True)
class Verified:
    """What a check found.

    Attributes:
        entries: Number of entries of the trail.
        models: Number of registrations.
        end: SHA-256 of the trail's last entry, to be noted elsewhere; empty without a trail.
        problems: What is wrong, a sentence each; empty where nothing is.
        notes: What is harmless but worth knowing.
    """

    entries: int
    models: int
    end: str
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


def verify(root: str, study: str, noted: str = "") -> Verified:
    """Checks pointer, trail, registrations and files of a study.

    Args:
        root: Root of the registry.
        study: Name of the study.
        noted: Digest of the trail's end at an earlier time, or its beginning: the trail must still
            lead through it.
    """
    folder = f"{root.rstrip('/')}/{study}"
    try:
        book = read_book(folder, study)
        trail = book.entries()
        registered = list(read_entries(folder, study, HISTORY))
    except UserError as error:
        return Verified(0, 0, "", (str(error),))
    end = book.pointer.trail
    digests = {end.number: end.digest, **{e.number - 1: e.previous for e in trail}}
    problems = [*_pointer_problems(book, trail), *_forks(folder, digests)]
    if noted and not any(digest.startswith(noted) for digest in digests.values() if digest):
        problems.append(
            f"{folder}/{TRAIL}: no entry has the digest {noted} that was noted: the trail was set "
            "back or written again. Restore it from a backup."
        )
    recorded = {entry.model: entry.entry_digest for entry in trail if entry.model}
    recorded |= {model: digest for entry in trail for model, digest in entry.models.items()}
    present = {entry.model.id: entry for entry in registered}
    notes: list[str] = []
    for model, digest in recorded.items():
        if model not in present:
            problems.append(f"{folder}/{HISTORY}: the registration {model} is missing. {REPAIR}")
        elif digest and present[model].digest != digest:
            problems.append(
                f"{folder}/{present[model].path}: the registration was changed. {REPAIR}"
            )
        else:
            problems += file_problems(present[model].model)
            if not present[model].model.digests:
                notes.append(f"{model}: an earlier release recorded no digest of its files.")
    notes += [
        f"{model}: its registration was not completed." for model in present.keys() - recorded
    ]
    notes += _doubtful_approvals(trail)
    champion = present.get(book.standing.champion)
    if champion and (refusal := why_not_served(champion.model)):
        problems.append(f"The champion must not be served: {refusal} {_REPLACE}")
    return Verified(len(trail), len(registered), end.digest, tuple(problems), tuple(notes))


def recover(root: str, study: str, actor: Actor, reason: str) -> TrailEntry:
    """Makes a lost pointer again from the trail's longest whole chain.

    Args:
        root: Root of the registry.
        study: Name of the study.
        actor: Who decides.
        reason: Why.

    Raises:
        UserError: The pointer is there, or no chain is whole.
    """
    folder = f"{root.rstrip('/')}/{study}"
    seen = see(f"{folder}/{POINTER}")
    if seen.content is not None:
        raise UserError(
            f"{folder}/{POINTER}: the pointer is there. Keep it, or move it away first."
        )
    if not reason.strip():
        raise UserError("The reason is empty: say why in a sentence (--reason).")
    end, trail = _longest(folder)
    empty = Pointer(study=study, champion=None, standing=Standing(), trail=end, version=0)
    pointer = empty.model_copy(update={"standing": after_all(trail)})
    lost = Book(folder, study, seen, pointer, "")
    made = extend(lost, [{"action": "recovered", "actor": actor, "reason": reason.strip()}])
    if made is None:
        raise UserError(f"{folder}/{POINTER}: another writer has made it at the same time.")
    return made.entries()[-1]


def _pointer_problems(book: Book, trail: tuple[TrailEntry, ...]) -> Iterator[str]:
    path = f"{book.folder}/{POINTER}"
    if after_all(trail) != book.standing:
        yield f"{path}: the pointer does not follow from the audit trail. {REPAIR}"
    try:
        book.champion()
    except UserError as error:
        yield str(error)


def _forks(folder: str, digests: dict[int, str]) -> Iterator[str]:
    """Entries that continue the trail's end though the pointer does not name them."""
    last = max(digests)
    for name in storage.files_below(f"{folder}/{TRAIL}"):
        number = name.partition("-")[0]
        if name.endswith(".json") and number.isdigit() and int(number) > last:
            yield (
                f"{folder}/{TRAIL}/{name}: the pointer does not name this entry: a writer died "
                "before its change took effect, or the pointer was set back. If it was not set "
                "back, remove the file."
            )


def _doubtful_approvals(trail: tuple[TrailEntry, ...]) -> Iterator[str]:
    for entry in trail:
        accounts = [actor.account for actor in (*entry.approvals, entry.actor)]
        if entry.approvals and len(set(accounts)) < len(accounts):
            yield (
                f"entry {entry.number}: {entry.model} was approved under several names from one "
                f"account ({entry.actor.account})."
            )


def _longest(folder: str) -> tuple[TrailEnd, tuple[TrailEntry, ...]]:
    """The end of the longest chain of the trail whose entries are all there, with its entries."""
    for name in sorted(storage.files_below(f"{folder}/{TRAIL}"), reverse=True):
        path = f"{folder}/{TRAIL}/{name}"
        content = storage.read(path)
        if content is None or not name.endswith(".json"):
            continue
        try:
            entry = parse_document(TrailEntry, content, path, "an entry of the trail", REPAIR)
            end = TrailEnd(number=entry.number, digest=sha256(content))
            return end, read_trail(folder, end)
        except UserError:
            # A shorter chain may be whole.
            continue
    raise UserError(f"{folder}/{TRAIL}: no chain of entries is whole. Restore it from a backup.")
