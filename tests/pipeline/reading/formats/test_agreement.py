"""All formats give one and the same domain."""

import contextlib
import csv
import datetime
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.reading import formats
from pipeline.reading.formats import Extent, FileFormat
from tests.pipeline.reading.formats.written_files import (
    DATA,
    dataset_json,
    needs_data,
    read_all,
    read_table,
    write_dataset_json,
)

DAY = datetime.date(2024, 1, 2)
DOMAIN = {
    "USUBJID": ["01-701", "01-702", "01-703"],
    "AESEV": ["MILD", None, "schwer: Übelkeit"],
    "AESTDY": [-1.0, None, 12.5],
    "ASTDT": [DAY, None, datetime.date(1959, 12, 31)],
}
TYPES = {"USUBJID": "text", "AESEV": "text", "AESTDY": "number", "ASTDT": "date"}


def write_xpt(folder: Any, version: Any) -> Any:
    path = folder / f"ae{version}.xpt"
    frame = pd.DataFrame({**DOMAIN, "AESEV": [t or "" for t in DOMAIN["AESEV"]]})  # type: ignore[attr-defined]
    pyreadstat.write_xport(
        frame,
        path,
        file_format_version=version,
        table_name="AE",
        variable_format={"ASTDT": "DATE9."},
    )
    return path, FileFormat("xpt")


def write_statistical(folder: Any, kind: Any) -> Any:
    frame = pd.DataFrame({**DOMAIN, "AESEV": [t or "" for t in DOMAIN["AESEV"]]})  # type: ignore[attr-defined]
    if kind == "dta":
        pyreadstat.write_dta(frame, folder / "ae.dta")
        return folder / "ae.dta", FileFormat("stata", "")
    pyreadstat.write_sav(frame, folder / f"ae.{kind}", compress=kind == "zsav")
    return folder / f"ae.{kind}", FileFormat("spss", "")


def write_json(folder: Any, encoding: Any) -> Any:
    columns = [("USUBJID", "string"), ("AESEV", "string"), ("AESTDY", "float")]
    rows = [[*row, day and day.isoformat()] for *row, day in zip(*DOMAIN.values(), strict=True)]
    document = dataset_json([*columns, ("ASTDT", "date", "integer")], rows)
    return write_dataset_json(folder, document, encoding), FileFormat("dataset-json")


def write_csv(folder: Any) -> Any:
    path = folder / "ae.csv"
    with path.open("w", newline="", encoding="windows-1252") as file:
        writer = csv.writer(file)
        writer.writerows([list(DOMAIN), *zip(*DOMAIN.values(), strict=True)])
    return path, FileFormat("csv", encoding="windows-1252")


def write_parquet(folder: Any) -> Any:
    path = folder / "ae.parquet"
    pq.write_table(pa.table(DOMAIN), path)
    return path, FileFormat("parquet")


@pytest.mark.parametrize(
    "writer",
    [
        lambda folder: write_xpt(folder, 5),
        lambda folder: write_xpt(folder, 8),
        lambda folder: write_json(folder, "json"),
        lambda folder: write_json(folder, "ndjson"),
        lambda folder: write_json(folder, "dsjc"),
        write_parquet,
        lambda folder: write_statistical(folder, "dta"),
        lambda folder: write_statistical(folder, "sav"),
        lambda folder: write_statistical(folder, "zsav"),
    ],
    ids=["xpt-5", "xpt-8", "json", "ndjson", "dsjc", "parquet", "dta", "sav", "zsav"],
)
def test_typed_formats_give_the_same_domain(tmp_path: Path, writer: Any) -> None:
    path, fmt = writer(tmp_path)
    assert formats.column_types(str(path), fmt) == TYPES
    assert read_all(path, fmt) == DOMAIN


def test_csv_gives_the_same_domain_as_text(tmp_path: Path) -> None:
    path, fmt = write_csv(tmp_path)
    assert read_all(path, fmt) == {
        name: [None if value is None else str(value) for value in values]  # type: ignore[attr-defined]
        for name, values in DOMAIN.items()
    }


@needs_data
@pytest.mark.parametrize("name", ["ae.json", "ae.ndjson", "ae.dsjc"])
def test_the_published_example_is_equal_in_all_encodings(name: Any) -> None:
    folder = DATA / "datasetjson_example"
    expected = read_all(folder / "ae.xpt", FileFormat("xpt"))
    assert len(expected["USUBJID"]) == 74
    assert read_all(folder / name, FileFormat("dataset-json")) == expected


@needs_data
@pytest.mark.parametrize("dataset", ["adsl", "adae"])
def test_analysis_datasets_are_equal_as_xpt_and_as_json(dataset: Any) -> None:
    folder = DATA / "cdisc_pilot01/adam"
    transport = read_all(folder / f"{dataset}.xpt", FileFormat("xpt"))
    document = read_all(folder / f"{dataset}.json", FileFormat("dataset-json"))
    # The two publications differ in these: columns were renamed, and N became empty.
    shared = (set(document) & set(transport)) - {"TRTEMFL"}
    assert len(shared) > 40
    assert {"USUBJID", "TRTSDT", "AGE"} <= shared
    for name in shared:
        assert transport[name] == document[name], name


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(formats.DataFileError, match="format 'ods' is unknown"):
        formats.column_types(str(tmp_path / "x.ods"), FileFormat("ods"))  # type: ignore[arg-type]


def test_reading_needs_positive_sizes(tmp_path: Path) -> None:
    path = str(tmp_path / "x.csv")
    with pytest.raises(ValueError, match="batch_rows"):
        list(formats.read(Extent(path), FileFormat("csv"), [], 0))
    with pytest.raises(ValueError, match="rows_per_extent"):
        formats.extents(path, FileFormat("csv"), 0)


WRITERS = {
    "xpt-5": lambda folder: write_xpt(folder, 5),
    "xpt-8": lambda folder: write_xpt(folder, 8),
    "json": lambda folder: write_json(folder, "json"),
    "ndjson": lambda folder: write_json(folder, "ndjson"),
    "dsjc": lambda folder: write_json(folder, "dsjc"),
    "csv": lambda folder: write_csv(folder),
    "dta": lambda folder: write_statistical(folder, "dta"),
    "sav": lambda folder: write_statistical(folder, "sav"),
    "zsav": lambda folder: write_statistical(folder, "zsav"),
}


@pytest.mark.parametrize("name", WRITERS)
@given(data=st.data())
@settings(max_examples=60)
def test_damaged_bytes_never_fail_but_with_a_message_for_people(name: Any, data: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, fmt = WRITERS[name](Path(folder))
        content = bytearray(path.read_bytes())
        places = st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=3)
        for place in data.draw(places):
            content[place] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
        with contextlib.suppress(formats.DataFileError):
            # Not as Python's dates, which end with the year 9999; SAS's and SPSS's end with 20000.
            read_table(path, fmt)
