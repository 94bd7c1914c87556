"""The `tasks` section of a drafted study file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.draft.columns import ColumnDraft
from pipeline.draft.data_files import DatasetDraft
from pipeline.draft.roles import TimeToEvent, day_candidates, times_to_event
from pipeline.draft.words import quoted


def task_lines(used: Sequence[DatasetDraft], subject: DatasetDraft) -> Iterator[str]:
    """The `tasks`: one that the data suggest, to be completed, and the other forms as comments.

    Args:
        used: The study's datasets.
        subject: The one with a row for each subject.
    """
    yield "# What is to be predicted, by name. `kind` is outcome, response or adverse_event."
    yield "tasks:"
    timed = times_to_event(subject.columns)
    events = serious_events(used)
    if timed:
        yield from _timed_lines(subject, timed)
    elif events:
        yield from _adverse_event_lines(events)
    else:
        yield from _state_lines()
    yield "  # Other forms:"
    yield '  # - a state: `state: {positive: {column: COLUMN, equals: "Y"}}`; of several rows in a'
    yield "  #   dataset with days the last one after the landmark counts;"
    yield "  # - an event in time: `event: {dataset: NAME, where: CONDITION}` with `horizon`, and"
    yield "  #   `follow_up: {dataset: NAME, day: COLUMN}` if some subjects were followed longer."


def serious_events(used: Sequence[DatasetDraft]) -> DatasetDraft | None:
    """The dataset of adverse events whose rows have a study day."""
    return next(
        (d for d in used if "AESER" in d.columns and not d.parents and day_candidates(d.columns)),
        None,
    )


def _timed_lines(subject: DatasetDraft, timed: TimeToEvent) -> Iterator[str]:
    time, status = subject.columns[timed.time], subject.columns[timed.status]
    yield f"  # {timed.time} looks like a time to an event or to the end of follow-up:"
    yield f"  # {time.described(subject.rows)}."
    yield f"  # {timed.status} looks like what ended it: {status.described(subject.rows)}."
    yield "  event_within_horizon:"
    yield "    kind: outcome"
    yield "    title: TODO  # what the event is, and within which time"
    yield f"    horizon: TODO  # the last study day that counts, in the unit of {timed.time}"
    yield "    event:"
    yield f"      dataset: {subject.name}"
    yield f"      day: {quoted(timed.time)}"
    yield f"      where: {{column: {quoted(timed.status)}, equals: TODO}}  # the code of the event"
    yield from _landmark_day_lines()
    yield "      # Who had no event counts as negative only if followed up to the horizon."
    yield f"      follow_up: {{dataset: {subject.name}, day: {quoted(timed.time)}}}"


def _adverse_event_lines(events: DatasetDraft) -> Iterator[str]:
    yield f"  # {events.name}: {events.rows} adverse events, of which AESER says what is serious."
    yield "  serious_adverse_event:"
    yield "    kind: adverse_event"
    yield "    title: Serious adverse event"
    yield "    horizon: TODO  # the last study day that counts"
    yield "    event:"
    yield f"      dataset: {events.name}"
    yield f"      where: {{column: AESER, equals: {_serious(events.columns['AESER'])}}}"
    yield from _landmark_day_lines()


def _serious(column: ColumnDraft) -> str:
    """The level that means yes; Y where the rows seen do not say otherwise."""
    found = [level for level, _ in column.levels if level.upper() in ("Y", "YES", "1", "TRUE")]
    if found:
        return f'"{found[0]}"' if column.type == "text" else found[0]
    return '"Y"' if column.distinct < 2 and column.type == "text" else "TODO"


def _landmark_day_lines() -> Iterator[str]:
    yield "      # An event on the first study day itself: `after` the landmark, if the data hold"
    yield "      # nothing from before it; `before`; a time of day or a sequence to compare,"
    yield "      # `{column: OF THE EVENT, landmark: OF THE SUBJECT}`; a condition over the event's"
    yield "      # row; or `masked`, which leaves its subjects out."
    yield "      landmark_day: TODO"


def _state_lines() -> Iterator[str]:
    yield "  TODO:  # a name of letters, digits and _"
    yield "    kind: TODO"
    yield "    title: TODO  # what is predicted, one line"
    yield "    # The column that decides, and its value: a text in quotes, a number without."
    yield "    state: {positive: {column: TODO, equals: TODO}}"
