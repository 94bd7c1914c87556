"""Entries that are only added, each of which names the one before by its digest.

The audit trail of a registry and the access log of an unblinded root are such chains: who holds
the end finds an entry that was changed, removed or moved.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TypeVar

from pipeline import storage
from pipeline.documents import parse_document
from pipeline.errors import UserError
from pipeline.results.trail import Chained, TrailEnd
from pipeline.runs.entries import sha256

_NAME_DIGITS = 16
Entry = TypeVar("Entry", bound=Chained)


def chained(
    folder: str, end: TrailEnd, entries: Iterable[Chained]
) -> tuple[TrailEnd, dict[str, bytes]]:
    """Places entries behind the end of a chain; nothing is written.

    Args:
        folder: Folder of the chain.
        end: Its end.
        entries: What they say; number and previous digest follow from their place.

    Returns:
        The new end, and the content of each entry's file by its path.
    """
    files: dict[str, bytes] = {}
    for entry in entries:
        placed = entry.model_copy(update={"number": end.number + 1, "previous": end.digest})
        content = json.dumps(placed.model_dump(), indent=1, sort_keys=True).encode()
        end = TrailEnd(number=placed.number, digest=sha256(content))
        files[_path(folder, end)] = content
    return end, files


def read_chain(
    kind: type[Entry], folder: str, end: TrailEnd, what: str, repair: str
) -> tuple[Entry, ...]:
    """The entries that lead to an end, the oldest first.

    Args:
        kind: What an entry is.
        folder: Folder of the chain.
        end: Its end.
        what: What the chain is, for messages.
        repair: What a person can do about a damaged one, as a sentence.

    Raises:
        UserError: One is missing, or is not the one that the next entry or the end names.
    """
    found: list[Entry] = []
    while end.number > 0:
        path = _path(folder, end)
        content = storage.read(path)
        if content is None:
            raise UserError(f"{path}: entry {end.number} of {what} is missing. {repair}")
        if sha256(content) != end.digest:
            raise UserError(f"{path}: entry {end.number} of {what} was changed. {repair}")
        entry = parse_document(kind, content, path, f"an entry of {what}", repair)
        if entry.number != end.number:
            raise UserError(
                f"{path}: entry {end.number} of {what} says that it is {entry.number}. {repair}"
            )
        found.append(entry)
        end = TrailEnd(number=end.number - 1, digest=entry.previous)
    return tuple(reversed(found))


def _path(folder: str, end: TrailEnd) -> str:
    return f"{folder}/{end.number:08d}-{end.digest[:_NAME_DIGITS]}.json"
