"""The access log of an unblinded root: who opened it, when, by which command."""

from __future__ import annotations

from pipeline.documents import Document
from pipeline.results.trail import Chained, TrailEnd


class AccessEntry(Chained):
    """One access, `access/<number>-<digest>.json`.

    Attributes:
        number: From 1, without gaps.
        previous: SHA-256 of the entry before; empty in the first.
        at: UTC time in ISO 8601.
        account: Account of the operating system, with its machine.
        command: The command, such as `trial report`.
        run: Id or folder of the run that it names; empty for the newest, or none.
        allowed: Whether the account is a named reader; otherwise the command was refused.
        readers: The readers that a run's study file names; empty for commands that only read.
    """

    number: int = 0
    previous: str = ""
    at: str
    account: str
    command: str
    run: str = ""
    allowed: bool = True
    readers: tuple[str, ...] = ()


class AccessLog(Document):
    """`access.json`: the end of the log, and who may read; it marks a root as unblinded.

    Attributes:
        readers: Accounts that the study file of the newest run names, by study. Only who is named
            for all studies may open the root.
        end: The last entry.
    """

    readers: dict[str, tuple[str, ...]]
    end: TrailEnd = TrailEnd()
