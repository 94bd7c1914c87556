"""What a column is read as: every way of storing it with every type that can be declared."""

from __future__ import annotations

import datetime
import struct
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import UserError
from tests.components.trial_example_gen.hand_made_trial import Trial, hand_made_study
from tests.pipeline.reading.formats.written_files import (
    dataset_json,
    write_dataset_json,
    xpt_library,
    xpt_member,
)

DAY = datetime.date(2014, 10, 4)
MOMENT = datetime.datetime(2014, 10, 4, 10, 30, 15)
SAS_DAYS, SAS_SECONDS = 20_000, 20_000 * 86_400 + 37_815
"""The same day and moment, counted as SAS does from 1960-01-01."""
UNIX_DAY = 16_347.0
"""The same day, counted from 1970-01-01."""

Cell = Any
Written = tuple[str, Cell, str]
"""Format, cell, and how the format stores it."""

AS_DATE = {"features": {"USUBJID": {"kind": "category"}}, "subject.reference_date": "V"}
"""Changes of the study file by which column V is read as a date and as nothing else."""

KEY_AND_LABEL = [("USUBJID", "char", 2, ""), ("DIED", "char", 1, "")]


def ibm(whole: int) -> bytes:
    """A whole number of less than 14 hexadecimal digits as IBM floating point."""
    sign = 0x80 if whole < 0 else 0
    return struct.pack(">B", sign | (64 + 14)) + abs(whole).to_bytes(7, "big")


def write_subject(folder: Path, written: Written) -> dict[str, Any]:
    """Writes a subject dataset of one subject with the cell in column V; its study file entry."""
    format_, cell, kind = written
    path = folder / "dm.data"
    if format_ == "csv":
        path.write_text(f"USUBJID,DIED,V\nS1,Y,{cell}\n")
    elif format_ == "xpt":
        display = {"date": "DATE9.", "datetime": "DATETIME20."}.get(kind, "")
        variable = ("V", "char", 20, "") if kind == "text" else ("V", "num", 8, display)
        field = str(cell).encode().ljust(20) if kind == "text" else ibm(cell)
        content = xpt_member([*KEY_AND_LABEL, variable], [b"S1Y" + field])
        path.write_bytes(xpt_library() + content)
    elif format_ == "parquet":
        values = cell if isinstance(cell, pa.Array) else pa.array([cell])
        pq.write_table(pa.table({"USUBJID": ["S1"], "DIED": ["Y"], "V": values}), path)
    else:
        variables = [("USUBJID", "string"), ("DIED", "string"), ("V", *kind.split())]
        document = dataset_json(variables, [["S1", "Y", cell]])
        write_dataset_json(folder, document, "json").rename(path)
    names = ("USUBJID", "DIED") if format_ == "csv" else ()
    columns: dict[str, Any] = {name: {"type": "text"} for name in names}
    return {"file": "dm.data", "format": format_, "rows": "one_per_subject", "columns": columns}


def trial_with(folder: Path, written: Written, declared: dict[str, Any], **changes: Any) -> Trial:
    entry = write_subject(folder, written)
    if declared:
        entry["columns"]["V"] = declared
    described = {
        "datasets": {"dm": {**entry, "known": "baseline"}},
        "features": {"V": {"kind": "category"}},
    }
    study = hand_made_study({**described, **changes})
    return Trial(study, folder)


def value_of(trial: Trial) -> Any:
    """The one value of V as it is read."""
    assert trial.rejects == []
    (value,) = trial.joined.rows["dm"].table["V"].to_pylist()
    return value


