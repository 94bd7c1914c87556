"""Guesses the role of columns in a trial from names and counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.draft.columns import ColumnDraft

ARMS = re.compile(
    r"(act|plan)?arm(s|cd|_?(no|id|code|name))?|tr(t|eat(ment|ed)?)([_ ]?(\d\d)?[ap]n?|"
    r"[_ ]?(arm|group|grp|code|cd|no))?|trt\w*|(study[_ ]?)?treatment\w*|rx.*|"
    r"(study|treatment|trial|rand\w*)?[_ ]?(group|grp)|rand(om\w*)?[_ ]?(arm|group|treatment)?|"
    r"alloc\w*|assign\w*|intervention|therapy|regimen|tx([_ ]?(arm|group))?|drug|"
    r"treat\w*",
    re.I,
)
"""Names of columns that hold the arm."""

_NOT_ARMS = re.compile(r".*(dt|dtm|tm|dy|dur\w*|dose|date|days?)", re.I)
_ARMS_FIRST = ("trt01p", "arm", "arms", "trtp", "armcd", "treatment", "treat", "group")

SITES = re.compile(r"site(id|gr1|no)?|.*(hosp|cent(er|re)).*", re.I)
"""Names of columns that hold the site."""

_PARAMETERS = re.compile(r"paramcd|\w{2}testcd", re.I)
_DAYS = re.compile(r"\w*DY", re.I)
_PLANNED = re.compile(r"visitdy", re.I)
"""The planned day of a visit says less of a row than the day on which it was."""

_DATES_FIRST = re.compile(r"ast?dt|adt|\w{2}(st)?dtc", re.I)
_DATES = re.compile(r"\w*DTC", re.I)
_ENDS = re.compile(r"\w{1,2}en(dy|dt|dtc|dtm)", re.I)
_REFERENCES = re.compile(r"rfstdtc|trtsdt|randdt|rfxstdtc|.*(random|rand|entry|enrol)\w*", re.I)

_TIMES = re.compile(
    r"(fu|follow_?up|surv\w*|event|obs|death|dth|os|pfs|dfs|efs|tt\w|time_?to_?\w+)?_?"
    r"(time|days|weeks|months|years|day)|futime|followup|tte|t2e|os|pfs|dfs|efs|survival",
    re.I,
)
_STATUSES = re.compile(
    r"cens\w*|cnsr|status|event|(\w+_)?(event|status|cens|censor)|died|dead|death|delta|fail(ure)?"
    r"|dthfl|d_?event",
    re.I,
)
_AFTER = re.compile(
    r"dth\w*|dc[a-z]\w*|eos\w*|eot\w*|trte\w*|trtdur\w*|rfen\w*|rfxen\w*|rfpen\w*|cumdose|avgdd|"
    r"comp\d*fl|disconfl|dsraefl|visnumen|off_?(trt|treat|study)\w*|outcome\w*|respon\w*|"
    r"relapse\w*|(dis)?withdr\w*",
    re.I,
)
"""Names of what is known only when a subject's treatment or follow-up has ended."""


@dataclass(frozen=True)
class TimeToEvent:
    """A pair of columns that looks like a time to an event.

    Attributes:
        time: Column of the time.
        status: Column that says whether the time is that of the event or of censoring.
    """

    time: str
    status: str


def arm_candidates(columns: Mapping[str, ColumnDraft]) -> list[str]:
    """Columns of few levels with an arm's name, the best first."""
    found = [
        name
        for name, column in columns.items()
        if ARMS.fullmatch(name) and not _NOT_ARMS.fullmatch(name) and _has_levels(column)
    ]
    first = {name: place for place, name in enumerate(_ARMS_FIRST)}
    return sorted(found, key=lambda name: first.get(name.lower(), len(first)))


def site_candidates(columns: Mapping[str, ColumnDraft]) -> list[str]:
    """Columns with a site's name whose values repeat."""
    return [
        name
        for name, column in columns.items()
        if SITES.fullmatch(name) and 2 <= column.distinct < max(column.present, 3)
    ]


def _has_levels(column: ColumnDraft) -> bool:
    return 2 <= column.distinct <= max(min(12, column.present // 2), 2)


def times_to_event(columns: Mapping[str, ColumnDraft]) -> TimeToEvent | None:
    """The first column of times beside the first of two or three states; None without both."""
    times = [
        name
        for name, column in columns.items()
        if column.type == "number" and column.distinct > 3 and _TIMES.fullmatch(name)
    ]
    states = [
        name
        for name, column in columns.items()
        if 2 <= column.distinct <= 3 and _STATUSES.fullmatch(name)
    ]
    return TimeToEvent(times[0], states[0]) if times and states else None


def is_known_after(name: str) -> bool:
    """Whether a column's name says that it is known only after treatment or follow-up."""
    return bool(_AFTER.fullmatch(name) or _STATUSES.fullmatch(name) or _TIMES.fullmatch(name))


def parameter_column(columns: Iterable[str]) -> str | None:
    """The column that names what a row measures: PARAMCD before --TESTCD."""
    found = [name for name in columns if _PARAMETERS.fullmatch(name)]
    return min(found, key=lambda name: name.upper() != "PARAMCD", default=None)


def day_candidates(columns: Mapping[str, ColumnDraft]) -> list[str]:
    """Columns of a row's study day, that of its start first."""
    found = [n for n, column in columns.items() if column.type == "number" and _DAYS.fullmatch(n)]
    return sorted(found, key=lambda n: (bool(_PLANNED.fullmatch(n)), bool(_ENDS.fullmatch(n))))


def date_candidates(columns: Mapping[str, ColumnDraft], of_subject: Iterable[str]) -> list[str]:
    """Columns of a row's own date: copies of the subject's dates are no dates of the row."""
    copies = set(of_subject)
    found = [
        name
        for name, column in columns.items()
        if name not in copies and (column.type in ("date", "datetime") or _DATES.fullmatch(name))
    ]
    return sorted(found, key=lambda name: (not _DATES_FIRST.fullmatch(name), name.upper()))


def reference_candidates(columns: Mapping[str, ColumnDraft]) -> list[str]:
    """Columns of the subject dataset with the date that study days are counted from."""
    return [
        name
        for name, column in columns.items()
        if _REFERENCES.fullmatch(name)
        and (column.type in ("date", "datetime") or _DATES.fullmatch(name))
    ]
