"""Drafts a study file from a folder of data files."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.draft.columns import ColumnDraft
from pipeline.draft.data_files import DatasetDraft, free_name, look_at
from pipeline.draft.define_xml import with_definitions
from pipeline.draft.evaluation import evaluation_lines
from pipeline.draft.roles import (
    SITES,
    TimeToEvent,
    arm_candidates,
    date_candidates,
    day_candidates,
    is_planned,
    known_after,
    not_randomised,
    parameter_column,
    reference_candidates,
    site_candidates,
    times_to_event,
)
from pipeline.draft.tasks import task_lines
from pipeline.draft.titles import title_of
from pipeline.draft.words import as_text, quoted
from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.reading.formats import FileFormat
    from pipeline.reading.repeated_keys import RepeatedKey

_FEWEST_OF_AN_UNNAMED_KEY = 20
_FEWEST_OF_A_NUMBER = 100
"""Fewest rows in which numbers that are all different are taken for a key."""

_MOST_DESCRIBED = 8
_MOST_PARAMETERS = 40
_KEYS = re.compile(r"usubjid|subjid|.*(subj|patient|pat|pid|pt)_?(id|no|num|nr)?(ber)?|id", re.I)


def draft_study(folder: Path, name: str) -> str:
    """Drafts a study file.

    Args:
        folder: The data folder.
        name: The study's name.

    Returns:
        YAML with comments. It is refused until a person has replaced each TODO, and loads as it is
        then: no column is guessed to be known at any time.

    Raises:
        UserError: There is no data, or nothing that could be a subject.
    """
    datasets = with_definitions(look_at(folder), folder)
    subject, key = _subject_of(datasets)
    used = [dataset for dataset in datasets if key is None or key in dataset.columns]
    if subject.repeated:
        subject = _as_subjects(subject, {dataset.name for dataset in used})
        used.insert(0, subject)
    lines = [
        # An editor completes and checks the keys by it, once the file is in schema/<study>/.
        "# yaml-language-server: $schema=../study-file.schema.json",
        "# Drafted from the data files. Replace each TODO; the file is refused until then. What",
        "# else is here is a guess: the comment beside it says what was seen in the data.",
        f"study: {name}",
        "title: TODO  # the trial's title, one line",
        "version: 1",
        "",
        "datasets:",
    ]
    for dataset in used:
        lines += _dataset_lines(dataset, subject, key, used)
    for dataset in datasets:
        if dataset not in used:
            lines.append(f"  # {dataset.pattern} is not used: it has no column {key}.")
    lines += ["", *_subject_lines(used, subject, key), "", *_feature_lines(used, subject, key)]
    lines += ["", *task_lines(used, subject)]
    lines += ["", *evaluation_lines(used, subject)]
    return "\n".join(lines) + "\n"


def _as_subjects(long: DatasetDraft, taken: set[str]) -> DatasetDraft:
    """A file of several rows a subject, read as one row each: what is the same in all of them."""
    return replace(
        long,
        name=free_name("subjects", taken),
        columns={name: long.columns[name] for name in long.constant},
        is_collapsed=True,
    )


def _subject_of(datasets: Sequence[DatasetDraft]) -> tuple[DatasetDraft, str | None]:
    """The dataset with a row per subject, and its key.

    There is no key in a single file without one. A single file of several rows a subject has the
    key that repeats: it can't be used before a person has decided what its rows are.
    """
    candidates = [
        (dataset, column)
        for dataset in datasets
        for column in dataset.columns
        # A number of each row is no subject where a subject's own key repeats beside it.
        if not dataset.repeated and dataset.has_one_row_each(column) and _is_key_name(column)
    ]
    if not candidates and len(datasets) == 1:
        [dataset] = datasets
        return dataset, dataset.repeated.column if dataset.repeated else _unnamed_key(dataset)
    if not candidates:
        raise UserError(
            "No file has one row for each subject: expected a column such as USUBJID with "
            f"another value in every row. There are: {', '.join(d.pattern for d in datasets)}."
        )
    shared = Counter(column for dataset in datasets for column in dataset.columns)

    def rank(candidate: tuple[DatasetDraft, str]) -> tuple[int, bool, bool, int]:
        dataset, column = candidate
        return (
            shared[column],
            dataset.name in ("adsl", "dm"),
            column.upper() == "USUBJID",
            len(dataset.columns),
        )

    return max(candidates, key=rank)


def _is_key_name(name: str) -> bool:
    """Whether a column that is different in every row may be the subject key, by its name."""
    # Beam takes a second or two to import.
    from pipeline.reading.repeated_keys import looks_like_subject_key

    return looks_like_subject_key(name) or _KEYS.fullmatch(name) is not None


def _unnamed_key(dataset: DatasetDraft) -> str | None:
    """Finds a column that is a key by its values alone: they are distinct.

    That is a text without blanks (no remark), or whole numbers that increase from row to row; or
    the only column of whole numbers that are all different.
    """
    different = {n: c for n, c in dataset.columns.items() if dataset.has_one_row_each(n)}
    if dataset.rows < _FEWEST_OF_AN_UNNAMED_KEY:
        return None
    for name, column in different.items():
        if column.increases or column.is_compact_text:
            return name
    numbers = [name for name, column in different.items() if column.is_whole]
    return numbers[0] if len(numbers) == 1 and dataset.rows >= _FEWEST_OF_A_NUMBER else None


def _format_lines(fmt: FileFormat) -> Iterator[str]:
    if fmt.encoding not in ("", "utf-8"):
        yield f"    encoding: {fmt.encoding}"
    if fmt.sheet is not None:
        yield f"    sheet: {quoted(fmt.sheet)}"
    if fmt.delimiter != ",":
        yield f"    delimiter: {quoted(fmt.delimiter)}"
    if fmt.decimal != ".":
        yield f"    decimal: {quoted(fmt.decimal)}"


def _dataset_lines(
    dataset: DatasetDraft, subject: DatasetDraft, key: str | None, used: Sequence[DatasetDraft]
) -> Iterator[str]:
    one_each = dataset is subject or _is_one_each(dataset, key)
    yield f"  {dataset.name}:"
    if dataset.is_collapsed:
        yield "    # The file has several rows of a subject. The columns that are the same in all"
        yield "    # of them describe the subject; the file is read again below, row by row."
    if dataset.also:
        yield f"    # Also there, not used: {', '.join(dataset.also)}"
    yield f"    file: {quoted(dataset.pattern)}"
    yield f"    format: {dataset.format.format}"
    yield from _format_lines(dataset.format)
    if dataset.missing:
        codes = ", ".join(quoted(code) for code in ("", *dataset.missing))
        yield f"    missing: [{codes}]  # texts that are no value in any column"
    yield f"    rows: {'one_per_subject' if one_each else 'many_per_subject'}{_why(dataset, key)}"
    if dataset.is_collapsed:
        yield "    collapse: true"
    parents = [other.name for other in used if other.name in dataset.parents]
    if parents:
        yield f"    supplements: {parents[0]}"
        return
    if one_each and dataset is subject:
        yield "    # When its columns are known: baseline, or day N (a study day). A column that is"
        yield "    # known later says so itself below (`known: after`), and is no feature."
        yield "    known: TODO"
    elif not one_each:
        yield from _row_lines(dataset, subject)
    yield from _column_lines(dataset, one_each, key)


def _why(dataset: DatasetDraft, key: str | None) -> str:
    column = dataset.columns.get(key) if key else None
    if column is None:
        return ""
    return f"  # {key}: {column.distinct} distinct in {dataset.rows} rows"


def _is_one_each(dataset: DatasetDraft, key: str | None) -> bool:
    # Rows that name what they measure may be many in the next delivery.
    measures = bool(dataset.parents) or parameter_column(dataset.columns) is not None
    return key is not None and dataset.has_one_row_each(key) and not measures


def _row_lines(dataset: DatasetDraft, subject: DatasetDraft) -> Iterator[str]:
    days = day_candidates(dataset.columns)
    dates = date_candidates(dataset.columns, subject.columns)
    if _is_dated(dataset, subject):
        others = [*dates[1:], *(f"{day} as `day`, which is planned" for day in days)]
        yield f"    date: {dates[0]}  # date of a row{_others(others)}"
    elif days:
        yield f"    day: {days[0]}  # study day of a row{_others(days[1:])}"
    else:
        yield "    # No column looks like the day of a row. For features and events its rows need"
        yield "    # `day: COLUMN`, `date: COLUMN`, or `known: baseline` for all of them."
    parameter = parameter_column(dataset.columns)
    if parameter:
        measured = dataset.columns[parameter].distinct
        yield f"    parameter: {parameter}  # names what a row measures: {measured} distinct"
    if dataset.mixed_units:
        units = dataset.mixed_units
        several = ", ".join(f"{name} ({number})" for name, number in units.parameters.items())
        yield f"    # Several units in {units.column}: {several}. Their numbers don't compare: a"
        yield f"    # feature of one needs `where: {{column: {units.column}, equals: UNIT}}`."


def _is_dated(dataset: DatasetDraft, subject: DatasetDraft) -> bool:
    """Whether the days of rows are counted from dates, as there is no day, or a planned one."""
    days = day_candidates(dataset.columns)
    return (
        not dataset.parents
        and bool(reference_candidates(subject.columns))
        and bool(date_candidates(dataset.columns, subject.columns))
        and (not days or is_planned(days[0]))
    )


def _others(names: Sequence[str]) -> str:
    return f"; or: {', '.join(names)}" if names else ""


def _column_lines(dataset: DatasetDraft, one_each: bool, key: str | None) -> Iterator[str]:
    is_text = dataset.format.format == "csv"
    if not one_each and not is_text:
        return
    yield "    columns:"
    after = known_after(dataset.columns)
    for name, column in dataset.columns.items():
        declared = []
        if is_text:
            # As a number a key could lose digits.
            declared.append(f"type: {'text' if name == key else column.type}")
        if one_each and name != key and name in after:
            declared.append("known: after")
        if column.missing:
            declared.append(f"missing: [{', '.join(quoted(code) for code in column.missing)}]")
        yield f"      {quoted(name)}: {{{', '.join(declared)}}}  # {_seen(dataset, name, key)}"


def _seen(dataset: DatasetDraft, name: str, key: str | None) -> str:
    if name == key:
        return f"the subject key: {dataset.columns[name].distinct} distinct"
    described = dataset.columns[name].described(dataset.rows)
    # A level may hold what would end the comment.
    return described.replace("\n", " ").replace("\r", " ")


def _subject_lines(
    used: Sequence[DatasetDraft], subject: DatasetDraft, key: str | None
) -> Iterator[str]:
    others = [
        column for column in subject.columns if column != key and subject.has_one_row_each(column)
    ]
    numbers = [column for column in others if subject.columns[column].is_whole]
    if subject.repeated:
        yield from _repeated_lines(subject.repeated)
    if key is None:
        yield "# No column looks like a subject key: the row's number stands for the subject."
        if numbers:
            yield f"# Different in every row: {', '.join(numbers)}. If one is the key, say here:"
            yield f"# subject: {{dataset: {subject.name}, column: {quoted(numbers[0])}}}"
        yield f"subject: {{dataset: {subject.name}, row_number: true}}"
    else:
        if others:
            yield f"# Also different in every row: {', '.join(others)}"
        if not _is_key_name(key) and not subject.repeated:
            yield f"# {key} is taken for the key: it differs in each of {subject.rows} rows."
            yield "# If it is a measurement, write `row_number: true` in place of `column`."
        yield "subject:"
        yield f"  dataset: {subject.name}"
        yield f"  column: {quoted(key)}"
        yield from _reference_lines(used, subject)
    yield from _arm_lines(subject)
    sites = site_candidates(subject.columns)
    if sites:
        yield f"site: {{column: {quoted(sites[0])}}}  # {_counted(subject, sites)}"
    else:
        yield "# No column looks like a site. If one is: `site: {column: COLUMN}`"
    yield from _population_lines(subject)
    yield from _day_lines(used, times_to_event(subject.columns))


def _reference_lines(used: Sequence[DatasetDraft], subject: DatasetDraft) -> Iterator[str]:
    """The date of study day 1, where the rows of some dataset have a date and no study day."""
    dated = [
        dataset.name for dataset in used if dataset is not subject and _is_dated(dataset, subject)
    ]
    found = reference_candidates(subject.columns)
    if found and dated:
        yield (
            f"  reference_date: {quoted(found[0])}  # study days of {', '.join(dated)} count from "
            f"it{_others(found[1:])}"
        )


def _population_lines(subject: DatasetDraft) -> Iterator[str]:
    arms = arm_candidates(subject.columns)[:1]
    others = not_randomised(subject.columns[arms[0]]) if arms else {}
    if not others:
        yield "# Who is in the trial, for example without screen failures; all, where not given:"
        yield "# population: {column: COLUMN, present: true}"
        return
    levels = ", ".join(f'"{level}"' for level in others)
    yield f"# Who is in the trial: {sum(others.values())} rows of {arms[0]} look like no arm."
    yield f"population: {{not: {{column: {quoted(arms[0])}, in: [{levels}]}}}}"


def _arm_lines(subject: DatasetDraft) -> Iterator[str]:
    arms = arm_candidates(subject.columns)
    if arms:
        yield "# Several columns (a factorial design) are combined: their levels are joined by /."
        for name in arms:
            yield f"# {name}: {_levels(subject.columns[name])}"
        yield f"arm: {{columns: [{quoted(arms[0])}], control: TODO}}  # a level, in quotes"
        return
    few = [name for name, column in subject.columns.items() if 2 <= column.distinct <= 6]
    yield "# No column looks like a treatment arm. If one is:"
    yield "# arm: {columns: [COLUMN], control: LEVEL}"
    if few:
        yield f"# Columns of 2 to 6 levels: {', '.join(few)}"
    for name in few[:_MOST_DESCRIBED]:
        yield f"# {name}: {_levels(subject.columns[name])}"


def _levels(column: ColumnDraft) -> str:
    shown = ", ".join(f'"{level}" ({count} rows)' for level, count in column.levels)
    return shown.replace("\n", " ") or f"{column.distinct} levels"


def _counted(subject: DatasetDraft, names: Sequence[str]) -> str:
    return ", ".join(f"{name} ({subject.columns[name].distinct} distinct)" for name in names)


def _day_lines(used: Sequence[DatasetDraft], timed: TimeToEvent | None) -> Iterator[str]:
    if any(day_candidates(dataset.columns) for dataset in used):
        zero = any(
            dataset.columns[name].smallest_is_zero
            for dataset in used
            for name in day_candidates(dataset.columns)[:1]
        )
        yield f"first_day: {int(not zero)}  # study day of the reference date: CDISC has no day 0"
    elif timed:
        yield f"first_day: TODO  # what {timed.time} is on the day it counts from: 0 or 1"
    yield "landmark: baseline  # or {day: N}: predictions are made at the end of this study day"


def _repeated_lines(repeated: RepeatedKey) -> Iterator[str]:
    yield (
        f"# {repeated.column} has {repeated.distinct} different values in {repeated.rows} rows, so"
    )
    yield "# that a subject has several rows. If each row is a subject of its own, keep one dataset"
    yield "# with `rows: one_per_subject`, without `collapse`, and say here:"
    yield "# subject: {dataset: NAME, row_number: true, rows_are_subjects: true}"


def _feature_lines(
    used: Sequence[DatasetDraft], subject: DatasetDraft, key: str | None
) -> Iterator[str]:
    arms = arm_candidates(subject.columns)
    yield "# What the model may read beside the arm. Remove what repeats another column, and what"
    yield "# is not known at the landmark."
    yield "features:"
    taken: set[str] = set()
    titles: set[str] = set()
    omitted: list[str] = []
    after = known_after(subject.columns)
    for column, described in subject.columns.items():
        if not described.kind or column == key or SITES.fullmatch(column):
            continue
        if column in arms or column in after:
            omitted.append(column)
            continue
        name = free_name(column, taken)
        taken.add(name)
        source = "" if name == column else f", column: {quoted(column)}"
        title = title_of(described.label, name, titles | set(subject.columns))
        if title:
            titles.add(title)
            source = f", title: {as_text(title)}{source}"
        yield f"  {quoted(name)}: {{kind: {described.kind}{source}}}"
    if not taken:
        yield "  TODO: {kind: number}  # no column looks like a feature: name one"
    if omitted:
        yield f"  # Not drafted, as they look like the arm or like an outcome: {', '.join(omitted)}"
    for dataset in used:
        parameter = parameter_column(dataset.columns)
        if dataset is not subject and parameter and day_candidates(dataset.columns):
            yield from _parameter_lines(dataset, parameter)


def _parameter_lines(dataset: DatasetDraft, parameter: str) -> Iterator[str]:
    """A feature for each parameter, as a comment: which are to be features a person decides."""
    value = "AVAL" if "AVAL" in dataset.columns else "VALUE"
    yield f"  # last_{dataset.name}:"
    yield f"  #   {{dataset: {dataset.name}, column: {value}, kind: number, aggregate: last,"
    decodes = dict(dataset.columns[parameter].labelled)
    titles: dict[str, str] = {}
    for code, text in itertools.islice(dataset.parameters.items(), _MOST_PARAMETERS):
        titles[code] = title_of(text or decodes.get(code, ""), code, titles.values()) or code
    more = len(dataset.parameters) - len(titles)
    if not titles:
        yield f"  #   each: [codes of {parameter}]}}"
        return
    yield "  #   each: {"
    yield from (f"  #     {as_text(code)}: {as_text(text)}," for code, text in titles.items())
    yield "  #   }}" + (f"  and {more} more codes of {parameter}" if more > 0 else "")
