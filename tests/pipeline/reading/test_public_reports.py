"""Faults of readers that people reported in public, of which this project has none.

Each report: where it was told, the feature of the input, what is expected here, and how it is seen.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.reading.days import dates_of
from pipeline.reading.formats import FileFormat, column_types
from pipeline.reading.iso_dates import days_of_text
from pipeline.reading.text import as_text
from pipeline.reading.typed import moments_of
from pipeline.study.sections import Column
from tests.components.trial_example_gen.hand_made_trial import events_dataset, make_trial
from tests.pipeline.reading.formats.written_files import (
    dataset_json,
    fail_to_read,
    read_all,
    write_dataset_json,
    xpt_library,
    xpt_member,
)

ONE = bytes.fromhex("4110000000000000")


@dataclass(frozen=True)
class Report:
    """A report.

    Attributes:
        source: Repository and number, or the standard that decides.
        feature: What is special about the input.
        expected: What is read of it.
        seen: Reads it, in an empty folder.
    """

    source: str
    feature: str
    expected: Any
    seen: Callable[[Path], Any]


def days(text: str) -> Any:
    """First and last day that a text may mean, `undated` or `rejected`."""
    found = days_of_text(text)
    if found is None:
        return "rejected"
    if math.isnan(found[0]):
        return "undated"
    epoch = date(1970, 1, 1).toordinal()
    return tuple(date.fromordinal(epoch + int(day)).isoformat() for day in found)


def parquet_day(folder: Path, zone: str | None) -> Any:
    """Day of local midnight, 8 January, in a zone east of Greenwich."""
    utc = pa.array([datetime(2014, 1, 7, 15)], pa.timestamp("us"))
    pq.write_table(pa.table({"A": utc.cast(pa.timestamp("us", tz=zone))}), folder / "x.parquet")
    return read_all(folder / "x.parquet", FileFormat("parquet"))["A"][0].day


def unused_tail(folder: Path) -> Any:
    """Names of a version 5 file in whose variable record the unused bytes are text."""
    content = xpt_library() + xpt_member([("USUBJID", "num", 8, "")], [ONE])
    place = content.index(b"NAMESTR") - 20 + 80 + 88
    (folder / "x.xpt").write_bytes(content[:place] + b"left over text" + content[place + 14 :])
    return list(column_types(str(folder / "x.xpt"), FileFormat("xpt")))


def nested_beside(folder: Path) -> Any:
    """Rows of a Parquet file that has a list beside what is read."""
    table = pa.table({"USUBJID": ["S1"], "TAGS": [["x", "y"]]})
    pq.write_table(table, folder / "x.parquet")
    return read_all(folder / "x.parquet", FileFormat("parquet"), ["USUBJID"])["USUBJID"]


def transport_key(folder: Path) -> Any:
    """A key of 56 bits, as text."""
    key = struct.pack(">B", 64 + 14) + (2**53 + 1).to_bytes(7, "big")
    content = xpt_library() + xpt_member([("SUBJID", "num", 8, "")], [key])
    (folder / "x.xpt").write_bytes(content)
    values = read_all(folder / "x.xpt", FileFormat("xpt"))["SUBJID"]
    return as_text(pa.array(values)).to_pylist()


def json_key(folder: Path) -> Any:
    """A key beyond 64 bits, as text."""
    document = dataset_json([("SUBJID", "integer")], [[2**64 + 1]])
    path = write_dataset_json(folder, document, "json")
    values = read_all(path, FileFormat("dataset-json"))["SUBJID"]
    return as_text(pa.array(values)).to_pylist()


def sas_days(unit: str | None) -> Any:
    """The day that a number without a display format means."""
    declared = Column(type="date", unit=unit)  # type: ignore[arg-type]
    found, _ = moments_of(pa.array([20_000.0]), declared)
    return dates_of(found)[0].earliest.tolist()


def qualified(folder: Path, *rows: str) -> Any:
    """Subjects' records with the qualifier, and rows rejected of the supplement."""
    names = ("RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QVAL")
    trial = make_trial(
        folder,
        {
            "datasets.ae": events_dataset(day="AESTDY"),
            "datasets.ae.columns.AEHIST": {"type": "text"},
            "datasets.suppae": {
                **{"file": "suppae.csv", "format": "csv", "rows": "many_per_subject"},
                "supplements": "ae",
                "columns": {name: {"type": "text"} for name in names},
            },
            "features.n": {
                **{"kind": "number", "dataset": "ae", "aggregate": "count"},
                "where": {"column": "AEHIST", "equals": "Y"},
            },
        },
        ae=["USUBJID,AESEQ,AESTDY", "S1,1,3", "S1,2,4", "S2,1,5"],
        suppae=[",".join(names), *rows],
    )
    return trial.feature("n"), len(trial.rejects)


