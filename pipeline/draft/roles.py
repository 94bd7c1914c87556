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
    r"treat\w*|\w+_arm|tmt|interv\w*|strategy|sequence|vaccine|(dose|exposure)[_ ]?group|"
    r"medication|gruppe|behandlung\w*|therapie\w*|traitement|bras",
    re.I,
)
"""Names of columns that hold the arm."""

_ARM_LEVELS = re.compile(
    r"(placebo|control|kontroll\w*|standard|soc|sham|usual care|no treatment|untreated)\b.*", re.I
)
"""Levels by which a column is that of the arm, whatever its name."""

_NO_ARM_LEVELS = re.compile(r"cases?", re.I)
"""Levels beside which a control is none of a trial."""

_NOT_RANDOMISED = re.compile(
    r"scr(ee)?n[_ ]?fail\w*|not[_ ]?(assign\w*|assgn|randomi[sz]ed)|notassgn|unplan.*|unassigned",
    re.I,
)
"""Levels of those who were never assigned to an arm."""

_NOT_ARMS = re.compile(r".*(dt|dtm|tm|dy|dur\w*|dose|date|days?)", re.I)
_ARMS_FIRST = ("trt01p", "arm", "arms", "trtp", "armcd", "treatment", "treat", "group")

SITES = re.compile(r"site(id|gr1|no)?|.*(hosp|cent(er|re)).*", re.I)
"""Names of columns that hold the site."""

_SUBJECTS = re.compile(r".*(subj|pat(ient)?_?(no|nr|id|num)|participant|person|proband).*", re.I)

_PARAMETERS = re.compile(r"paramcd|\w{2}testcd", re.I)
_DAYS = re.compile(r"\w*DY", re.I)
_PLANNED = re.compile(r"visitdy", re.I)
"""The planned day of a visit says less of a row than the day on which it was."""

_DATES_FIRST = re.compile(r"ast?dt|adt|\w{2}(st)?dtc", re.I)
_DATES = re.compile(r"\w*DTC", re.I)
_ENDS = re.compile(r"\w{1,2}en(dy|dt|dtc|dtm)", re.I)
_REFERENCES = re.compile(r"rfstdtc|trtsdt|randdt|rfxstdtc|.*(random|rand|entry|enrol)\w*", re.I)

_ENDPOINT = (
    r"(fu|follow_?up|surv\w*|event|obs|rec(urrence)?|relapse|prog\w*|death|dth|dead|vital|"
    r"os|pfs|dfs|rfs|efs|tt\w|time_?to_?\w+)"
)
_TIMES = re.compile(
    rf"{_ENDPOINT}?_?(time|days|weeks|months|years|day)|(time|days|weeks|months|years)_?to_?\w+|"
    r"followup|len_?fol|d_?time|tto\w+|tte|t2e|os|pfs|dfs|rfs|efs|survival",
    re.I,
)
_TIMES_BESIDE_STATUS = re.compile(r"t|tt|y|stop|[a-z]time", re.I)
"""Names that say a time only where a status stands beside it."""

_STATUSES = re.compile(
    rf"cens\w*|cnsr|status|event|\w+_(event|cens|censor)|{_ENDPOINT}_?(stat(us)?|ind(icator)?)|"
    r"f_?stat(us)?|died|dead|death|delta|fail(ure)?|dthfl|d_?event|os|pfs|dfs|rfs|efs",
    re.I,
)
_STATUSES_BESIDE_TIME = re.compile(r"d", re.I)
_COMMON_START = 2
"""Letters from which on two names that begin alike belong together (OS_MONTHS, OS_STATUS)."""
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
    by_name = sorted(found, key=lambda name: first.get(name.lower(), len(first)))
    return by_name or [name for name, column in columns.items() if _has_arm_levels(column)]


def not_randomised(column: ColumnDraft) -> dict[str, int]:
    """Levels of a column of the arm that are none, such as screen failures, with their rows."""
    return {level: rows for level, rows in column.levels if _NOT_RANDOMISED.fullmatch(level)}


def names_subjects(name: str) -> bool:
    """Whether a column is called after subjects, and not `id`, which may be that of a row."""
    return bool(_SUBJECTS.fullmatch(name))


def site_candidates(columns: Mapping[str, ColumnDraft]) -> list[str]:
    """Columns with a site's name whose values repeat."""
    return [
        name
        for name, column in columns.items()
        if SITES.fullmatch(name) and 2 <= column.distinct < max(column.present, 3)
    ]


def _has_levels(column: ColumnDraft) -> bool:
    return 2 <= column.distinct <= max(min(12, column.present // 2), 2)


def _has_arm_levels(column: ColumnDraft) -> bool:
    levels = [level for level, _ in column.levels]
    return (
        column.type == "text"
        and _has_levels(column)
        and any(map(_ARM_LEVELS.fullmatch, levels))
        and not any(map(_NO_ARM_LEVELS.fullmatch, levels))
    )


def times_to_event(columns: Mapping[str, ColumnDraft]) -> TimeToEvent | None:
    """A column of times beside one of two or three states; None without both.

    Of several pairs the first whose names begin alike, else the first.
    """
    numbers = [
        n for n, column in columns.items() if column.type == "number" and column.distinct > 3
    ]
    codes = [name for name, column in columns.items() if 2 <= column.distinct <= 3]
    times = [name for name in numbers if _TIMES.fullmatch(name)]
    states = [name for name in codes if _STATUSES.fullmatch(name)]
    times = times or [name for name in numbers if states and _TIMES_BESIDE_STATUS.fullmatch(name)]
    states = states or [name for name in codes if times and _STATUSES_BESIDE_TIME.fullmatch(name)]
    pairs = [TimeToEvent(time, status) for time in times for status in states]
    return max(pairs, key=_begin_alike, default=None)


def _begin_alike(pair: TimeToEvent) -> bool:
    start, other = (name[:_COMMON_START].lower() for name in (pair.time, pair.status))
    return start == other


def known_after(columns: Mapping[str, ColumnDraft]) -> frozenset[str]:
    """Columns whose names say that they are known only after treatment or follow-up."""
    timed = times_to_event(columns)
    pair = {timed.time, timed.status} if timed else set()
    return frozenset(
        name
        for name in columns
        if name in pair or any(p.fullmatch(name) for p in (_AFTER, _STATUSES, _TIMES))
    )


def parameter_column(columns: Iterable[str]) -> str | None:
    """The column that names what a row measures: PARAMCD before --TESTCD."""
    found = [name for name in columns if _PARAMETERS.fullmatch(name)]
    return min(found, key=lambda name: name.upper() != "PARAMCD", default=None)


def day_candidates(columns: Mapping[str, ColumnDraft]) -> list[str]:
    """Columns of a row's study day, that of its start first."""
    found = [n for n, column in columns.items() if column.type == "number" and _DAYS.fullmatch(n)]
    return sorted(found, key=lambda n: (is_planned(n), bool(_ENDS.fullmatch(n))))


def is_planned(day: str) -> bool:
    """Whether a column of study days holds planned ones."""
    return bool(_PLANNED.fullmatch(day))


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
