"""The snapshot of a SQLite database: read once, private, named after its content."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.errors import UserError
from pipeline.reading.database.snapshot import take_snapshot
from pipeline.reading.fingerprint import content_fingerprint
from pipeline.reading.plan import plan_examples
from pipeline.study.load import parse_study
from pipeline.study.study import Study
from tests.components.trial_example_gen.hand_made_trial import study_content
from tests.each import each

DM = "CREATE TABLE dm (USUBJID TEXT PRIMARY KEY, AGE NUMERIC, SEX TEXT, DIED TEXT)"
LB = "CREATE TABLE lb (USUBJID, LBTESTCD, LBDY, LBSTRESN, LBNRIND)"


def study(database: dict[str, Any] | None = None, **queries: str) -> Study:
    """The hand-made study, whose datasets are tables, or the given queries."""
    content = study_content({"database": {"address": "sqlite:///trial.sqlite", **(database or {})}})
    for name, dataset in content["datasets"].items():
        del dataset["file"]
        place = {"query": queries[name]} if name in queries else {"table": name}
        dataset |= {"format": "sql", **place}
    return parse_study(content, "study.yaml")


def execute(folder: Path, statements: Iterable[str]) -> None:
    with sqlite3.connect(folder / "trial.sqlite") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    execute(
        tmp_path,
        [
            DM,
            "INSERT INTO dm VALUES ('S2', 72, 'M', 'N'), ('S1', 61.5, NULL, 'Y')",
            LB,
            "INSERT INTO lb VALUES ('S1','ALT',1,20,'NORMAL'), ('S2','AST',1,30,'HIGH')",
        ],
    )
    return tmp_path


def snapshot(of: Study, data: Path, batch_rows: int = 1) -> Path:
    return Path(take_snapshot(of, str(data), str(data / "runs" / "snapshots"), batch_rows))


def rows(path: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(path / f"{name}.parquet").to_pylist()
    return found


def test_a_table_is_read_in_the_order_of_its_primary_key(data: Path) -> None:
    assert rows(snapshot(study(), data), "dm") == [
        {"USUBJID": "S1", "AGE": 61.5, "SEX": None, "DIED": "Y"},
        {"USUBJID": "S2", "AGE": 72.0, "SEX": "M", "DIED": "N"},
    ]


def test_a_query_is_read_as_it_stands(data: Path) -> None:
    query = "SELECT * FROM lb WHERE LBTESTCD LIKE 'AL%';"
    assert [row["USUBJID"] for row in rows(snapshot(study(lb=query), data), "lb")] == ["S1"]


def test_a_query_without_a_row_has_its_columns(data: Path) -> None:
    found = snapshot(study(lb="SELECT * FROM lb WHERE 0"), data)
    table = pq.read_table(found / "lb.parquet")
    assert (table.num_rows, table.column_names[:2]) == (0, ["USUBJID", "LBTESTCD"])


def test_only_the_owner_reads_a_snapshot_whatever_the_umask(data: Path) -> None:
    before = os.umask(0)
    try:
        found = snapshot(study(), data)
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in found.iterdir()}
    assert modes == {"dm.parquet": 0o600, "lb.parquet": 0o600, "snapshot.json": 0o600}
    assert [path.stat().st_mode & 0o777 for path in (found, found.parent)] == [0o700, 0o700]


def test_nothing_else_is_left_beside_the_snapshot(data: Path) -> None:
    found = snapshot(study(), data)
    assert list(found.parent.iterdir()) == [found]


def test_unchanged_content_gives_the_same_folder_and_fingerprint(data: Path) -> None:
    first, second = (snapshot(study(), data) for _ in range(2))
    assert first == second
    execute(data, ["UPDATE dm SET AGE = 62 WHERE USUBJID = 'S1'"])
    third = snapshot(study({"keep_snapshots": 2}), data)
    assert third != first
    prints = [content_fingerprint(study(), str(data), str(path)) for path in (first, third)]
    assert prints[0] != prints[1]


def test_the_newest_snapshots_are_kept(data: Path) -> None:
    taken = []
    for age in (50, 51, 52):
        execute(data, [f"UPDATE dm SET AGE = {age}"])
        taken.append(snapshot(study({"keep_snapshots": 2}), data))
    assert sorted(taken[0].parent.iterdir()) == sorted(taken[1:])
    snapshot(study(), data)
    assert list(taken[0].parent.iterdir()) == [taken[2]]


def test_what_killed_runs_left_is_removed_after_a_day(data: Path) -> None:
    folder = data / "runs" / "snapshots"
    for name, age in (("old", 100_000), ("new", 100)):
        (folder / f".draft-{name}").mkdir(parents=True)
        (folder / f".draft-{name}" / "dm.batches").write_text("S1")
        os.utime(folder / f".draft-{name}", (time.time() - age,) * 2)
    found = snapshot(study(), data)
    assert {path.name for path in folder.iterdir()} == {".draft-new", found.name}


def test_nothing_is_left_of_a_snapshot_that_fails(data: Path) -> None:
    with pytest.raises(UserError):
        snapshot(study(lb="SELECT * FROM missing"), data)
    assert list((data / "runs" / "snapshots").iterdir()) == []


def test_the_marker_says_how_many_rows_there_are_and_when_they_were_read(data: Path) -> None:
    marker = json.loads((snapshot(study(), data) / "snapshot.json").read_text())
    assert marker["rows"] == {"dm": 2, "lb": 2}
    assert marker["taken"].startswith("20")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT * FROM labs", "no such table: labs"),
        ("SELECT AGEE FROM dm", "no such column: AGEE"),
        ("SELEC * FROM dm", 'near "SELEC": syntax error'),
        ("DELETE FROM dm", "attempt to write a readonly database"),
        ("CREATE TABLE other (x)", "attempt to write a readonly database"),
    ],
)
def test_what_the_database_refuses_is_reported_with_the_query_s_key(
    data: Path, query: str, told: str
) -> None:
    with pytest.raises(UserError, match=r"^datasets.lb.query: the database refuses") as refused:
        snapshot(study(lb=query), data)
    assert told in str(refused.value)
    assert len(rows(snapshot(study(), data), "dm")) == 2


def test_a_missing_table_is_reported_with_its_key_and_name(data: Path) -> None:
    execute(data, ["DROP TABLE lb"])
    with pytest.raises(UserError, match=r"^datasets.lb.table \(lb\): .*no such table: lb"):
        snapshot(study(), data)


def test_an_unreadable_value_is_reported_with_query_row_and_column_but_not_shown(
    data: Path,
) -> None:
    execute(data, ["INSERT INTO lb VALUES ('S3','ALT',1,x'5345435245540A','LOW')"])
    with pytest.raises(UserError) as refused:
        snapshot(study(), data)
    assert str(refused.value) == (
        "datasets.lb.table (lb), row 3, column LBSTRESN: found bytes, expected text, a number, a "
        "date, a time or true and false; convert the column in a query"
    )


def test_bytes_that_are_no_text_are_reported_with_their_row_but_not_shown(data: Path) -> None:
    execute(data, ["INSERT INTO lb VALUES ('S3','ALT',1,1,CAST(x'534543524554ff' AS TEXT))"])
    for batch_rows in each((1, 50)):
        with pytest.raises(UserError, match=r"^datasets.lb.table \(lb\), row") as refused:
            snapshot(study(), data, batch_rows)
        assert "SECRET" not in f"{refused.value}{refused.value.__cause__}"
        assert "can't be read (OperationalError)" in str(refused.value)


def test_an_unreadable_column_that_the_study_does_not_use_is_left_out(data: Path) -> None:
    execute(data, ["UPDATE lb SET LBNRIND = x'00'"])
    assert "LBNRIND" not in rows(snapshot(study(), data), "lb")[0]


def test_two_columns_of_one_name_are_refused(data: Path) -> None:
    with pytest.raises(UserError, match=r"datasets.dm.query, column USUBJID: the name occurs twi"):
        snapshot(study(dm="SELECT *, USUBJID FROM dm"), data)


def test_a_missing_column_is_reported_when_the_snapshot_is_planned(data: Path) -> None:
    found = snapshot(study(dm="SELECT USUBJID, AGE FROM dm"), data)
    with pytest.raises(UserError, match=r"dm.parquet: no column DIED"):
        plan_examples(study(), str(data), str(found))


def test_a_removed_snapshot_is_reported(data: Path) -> None:
    with pytest.raises(UserError, match=r"Dataset dm: the snapshot .* Create the run again"):
        plan_examples(study(), str(data), str(data / "runs" / "snapshots" / "gone"))


def test_a_missing_file_is_no_new_database(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no SQLite file"):
        snapshot(study(), tmp_path)
    assert not (tmp_path / "trial.sqlite").exists()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trial.sqlite").write_text("USUBJID,AGE\n" * 200)
    with pytest.raises(UserError, match=r"^datasets.dm.table \(dm\): .*file is not a database"):
        snapshot(study(), tmp_path)


def test_a_snapshot_in_an_object_store_has_the_same_content(data: Path, bucket: str) -> None:
    address = f"s3://{bucket}/snapshots"
    for age in (50, 51):
        execute(data, [f"UPDATE dm SET AGE = {age}"])
        remote = take_snapshot(study(), str(data), address, batch_rows=1)
    local = snapshot(study(), data)
    assert remote == f"{address}/{local.name}"
    prints = [content_fingerprint(study(), str(data), str(path)) for path in (remote, local)]
    assert prints[0] == prints[1]
    with pytest.raises(UserError, match="Create the run again"):
        plan_examples(study(), str(data), f"{address}/gone")
