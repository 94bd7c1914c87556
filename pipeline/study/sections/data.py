"""Sections about the data: datasets and their columns, subject, arm, site, window."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from pipeline.documents import StrictModel
from pipeline.study.conditions import Scalar
from pipeline.study.encodings import is_text_encoding
from pipeline.study.sections.types import (
    SELF_DESCRIBED,
    ColumnType,
    Format,
    Known,
    Text,
    Zone,
    refuse,
)


class Column(StrictModel):
    """One column of a dataset.

    Attributes:
        type: Type of the column; required if the file has no types (delimited text).
        known: When the value is known: `baseline`, `day N`, or `after` (not at prediction).
        range: Smallest and largest possible value; a row outside is rejected.
        missing: Codes of a missing value, for example 9 or "UNK". A number matches however it
            is written in the data; a text as it is written.
        unit: Unit of numbers of type `date` or `datetime`; default: days for a date, seconds for a
            datetime, as in SAS.
        epoch: Date from which such numbers count; default: 1960-01-01, as in SAS. With `unit` or
            `epoch`, text is read as a number.
    """

    type: ColumnType | None = None
    known: Known | None = None
    range: tuple[float, float] | None = None
    missing: tuple[Scalar, ...] = ()
    unit: Literal["days", "seconds", "milliseconds"] | None = None
    epoch: date | None = None

    @property
    def counts_time(self) -> bool:
        """Whether the study file says how a number means a date."""
        return self.unit is not None or self.epoch is not None

    @field_validator("range")
    @classmethod
    def _range_rises(cls, ends: tuple[float, float] | None) -> tuple[float, float] | None:
        if ends and not ends[0] < ends[1]:
            raise ValueError("the smallest possible value comes first, below the largest one")
        return ends

    @model_validator(mode="after")
    def _unit_of_dates(self) -> Column:
        if self.counts_time and self.type not in ("date", "datetime"):
            raise ValueError("`unit` and `epoch` belong to `type: date` or `type: datetime`")
        return self


class Dataset(StrictModel):
    """One dataset: a file, or several of one layout, or what a SQL database answers.

    Attributes:
        file: Path or glob pattern below the data folder; for all formats but `sql`.
        table: Table or view of the study's `database`, with its schema if needed, for `sql`.
        query: Query of the study's `database`, a SELECT, for `sql`.
        rows: Whether a subject has exactly one row or any number.
        collapse: With `one_per_subject`: the file has several rows of a subject (one a visit), and
            those that agree in every column that is read count as one.
        subject: Column of the subject key; the study's own where not given.
        day: Column of each row's study day.
        date: Column of each row's date; study days are counted from the reference date.
        end_day: Column of the day on which the row's event ended; not before `day`.
        end_date: The same as a date; not before `date`.
        parameter: Column that names what a row measures (PARAMCD), for features with `each`.
        known: When the rows of an undated dataset are known; with one row per subject, when columns
            without their own `known` are known.
        supplements: Parent dataset to which a SUPP-- dataset adds its qualifiers as columns.
        format: The file format; `csv` is delimited text, `sas7bdat` what SAS itself writes, `sql` a
            table or query of the study's `database`.
        encoding: Encoding of text; default: `utf-8` for `csv` and `xpt`, what the file itself names
            for `sas7bdat`, `stata` and `spss`.
        delimiter: One character between fields, for `csv`.
        decimal: Decimal point of numbers, for `csv`. Thousands are never separated.
        sheet: Name of the sheet, for `excel`; default: the only visible one.
        missing: Texts of missing fields, for `csv`; an empty field is always missing.
        zone: Time zone of the study days, such as `Asia/Tokyo`, of moments with a zone or offset;
            default: the zone or offset of each moment.
        domain: SDTM domain, such as `AE`, for the qualifiers of a SUPP-- dataset (RDOMAIN), if the
            file has no column DOMAIN.
        columns: Declarations of columns, by name.
    """

    # A dataset is a file, a table or a query; the validator below says which is missing.
    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": [key]} for key in ("file", "table", "query")]}
    )

    file: str = ""
    table: str | None = None
    query: str | None = None
    format: Format
    rows: Literal["one_per_subject", "many_per_subject"]
    encoding: str | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    decimal: Literal[".", ","] = "."
    sheet: str | None = None
    missing: tuple[Text, ...] = ("",)
    collapse: bool = False
    subject: str | None = None
    columns: dict[str, Column] = {}
    day: str | None = None
    date: str | None = None
    end_day: str | None = None
    end_date: str | None = None
    parameter: str | None = None
    known: Known | None = None
    supplements: str | None = None
    zone: Zone | None = None
    domain: str | None = None

    @property
    def is_sql(self) -> bool:
        """Whether its rows come from the study's database."""
        return self.format == "sql"

    def known_of(self, column: str) -> Known | None:
        """When a column is known: its own `known`, or that of a one-row-per-subject dataset."""
        declared = self.columns.get(column)
        if declared and declared.known:
            return declared.known
        return self.known if self.rows == "one_per_subject" else None

    @model_validator(mode="before")
    @classmethod
    def _without_default_encoding(cls, content: object) -> object:
        """Drops the encoding where it is the format's default: it changes no digest."""
        if not isinstance(content, dict) or str(content.get("format")) in SELF_DESCRIBED:
            return content
        is_default = content.get("encoding") == "utf-8"
        return {k: v for k, v in content.items() if k != "encoding"} if is_default else content

    @field_validator("file")
    @classmethod
    def _below_the_data_folder(cls, value: str) -> str:
        path = PurePosixPath(value)
        if path.is_absolute() or ".." in path.parts or "://" in value or "\0" in value:
            raise ValueError("expected a path below the data folder, without `..` and no address")
        return value

    @field_validator("encoding")
    @classmethod
    def _of_text(cls, value: str | None) -> str | None:
        if value is not None and not is_text_encoding(value):
            raise ValueError(
                "not a known text encoding; use a name such as utf-8, windows-1252 or latin-1"
            )
        return value

    @field_validator("delimiter")
    @classmethod
    def _of_one_byte(cls, value: str) -> str:
        if not value.isascii() or value in '"\r\n\0':
            raise ValueError("expected one character of ASCII, no quote and no line end")
        return value

    @model_validator(mode="after")
    def _consistent_dates(self) -> Dataset:
        refuse(self._date_problems())
        return self

    @model_validator(mode="after")
    def _keys_of_place(self) -> Dataset:
        if self.format != "sql":
            if self.table is not None or self.query is not None:
                raise ValueError("`table` and `query` are for `sql`; name a `file`")
            if not self.file:
                raise ValueError("`file` is missing: a path or glob pattern below the data folder")
            return self
        if (self.table is None) == (self.query is None) or not (self.table or self.query):
            raise ValueError("`sql` needs either `table` or `query`")
        if self.file or self.encoding is not None:
            raise ValueError("`file` and `encoding` are for files; `sql` reads the database")
        return self

    @model_validator(mode="after")
    def _keys_of_formats(self) -> Dataset:
        if self.decimal != "." and self.format != "csv":
            raise ValueError("`decimal` is for `csv`; other formats store numbers as such")
        if self.sheet is not None and self.format != "excel":
            raise ValueError("`sheet` is for `excel`; other files hold one table")
        if self.missing != ("",) and self.format != "csv":
            raise ValueError(
                "`missing` of a dataset is for `csv`; name the codes under the columns that have "
                "them (columns.COLUMN.missing)"
            )
        if self.decimal == self.delimiter and self.format == "csv":
            raise ValueError("`decimal` and `delimiter` are the same; give the file's own")
        return self

    def _date_problems(self) -> Iterator[str]:
        if self.collapse and self.rows != "one_per_subject":
            yield "`collapse` makes one row per subject: say `rows: one_per_subject`"
        if self.day and self.date:
            yield "give either `day` or `date`, not both"
        if self.end_day and not self.day:
            yield "`end_day` needs `day`"
        if self.end_date and not self.date:
            yield "`end_date` needs `date`"
        if self.known and (self.day or self.date):
            yield "`known` is for datasets whose rows have neither day nor date"


