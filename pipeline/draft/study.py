"""Drafts a study file from what a folder of data holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.draft.data_files import ARMS, SITES, DatasetDraft, free_name, look_at
from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.reading.repeated_keys import RepeatedKey

_KEYS = re.compile(r"usubjid|subjid|.*(subj|patient|pat|pid|pt)_?(id|no|num|nr)?(ber)?|id", re.I)
_DAYS = re.compile(r"\w*DY", re.I)
_PARAMETERS = re.compile(r"paramcd|\w{2}testcd", re.I)


def draft_study(folder: Path, name: str) -> str:
    """Drafts a study file.

    Args:
        folder: The data folder.
        name: The study's name.

    Returns:
        YAML with comments. It is not valid before a person has decided what the TODOs ask:
        no column is declared to be known at any time, and there is no task.

    Raises:
        UserError: There is no data, or nothing that could be a subject.
    """
    datasets = look_at(folder)
    subject, key = _subject_of(datasets)
    used = [dataset for dataset in datasets if key is None or key in dataset.columns]
    lines = [
        # An editor completes and checks the keys by it, once the file is in schema/<study>/.
        "# yaml-language-server: $schema=../study-file.schema.json",
        "# Drafted from the data files. Decide every TODO; until then the file is refused.",
        f"study: {name}",
        f"title: {name}  # TODO the trial's title",
        "version: 1",
        "",
        "datasets:",
    ]
    for dataset in used:
        lines += _dataset_lines(dataset, subject, key, used)
    for dataset in datasets:
        if dataset not in used:
            lines.append(f"  # {dataset.pattern} is left out: it has no column {key}.")
    lines += ["", *_subject_lines(datasets, subject, key), "", *_feature_lines(subject, key)]
    lines += ["", *_TASK_LINES, "", *_slicing_lines(subject)]
    return "\n".join(lines) + "\n"


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
        return dataset, dataset.repeated.column if dataset.repeated else None
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


def _dataset_lines(
    dataset: DatasetDraft, subject: DatasetDraft, key: str | None, used: Sequence[DatasetDraft]
) -> Iterator[str]:
    one_each = not dataset.repeated if dataset is subject else _is_one_each(dataset, key)
    yield f"  {dataset.name}:"
    if dataset.also:
        yield f"    # Also there, not used: {', '.join(dataset.also)}"
    yield f"    file: {_quoted(dataset.pattern)}"
    yield f"    format: {dataset.format.format}"
    if dataset.format.encoding != "utf-8":
        yield f"    encoding: {dataset.format.encoding}"
    if dataset.format.delimiter != ",":
        yield f"    delimiter: {_quoted(dataset.format.delimiter)}"
    if dataset.missing:
        yield f"    missing: [{', '.join(_quoted(code) for code in ('', *dataset.missing))}]"
    yield f"    rows: {'one_per_subject' if one_each else 'many_per_subject'}"
    parents = [other.name for other in used if other.name in dataset.parents]
    if parents:
        yield f"    supplements: {parents[0]}"
        return
    if not one_each:
        yield from _row_lines(dataset)
    yield from _column_lines(dataset, one_each, key)


def _is_one_each(dataset: DatasetDraft, key: str | None) -> bool:
    # Rows that name what they measure may be many in the next delivery.
    measures = bool(dataset.parents) or any(map(_PARAMETERS.fullmatch, dataset.columns))
    return key is not None and dataset.has_one_row_each(key) and not measures


def _row_lines(dataset: DatasetDraft) -> Iterator[str]:
    days = [c for c, d in dataset.columns.items() if d.type == "number" and _DAYS.fullmatch(c)]
    dates = [
        column
        for column, described in dataset.columns.items()
        if described.type in ("date", "datetime") or re.fullmatch(r"\w*DTC", column)
    ]
    yield "    # TODO say when a row came to be known, by `day: COLUMN` (study day) or by"
    yield "    # `date: COLUMN`; without it its rows can't become features."
    if days:
        yield f"    # Candidates for day: {', '.join(days)}"
    if dates:
        yield f"    # Candidates for date: {', '.join(dates)}"
    for column in dataset.columns:
        if _PARAMETERS.fullmatch(column):
            yield f"    parameter: {column}"


def _column_lines(dataset: DatasetDraft, one_each: bool, key: str | None) -> Iterator[str]:
    is_text = dataset.format.format == "csv"
    if not one_each and not is_text:
        return
    if one_each:
        yield "    # TODO say of each column when it is known: `known: baseline`, `known: day N`,"
        yield "    # or `known: after` for what is not known at the moment of prediction."
    yield "    columns:"
    for name, column in dataset.columns.items():
        declared = f"{{type: {column.type}}}" if is_text else "{}"
        seen = f"{column.present} of {dataset.rows} rows, {column.distinct} distinct"
        todo = "TODO known; " if one_each and name != key else ""
        yield f"      {_quoted(name)}: {declared}  # {todo}{column.type} in {seen}"


def _subject_lines(
    datasets: Sequence[DatasetDraft], subject: DatasetDraft, key: str | None
) -> Iterator[str]:
    if subject.repeated:
        yield from _repeated_lines(subject, subject.repeated)
    elif key is None:
        yield "# No column looks like a subject key: the row's number stands for the subject."
        yield f"subject: {{dataset: {subject.name}, row_number: true}}"
    else:
        others = [
            column
            for column in subject.columns
            if column != key and subject.has_one_row_each(column)
        ]
        if others:
            yield f"# Also different in every row: {', '.join(others)}"
        yield f"subject: {{dataset: {subject.name}, column: {_quoted(key)}}}"
    if len(datasets) > 1:
        yield "# TODO `reference_date` of study day 1 (RFSTDTC, TRTSDT), if a dataset has a `date`."
    yield from _candidate_lines(subject, ARMS, "arm", "arm: {{columns: [{}], control: TODO}}")
    yield from _candidate_lines(subject, SITES, "site", "site: {{column: {}}}")
    yield "landmark: baseline  # TODO or `{day: N}`: predictions are made at the end of this day"


def _repeated_lines(subject: DatasetDraft, repeated: RepeatedKey) -> Iterator[str]:
    yield "# TODO give a file with one row for each subject. This one seems to have several:"
    yield (
        f"# {repeated.column} has {repeated.distinct} different values in {repeated.rows} rows. If "
        "each row is a subject"
    )
    yield "# of its own, say `rows: one_per_subject` above, and here:"
    yield f"# subject: {{dataset: {subject.name}, row_number: true, rows_are_subjects: true}}"
    yield f"subject: {{dataset: {subject.name}, column: {_quoted(repeated.column)}}}"


def _candidate_lines(
    subject: DatasetDraft, pattern: re.Pattern[str], what: str, example: str
) -> Iterator[str]:
    candidates = [
        name
        for name, column in subject.columns.items()
        if pattern.fullmatch(name) and 2 <= column.distinct < max(column.present, 3)
    ]
    if candidates:
        yield f"# TODO the {what}; candidates: {', '.join(candidates)}"
        yield f"# {example.format(_quoted(candidates[0]))}"


def _feature_lines(subject: DatasetDraft, key: str | None) -> Iterator[str]:
    yield "# TODO remove what is no feature: everything that is not known at the landmark."
    yield "features:"
    taken: set[str] = set()
    for column, described in subject.columns.items():
        if described.kind and column != key and not SITES.fullmatch(column):
            name = free_name(column, taken)
            taken.add(name)
            source = "" if name == column else f", column: {_quoted(column)}"
            yield f"  {_quoted(name)}: {{kind: {described.kind}{source}}}"


_TASK_LINES = (
    "# TODO what is to be predicted; for example:",
    "# tasks:",
    "#   responded:",
    "#     kind: response        # or outcome, adverse_event",
    "#     title: Responded to treatment",
    '#     state: {positive: {column: RESPFL, equals: "Y"}}',
)


def _slicing_lines(subject: DatasetDraft) -> Iterator[str]:
    yield "# TODO what groups are formed by that results are shown for; for example:"
    yield "# slicing:"
    yield "#   by:"
    for name in subject.columns:
        if re.fullmatch(r"sex|gender|race|ethnic", name, re.I):
            yield f"#     {name.lower()}: {{column: {_quoted(name)}}}"
    yield "#     arm: {of: arm}"


def _quoted(text: str) -> str:
    plain = re.fullmatch(r"[A-Za-z_][\w./-]*", text, re.ASCII)
    is_word = text.lower() in ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
    if plain and not is_word:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '"'
