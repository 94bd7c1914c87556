"""The decisions of a registry, as rows of the store."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from pipeline.cli.exported_decision import export_decision
from pipeline.results.registration import Registration
from pipeline.runs.changes import Rules, promote, retire
from pipeline.runs.register import NONE, Decision
from pipeline.runs.registry import Registry
from pipeline.store import models
from pipeline.store.engine import store_engine
from pipeline.store.registry_rows import registry_rows, rows_of_registration
from pipeline.store.writer import export
from tests.each import each
from tests.pipeline.runs.governed import STUDY, add, decision


@pytest.fixture
def root(tmp_path: Path) -> str:
    return str(tmp_path / "registry")


def stages(address: str) -> dict[str, str]:
    """Stage of each model by now."""
    query = "SELECT model, stage FROM model_stages ORDER BY number"
    with store_engine(address) as engine, engine.connect() as connection:
        return {row.model: row.stage for row in connection.execute(text(query))}


def test_decisions_are_exported_with_the_stages_that_follow_from_them(
    root: str, tmp_path: Path, sqlite: str
) -> None:
    first = add(root, tmp_path, "a").entry.id
    second = add(root, tmp_path, "b", Decision(first, "person")).entry.id
    export(sqlite, registry_rows(Registry(root).book(STUDY)))
    assert stages(sqlite) == {first: "champion", second: "candidate"}

    promote(root, decision(), second, Rules("person"))
    retire(root, decision(), first)
    rows = registry_rows(Registry(root).book(STUDY))
    for _ in range(2):
        export(sqlite, rows)

    assert stages(sqlite) == {first: "retired", second: "champion"}
    query = "SELECT action, actor, reason, model, champion FROM registry_entries ORDER BY number"
    with store_engine(sqlite) as engine, engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    assert [row[0] for row in found] == [
        "registered",
        "promoted",
        "registered",
        "promoted",
        "retired",
    ]
    assert found[3][1:] == ("ada@ward", "because of the audit", second, second)
    assert len({row["digest"] for row in rows[models.RegistryEntry]}) == 5


def test_a_run_that_registers_a_model_exports_the_whole_trail(root: str, tmp_path: Path) -> None:
    add(root, tmp_path, "a")
    registered = add(root, tmp_path, "b")
    rows = rows_of_registration(Registration(registered=True, reason=None, entry=registered.entry))

    assert rows == registry_rows(Registry(root).book(STUDY))
    assert len(rows[models.RegistryEntry]) == 4


def test_a_registry_that_is_damaged_costs_a_run_no_results(root: str, tmp_path: Path) -> None:
    entry = add(root, tmp_path, "a").entry
    for path in each(list(Path(root, STUDY, "trail").iterdir())):
        path.unlink()

    assert rows_of_registration(Registration(registered=True, reason=None, entry=entry)) == {}
    assert rows_of_registration(Registration(registered=False, reason="refused")) == {}


def test_a_decision_is_added_to_the_store_beside_its_registry_and_to_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = add(str(tmp_path / "registry"), tmp_path, "a").entry.id
    export_decision(None, tmp_path, None, STUDY)
    assert not (tmp_path / "store.sqlite").exists()

    (tmp_path / "store.sqlite").touch()
    export_decision(None, tmp_path, None, STUDY)
    assert stages(f"sqlite:///{tmp_path / 'store.sqlite'}") == {model: "champion"}

    (tmp_path / "no-store").write_text("something else")
    export_decision(f"sqlite:///{tmp_path / 'no-store'}", tmp_path, None, STUDY)
    assert "the decision is not in the store yet" in capsys.readouterr().err
    assert NONE not in stages(f"sqlite:///{tmp_path / 'store.sqlite'}")