class Subject(StrictModel):
    """Identification of subjects.

    Attributes:
        dataset: The dataset with one row per subject; it decides who is in the trial.
        column: Its subject key.
        row_number: Use the row's number where the file has no key.
        rows_are_subjects: With `row_number`: each row is a subject of its own, even if a column
            of the file repeats as a subject key does (see `pipeline.reading.repeated_keys`).
        reference_date: Column of the date of study day `first_day` (RFSTDTC, TRTSDT).
        birth_date: Column of the date of birth; no date of a subject may lie before it.
        exit_day: Column of the study day on which the subject left the trial.
        exit_date: The same as a date.
    """

    dataset: str
    column: str | None = None
    row_number: bool = False
    rows_are_subjects: bool = False
    reference_date: str | None = None
    birth_date: str | None = None
    exit_day: str | None = None
    exit_date: str | None = None

    @model_validator(mode="after")
    def _one_key(self) -> Subject:
        if (self.column is not None) == self.row_number:
            raise ValueError("give either `column` or `row_number: true`")
        if self.rows_are_subjects and not self.row_number:
            raise ValueError("`rows_are_subjects` belongs to `row_number: true`")
        if self.exit_day and self.exit_date:
            raise ValueError("give either `exit_day` or `exit_date`, not both")
        return self


class Arm(StrictModel):
    """The treatment arm: a column of the subject dataset, or several that are combined.

    Attributes:
        columns: Columns of the subject dataset; the values of several are combined.
        control: The arm that others are compared with.
    """

    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    control: Text


class Site(StrictModel):
    """The site: a column of the subject dataset.

    Attributes:
        column: The column.
    """

    column: str


class Window(StrictModel):
    """Subjects whose date lies outside are excluded.

    Attributes:
        column: Column of the subject dataset with the date.
        start: First date that counts; no limit where not given.
        end: Last date that counts; no limit where not given.
    """

    column: str
    start: date | None = None
    end: date | None = None
