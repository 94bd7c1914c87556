"""A trial in which every column of every dataset has a text that no other subject has.

All datasets are CSV files but one, which is a table of a database.
"""

from __future__ import annotations

import csv
import re
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat

from pipeline.synthetic.trial import TRUTH_FOLDER, UNFINISHED, SyntheticTrial
from pipeline.synthetic.write import write_shard

FILES = ("adsl", "adae", "adlb", "advs")
TABLE = "adtte"
PASSWORD_VARIABLE = "TRIAL_DATABASE_PASSWORD"
IDENTIFIER = re.compile(rb"SYN01-\d{3}-\d{7}")
"""An identifier of a subject."""

PLANTED = re.compile(rb"Zq7[A-Z0-9]+xW")
"""A text that one subject has in one column."""

_SUBJECT = "USUBJID"
_ARM = "TRT01P"
_NUMBERS = {
    "adsl": ("EOSDY", "AGE", "HEIGHTBL", "WEIGHTBL", "BMIBL", "SEVBL"),
    "adae": ("ASTDY", "AENDY"),
    "adlb": ("ADY", "AVAL"),
    "advs": ("ADY", "AVAL", "AVISITN", "PCHG"),
}
_TEXTS = {
    "adsl": (_SUBJECT, "SITEID", _ARM, "SAFFL", "RACE", "SEX", "SMOKFL", "DIABFL"),
    "adae": (_SUBJECT, "TRTEMFL", "AESEV", "AEBODSYS"),
    "adlb": (_SUBJECT, "PARAMCD"),
    "advs": (_SUBJECT, "PARAMCD"),
}


def planted_text(dataset: str, column: str) -> str:
    """The text of a column."""
    return f"Zq7{dataset.upper()}{column}xW"


STILL_NAMED = frozenset(
    planted_text("adsl", column) for column in ("RACE", "SEX", "SMOKFL", "DIABFL")
)
"""Levels of one subject at baseline that the analysis of the arms, and the report, still name."""


def write_trial(folder: Path, subjects: int) -> dict[Sequence[str], Any]:
    """Writes the synthetic trial with the planted texts.

    Args:
        folder: Where to.
        subjects: How many.

    Returns:
        Changes of the study file that name the files.
    """
    for name in (TRUTH_FOLDER, UNFINISHED):
        (folder / "xpt" / name).mkdir(parents=True)
    write_shard(0, SyntheticTrial(subjects), str(folder / "xpt"))
    for dataset in (*FILES, TABLE):
        (file,) = (folder / "xpt").glob(f"{dataset}-*")
        rows = _rows(dataset, pyreadstat.read_xport(str(file))[0])
        if dataset == TABLE:
            _write_table(folder / "trial.sqlite", rows)
        else:
            _write_csv(folder / f"{dataset}.csv", rows)
    shutil.rmtree(folder / "xpt")
    return dict(_changes())


def _changes() -> Iterator[tuple[Sequence[str], Any]]:
    for dataset in FILES:
        yield ("datasets", dataset, "file"), f"{dataset}.csv"
        yield ("datasets", dataset, "format"), "csv"
        for kind, columns in (("number", _NUMBERS), ("text", _TEXTS)):
            for column in columns[dataset]:
                yield ("datasets", dataset, "columns", column, "type"), kind
    yield ("datasets", TABLE), {"format": "sql", "table": TABLE, "rows": "many_per_subject"}
    address = "sqlite:///trial.sqlite"
    yield ("database",), {"address": address, "password": f"env:{PASSWORD_VARIABLE}"}


def _rows(dataset: str, table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    found = []
    for number, read in enumerate(rows):
        row = {str(name): _simple(value) for name, value in read.items()}
        for column in _planted_at(number, list(row)):
            # A table has no text among its numbers.
            if dataset != TABLE or not isinstance(row[column], float | int):
                row[column] = planted_text(dataset, column)
        found.append(row)
    return found


def _simple(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    columns = list(rows[0])
    places = ", ".join("?" * len(columns))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE {TABLE} ({', '.join(columns)})")
        lines = (tuple(row.values()) for row in rows)
        database.executemany(f"INSERT INTO {TABLE} VALUES ({places})", lines)


def _planted_at(number: int, columns: Sequence[str]) -> Iterator[str]:
    """Each column in a row of its own, far from that of the next: of subjects with other values."""
    place, rest = divmod(number, 17)
    others = [name for name in columns if name not in (_SUBJECT, _ARM)]
    if rest == 3 and place < len(others):
        yield others[place]
