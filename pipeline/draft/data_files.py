"""Datasets of a folder of data files, inspected without a study file."""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.draft.columns import (
    ColumnDraft,
    ColumnSeen,
    draft_columns,
    missing_of_all,
    with_labels,
)
from pipeline.draft.roles import ARMS, SITES, names_subjects
from pipeline.draft.titles import parameter_titles
from pipeline.draft.units import MixedUnits, mixed_units
from pipeline.errors import UserError
from pipeline.names import (
    ARM,
    SITE,
    SUBJECT_HASH,
)
from pipeline.study.sections.types import SELF_DESCRIBED, Format

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.reading.formats import FileFormat
    from pipeline.reading.repeated_keys import FirstRows, RepeatedKey

logger = logging.getLogger(__name__)

_FORMATS: dict[str, Format] = {
    ".xpt": "xpt",
    ".json": "dataset-json",
    ".ndjson": "dataset-json",
    ".dsjc": "dataset-json",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".sas7bdat": "sas7bdat",
    ".dta": "stata",
    ".sav": "spss",
    ".zsav": "spss",
    ".xlsx": "excel",
    ".xlsm": "excel",
}
"""By suffix, in order of preference where a dataset exists in several formats."""

_OTHER_ENCODING = "windows-1252"
_ROWS_SEEN = 100_000
"""Rows of a file that are inspected."""

_SHARD = re.compile(r"[-_.]\d+(-of-\d+)?$")
# The served model's arguments are not case-sensitive.
_RESERVED = re.compile(rf"{ARM}|{SITE}|{SUBJECT_HASH}|(label|weight|slice|tte)_.*", re.I)

_SUPPLEMENT = {"RDOMAIN", "IDVAR", "IDVARVAL", "QNAM", "QVAL"}


@dataclass(frozen=True)
class DatasetDraft:
    """What was seen of one dataset.

    Attributes:
        name: Its name in the study file.
        pattern: Path or pattern of its files below the data folder.
        also: Files of the same name in another format, which are not used.
        format: How its files are written.
        rows: Number of rows that were looked at.
        columns: Its columns, in file order.
        missing: Texts that mean missing in every column (delimited text).
        parents: Domains whose qualifiers it holds, in lower case.
        repeated: A column that repeats as a subject key does in a file of several rows a subject.
        constant: With `repeated`: the columns that are the same in all rows of a subject.
        is_collapsed: Whether it is the same file, read as one row for each subject.
        mixed_units: Parameters whose rows have several units.
        parameters: Frequent codes of the parameter column with what they mean, if the file says.
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
    constant: tuple[str, ...] = ()
    is_collapsed: bool = False
    mixed_units: MixedUnits | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def subjects(self) -> int:
        """Number of subjects, if it describes them."""
        return self.repeated.distinct if self.is_collapsed and self.repeated else self.rows

    def has_one_row_each(self, key: str) -> bool:
        """Whether each row has another value of the key."""
        if self.is_collapsed:
            return self.repeated is not None and self.repeated.column == key
        column = self.columns.get(key)
        return column is not None and column.distinct == column.present == self.rows > 0


def look_at(folder: Path) -> list[DatasetDraft]:
    """Inspects every data file below a folder.

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
        try:
            sheets = _sheets_of(by_suffix)
        except UserError as error:
            logger.warning("Skipped: %s", error)
            continue
        for sheet in sheets:
            called = sheet or Path(stem).name
            name = free_name(called.lower(), {dataset.name for dataset in datasets})
            try:
                datasets.append(_look_in_its_encoding(folder, name, by_suffix, sheet))
            except UserError as error:
                logger.warning("Skipped: %s", error)
    if not datasets:
        raise UserError(
            f"{folder}: no data file that can be read; expected {', '.join(_FORMATS)} files."
        )
    return datasets


def _preferred(by_suffix: dict[str, list[Path]]) -> str:
    return min(by_suffix, key=list(_FORMATS).index)


def _sheets_of(by_suffix: dict[str, list[Path]]) -> list[str | None]:
    """Sheets of a workbook that are datasets of their own; None: the file is one dataset."""
    from pipeline.reading.formats import excel

    suffix = _preferred(by_suffix)
    if _FORMATS[suffix] != "excel":
        return [None]
    found = excel.sheets(str(by_suffix[suffix][0]))
    return [*found] if len(found) > 1 else [None]


