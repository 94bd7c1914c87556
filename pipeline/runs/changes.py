"""What a person decides on registered models: promote, roll back, retire, resume, recover.

Each is one compare-and-swap on the state that it was decided on: where another writer was first,
nothing is changed and the command says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import UserError
from pipeline.results.registration import RegisteredModel
from pipeline.results.trail import Actor, PromotionRule, TrailEntry
from pipeline.runs.promotion import DropTasks, why_not_served, why_tasks_drop
from pipeline.runs.register import NONE
from pipeline.runs.trail import Book, book_to_change, extend, find_entry

_APPROVALS: dict[PromotionRule, int] = {"automatic": 1, "person": 1, "two_persons": 2}
"""How many persons promote a model."""


@dataclass(frozen=True)
class Change:
    """A person's decision.

    Attributes:
        study: Name of the study.
        actor: Who decides.
        reason: Why.
        seen: Id of the champion that the person has seen, or `none`; empty for the one of now.
    """

    study: str
    actor: Actor
    reason: str
    seen: str = ""


@dataclass(frozen=True)
class Rules:
    """What the study file says of promotions.

    Attributes:
        promotion: Who decides.
        drop_tasks: Whether a task that the champion serves may be dropped.
        study_digest: Digest of the study file.
    """

    promotion: PromotionRule = "automatic"
    drop_tasks: DropTasks = "refused"
    study_digest: str = ""


@dataclass(frozen=True)
class Changed:
    """What a decision has changed.

    Attributes:
        before: Id of the champion before; empty for none.
        now: Id of the champion now; empty for none.
        entry: The entry of the trail.
        missing: How many persons must still approve; 0 where the decision has taken effect.
    """

    before: str
    now: str
    entry: TrailEntry
    missing: int = 0


def promote(
    root: str, change: Change, model: str, rules: Rules, although_not_compared: bool = False
) -> Changed:
    """Makes a candidate, or a former champion, the champion.

    Args:
        root: Root of the registry.
        change: The decision.
        model: Id of the model.
        rules: What the study file says.
        although_not_compared: Whether the model may have been compared with another champion.

    Raises:
        UserError: The rules do not let it, or the registry has changed meanwhile.
    """
    book = _book(root, change)
    entry, digest = _registered(book, model)
    standing, champion = book.standing, book.champion()
    if model == standing.champion:
        raise UserError(f"{model} is the champion of {change.study} already.")
    if model in standing.retired:
        raise UserError(f"{model} was retired: a retired model is not served again.")
    for refusal in (
        why_not_served(entry),
        why_tasks_drop(entry, champion, rules.drop_tasks),
    ):
        if refusal:
            raise UserError(refusal)
    compared = _compared_with(book, model)
    if compared != (standing.champion or NONE) and not although_not_compared:
        raise UserError(
            f"{model} was compared with the champion {compared or 'of an earlier release'}, but "
            f"the champion is {standing.champion or NONE}. Run the pipeline again, so that a model "
            "is compared with that one, or promote it all the same with --although-not-compared."
        )
    given = standing.approvals.get(model, ())
    if change.actor.identity in {actor.identity for actor in given}:
        raise UserError(
            f"{change.actor.words} has approved of {model} already: `registry.promotion: "
            "two_persons` demands two persons."
        )
    missing = _APPROVALS[rules.promotion] - len(given) - 1
    said = {
        "model": model,
        "entry_digest": digest,
        "run": entry.run,
        "compared_with": compared,
        "rule": rules.promotion,
        "study_digest": rules.study_digest,
    }
    if missing > 0:
        return _extend(book, change, {"action": "approved", **said}, missing)
    return _extend(book, change, {"action": "promoted", "approvals": given, **said})


def roll_back(root: str, change: Change, to: str = "") -> Changed:
    """Makes a former champion the champion again and suspends automatic promotion.

    Args:
        root: Root of the registry.
        change: The decision.
        to: Id of the former champion; the one before the present one, where empty.

    Raises:
        UserError: There is none, it may not be served, or the registry has changed meanwhile.
    """
    book = _book(root, change)
    standing = book.standing
    earlier = [model for model in standing.promoted[:-1] if model != standing.champion]
    if not standing.champion:
        raise UserError(f"{change.study} has no champion that could be rolled back.")
    if not earlier:
        raise UserError(
            f"{change.study} has no former champion to go back to: retire the champion "
            "(`trial models retire`), so that no model is served, or promote another."
        )
    model = to or earlier[-1]
    if model not in earlier:
        raise UserError(
            f"{model} is no champion before {standing.champion}; there are: {', '.join(earlier)}."
        )
    entry, digest = _registered(book, model)
    if refusal := why_not_served(entry):
        raise UserError(f"{refusal} Name another one with --to.")
    said = {"model": model, "entry_digest": digest, "run": entry.run}
    return _extend(book, change, {"action": "rolled_back", **said})


def retire(root: str, change: Change, model: str) -> Changed:
    """Withdraws a model for good; where it is the champion, the one before it is again.

    Args:
        root: Root of the registry.
        change: The decision.
        model: Id of the model.

    Raises:
        UserError: It is retired already, the champion before it may not be served, or the registry
            has changed meanwhile.
    """
    book = _book(root, change)
    entry, digest = _registered(book, model)
    if model in book.standing.retired:
        raise UserError(f"{model} was retired already.")
    follows = [found for found in book.standing.promoted if found != model]
    if model == book.standing.champion and follows:
        before, _ = _registered(book, follows[-1])
        if refusal := why_not_served(before):
            raise UserError(
                f"After {model} the champion would be {before.id} again. {refusal} Retire that one "
                "first, or promote another."
            )
    said = {"model": model, "entry_digest": digest, "run": entry.run}
    return _extend(book, change, {"action": "retired", **said})


def resume(root: str, change: Change) -> Changed:
    """Lifts the suspension of automatic promotion.

    Raises:
        UserError: It is not suspended, or the registry has changed meanwhile.
    """
    book = _book(root, change)
    if not book.standing.suspended:
        raise UserError(f"Automatic promotion of {change.study} is not suspended.")
    return _extend(book, change, {"action": "resumed"})


def _book(root: str, change: Change) -> Book:
    if not change.reason.strip():
        raise UserError("The reason is empty: say why in a sentence (--reason).")
    book = book_to_change(f"{root.rstrip('/')}/{change.study}", change.study)
    now = book.standing.champion or NONE
    if change.seen and change.seen != now:
        raise UserError(
            f"The champion of {change.study} is {now}, not {change.seen}: it was changed since. "
            "Look at `trial models list` and decide again."
        )
    return book


def _extend(book: Book, change: Change, said: dict[str, Any], missing: int = 0) -> Changed:
    drafts: Sequence[dict[str, Any]] = [
        {"actor": change.actor, "reason": change.reason.strip(), **said}
    ]
    changed = extend(book, drafts)
    if changed is None:
        raise UserError(
            f"The registry of {change.study} was changed by another writer at the same time, so "
            "nothing was done. Look at `trial models list` and decide again."
        )
    return Changed(
        book.standing.champion, changed.standing.champion, changed.entries()[-1], missing
    )


def _registered(book: Book, model: str) -> tuple[RegisteredModel, str]:
    found = find_entry(book.folder, book.study, model)
    if found is None:
        raise UserError(
            f"{book.folder}: no trained model has the id {model}, and no run of that id has "
            "registered one (a model that the registry held already is not registered again); "
            "`trial models list` shows them."
        )
    known = {entry.model for entry in book.entries()} | {
        name for entry in book.entries() for name in entry.models
    }
    if model not in known:
        raise UserError(
            f"{model} is no model of {book.study}: its registration was not completed. Run the "
            "pipeline again."
        )
    return found.model, found.digest


def _compared_with(book: Book, model: str) -> str:
    """Champion that a model was compared with in its run; empty where that is not known."""
    found = [e for e in book.entries() if e.action == "registered" and e.model == model]
    return found[-1].compared_with if found else ""