TEXT_DAY, TEXT_NUMBER, TEXT_MOMENT = "2014-10-04", "20000", "2014-10-04T10:30:15"
STORED: dict[str, Written] = {
    "csv text": ("csv", TEXT_DAY, "text"),
    "xpt text": ("xpt", TEXT_DAY, "text"),
    "json string": ("dataset-json", TEXT_DAY, "string"),
    "json date": ("dataset-json", TEXT_DAY, "date"),
    "parquet string": ("parquet", TEXT_DAY, "text"),
    "parquet dictionary": ("parquet", pa.array([TEXT_DAY]).dictionary_encode(), "text"),
    "csv number": ("csv", TEXT_NUMBER, "numeric text"),
    "xpt number as text": ("xpt", TEXT_NUMBER, "text"),
    "json number as text": ("dataset-json", TEXT_NUMBER, "string"),
    "parquet number as text": ("parquet", TEXT_NUMBER, "text"),
    "xpt number": ("xpt", SAS_DAYS, "number"),
    "json integer": ("dataset-json", SAS_DAYS, "integer"),
    "json float": ("dataset-json", float(SAS_DAYS), "float"),
    "json double": ("dataset-json", float(SAS_DAYS), "double"),
    "json decimal": ("dataset-json", TEXT_NUMBER, "decimal"),
    "parquet int16": ("parquet", pa.array([SAS_DAYS], pa.int16()), "number"),
    "parquet int64": ("parquet", pa.array([SAS_DAYS], pa.int64()), "number"),
    "parquet uint32": ("parquet", pa.array([SAS_DAYS], pa.uint32()), "number"),
    "parquet float": ("parquet", pa.array([SAS_DAYS], pa.float32()), "number"),
    "parquet double": ("parquet", pa.array([SAS_DAYS], pa.float64()), "number"),
    "parquet decimal": ("parquet", pa.array([Decimal("20000.00")]), "number"),
    "xpt date": ("xpt", SAS_DAYS, "date"),
    "json date as integer": ("dataset-json", TEXT_DAY, "date integer"),
    "parquet date32": ("parquet", pa.array([DAY], pa.date32()), "date"),
    "parquet date64": ("parquet", pa.array([DAY], pa.date64()), "date"),
    "xpt datetime": ("xpt", SAS_SECONDS, "datetime"),
    "json datetime as integer": ("dataset-json", TEXT_MOMENT, "datetime integer"),
    "parquet timestamp": ("parquet", pa.array([MOMENT], pa.timestamp("us")), "datetime"),
    "json boolean": ("dataset-json", True, "boolean"),
    "parquet bool": ("parquet", True, "boolean"),
    "parquet null": ("parquet", pa.nulls(1), "empty"),
    "parquet list": ("parquet", pa.array([["x"]]), "unreadable"),
    "parquet struct": ("parquet", pa.array([{"x": 1}]), "unreadable"),
    "parquet binary": ("parquet", pa.array([b"x"]), "unreadable"),
    "parquet duration": ("parquet", pa.array([1], pa.duration("s")), "unreadable"),
}
TEXTS = [n for n in STORED if n.endswith(("text", "string", "dictionary", "json date"))]
NUMERIC_TEXTS = ["csv number", *(name for name in TEXTS if name.endswith("number as text"))]
NUMBERS = [
    n
    for n, (_, _, kind) in STORED.items()
    if kind in ("number", "integer", "float", "double", "decimal")
]
DATES = ["xpt date", "json date as integer", "parquet date32", "parquet date64"]
MOMENTS = ["xpt datetime", "json datetime as integer", "parquet timestamp"]
BOOLEANS = ["json boolean", "parquet bool"]
UNREADABLE = ["parquet list", "parquet struct", "parquet binary", "parquet duration"]
DECLARED: list[str | None] = [None, "text", "number", "date", "datetime"]

REFUSED = object()


def expected(name: str, declared: str | None) -> Any:
    """What column V of a category is read as."""
    if name in UNREADABLE:
        return REFUSED
    if name in BOOLEANS:
        return "true" if declared in (None, "text") else REFUSED
    if name == "parquet null":
        return None
    if name in DATES or name in MOMENTS:
        iso = TEXT_DAY if name in DATES else TEXT_MOMENT
        return REFUSED if declared == "number" else iso
    if name in NUMBERS:
        as_type = {None: 20_000.0, "number": 20_000.0, "text": "20000", "date": TEXT_DAY}
        # 20,000 seconds are five hours and a half.
        return {**as_type, "datetime": "1960-01-01T05:33:20"}[declared]
    stored = STORED[name][1]
    text = stored.to_pylist()[0] if isinstance(stored, pa.Array) else stored
    return float(text) if declared == "number" else text


def is_judged(name: str, declared: str | None) -> bool:
    """Whether a case has a row: a text that is no number rejects its own, and CSV needs a type."""
    if declared == "number":
        return name not in set(TEXTS) - set(NUMERIC_TEXTS)
    return declared is not None or not name.startswith("csv")


