"""Drafts what a person then decides: a study file from data files, a schema from a study.

`python -m pipeline.draft study --data FOLDER --out schema/mytrial/study.yaml` looks at the
files and writes down what can be seen in them: formats, columns, types, candidates. What can't
be seen there, above all when a column is known, is left as a TODO, and the study file is refused
until it is decided.

`python -m pipeline.draft schema --study schema/mytrial/study.yaml --data FOLDER` makes the
examples in a temporary folder and drafts the curated schema from the statistics of train.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import logging
import math
import os
import re
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipeline.errors import UserError
from pipeline.names import (
    ARM,
    SITE,
    SPLITS,
    SUBJECT_HASH,
    in_statistics,
    label_key,
    slice_key,
    weight_key,
)
from pipeline.study import Study, load_study

if TYPE_CHECKING:
    import pyarrow as pa
    from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

    from pipeline.reading.readers import FileFormat

_LOG = logging.getLogger("pipeline.draft")

Format = Literal["xpt", "dataset-json", "csv", "parquet"]

_FORMATS: dict[str, Format] = {
    ".xpt": "xpt",
    ".json": "dataset-json",
    ".ndjson": "dataset-json",
    ".dsjc": "dataset-json",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
}
"""By suffix, in the order of preference where one dataset lies there in several formats."""

_DELIMITERS = (",", ";", "\t", "|", " ")
_MISSING_CODES = ("NA", "N/A", "NULL", "NaN", ".")
_OTHER_ENCODING = "windows-1252"
_ROWS_SEEN = 100_000
"""Rows of a file that are looked at; a later one can only tell what a person finds anyway."""

_FEW = 10
"""Most distinct values of a number that is taken for a code."""

_LEVELS = 20
"""Most levels of a category whose levels the drafted schema lists."""

_LISTED_MASS = 0.95
"""Share of a category's subjects that must have a listed level: a rare new one is no error."""

_SHARD = re.compile(r"[-_.]\d+(-of-\d+)?$")
_ISO_DATE = re.compile(r"\d{4}(-(\d{2}|-)(-(\d{2}|-))?)?(T.*)?")
_KEYS = re.compile(r"usubjid|subjid|.*(subj|patient|pat|pid|pt)_?(id|no|num|nr)?(ber)?|id", re.I)
_ARMS = re.compile(r"arm(s|cd)?|trt(01)?p?|treat(ment)?|rx.*|group", re.I)
_SITES = re.compile(r"site(id|gr1|no)?|.*(hosp|cent(er|re)).*", re.I)
_DAYS = re.compile(r"\w*DY", re.I)
_PARAMETERS = re.compile(r"paramcd|\w{2}testcd", re.I)
# The served model doesn't tell capital letters from small ones.
_RESERVED = re.compile(rf"{ARM}|{SITE}|{SUBJECT_HASH}|(label|weight|slice|tte)_.*", re.I)
_SUPPLEMENT = {"RDOMAIN", "IDVAR", "IDVARVAL", "QNAM", "QVAL"}


@dataclass
class _ColumnSeen:
    """What was seen of one column; its values are counted and then forgotten."""

    type: str
    values: set[Any] = field(default_factory=set)
    present: int = 0
    numbers: int = 0
    whole_numbers: int = 0
    dates: int = 0
    missing_codes: set[str] = field(default_factory=set)

    def add(self, array: pa.Array, codes: Sequence[str]) -> None:
        for value in array.to_pylist():
            if value in codes:
                self.missing_codes.add(value)
            elif value is not None:
                self.present += 1
                self.values.add(value)
                self._judge(value)

    def _judge(self, value: object) -> None:
        text = str(value)
        self.dates += bool(_ISO_DATE.fullmatch(text)) and "-" in text
        try:
            number = float(text)
        except ValueError:
            return
        self.numbers += 1
        self.whole_numbers += number.is_integer()


@dataclass(frozen=True)
class ColumnDraft:
    """One column as it looks.

    Attributes:
        type: Its type in the study file.
        kind: How a model would read it; None where it is no candidate for a feature.
        distinct: Number of distinct values.
        present: Number of rows with a value.
    """

    type: str
    kind: Literal["number", "category"] | None
    distinct: int
    present: int


