"""Whether a registered model may become the champion, or a former champion again.

Every way to the champion asks here: a run, a person's promotion, a rollback.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeVar

from pipeline import storage
from pipeline.documents import Document, parse_document
from pipeline.errors import UserError
from pipeline.results.documents import Verdict
from pipeline.results.registration import RegisteredModel
from pipeline.runs.entries import served_tasks
from pipeline.titles import NAMES, Titles

VERDICT_FILE = "verdict.json"
CARD_FILE = "card.json"
DropTasks = Literal["refused", "allowed"]
_Content = TypeVar("_Content", bound=Document)
_REMEDY = "Run the pipeline again."


class _Lineage(Document):
    fingerprint: str
    study_digest: str


class _CardEvidence(Document):
    lineage: _Lineage


class _CardOutcome(Document):
    name: str
    title: str


class _CardOf(Document):
    """Of `card.json` what says which model it is about, and what people call its tasks."""

    evidence: _CardEvidence
    outcomes: tuple[_CardOutcome, ...] = ()


def why_not_served(entry: RegisteredModel) -> str | None:
    """Why no server may load a model, a sentence; None where it may.

    Args:
        entry: Its registration.

    Raises:
        UserError: Its card or verdict is damaged.
    """
    if entry.origin is not None:
        return f"{entry.id} is an updated model, which was not blessed."
    missing = [name for name in (CARD_FILE, VERDICT_FILE) if not _document(entry, name)]
    if missing:
        return (
            f"The registry holds no {' and no '.join(missing)} of {entry.id}: a model without card "
            "and blessing is not served."
        )
    return next(_disagreements(entry), None)


def why_tasks_drop(
    entry: RegisteredModel, champion: RegisteredModel | None, leave: DropTasks
) -> str | None:
    """Why a model may not replace the champion because of its tasks; None where it may.

    Args:
        entry: The model.
        champion: The champion; None for none.
        leave: `drop_tasks` of the study file.
    """
    if champion is None or leave == "allowed":
        return None
    dropped = [task for task in tasks_of(champion) if task not in tasks_of(entry)]
    if not dropped:
        return None
    tasks = ", ".join(map(titles_of(champion).task, dropped))
    return (
        f"{entry.id} would not serve {tasks}, which the champion serves. To replace it all the "
        "same, set `drop_tasks: allowed` in the section `evaluation` of the study file."
    )


def tasks_of(entry: RegisteredModel) -> tuple[str, ...]:
    """Tasks that a registered model serves; of an entry of 0.1.0, those that were evaluated."""
    found = served_tasks(entry.model_uri)
    if found is not None:
        return found
    return tuple(dict.fromkeys(name.partition("/")[0] for name in entry.metrics))


def titles_of(entry: RegisteredModel) -> Titles:
    """Titles of a registered model's tasks, from its card; names where the registry has none.

    Args:
        entry: Its registration.

    Raises:
        UserError: Its card is damaged.
    """
    return _titles(_parsed(entry, CARD_FILE, _CardOf)) if _document(entry, CARD_FILE) else NAMES


def _titles(card: _CardOf) -> Titles:
    return Titles.of({outcome.name: outcome.title for outcome in card.outcomes})


def _document(entry: RegisteredModel, name: str) -> bytes | None:
    return storage.read(f"{entry.documents_uri}/{name}") if entry.documents_uri else None


def _disagreements(entry: RegisteredModel) -> Iterator[str]:
    verdict = _parsed(entry, VERDICT_FILE, Verdict)
    card = _parsed(entry, CARD_FILE, _CardOf)
    if not verdict.blessed:
        reasons = " ".join(verdict.reason_texts(_titles(card)))
        yield f"{entry.id} was not blessed: {reasons}".rstrip(": ")
    lineage = card.evidence.lineage
    if (lineage.fingerprint, lineage.study_digest) != (entry.fingerprint, entry.study_digest):
        yield f"The card of {entry.id} is that of another model: other data or study file."


def _parsed(entry: RegisteredModel, name: str, content: type[_Content]) -> _Content:
    text = _document(entry, name)
    path = f"{entry.documents_uri}/{name}"
    if text is None:
        raise UserError(f"{path}: the file is missing. {_REMEDY}")
    return parse_document(content, text, path, "what a run writes", _REMEDY)