def transport(folder: Path, content: bytes) -> Any:
    """What is read of a transport file."""
    (folder / "x.xpt").write_bytes(content)
    return read_all(folder / "x.xpt", FileFormat("xpt"))


def filled_with_nul(folder: Path) -> Any:
    """Rows of a transport file whose last record of 80 bytes is filled with NUL."""
    columns = [("A", "num", 8, ""), ("B", "char", 5, "")]
    content = xpt_library() + xpt_member(columns, [ONE + b"abcde"] * 7)
    data = content.rstrip(b" ")
    return transport(folder, data.ljust(len(content), b"\0"))["B"]


def long_label(folder: Path) -> Any:
    """A variable with a long name and a label of 43 bytes, whose header counts as haven does."""
    label = b"a very long label for x is given right here"
    header = b"HEADER RECORD*******LABELV8 HEADER RECORD!!!!!!!" + b"1".rjust(15) + b"0".rjust(15)
    entry = struct.pack(">HHH", 1, 19, len(label)) + b"my_descriptive_name" + label
    labels = header.ljust(80) + entry.ljust(80)
    columns = [("my_descriptive_name", "num", 8, "")]
    member = xpt_member(columns, [ONE], version=8, count=1, labels=labels)
    return transport(folder, xpt_library(8) + member)


def several_members(folder: Path) -> Any:
    """The message of a transport file with two data sets."""
    members = [xpt_member([(name, "num", 8, "")], [ONE]) for name in ("A", "B")]
    (folder / "x.xpt").write_bytes(xpt_library() + b"".join(members))
    return "more than one data set" in fail_to_read(folder / "x.xpt", FileFormat("xpt"))


def delimited(folder: Path, content: bytes) -> Any:
    """What is read of a CSV file."""
    (folder / "x.csv").write_bytes(content)
    return read_all(folder / "x.csv", FileFormat("csv"))


def broken_lines(folder: Path, end: str) -> Any:
    """Rows, and different texts, of a file in which every row has a line end inside quotes."""
    rows = [f'{number},"{"z" * (number % 97)}{end}B",x\n' for number in range(30_000)]
    found = delimited(folder, "".join(["ID,A,B\n", *rows]).encode())["A"]
    return len(found), {text.lstrip("z") for text in found if text[0] == "z"}


def legacy_days(folder: Path) -> Any:
    """Days of a timestamp of 96 bits."""
    table = pa.table({"A": pa.array([datetime(2014, 1, 8), None], pa.timestamp("ns"))})
    pq.write_table(table, folder / "x.parquet", use_deprecated_int96_timestamps=True)
    found = read_all(folder / "x.parquet", FileFormat("parquet"))["A"]
    return [moment and moment.date().isoformat() for moment in found]


def described(folder: Path, kind: str, *values: Any, target: str | None = None) -> Any:
    """What is read of a column of a Dataset-JSON file."""
    column = ("A", kind, target) if target else ("A", kind)
    document = dataset_json([column], [[value] for value in values])
    return read_all(write_dataset_json(folder, document, "json"), FileFormat("dataset-json"))["A"]