@pytest.mark.parametrize(
    ("name", "declared"),
    [(name, declared) for name in STORED for declared in DECLARED if is_judged(name, declared)],
)
def test_each_way_of_storing_gives_each_type_or_one_refusal(
    tmp_path: Path, name: str, declared: str | None
) -> None:
    kind = "number" if expected(name, declared) == 20_000.0 else "category"
    trial = trial_with(
        tmp_path,
        STORED[name],
        {"type": declared} if declared else {},
        **{"features.V": {"kind": kind}},
    )
    if expected(name, declared) is REFUSED:
        with pytest.raises(UserError, match="column V holds") as caught:
            trial.plans  # noqa: B018
        assert str(tmp_path / "dm.data") in str(caught.value)
        assert "2014" not in str(caught.value)
    else:
        assert value_of(trial) == expected(name, declared)


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        *(
            (name, declared)
            for name in (*DATES, *MOMENTS)
            for declared in (None, "date", "datetime")
        ),
        *((name, "date") for name in NUMBERS),
        *(
            (name, declared)
            for name in sorted(set(TEXTS) - set(NUMERIC_TEXTS))
            for declared in ("text", "date", "datetime")
        ),
    ],
)
def test_a_day_is_the_same_however_it_is_stored(
    tmp_path: Path, name: str, declared: str | None
) -> None:
    trial = trial_with(
        tmp_path,
        STORED[name],
        {"type": declared} if declared else {},
        **AS_DATE,
    )
    assert value_of(trial) == UNIX_DAY


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_that_no_type_is_declared_for_are_no_dates(tmp_path: Path, name: str) -> None:
    trial = trial_with(tmp_path, STORED[name], {}, **{"subject.reference_date": "V"})
    with pytest.raises(UserError, match=r"column V holds number.*declare its type"):
        trial.plans  # noqa: B018


@pytest.mark.parametrize(
    ("cell", "declared"),
    [
        (16_347, {"type": "date", "epoch": "1970-01-01"}),
        (41_916, {"type": "date", "epoch": "1899-12-30"}),
        (SAS_SECONDS, {"type": "date", "unit": "seconds"}),
        (SAS_SECONDS, {"type": "datetime"}),
        (1_412_418_615, {"type": "datetime", "epoch": "1970-01-01"}),
        (1_412_418_615_000, {"type": "datetime", "epoch": "1970-01-01", "unit": "milliseconds"}),
        (20_000, {"type": "datetime", "unit": "days"}),
    ],
)
@pytest.mark.parametrize("name", ["csv number", "xpt number", "json integer", "parquet int64"])
def test_unit_and_epoch_say_what_a_number_counts(
    tmp_path: Path, name: str, cell: int, declared: dict[str, Any]
) -> None:
    format_, _, kind = STORED[name]
    written = pa.array([cell], pa.int64()) if format_ == "parquet" else cell
    if format_ == "csv":
        # Text is ISO 8601 unless the study file says that it counts.
        declared = {"epoch": "1960-01-01", **declared}
    trial = trial_with(tmp_path, (format_, written, kind), declared, **AS_DATE)
    assert value_of(trial) == UNIX_DAY


@pytest.mark.parametrize("cell", [-200_000, 7_000_000, 10**14])
def test_a_number_beyond_the_calendar_rejects_its_row(tmp_path: Path, cell: int) -> None:
    trial = trial_with(
        tmp_path,
        ("xpt", cell, "number"),
        {"type": "date"},
        **AS_DATE,
    )
    assert [reject[3:] for reject in trial.rejects] == [
        ("V", "a number outside the range that can be true")
    ]


def test_a_code_of_a_missing_date_is_no_date(tmp_path: Path) -> None:
    declared = {"type": "date", "missing": [99999]}
    trial = trial_with(tmp_path, ("xpt", 99_999, "number"), declared, **AS_DATE)
    assert value_of(trial) is None


@pytest.mark.parametrize("key", ["unit", "epoch"])
def test_unit_and_epoch_belong_to_dates(key: str) -> None:
    value = {"unit": "days", "epoch": "1970-01-01"}[key]
    with pytest.raises(UserError, match="belong to `type: date` or `type: datetime`"):
        hand_made_study({f"datasets.dm.columns.AGE.{key}": value})


