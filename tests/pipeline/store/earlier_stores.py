"""A store as version 0.1.0 left it: made by its migrations, with a run's rows in its columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from pipeline.store.engine import store_engine

_MIGRATIONS = Path(__file__).parents[3] / "pipeline" / "store" / "migrations"
_OF_GROUP = {"run": "r0", "task": "death", "slicing": "", "slice": ""}
_RECALL = {"metric": "recall", "decision_threshold": 0.5}

ROWS: dict[str, list[dict[str, Any]]] = {
    "runs": [
        {
            "run": "r0",
            "study": "hand",
            "started": "2026-01-05 12:00:00.000000",
            "runner": "local",
            "started_by": "a_user",
            "code_version": "0.1.0",
            "study_digest": "",
            "fingerprint": "",
            "data_modified": None,
            "smallest_group": 10,
            "parameters": "{}",
        }
    ],
    "models": [
        {
            "run": "r0",
            "study": "hand",
            "blessed": False,
            "judged": True,
            "comparisons": 2,
            "registered": False,
            "not_registered": "the Evaluator did not bless it",
            "champion": True,
        }
    ],
    "thresholds": [
        {"run": "r0", "task": "death", "place": place, "versus": ""}
        | {"holds": "point", "at_least": 0.6, "at_most": None, **metric}
        for place, metric in (
            ("every_slice", {"metric": "auc", "decision_threshold": 0.0}),
            ("overall", _RECALL),
        )
    ],
    "metrics": [
        {**_OF_GROUP, **group, **metric, "model": model, "value": value}
        | {"lower": None, "upper": None, "subjects": 60, "positives": 20}
        for group, metric, model, value in (
            ({}, {"metric": "auc", "decision_threshold": 0.0}, "challenger", 0.7),
            ({}, {"metric": "auc", "decision_threshold": 0.0}, "champion", 0.5),
            ({}, _RECALL, "challenger", 0.4),
            ({}, _RECALL | {"metric": "precision"}, "challenger", 0.3),
            (
                {"slicing": "sex", "slice": "F"},
                {"metric": "auc", "decision_threshold": 0.0},
                "challenger",
                None,
            ),
        )
    ],
    "blessing_reasons": [
        {**_OF_GROUP, **_RECALL, "number": 0, "value": 0.4}
        | {"message": "death: recall at decision threshold 0.5 overall is 0.4, below 0.6"}
    ],
    "stage_rows": [
        {"run": "r0", "stage": "TrialExampleGen", "dataset": "dm", "split": ""}
        | {"rows_in": 70, "used": 60, "left_out": 8, "rejected": 2, "subjects": None}
    ],
}
"""Rows of a run that was refused; women have no value, where the study demands one."""


def make_store_of_0_1_0(owner: str) -> None:
    """Makes the tables of revision 0002 and adds `ROWS`.

    Args:
        owner: Address of an empty store, with a user who may make tables.
    """
    with store_engine(owner) as engine, engine.begin() as connection:
        upgrade(connection, "0002")
        for table, rows in ROWS.items():
            for row in rows:
                _add(connection, table, row)


def upgrade(connection: Connection, revision: str) -> None:
    """Migrates to a revision."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _add(connection: Connection, table: str, row: dict[str, Any]) -> None:
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)