REPORTS = [
    Report(
        "dgkf/parttime PR 31",
        "--DTC as an interval of uncertainty",
        ("2014-01-05", "2014-01-20"),
        lambda _: days("2014-01-05/2014-01-20"),
    ),
    Report(
        "SDTM IG 3.4, 4.4.2",
        "--DTC without its month",
        ("2003-01-15", "2003-12-15"),
        lambda _: days("2003---15"),
    ),
    Report("SDTM IG 3.4, 4.4.2", "--DTC without its year", "undated", lambda _: days("--12-15")),
    Report(
        "SDTM IG 3.4, 4.4.2",
        "--DTC without its hour",
        ("2003-12-15", "2003-12-15"),
        lambda _: days("2003-12-15T-:15"),
    ),
    Report(
        "SDTM IG 3.4, 4.4.1", "anything behind T", "rejected", lambda _: days("2003-12-15Tnoon")
    ),
    Report(
        "atorus-research/xportr 142 and 298, tidyverse/haven 313",
        "SAS days in XPT without a display format, declared as date",
        [16_347.0],
        lambda _: sas_days(None),
    ),
    Report(
        "codename-hub/php-parquet 21, duckdb/duckdb 15192",
        "Parquet timestamp with a zone: local midnight in Tokyo",
        8,
        lambda folder: parquet_day(folder, "Asia/Tokyo"),
    ),
    Report(
        "SAS TS-140",
        "XPT 5: unused bytes of a variable's record hold text",
        ["USUBJID"],
        unused_tail,
    ),
    Report(
        "nested and null types of Arrow and DuckDB",
        "Parquet: a list in a column that is not read",
        ["S1"],
        nested_beside,
    ),
    Report("SAS TS-140", "XPT: a key of more than 53 bits", ["9007199254740993"], transport_key),
    Report(
        "RFC 8259, section 6",
        "Dataset-JSON: a key of more than 64 bits",
        ["18446744073709551617"],
        json_key,
    ),
    Report(
        "pharmaverse/metatools 44",
        "SUPP--: IDVARVAL right-aligned, as put(AESEQ, 8.) writes it",
        ({"S1": 1.0, "S2": 0.0}, 0),
        lambda folder: qualified(folder, "AE,S1,AESEQ,       2,AEHIST,Y"),
    ),
    Report(
        "pharmaverse/metatools 44",
        "SUPP--: IDVARVAL of no record",
        ({"S1": None, "S2": 1.0}, 1),
        lambda folder: qualified(folder, "AE,S1,AESEQ,7,AEHIST,Y", "AE,S2,AESEQ,1,AEHIST,Y"),
    ),
    Report(
        "SDTM IG 3.4, 8.4; pharmaverse/metatools 107",
        "one SUPPQUAL for several domains",
        ({"S1": 0.0, "S2": 1.0}, 0),
        lambda folder: qualified(folder, "DM,S1,,,AEHIST,Y", "AE,S2,AESEQ,01,AEHIST,Y"),
    ),
    Report(
        "Roche/pyreadstat 177",
        "XPT: a missing number that is stored in fewer than 8 bytes",
        {"TRT02PN": [None, 1.0]},
        lambda folder: transport(
            folder,
            xpt_library() + xpt_member([("TRT02PN", "num", 3, "")], [b"\x2e\0\0", ONE[:3]]),
        ),
    ),
    Report(
        "selik/xport 33", "XPT: the last record filled with NUL", ["abcde"] * 7, filled_with_nul
    ),
    Report(
        "tidyverse/haven 554 and 784",
        "XPT 8: a long name, and a label section as haven writes it",
        {"my_descriptive_name": [1.0]},
        long_label,
    ),
    Report("tidyverse/haven 795", "XPT: several data sets are refused", True, several_members),
    Report(
        "pandas-dev/pandas 18198",
        "XPT: no rows",
        {"A": []},
        lambda folder: transport(folder, xpt_library() + xpt_member([("A", "num", 8, "")], [])),
    ),
    Report(
        "pandas-dev/pandas 32134 and 48170, tidyverse/readr 976",
        "CSV: keys of 19 digits beside a missing one",
        ["1582218195625938945", None, "1582218195625938944"],
        lambda folder: delimited(
            folder, b"ID,A\n1582218195625938945,1\n,2\n1582218195625938944,3\n"
        )["ID"],
    ),
    Report(
        "datasets/country-codes 38, OasisLMF/OasisLMF 307",
        "CSV: Namibia's NA is no missing value unless it is declared",
        ["NA", "NC"],
        lambda folder: delimited(folder, b"ID,C\n1,NA\n2,NC\n")["C"],
    ),
    Report(
        "apache/arrow 51368",
        "CSV: CRLF in a quoted field, at every place of a block",
        (30_000, {"\r\nB"}),
        lambda folder: broken_lines(folder, "\r\n"),
    ),
    Report(
        "pandas-dev/pandas 56396 and 59009, pola-rs/polars 19078",
        "CSV: line feeds in quoted fields of a file of several blocks",
        (30_000, {"\nB"}),
        lambda folder: broken_lines(folder, "\n"),
    ),
    Report(
        "Unicode 15, White_Space; RFC 4180",
        "CSV: a no-break or ideographic space around a value is no part of it",
        ["Y", "Y", None],
        lambda folder: delimited(folder, "ID,A\n1,Y\u00a0\n2,\u3000Y\n3,\u00a0\n".encode())["A"],
    ),
    Report(
        "apache/spark PR 8400",
        "Parquet: timestamps of 96 bits",
        ["2014-01-08", None],
        legacy_days,
    ),
    Report(
        "atorus-research/datasetjson 65, DataExchange-DatasetJson 31",
        "Dataset-JSON: decimals as text keep their digits",
        ["143.66666666666699825", "0.1", None],
        lambda folder: described(
            folder, "decimal", "143.66666666666699825", "0.10", None, target="decimal"
        ),
    ),
    Report(
        "lexjansen/dataset-json-sas 54",
        "Dataset-JSON: decimals in a column that is described as integer",
        [1.5, 2.0],
        lambda folder: described(folder, "integer", 1.5, 2),
    ),
    Report(
        "cdisc-org/DataExchange-DatasetJson 36",
        "Dataset-JSON: partial dates in a column of dates",
        ["2014-01", "2014-01-05", "2014"],
        lambda folder: described(folder, "date", "2014-01", "2014-01-05", "2014"),
    ),
]


@pytest.mark.parametrize("report", REPORTS, ids=lambda r: f"{r.source}: {r.feature}")
def test_a_reported_fault_is_none_here(tmp_path: Path, report: Report) -> None:
    assert report.seen(tmp_path) == report.expected
