"""What a registry holds of a study, for people and programs: models, stages, decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pipeline.errors import UserError
from pipeline.results.registration import RegisteredModel
from pipeline.results.trail import Actor, Standing, TrailEntry
from pipeline.runs.entries import HISTORY, read_entries
from pipeline.runs.promotion import tasks_of, titles_of, why_not_served
from pipeline.runs.trail import Book, read_book
from pipeline.titles import Titles

Stage = Literal["champion", "candidate", "retired"]


@dataclass(frozen=True)
class ModelFacts:
    """What is known of a registered model.

    Attributes:
        entry: Its registration.
        stage: `champion`, `candidate` (also a former champion, which can be promoted again), or
            `retired`.
        was_champion: Whether it has been the champion.
        compared_with: Champion that it was compared with, or `none`; empty where not known.
        tasks: Tasks that it serves.
        titles: Their titles, for people.
        refusal: Why it may not be served; None where it may.
        approvals: Who has approved of its promotion so far.
        decisions: Entries of the audit trail about it, the oldest first.
    """

    entry: RegisteredModel
    stage: Stage
    was_champion: bool
    compared_with: str
    tasks: tuple[str, ...]
    titles: Titles
    refusal: str | None
    approvals: tuple[Actor, ...]
    decisions: tuple[TrailEntry, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON-like content."""
        return {
            **self.entry.model_dump(),
            "stage": self.stage,
            "was_champion": self.was_champion,
            "compared_with": self.compared_with,
            "tasks": list(self.tasks),
            "may_be_served": self.refusal is None,
            "refusal": self.refusal,
            "approvals": [actor.model_dump() for actor in self.approvals],
            "decisions": [entry.model_dump() for entry in self.decisions],
        }


@dataclass(frozen=True)
class Comparison:
    """Two models beside each other.

    Attributes:
        model: The model.
        other: The one that it is compared with.
        metrics: Both values of each headline metric, by `task/metric`; None where a model has none.
        dropped: Tasks that the other serves and the model would not.
        same: Whether data, study file, labels, code and lock are the same, by name.
    """

    model: ModelFacts
    other: ModelFacts
    metrics: Mapping[str, tuple[float | None, float | None]]
    dropped: tuple[str, ...]
    same: Mapping[str, bool]

    def to_json(self) -> dict[str, Any]:
        """JSON-like content."""
        return {
            "model": self.model.to_json(),
            "other": self.other.to_json(),
            "metrics": {name: list(values) for name, values in self.metrics.items()},
            "dropped": list(self.dropped),
            "same": dict(self.same),
        }


@dataclass(frozen=True)
class Overview:
    """What a registry holds of a study.

    Attributes:
        study: Name of the study.
        models: Its models, the newest first.
        champion: Id of the champion; empty for none.
        version: Served version of the champion; 0 without one.
        suspended: Whether automatic promotion is suspended.
        trail: The audit trail, the oldest entry first.
    """

    study: str
    models: tuple[ModelFacts, ...]
    champion: str
    version: int
    suspended: bool
    trail: tuple[TrailEntry, ...]

    def facts(self, model: str) -> ModelFacts:
        """What is known of a model.

        Raises:
            UserError: There is none with this id.
        """
        for found in self.models:
            if found.entry.id == model:
                return found
        known = ", ".join(found.entry.id for found in self.models) or "none"
        raise UserError(f"{self.study} has no model {model}; there are: {known}.")

    def only(self, model: str) -> Overview:
        """The same with one model, and the entries of the trail about it."""
        found = self.facts(model)
        return replace(self, models=(found,), trail=found.decisions)

    def comparison(self, model: str, other: str = "") -> Comparison:
        """A model beside another one.

        Args:
            model: Its id.
            other: Id of the other; the champion, where empty.

        Raises:
            UserError: There is none.
        """
        if not (other or self.champion):
            raise UserError(f"{self.study} has no champion to compare with: name another model.")
        first, second = self.facts(model), self.facts(other or self.champion)
        names = dict.fromkeys((*first.entry.metrics, *second.entry.metrics))
        keys = ("fingerprint", "study_digest", "label_digest", "code_version", "dependency_lock")
        return Comparison(
            first,
            second,
            {n: (first.entry.metrics.get(n), second.entry.metrics.get(n)) for n in names},
            tuple(task for task in second.tasks if task not in first.tasks),
            {key: getattr(first.entry, key) == getattr(second.entry, key) for key in keys},
        )

    def to_json(self) -> dict[str, Any]:
        """JSON-like content."""
        return {
            "study": self.study,
            "champion": self.champion or None,
            "version": self.version or None,
            "suspended": self.suspended,
            "models": [found.to_json() for found in self.models],
            "trail": [entry.model_dump() for entry in self.trail],
        }


def overview(root: str, study: str) -> Overview:
    """Reads what a registry holds of a study.

    Args:
        root: Root of the registry.
        study: Name of the study.

    Raises:
        UserError: It holds nothing of it, or a file is damaged.
    """
    folder = f"{root.rstrip('/')}/{study}"
    book = read_book(folder, study)
    trail = book.entries()
    entries = [found.model for found in read_entries(folder, study, HISTORY)]
    if not entries:
        raise UserError(
            f"{folder}: the registry holds no model of {study}. Run the pipeline first, or name "
            "another study (--study), root or registry."
        )
    served = book.pointer.champion
    return Overview(
        study=study,
        models=tuple(_facts(book, trail, entry) for entry in reversed(entries)),
        champion=book.standing.champion,
        version=served.version if served else 0,
        suspended=book.standing.suspended,
        trail=trail,
    )


def stage_of(standing: Standing, model: str) -> Stage:
    """The stage of a registered model."""
    if model == standing.champion:
        return "champion"
    return "retired" if model in standing.retired else "candidate"


def _facts(book: Book, trail: tuple[TrailEntry, ...], entry: RegisteredModel) -> ModelFacts:
    standing = book.standing
    decisions = tuple(e for e in trail if entry.id == e.model or entry.id in e.models)
    compared = [e.compared_with for e in decisions if e.action == "registered"]
    return ModelFacts(
        entry=entry,
        stage=stage_of(standing, entry.id),
        was_champion=entry.id in standing.former,
        compared_with=compared[-1] if compared else "",
        tasks=tasks_of(entry),
        titles=titles_of(entry),
        refusal=why_not_served(entry),
        approvals=standing.approvals.get(entry.id, ()),
        decisions=decisions,
    )