@dataclass(frozen=True)
class DatasetDraft:
    """One dataset as it looks.

    Attributes:
        name: Its name in the study file.
        pattern: Path or pattern of its files below the data folder.
        also: Files of the same name in another format, which are not used.
        format: How its files are written.
        rows: Number of rows that were looked at.
        columns: Its columns, in file order.
        missing: Texts that mean missing (delimited text).
        parents: Domains whose qualifiers it holds, in lower case.
    """

    name: str
    pattern: str
    also: tuple[str, ...]
    format: FileFormat
    rows: int
    columns: dict[str, ColumnDraft]
    missing: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()

    def has_one_row_each(self, key: str) -> bool:
        """Whether each row has another value of the key."""
        column = self.columns.get(key)
        return column is not None and column.distinct == column.present == self.rows > 0


def look_at(folder: Path) -> list[DatasetDraft]:
    """Looks at every data file below a folder.

    Args:
        folder: The data folder.

    Returns:
        Its datasets, by name.

    Raises:
        UserError: The folder has no data file that can be read.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder; give the folder of the data files.")
    groups: dict[str, dict[str, list[Path]]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix.lower() in _FORMATS:
            stem = str(path.relative_to(folder).with_name(_SHARD.sub("", path.stem)))
            groups.setdefault(stem, {}).setdefault(path.suffix.lower(), []).append(path)
    datasets: list[DatasetDraft] = []
    for stem, by_suffix in sorted(groups.items()):
        name = _free_name(Path(stem).name.lower(), {dataset.name for dataset in datasets})
        try:
            datasets.append(_look_in_its_encoding(folder, name, by_suffix))
        except UserError as error:
            _LOG.warning("Left out: %s", error)
    if not datasets:
        raise UserError(
            f"{folder}: no data file that can be read; expected {', '.join(_FORMATS)} files."
        )
    return datasets


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
    lines += ["", *_TASK_LINES, "", *_slice_lines(subject)]
    return "\n".join(lines) + "\n"


def draft_schema(study: Study, data: Path) -> str:
    """Drafts a curated schema from the train split of a study.

    Args:
        study: The study.
        data: Folder of its data.

    Returns:
        A TFMD Schema as protobuf text.

    Raises:
        UserError: The data can't be used, or leave no subject in the train split.
    """
    from google.protobuf import text_format

    with tempfile.TemporaryDirectory() as folder:
        make_examples(study, data, Path(folder))
        statistics = statistics_of(Path(folder) / "Split-train")
    schema = tolerant_schema(study, statistics)
    return (
        f"# Curated schema of the examples of {study.study}. Drafted from the train split: look\n"
        "# through presences, ranges and levels before it judges other data.\n"
        f"{text_format.MessageToString(schema, as_utf8=True)}"
    )


def make_examples(study: Study, data: Path, folder: Path) -> None:
    """Runs TrialExampleGen's Beam graph in this process.

    Args:
        study: The study.
        data: Folder of its data.
        folder: An empty folder; gets `Split-train`, `Split-eval`, `Split-test` with the
            examples and `rejects` with `counts.json`.

    Raises:
        UserError: The data can't be used, or leave no subject in the train split.
    """
    import apache_beam as beam
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    from components.trial_example_gen.graph import ExampleJob, write_examples
    from components.trial_example_gen.plan import plan_datasets
    from pipeline.subject_key import ensure_local_key

    splits = {split: folder / f"Split-{split}" for split in SPLITS}
    unfinished = folder / "unfinished"
    for needed in (*splits.values(), unfinished):
        needed.mkdir()
    key = ensure_local_key(folder / "subject_key")
    job = ExampleJob(study, plan_datasets(study, str(data)), key)
    with beam.Pipeline(runner=FnApiRunner()) as root:
        write_examples(
            root,
            job,
            split_folders={split: str(path) for split, path in splits.items()},
            unfinished_folder=str(unfinished),
            rejects_folder=str(folder / "rejects"),
        )
    if not any(splits["train"].iterdir()):
        raise UserError(
            f"{data}: no subject is left in the train split. Check `population`, `window` and "
            "the ranges of the subject dataset's columns."
        )


def statistics_of(examples: Path) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Statistics of every column of one split that may have them.

    Args:
        examples: Folder of the split.

    Returns:
        TFDV's statistics.
    """
    import apache_beam as beam
    import tensorflow_data_validation as tfdv
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner
    from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

    def decoded(records: Iterable[bytes]) -> pa.RecordBatch:
        batch = ExamplesToRecordBatchDecoder().DecodeBatch(list(records))
        names = [name for name in batch.schema.names if in_statistics(name)]
        return type(batch).from_arrays([batch.column(name) for name in names], names)

    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/statistics"
        with beam.Pipeline(runner=FnApiRunner()) as root:
            _ = (
                root
                | beam.io.ReadFromTFRecord(f"{examples}/*.gz")
                | beam.BatchElements(min_batch_size=1000, max_batch_size=1000)
                | "Decode" >> beam.Map(decoded)
                | tfdv.GenerateStatistics()
                | tfdv.WriteStatisticsToBinaryFile(file)
            )
        return tfdv.load_stats_binary(file)


