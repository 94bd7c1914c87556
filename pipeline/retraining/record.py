"""Asks for a retraining: the decision and its entry in the audit trail, in one compare-and-swap.

Of two who ask at the same moment one starts a run; the other decides again, and sees that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pipeline.results.trail import Actor, TrailEntry
from pipeline.retraining.policy import Decision, Situation, decide
from pipeline.runs.trail import Book, book_to_change, extend, read_book
from pipeline.study.study import Study

_TRAININGS = ("adopted", "registered", "retraining_started")


@dataclass(frozen=True)
class Asked:
    """Who asks for a retraining.

    Attributes:
        actor: The person, or the account of the process that was asked.
        alerts: Names of the alerts because of which it is asked; none for a person or a schedule.
    """

    actor: Actor
    alerts: tuple[str, ...] = ()


def ask(registry: str, study: Study, asked: Asked, known: Situation) -> Decision:
    """Decides whether a run is to be started, and records that and why.

    A refusal that says the same as the last decision is recorded once.

    Args:
        registry: Root of the registry.
        study: The study.
        asked: Who asks.
        known: What is known beside the registry.

    Returns:
        The decision. Where it is to retrain the caller starts the run.

    Raises:
        UserError: The registry is damaged, or can't be written.
    """
    while True:
        book = book_to_change(_folder(registry, study), study.study)
        entries = book.entries()
        decision = _decided(study, book, known, asked.alerts)
        # A registry that nothing was registered in stays as it is.
        if not (study.retrain.when and entries):
            return decision
        draft = _draft(study, asked, decision)
        if not decision.retrain and _is_said(entries, draft):
            return decision
        if extend(book, [draft]):
            return decision


def foresee(registry: str, study: Study, known: Situation) -> Decision:
    """What `ask` would decide; nothing is recorded.

    Args:
        registry: Root of the registry.
        study: The study.
        known: What is known beside the registry.

    Raises:
        UserError: The registry is damaged.
    """
    return _decided(study, read_book(_folder(registry, study), study.study), known, ())


def note_failed_start(registry: str, study: Study, asked: Asked, reason: str) -> None:
    """Records that a retraining that was decided on could not be started.

    It is decided again as soon as it is asked for again.

    Args:
        registry: Root of the registry.
        study: The study.
        asked: Who had asked.
        reason: Why, a sentence.
    """
    draft = {"action": "retraining_failed", "actor": asked.actor, "reason": reason}
    while True:
        book = book_to_change(_folder(registry, study), study.study)
        if extend(book, [draft]):
            return


def _decided(study: Study, book: Book, known: Situation, alerts: tuple[str, ...]) -> Decision:
    entries = book.entries()
    situation = replace(
        known,
        champion=book.standing.champion,
        last_training=_last_training(entries),
        answered=_answered(entries, alerts),
    )
    return decide(study.retrain, situation)


def _folder(registry: str, study: Study) -> str:
    return f"{registry.rstrip('/')}/{study.study}"


def _draft(study: Study, asked: Asked, decision: Decision) -> dict[str, Any]:
    return {
        "action": "retraining_started" if decision.retrain else "retraining_declined",
        "actor": asked.actor,
        "reason": decision.text,
        "study_digest": study.digest(),
        "asked_by": asked.alerts,
    }


def _is_said(entries: tuple[TrailEntry, ...], draft: dict[str, Any]) -> bool:
    """Whether the last decision on a retraining was this one, for the same reasons."""
    last = next((e for e in reversed(entries) if e.action.startswith("retraining")), None)
    return last is not None and (last.action, last.reason) == (draft["action"], draft["reason"])


def _started(entries: tuple[TrailEntry, ...]) -> Iterator[TrailEntry]:
    """Entries of trainings, without retrainings that could not be started."""
    failed = False
    for entry in reversed(entries):
        if entry.action == "retraining_failed":
            failed = True
        elif entry.action == "retraining_started" and failed:
            failed = False
        elif entry.action in _TRAININGS:
            yield entry


def _last_training(entries: tuple[TrailEntry, ...]) -> datetime | None:
    return next((datetime.fromisoformat(entry.at) for entry in _started(entries)), None)


def _answered(entries: tuple[TrailEntry, ...], alerts: tuple[str, ...]) -> datetime | None:
    """When the last retraining was started that all the alerts had asked for, if so."""
    found = [entry for entry in _started(entries) if entry.asked_by]
    answered = {alert for entry in found for alert in entry.asked_by}
    if not alerts or not answered.issuperset(alerts):
        return None
    times = (entry.at for entry in found if set(alerts) & set(entry.asked_by))
    return datetime.fromisoformat(next(times))
