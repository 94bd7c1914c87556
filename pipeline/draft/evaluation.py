"""The part of a drafted study file about groups, splits, thresholds and reports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipeline.draft.columns import ColumnDraft
from pipeline.draft.data_files import DatasetDraft
from pipeline.draft.roles import arm_candidates, times_to_event
from pipeline.draft.tasks import serious_events
from pipeline.draft.words import quoted

_SEVERITIES = (
    "MILD",
    "MODERATE",
    "SEVERE",
    "LIFE THREATENING",
    "LIFE-THREATENING",
    "FATAL",
)
_GROUPS = re.compile(r"sex|gender|race|ethnic\w*|country|region", re.I)


def evaluation_lines(used: Sequence[DatasetDraft], subject: DatasetDraft) -> Iterator[str]:
    """The sections after `tasks`.

    Args:
        used: The study's datasets.
        subject: The one with a row for each subject.
    """
    yield from _slicing_lines(subject)
    yield ""
    yield "# A test split where it has enough events for every task, otherwise cross-fitting:"
    yield "# every subject is predicted by models trained without it."
    yield "evaluation: {scheme: auto}"
    yield ""
    yield f"# Shares of the {subject.subjects} subjects: to train, to stop and calibrate, to test."
    yield "split: {train: 0.6, eval: 0.2, test: 0.2}"
    yield ""
    yield "# A model is blessed, pushed and registered only if it reaches these. Raise them to"
    yield "# what its use needs: an AUC of 0.5 is chance; `holds: bound` judges the interval's end."
    yield "thresholds:"
    yield "  - {metric: auc, at_least: 0.5, holds: bound}"
    yield "  - {metric: expected_calibration_error, at_most: 0.1}"
    yield "  - {metric: auc, at_least: -0.05, holds: bound, versus: champion}"
    yield ""
    yield from _analysis_lines(used, subject)
    yield from _summary_lines(used)
    yield "# Statements of the model card that the data do not contain:"
    yield "# card: {purpose: ..., users: ..., not_for: ..., population: ..., period: ...,"
    yield "#   limits: [...]}"


def _slicing_lines(subject: DatasetDraft) -> Iterator[str]:
    groups = [
        name
        for name, column in subject.columns.items()
        if _GROUPS.fullmatch(name) and column.kind == "category"
    ]
    arm = bool(arm_candidates(subject.columns))
    yield "# Groups that results are shown for."
    if groups or arm:
        yield "slicing:"
        yield "  by:"
    for name in groups:
        count = f"{subject.columns[name].distinct} distinct"
        yield f"    {name.lower()}: {{column: {quoted(name)}}}  # {count}"
    if arm:
        yield "    arm: {of: arm}"
    yield "  # Further ones: `NAME: {column: COLUMN}`, for numbers with `bands: [40, 65]`."


def _analysis_lines(used: Sequence[DatasetDraft], subject: DatasetDraft) -> Iterator[str]:
    if not arm_candidates(subject.columns):
        return
    yield "analysis:"
    yield "  randomised: TODO  # true only if the arms were assigned at random"
    timed = times_to_event(subject.columns)
    censored = next((d for d in used if {"AVAL", "CNSR", "PARAMCD"} <= set(d.columns)), None)
    if censored:
        yield "  time_to_event:"
        yield f"    # {censored.name}: {censored.columns['PARAMCD'].distinct} distinct PARAMCD."
        yield "    event:"
        yield "      title: TODO  # what the event is"
        yield f"      dataset: {censored.name}"
        if censored.columns["PARAMCD"].distinct > 1:
            yield "      where: {column: PARAMCD, equals: TODO}"
        yield "      time: AVAL"
        zero = '"0"' if censored.columns["CNSR"].type == "text" else "0"
        yield "      # CDISC: 0 is the event, all others are censored."
        yield f"      event: {{column: CNSR, equals: {zero}}}"
    elif timed:
        yield "  time_to_event:"
        yield "    event:"
        yield "      title: TODO  # what the event is"
        yield f"      time: {quoted(timed.time)}"
        status = quoted(timed.status)
        yield f"      event: {{column: {status}, equals: TODO}}  # the code of the event"
    yield ""


def _severities(column: ColumnDraft) -> str:
    """The levels of a severity from mild to severe; TODO where they are not all known words."""
    levels = sorted((level for level, _ in column.levels), key=_rank)
    if len(levels) < column.distinct or not all(level.upper() in _SEVERITIES for level in levels):
        return f"TODO  # the {column.distinct} levels of AESEV, the mildest first, in quotes"
    return f"[{', '.join(map(quoted, levels))}]  # levels of AESEV, the mildest first"


def _rank(level: str) -> int:
    known = level.upper() in _SEVERITIES
    return _SEVERITIES.index(level.upper()) if known else len(_SEVERITIES)


def _summary_lines(used: Sequence[DatasetDraft]) -> Iterator[str]:
    yield "# What a coordinator follows; each key is optional:"
    events = serious_events(used)
    if events and {"AEBODSYS", "AESEV"} <= set(events.columns):
        yield "summary:"
        yield "  adverse_events:"
        yield f"    dataset: {events.name}"
        yield "    category: AEBODSYS"
        yield "    severity: AESEV"
        yield f"    severities: {_severities(events.columns['AESEV'])}"
    else:
        yield "# summary: {enrolment: COLUMN, disposition: {...}, adverse_events: {...}}"
    yield ""