def test_an_unknown_zone_is_refused_when_the_study_file_is_read() -> None:
    with pytest.raises(UserError, match="IANA name of a time zone, such as Europe/Berlin"):
        hand_made_study({"datasets.dm.zone": "Middle/Earth"})


def write_shards(folder: Path, *columns: pa.Array) -> dict[str, Any]:
    for number, values in enumerate(columns):
        keys = [f"S{number}{i}" for i in range(len(values))]
        pq.write_table(
            pa.table({"USUBJID": keys, "DIED": ["Y"] * len(values), "V": values}),
            folder / f"dm{number}.parquet",
        )
    return {
        "datasets": {"dm": {"file": "dm*.parquet", "format": "parquet", "rows": "one_per_subject"}},
        "datasets.dm.known": "baseline",
        "features": {"V": {"kind": "number"}},
    }


@pytest.mark.parametrize("order", [1, -1])
def test_a_shard_without_any_value_is_of_the_others_type(tmp_path: Path, order: int) -> None:
    changes = write_shards(tmp_path, *[pa.nulls(1), pa.array([7.0])][::order])
    values = Trial(hand_made_study(changes), tmp_path).feature("V").values()
    assert list(values) == [None, 7.0][::order]


@pytest.mark.parametrize("kind", ["number", "category"])
def test_a_column_without_any_value_is_what_its_uses_ask(tmp_path: Path, kind: str) -> None:
    changes = write_shards(tmp_path, pa.nulls(2)) | {"features": {"V": {"kind": kind}}}
    assert Trial(hand_made_study(changes), tmp_path).feature("V") == {"S00": None, "S01": None}


@pytest.mark.parametrize("value", [5, "x"])
def test_a_column_without_any_value_is_compared_with_either(tmp_path: Path, value: Any) -> None:
    changes = write_shards(tmp_path, pa.nulls(2), pa.nulls(1)) | {
        "features": {"USUBJID": {"kind": "category"}},
        "population": {"column": "V", "equals": value},
    }
    assert Trial(hand_made_study(changes), tmp_path).subjects == []


def test_shards_of_integers_and_floats_are_numbers(tmp_path: Path) -> None:
    changes = write_shards(tmp_path, pa.array([1], pa.int32()), pa.array([2.5]))
    values = Trial(hand_made_study(changes), tmp_path).feature("V").values()
    assert list(values) == [1.0, 2.5]


def test_shards_of_text_and_numbers_are_refused_unless_a_type_is_declared(tmp_path: Path) -> None:
    changes = write_shards(tmp_path, pa.array([1]), pa.array(["2"]))
    trial = Trial(hand_made_study(changes), tmp_path)
    with pytest.raises(UserError, match=r"V holds text here, numbers there.*columns\.V\.type"):
        trial.plans  # noqa: B018
    declared = hand_made_study({**changes, "datasets.dm.columns": {"V": {"type": "number"}}})
    assert list(Trial(declared, tmp_path).feature("V").values()) == [1.0, 2.0]


ODD = {
    "list": pa.array([["x"], None]),
    "struct": pa.array([{"x": 1}, None]),
    "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
    "binary": pa.array([b"\xff", None]),
    "duration": pa.array([1, None], pa.duration("s")),
    "time": pa.array([1, None], pa.time32("s")),
    "all null": pa.nulls(2),
    "zoned": pa.array([0, None], pa.timestamp("us", tz="Asia/Tokyo")),
}


@pytest.mark.parametrize("odd", ODD)
def test_a_column_that_is_not_read_refuses_nothing(tmp_path: Path, odd: str) -> None:
    for number, extra in enumerate((ODD[odd], pa.array(["x", "y"]))):
        keys = [f"S{number}{i}" for i in "ab"]
        columns = {"USUBJID": keys, "DIED": ["Y", "N"], "V": [1.0, 2.0], "X": extra}
        pq.write_table(pa.table(columns), tmp_path / f"dm{number}.parquet")
    changes = write_shards(tmp_path) | {"features": {"V": {"kind": "number"}}}
    assert len(Trial(hand_made_study(changes), tmp_path).subjects) == 4
