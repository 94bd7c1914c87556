"""Converts the audit trail of a registry to rows of the store."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from pipeline.errors import UserError
from pipeline.results.registration import Registration
from pipeline.results.trail import Standing, TrailEntry
from pipeline.runs.overview import Stage, stage_of
from pipeline.runs.standing import after
from pipeline.runs.trail import Book, read_book
from pipeline.store import models
from pipeline.store.rows import Row, Rows

logger = logging.getLogger(__name__)


def registry_rows(book: Book) -> Rows:
    """Rows of all decisions on the models of a study, and of the stages that follow from them.

    Args:
        book: The state of the study's registry.

    Raises:
        UserError: An entry of the trail is missing, or was changed.
    """
    if book.adopted:
        # Without a trail its digest is not known: the next decision begins one.
        return {}
    return rows_of_trail(book.study, book.entries(), book.pointer.trail.digest)


def rows_of_trail(study: str, entries: Sequence[TrailEntry], last: str) -> Rows:
    """Rows of the entries of a trail.

    Args:
        study: Name of the study.
        entries: The entries, the oldest first.
        last: Digest of the last one; the others' are in those that follow them.
    """
    digests = [*(entry.previous for entry in entries[1:]), last]
    standing, known = Standing(), dict[str, Stage]()
    stages: list[Row] = []
    for entry, digest in zip(entries, digests, strict=False):
        standing = after(standing, entry)
        named = dict.fromkeys((*known, *entry.models, *filter(None, (entry.model,))))
        now = {model: stage_of(standing, model) for model in named}
        of_entry = {"study": study, "digest": digest, "number": entry.number}
        stages += [
            {**of_entry, "model": model, "stage": stage}
            for model, stage in now.items()
            if known.get(model) != stage
        ]
        known = now
    return {
        models.RegistryEntry: [
            _entry_row(study, entry, digest)
            for entry, digest in zip(entries, digests, strict=False)
        ],
        models.ModelStage: stages,
    }


def rows_of_registration(registration: Registration) -> Rows:
    """Rows of the registry that a run's model was registered in.

    A registry that can't be read costs no run its results: its rows come with the next decision.

    Args:
        registration: The run's.
    """
    entry = registration.entry
    if entry is None:
        return {}
    root = entry.model_uri.rpartition(f"/{entry.study}/")[0]
    try:
        return registry_rows(read_book(f"{root}/{entry.study}", entry.study))
    except UserError as error:
        logger.warning("The registry's decisions were not exported: %s", error)
        return {}


def _entry_row(study: str, entry: TrailEntry, digest: str) -> Row:
    return {
        "study": study,
        "digest": digest,
        "number": entry.number,
        "at": datetime.fromisoformat(entry.at),
        "action": entry.action,
        "actor": entry.actor.words,
        "reason": entry.reason,
        "model": entry.model,
        "run": entry.run,
        "compared_with": entry.compared_with,
        "champion": entry.champion,
        "refused": entry.refused,
    }
