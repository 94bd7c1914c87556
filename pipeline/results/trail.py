"""The audit trail of a registry and its pointer: what was decided on a study's models, and by whom.

Each entry of the trail names the digest of the one before, and the pointer that of the last: an
entry that was changed, removed or moved is found (`pipeline.runs.trail`).
"""

from __future__ import annotations

from typing import Literal

from pipeline.documents import Document

PromotionRule = Literal["automatic", "person", "two_persons"]
"""Who decides that a blessed model becomes the champion."""

Action = Literal[
    "adopted",
    "registered",
    "approved",
    "promoted",
    "rolled_back",
    "retired",
    "resumed",
    "recovered",
    "retraining_started",
    "retraining_declined",
    "retraining_failed",
]
"""What an entry of the trail records."""

WORDS: dict[Action, str] = {
    "adopted": "taken over from an earlier release",
    "registered": "registered",
    "approved": "approved",
    "promoted": "promoted",
    "rolled_back": "rolled back",
    "retired": "retired",
    "resumed": "automatic promotion resumed",
    "recovered": "pointer recovered",
    "retraining_started": "retraining started",
    "retraining_declined": "no retraining",
    "retraining_failed": "retraining could not be started",
}
"""Each action in words."""


class Actor(Document):
    """Who did something; nothing of it is proven by this project.

    Attributes:
        account: Account of the operating system, with its machine.
        name: Name that the person gave (`--as`); empty where none was given, and for runs.
        run: Id of the run that acted by itself; empty for a person.
    """

    account: str
    name: str = ""
    run: str = ""

    @property
    def identity(self) -> str:
        """What two persons must differ in.

        Examples:
            >>> Actor(account="ci@runner", name="Ada Lovelace ").identity
            'ada lovelace'
        """
        return " ".join((self.name or self.account).split()).casefold()

    @property
    def words(self) -> str:
        """For people: the name with its account, or the run."""
        if self.run:
            return f"run {self.run}"
        return f"{self.name} ({self.account})" if self.name else self.account


class Served(Document):
    """The champion, as the pointer names it.

    Attributes:
        id: Id of its registration.
        entry: Its file below the study's folder, `history/...json`.
        entry_digest: SHA-256 of that file.
        model: Folder of its SavedModel below the study's folder: what a server loads.
        version: Number that rises with every change of the champion, at least the time of the
            change in seconds since 1970: its folder below `serving/`.
    """

    id: str
    entry: str
    entry_digest: str
    model: str
    version: int


class Chained(Document):
    """An entry of a chain (`pipeline.runs.chain`).

    Attributes:
        number: From 1, without gaps.
        previous: SHA-256 of the entry before; empty in the first.
        at: UTC time in ISO 8601.
    """

    number: int
    previous: str
    at: str


class TrailEntry(Chained):
    """One entry of the trail, `trail/<number>-<digest>.json`.

    Attributes:
        number: From 1, without gaps.
        previous: SHA-256 of the entry before; empty in the first.
        at: UTC time in ISO 8601.
        action: What was done.
        actor: Who did it.
        reason: Why, in the actor's words.
        model: Id of the model that it was done to; empty where it concerns none.
        entry_digest: SHA-256 of the model's file in `history/` or `updates/`; empty where `model`
            is.
        run: Run that made the model; empty where `model` is.
        compared_with: Champion that the model was compared with: its id, or `none`; empty where
            that does not apply or is not known.
        champion: Id of the champion from then on; empty for none.
        rule: Who decides on promotions, by the study file of then; empty where it does not matter.
        study_digest: Digest of the study file of then; empty where it does not matter.
        refused: Why a registered model did not become the champion; empty where it did.
        approvals: Who approved of a promotion before.
        models: Ids and digests of what an earlier release had registered, in their order.
        asked_by: Names of the alerts that asked for a retraining; empty where a person did.
    """

    number: int
    previous: str
    at: str
    action: Action
    actor: Actor
    reason: str = ""
    model: str = ""
    entry_digest: str = ""
    run: str = ""
    compared_with: str = ""
    champion: str = ""
    rule: PromotionRule | Literal[""] = ""
    study_digest: str = ""
    refused: str = ""
    approvals: tuple[Actor, ...] = ()
    models: dict[str, str] = {}
    asked_by: tuple[str, ...] = ()


class TrailEnd(Document):
    """The last entry of the trail.

    Attributes:
        number: Its number; 0 for a trail without entries.
        digest: SHA-256 of its file.
    """

    number: int = 0
    digest: str = ""


class Standing(Document):
    """What follows from all entries of the trail.

    Attributes:
        promoted: Models that were promoted and neither rolled back nor retired since, in their
            order: the last is the champion.
        former: Models that have been the champion.
        retired: Models that are served no more.
        suspended: Whether automatic promotion is suspended.
        approvals: Who has approved of the promotion of a model since the champion last changed.
    """

    promoted: tuple[str, ...] = ()
    former: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
    suspended: bool = False
    approvals: dict[str, tuple[Actor, ...]] = {}

    @property
    def champion(self) -> str:
        """Id of the champion; empty for none."""
        return self.promoted[-1] if self.promoted else ""


class Pointer(Document):
    """`champion.json`: the champion of a study, changed by compare-and-swap only.

    Attributes:
        study: Name of the study.
        champion: The champion; null where no model is.
        standing: What the trail says of the models.
        trail: Its last entry.
        version: Last number that a champion got.
    """

    study: str
    champion: Served | None
    standing: Standing
    trail: TrailEnd
    version: int