def tolerant_schema(
    study: Study, statistics: statistics_pb2.DatasetFeatureStatisticsList
) -> schema_pb2.Schema:
    """Makes a schema that allows what other data of the same trial may show.

    No feature gets a shape, so that TensorFlow Transform sees missing values as such. Ranges
    come from the study file, never from the data's own extremes.

    Args:
        study: The study.
        statistics: Statistics of one split.

    Returns:
        The schema: features in the order of the study file, then arm, site, slices, and each
        task's label and weight.
    """
    from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

    [split] = statistics.datasets
    described = {feature.path.step[0]: feature for feature in split.features}
    groups = study.slices.groups.items()
    sites = {SITE, *(slice_key(name) for name, group in groups if group.of == "site")}
    schema = schema_pb2.Schema()
    for name in sorted(described, key=_order(study)):
        found = described[name]
        is_number = found.type == statistics_pb2.FeatureNameStatistics.FLOAT
        feature = schema.feature.add(
            name=name, type=schema_pb2.FLOAT if is_number else schema_pb2.BYTES
        )
        common = found.num_stats.common_stats if is_number else found.string_stats.common_stats
        feature.presence.min_count = 1
        feature.presence.min_fraction = _least_share(
            name, common.num_non_missing / split.num_examples
        )
        feature.value_count.min = feature.value_count.max = 1
        if is_number:
            _limit(feature, *_range_of(study, name))
        elif name not in sites and found.string_stats.unique <= _LEVELS:
            levels = {bucket.label for bucket in found.string_stats.rank_histogram.buckets}
            _list_levels(feature, levels)
    return schema


def _look_in_its_encoding(
    folder: Path, name: str, by_suffix: dict[str, list[Path]]
) -> DatasetDraft:
    try:
        return _look_at_dataset(folder, name, by_suffix, "utf-8")
    except UserError as error:
        try:
            return _look_at_dataset(folder, name, by_suffix, _OTHER_ENCODING)
        except UserError:
            raise error from None


def _look_at_dataset(
    folder: Path, name: str, by_suffix: dict[str, list[Path]], encoding: str
) -> DatasetDraft:
    from pipeline.reading.readers import column_types, extents, read

    suffix = min(by_suffix, key=list(_FORMATS).index)
    first, *others = by_suffix[suffix]
    fmt, codes = _format_of(first, _FORMATS[suffix], encoding)
    types = column_types(str(first), fmt)
    seen = {column: _ColumnSeen(kind) for column, kind in types.items()}
    rows = 0
    parents: set[str] = set()
    for path in (first, *others):
        for extent in extents(str(path), fmt):
            for _, batch in read(extent, fmt, list(types)):
                for column, array in zip(types, batch.columns, strict=True):
                    seen[column].add(array, codes)
                rows += batch.num_rows
                if rows >= _ROWS_SEEN:
                    break
    if set(types) >= _SUPPLEMENT:
        parents = {str(value).lower() for value in seen["RDOMAIN"].values}
    found_codes = {code for column in seen.values() for code in column.missing_codes}
    pattern = first.relative_to(folder)
    if others:
        pattern = pattern.with_name(f"{_SHARD.sub('', first.stem)}*{first.suffix}")
    return DatasetDraft(
        name=name,
        pattern=str(pattern),
        also=tuple(
            str(path.relative_to(folder))
            for other, paths in by_suffix.items()
            if other != suffix
            for path in paths
        ),
        format=fmt,
        rows=rows,
        columns={column: _judged(found, fmt.format, rows) for column, found in seen.items()},
        missing=tuple(sorted(found_codes)),
        parents=tuple(sorted(parents)),
    )


