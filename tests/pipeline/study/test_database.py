"""The section `database`: no password in the study file, and none in a message."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.study.load import parse_study
from pipeline.study.parts import part_for_examples
from pipeline.study.study import Study
from tests.components.trial_example_gen.hand_made_trial import REMOVED, study_content
from tests.each import each

SQL: dict[str, Any] = {"datasets.dm.format": "sql", "datasets.dm.file": REMOVED}
SECRET = "hunter2"


def study(section: object, /, **changes: Any) -> Study:
    of_database = {**SQL, "datasets.dm.table": "dm", "database": section}
    whole = {
        k: v
        for k, v in (of_database | changes).items()
        if k == "datasets.dm.file" or v is not REMOVED
    }
    return parse_study(study_content(whole), "study.yaml")


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://reader@db.example.org:5432/trials",
        "postgresql+psycopg://reader@db/trials?sslmode=verify-full&sslrootcert=/ca.pem",
        "postgresql:///trials?host=/run/postgresql",
        "sqlite:///trial.sqlite",
        "sqlite:////data/trial.sqlite",
    ],
)
def test_an_address_without_a_password_is_accepted(address: str) -> None:
    assert study({"address": address}).database is not None


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://reader:{SECRET}@db/trials",
        f"postgresql://reader:{SECRET}@/trials?host=/run",
        f"postgresql://:{SECRET}@db/trials",
        "postgresql://reader:@db/trials",
        f"postgresql://db/trials?password={SECRET}",
        f"postgresql://db/trials?user=reader&password={SECRET}",
        f"postgresql://db/trials?PASSWORD={SECRET}",
        f"postgresql://db/trials?p%61ssword={SECRET}",
        f"postgresql://db/trials?sslmode=require&sslpassword={SECRET}",
        f"postgresql://db/trials?passfile=/{SECRET}",
        f"postgresql://db/trials?options=-c%20x%3D{SECRET}",
        f"postgresql://db/trials%3Fpassword%3D{SECRET}",
        f"postgresql:///dbname%3Dtrials%20password%3D{SECRET}",
        f"postgresql://reader:{SECRET}@db:port/trials",
        f"reader:{SECRET}@db/trials",
        f"mysql://reader@db/trials?passwd={SECRET}",
        f"postgresql+pg8000://reader@db/{SECRET}",
        f"sqlite:///trial.sqlite?key={SECRET}",
        f"sqlite:///file:{SECRET}?mode=rw&uri=true",
        "sqlite://",
        "postgresql://db",
        [SECRET],
        {"url": SECRET},
        None,
    ],
)
def test_an_address_with_a_secret_or_none_is_refused_and_not_shown(address: object) -> None:
    with pytest.raises(UserError, match=r"^study.yaml: database.address: ") as refused:
        study({"address": address})
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "password", [SECRET, 4711, f"{SECRET}:x", "env:", "env:a b", "file:", [SECRET]]
)
def test_a_password_in_the_study_file_is_refused_and_not_shown(password: object) -> None:
    with pytest.raises(UserError, match=r"database.password: expected where") as refused:
        study({"address": "sqlite:///t.sqlite", "password": password})
    assert SECRET not in str(refused.value)
    assert "4711" not in str(refused.value)


def test_the_place_of_a_password_is_accepted() -> None:
    for place in each(("env:EDC_PASSWORD", "file:/run/secrets/edc")):
        found = study({"address": "sqlite:///t.sqlite", "password": place}).database
        assert found is not None
        assert found.password == place


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"database": REMOVED}, "database: needed by the datasets of the format `sql`"),
        ({"datasets.dm.table": REMOVED}, "`sql` needs either `table` or `query`"),
        ({"datasets.dm.query": "SELECT 1"}, "`sql` needs either `table` or `query`"),
        ({"datasets.dm.file": "dm.csv"}, "`file` and `encoding` are for files"),
        ({"datasets.dm.format": "csv"}, "`table` and `query` are for `sql`"),
        ({"datasets.dm.format": "csv", "datasets.dm.table": REMOVED}, "`file` is missing"),
        ({"database.keep_snapshots": 0}, "expected a number at least 1, found 0"),
    ],
)
def test_keys_that_do_not_fit_are_reported(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError) as refused:
        study({"address": "sqlite:///t.sqlite"}, **changes)
    assert told in str(refused.value)


def test_a_database_that_nothing_reads_is_refused() -> None:
    with pytest.raises(UserError, match="database: no dataset has `format: sql`"):
        parse_study(study_content({"database": {"address": "sqlite:///t.sqlite"}}), "study.yaml")


def test_neither_password_nor_retention_changes_the_examples() -> None:
    plain = study({"address": "sqlite:///t.sqlite"})
    other = study({"address": "sqlite:///t.sqlite", "password": "env:X", "keep_snapshots": 3})
    assert part_for_examples(plain).to_content() == part_for_examples(other).to_content()
