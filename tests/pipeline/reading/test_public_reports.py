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
]


@pytest.mark.parametrize("report", REPORTS, ids=lambda r: f"{r.source}: {r.feature}")
def test_a_reported_fault_is_none_here(tmp_path: Path, report: Report) -> None:
    assert report.seen(tmp_path) == report.expected