def _judged(seen: _ColumnSeen, format_: Format, rows: int) -> ColumnDraft:
    distinct = len(seen.values)
    kind = seen.type
    if format_ == "csv" and seen.present:
        if seen.dates == seen.present:
            kind = "date"
        elif seen.numbers == seen.present:
            # Few whole numbers are codes more often than not, and codes have no order.
            is_code = distinct <= _FEW and seen.whole_numbers == seen.present
            kind = "text" if is_code else "number"
    return ColumnDraft(kind, _kind_of(seen, kind, rows), distinct, seen.present)


def _kind_of(seen: _ColumnSeen, kind: str, rows: int) -> Literal["number", "category"] | None:
    distinct = len(seen.values)
    if distinct < 2 or kind in ("date", "datetime") or seen.dates == seen.present:
        return None
    if kind == "number":
        return "number"
    # A text that nearly every row has to itself is a key or a remark.
    return "category" if distinct <= max(_FEW, rows // 2) else None


def _format_of(path: Path, format_: Format, encoding: str) -> tuple[FileFormat, Sequence[str]]:
    from pipeline.reading.readers import FileFormat

    if format_ != "csv":
        return FileFormat(format_, encoding), ()
    with path.open("rb") as file:
        head = file.read(2**20)
    encoding = encoding if _decodes(head, encoding) else _OTHER_ENCODING
    lines = head.decode(encoding, errors="replace").splitlines()[:20]
    return FileFormat(format_, encoding, _delimiter_of(lines)), _MISSING_CODES


def _decodes(head: bytes, encoding: str) -> bool:
    try:
        # The head may end within a character.
        head[: head.rfind(b"\n") + 1].decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter_of(lines: Sequence[str]) -> str:
    """The delimiter that divides all lines into equally many fields, the most if several do."""
    best, most = ",", 1
    for delimiter in _DELIMITERS:
        rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter == " ")
        widths = {len(row) for row in rows if row}
        if len(widths) == 1 and (width := widths.pop()) > most:
            best, most = delimiter, width
    return best


