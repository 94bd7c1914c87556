"""What a folder of data files holds, as far as can be seen without a study file."""

from __future__ import annotations

import csv
import itertools
import logging
import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipeline.errors import UserError
from pipeline.names import (
    ARM,
    SITE,
    SUBJECT_HASH,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.reading.formats import FileFormat
    from pipeline.reading.repeated_keys import FirstRows, RepeatedKey

logger = logging.getLogger(__name__)
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
"""Rows of a file that are inspected."""

_FEW = 10
"""Most distinct values of a number that is taken for a code."""

_SHARD = re.compile(r"[-_.]\d+(-of-\d+)?$")
_ISO_DATE = re.compile(r"\d{4}(-(\d{2}|-)(-(\d{2}|-))?)?(T.*)?")
# The served model doesn't tell capital letters from small ones.
_RESERVED = re.compile(rf"{ARM}|{SITE}|{SUBJECT_HASH}|(label|weight|slice|tte)_.*", re.I)

ARMS = re.compile(r"arm(s|cd)?|trt(01)?p?|treat(ment)?|rx.*|group", re.I)
SITES = re.compile(r"site(id|gr1|no)?|.*(hosp|cent(er|re)).*", re.I)
"""Names that arms and sites go by."""

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
        repeated: A column that repeats as a subject key does in a file of several rows a subject.
    """

    name: str
    pattern: str
    also: tuple[str, ...]
    format: FileFormat
    rows: int
    columns: dict[str, ColumnDraft]
    missing: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    repeated: RepeatedKey | None = None

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
        name = free_name(Path(stem).name.lower(), {dataset.name for dataset in datasets})
        try:
            datasets.append(_look_in_its_encoding(folder, name, by_suffix))
        except UserError as error:
            logger.warning("Left out: %s", error)
    if not datasets:
        raise UserError(
            f"{folder}: no data file that can be read; expected {', '.join(_FORMATS)} files."
        )
    return datasets


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
    from pipeline.reading.formats import column_types, extents, read
    from pipeline.reading.repeated_keys import FirstRows

    suffix = min(by_suffix, key=list(_FORMATS).index)
    first, *others = by_suffix[suffix]
    fmt, codes = _format_of(first, _FORMATS[suffix], encoding)
    types = column_types(str(first), fmt)
    seen = {column: _ColumnSeen(kind) for column, kind in types.items()}
    rows = 0
    first_rows = FirstRows(list(types))
    parents: set[str] = set()
    for path in (first, *others):
        for extent in extents(str(path), fmt):
            for _, batch in read(extent, fmt, list(types)):
                for column, array in zip(types, batch.columns, strict=True):
                    seen[column].add(array, codes)
                first_rows.add(batch)
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
        repeated=_repeated(seen, first_rows),
    )


def _repeated(seen: dict[str, _ColumnSeen], first_rows: FirstRows) -> RepeatedKey | None:
    from pipeline.reading.repeated_keys import RepeatedKey, repeated_key

    for name, column in seen.items():
        found = RepeatedKey(name, column.present, len(column.values))
        if found.is_so_by_name:
            return found
    not_keys = [name for name in seen if ARMS.fullmatch(name) or SITES.fullmatch(name)]
    return repeated_key(first_rows.columns(), not_keys)


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
    from pipeline.reading.formats import FileFormat

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


def free_name(text: str, taken: Container[str]) -> str:
    """A name that the study file allows and that is not taken."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    if not name[:1].isalpha() or _RESERVED.fullmatch(name):
        name = f"c_{name}"
    candidates = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(2)))
    return next(candidate for candidate in candidates if candidate not in taken)
