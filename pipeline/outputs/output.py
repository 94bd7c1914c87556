"""What an output is: who may read it, what it shows of subjects, and where it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Audience(StrEnum):
    """Who may read an output; each member's readers may also read what those behind it may."""

    OWNER = "owner"
    """The account that runs the pipeline, alone: 0600 whatever `--readers` says."""
    DATA = "readers of the data"
    """Who may read the trial's data too: below a root the owner, or the group of the data."""
    OPERATOR = "operator"
    """Who serves a model, or looks after runs, a store, a registry or a service."""
    RESULTS = "readers of results"
    """Who gets pages, reports, cards, boards and notebooks, or asks a service."""
    PUBLIC = "public"
    """All people."""
    UNBLINDED = "unblinded readers"
    """Named persons, while a trial goes on."""


class Disclosure(StrEnum):
    """What an output shows of subjects."""

    NONE = "none"
    """Nothing: it is made from code and settings."""
    PUBLIC = "public"
    """What docs/disclosure.md calls public: nothing of a single subject, no small group."""
    INTERNAL = "internal"
    """Numbers of groups of any size, levels of few subjects, extreme values."""
    PATIENT = "patient-level"
    """Values, predictions or rows of single subjects."""
    SECRET = "secret"
    """A key, a token, a password."""


class Within(StrEnum):
    """Where the places of an output are to be looked for."""

    ROOT = "root"
    REGISTRY = "registry"
    SUBJECTS = "registry-subjects"
    CHOSEN = "chosen"
    """A file or folder that the person who runs the command names."""
    CHECKOUT = "checkout"
    MACHINE = "machine"
    """A folder for temporary files."""
    STORE = "store"
    PREDICTION_LOG = "prediction log"
    SERVICE = "service"
    WEBHOOK = "webhook"
    TERMINAL = "terminal"
    MLFLOW = "mlflow"
    OTLP = "receiver of OTLP"
    KUBEFLOW = "kubeflow"


PEOPLE = (Audience.OPERATOR, Audience.RESULTS, Audience.PUBLIC)
"""Who is shown what holds nothing of a single subject, without being trusted with the data."""

FOLDERS = (Within.ROOT, Within.REGISTRY, Within.SUBJECTS)
"""Folders that a run writes to and that no one else writes to."""


@dataclass(frozen=True)
class Output:
    """A kind of output.

    Attributes:
        name: What people call it; unique.
        audience: Who may read it.
        disclosure: What it shows of subjects.
        format: Its form, such as `HTML` or `gzip, TFRecord`.
        within: Where its places are.
        places: Paths below a folder, in which `<name>` stands for the name of one file or folder,
            `<Name>` for one that begins with a capital, `*` for any letters in it and `**` for all
            that is below; or names of tables, routes (`GET /v2`), commands, and events.
        written_by: The module that writes it.
    """

    name: str
    audience: Audience
    disclosure: Disclosure
    format: str
    within: Within
    places: tuple[str, ...]
    written_by: str

    @property
    def is_people_facing(self) -> bool:
        """Whether people see it who must learn nothing of a single subject from it."""
        shown = (Disclosure.NONE, Disclosure.PUBLIC)
        return self.audience in PEOPLE and self.disclosure in shown

    @property
    def is_owners(self) -> bool:
        """Whether its files are their owner's alone, whatever the setting."""
        return self.audience in (Audience.OWNER, Audience.UNBLINDED)

    def holds(self, place: str) -> bool:
        """Whether a path, a table, a route, a command or an event is of this kind.

        Examples:
            >>> from pipeline.outputs.register import called
            >>> page = called("page of a run")
            >>> page.holds("ist/records/20261129T204059.836002/page.html")
            True
            >>> page.holds("ist/records/page.html")
            False
        """
        return any(matches(pattern, place) for pattern in self.places)


def matches(pattern: str, place: str) -> bool:
    """Whether a place is one that a pattern stands for.

    Examples:
        >>> matches("<study>/records/<run>/*.json", "ist/records/1/DataGate.json")
        True
        >>> matches("data/**", "data/synthetic-5000/adsl.xpt"), matches("<study>/x", "a/b/x")
        (True, False)
    """
    parts = re.split(r"(<\w+>|\*\*|\*)", pattern)
    return re.fullmatch("".join(map(_expression, parts)), place) is not None


def _expression(part: str) -> str:
    if part == "**":
        return ".+"
    if part == "*":
        return "[^/]*"
    if part.startswith("<") and part.endswith(">"):
        return "[A-Z][^/]*" if part[1].isupper() else "[^/]+"
    return re.escape(part)