def _free_name(text: str, taken: Container[str]) -> str:
    """A name that the study file allows and that is not taken."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    if not name[:1].isalpha() or _RESERVED.fullmatch(name):
        name = f"c_{name}"
    candidates = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(2)))
    return next(candidate for candidate in candidates if candidate not in taken)


def _subject_of(datasets: Sequence[DatasetDraft]) -> tuple[DatasetDraft, str | None]:
    """The dataset with a row per subject, and its key; no key in a single keyless file."""
    candidates = [
        (dataset, column)
        for dataset in datasets
        for column in dataset.columns
        if dataset.has_one_row_each(column) and _KEYS.fullmatch(column)
    ]
    if not candidates and len(datasets) == 1:
        return datasets[0], None
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


def _dataset_lines(
    dataset: DatasetDraft, subject: DatasetDraft, key: str | None, used: Sequence[DatasetDraft]
) -> Iterator[str]:
    one_each = dataset is subject or _is_one_each(dataset, key)
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
    if key is None:
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
    yield from _candidate_lines(subject, _ARMS, "arm", "arm: {{columns: [{}], control: TODO}}")
    yield from _candidate_lines(subject, _SITES, "site", "site: {{column: {}}}")
    yield "landmark: baseline  # TODO or `{day: N}`: predictions are made at the end of this day"


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
        if described.kind and column != key and not _SITES.fullmatch(column):
            name = _free_name(column, taken)
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


def _slice_lines(subject: DatasetDraft) -> Iterator[str]:
    yield "# TODO groups that results are shown for; for example:"
    yield "# slices:"
    yield "#   groups:"
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


def _order(study: Study) -> Callable[[str], int]:
    names = [feature.name for feature in study.resolved_features]
    names += [ARM, SITE, *(slice_key(name) for name in study.slices.groups)]
    names += [key(task) for task in study.tasks for key in (label_key, weight_key)]
    return names.index


def _list_levels(feature: schema_pb2.Feature, levels: set[str]) -> None:
    if feature.name.startswith("slice_"):
        levels = levels | {"missing"}
    feature.string_domain.name = feature.name
    feature.string_domain.value.extend(sorted(levels))
    mass = 1.0 if feature.name == ARM else _LISTED_MASS
    feature.distribution_constraints.min_domain_mass = mass


def _least_share(name: str, share: float) -> float:
    if name == ARM or name.startswith(("label_", "weight_", "slice_")):
        return 1.0
    if share == 1:
        return 0.95
    # A small split, or another delivery, may well miss more.
    return max(math.floor((share - 0.15) * 20) / 20, 0.0)


def _range_of(study: Study, name: str) -> tuple[float | None, float | None]:
    """Smallest and largest value that a number can have; None where there is no limit."""
    if name.startswith(("label_", "weight_")):
        return 0.0, 1.0
    [feature] = [item for item in study.resolved_features if item.name == name]
    if feature.aggregate == "any":
        return 0.0, 1.0
    if feature.aggregate == "count":
        return 0.0, None
    columns = study.datasets[feature.dataset].columns
    declared = columns[feature.column].range if feature.column in columns else None
    if declared is None or feature.aggregate == "change":
        return None, None
    return declared


def _limit(feature: schema_pb2.Feature, low: float | None, high: float | None) -> None:
    if low is not None:
        feature.float_domain.min = low
    if high is not None:
        feature.float_domain.max = high


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        argv: Arguments without the program's name; those of the process where not given.

    Returns:
        0, or 2 where the user has to put something right.
    """
    arguments = _parser().parse_args(argv)
    # What libraries have to say on being imported is of no use to who drafts a file.
    logging.basicConfig(format="%(message)s", level=logging.ERROR)
    warnings.simplefilter("ignore", FutureWarning)
    _LOG.setLevel(logging.INFO)
    # TensorFlow reads these when it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    try:
        if arguments.what == "study":
            _write_study(arguments.data, arguments.out, arguments.force)
        else:
            out = arguments.out or arguments.study.with_name("schema.pbtxt")
            _write_schema(arguments.study, arguments.data, out, arguments.force)
    except UserError as error:
        _LOG.error("%s", error)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipeline.draft", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="what", required=True)
    study = commands.add_parser("study", help="draft a study file from data files")
    study.add_argument("--data", type=Path, required=True, help="folder of the data files")
    study.add_argument("--out", type=Path, required=True, help="the study file to write")
    schema = commands.add_parser("schema", help="draft a curated schema from a study file")
    schema.add_argument("--study", type=Path, required=True, help="the study file")
    schema.add_argument("--data", type=Path, required=True, help="folder of the study's data")
    schema.add_argument("--out", type=Path, help="default: schema.pbtxt beside the study file")
    for command in (study, schema):
        command.add_argument("--force", action="store_true", help="overwrite an existing file")
    return parser


def _write_study(data: Path, out: Path, force: bool) -> None:
    _refuse_to_overwrite(out, force)
    name = _free_name(out.resolve().parent.name, ())
    _write(out, draft_study(data, name))
    _LOG.info("%s is drafted. Decide its TODOs, then draft the schema.", out)


def _write_schema(study_file: Path, data: Path, out: Path, force: bool) -> None:
    _refuse_to_overwrite(out, force)
    _write(out, draft_schema(load_study(study_file), data))
    _LOG.info("%s is drafted. Look it through before it judges other data.", out)


def _refuse_to_overwrite(out: Path, force: bool) -> None:
    if out.exists() and not force:
        raise UserError(f"{out} exists. Give another --out, or --force to overwrite it.")


def _write(out: Path, text: str) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    # Workers must find the functions by their module's name, which is not `__main__`.
    from pipeline.draft import main as run

    sys.exit(run())