def _look_in_its_encoding(
    folder: Path, name: str, by_suffix: dict[str, list[Path]], sheet: str | None
) -> DatasetDraft:
    try:
        return _look_at_dataset(folder, name, by_suffix, "utf-8", sheet)
    except UserError as error:
        if _FORMATS[_preferred(by_suffix)] == "excel":
            raise
        try:
            return _look_at_dataset(folder, name, by_suffix, _OTHER_ENCODING, sheet)
        except UserError:
            raise error from None


def _look_at_dataset(
    folder: Path,
    name: str,
    by_suffix: dict[str, list[Path]],
    encoding: str,
    sheet: str | None,
) -> DatasetDraft:
    from pipeline.reading.formats import column_types, extents, labels, read
    from pipeline.reading.repeated_keys import FirstRows

    suffix = _preferred(by_suffix)
    first, *others = by_suffix[suffix]
    fmt = replace(_format_of(first, _FORMATS[suffix], encoding), sheet=sheet)
    is_text = fmt.format == "csv"
    types = column_types(str(first), fmt)
    seen = {column: ColumnSeen(kind) for column, kind in types.items()}
    rows = 0
    first_rows = FirstRows(list(types))
    parents: set[str] = set()
    for path in (first, *others):
        for extent in extents(str(path), fmt):
            for _, batch in read(extent, fmt, list(types)):
                for column, array in zip(types, batch.columns, strict=True):
                    seen[column].add(_with_points(array, fmt.decimal), may_be_codes=is_text)
                first_rows.add(batch)
                rows += batch.num_rows
                if rows >= _ROWS_SEEN:
                    break
    if set(types) >= _SUPPLEMENT:
        parents = {str(value).lower() for value in seen["RDOMAIN"].values}
    missing = missing_of_all(seen)
    repeated = _repeated(seen, first_rows, rows)
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
        columns=with_labels(draft_columns(seen, is_text, rows, missing), labels(str(first), fmt)),
        missing=missing,
        parents=tuple(sorted(parents)),
        repeated=repeated,
        constant=_constant_columns(first_rows, repeated.column) if repeated else (),
        mixed_units=mixed_units(first_rows.columns()),
        parameters=parameter_titles(first_rows.columns()),
    )


def _repeated(
    seen: Mapping[str, ColumnSeen], first_rows: FirstRows, rows: int
) -> RepeatedKey | None:
    from pipeline.reading.repeated_keys import RepeatedKey, repeated_key

    for name, column in seen.items():
        found = RepeatedKey(name, column.present, len(column.values))
        if found.is_so_by_name:
            return found
    if any(names_subjects(n) and len(c.values) == c.present == rows for n, c in seen.items()):
        # Beside a subject key that is different in every row, what else repeats is no key.
        return None
    not_keys = [name for name in seen if ARMS.fullmatch(name) or SITES.fullmatch(name)]
    return repeated_key(first_rows.columns(), not_keys)


def _constant_columns(first_rows: FirstRows, key: str) -> tuple[str, ...]:
    """Columns that are the same in all rows of a subject, the key among them."""
    import pandas as pd

    frame = pd.DataFrame({name: a.to_pandas() for name, a in first_rows.columns().items()})
    most = frame.groupby(key).nunique(dropna=False).max()
    names = first_rows.columns()
    return tuple(name for name in names if name == key or most[name] == 1)


def _with_points(texts: pa.Array, decimal: str) -> pa.Array:
    """Replaces the decimal mark of the file by a point in texts that are numbers."""
    import pyarrow.compute as pc

    if decimal == ".":
        return texts
    return pc.replace_substring_regex(texts, rf"^([-+]?\d*){decimal}(\d+)$", r"\1.\2")


def _format_of(path: Path, format_: Format, encoding: str) -> FileFormat:
    from pipeline.reading.formats import FileFormat
    from pipeline.reading.formats.guessed import guess_format

    if format_ in SELF_DESCRIBED:
        # What the file says goes first.
        return FileFormat(format_, encoding if encoding == _OTHER_ENCODING else "")
    if format_ == "excel":
        return FileFormat(format_)
    if format_ != "csv":
        return FileFormat(format_, encoding)
    with path.open("rb") as file:
        return guess_format(file.read(2**20), encoding)


def free_name(text: str, taken: Container[str]) -> str:
    """A name that the study file allows and that is not taken."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    if not name[:1].isalpha() or _RESERVED.fullmatch(name):
        name = f"c_{name}"
    candidates = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(2)))
    return next(candidate for candidate in candidates if candidate not in taken)
