"""The monitoring of a model's predictions gets tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# Written out: a migration must not change with the code that reads the store.
RIGHTS = {"trial_reader": "SELECT", "trial_writer": "SELECT, INSERT"}
MOMENT = sa.DateTime(timezone=True)
ENDS = ("lower", "upper", "reference", "reference_lower", "reference_upper")
KEY_OF_VALUE = ("run", "model", "role", "task", "period_start", "slicing", "slice", "metric")
KEY_OF_DRIFT = ("run", "model", "period_start", "task", "feature", "kind")
KEY_OF_ALARM = ("run", "model", "task", "kind", "feature")


def upgrade() -> None:
    """Creates the tables; nothing was monitored before."""
    op.create_table(
        "monitorings",
        *(_text(name) for name in ("run", "study", "model", "period")),
        sa.Column("as_of", MOMENT, nullable=False),
        sa.Column("outcomes_until", MOMENT),
        sa.PrimaryKeyConstraint("run"),
    )
    op.create_table(
        "monitored_values",
        *(_key(name) for name in KEY_OF_VALUE),
        sa.Column("value", sa.Double(), nullable=False),
        *(sa.Column(name, sa.Double()) for name in ENDS),
        sa.Column("subjects", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(*KEY_OF_VALUE),
    )
    op.create_index(
        "monitored_values_of_metric", "monitored_values", ["metric", "task", "slicing", "run"]
    )
    op.create_table(
        "monitored_drift",
        *(_key(name) for name in KEY_OF_DRIFT),
        sa.Column("title", sa.Text()),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("distance", "boundary")),
        _text("outcome"),
        sa.Column("subjects", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(*KEY_OF_DRIFT),
    )
    op.create_table(
        "monitored_alarms",
        *(_key(name) for name in KEY_OF_ALARM),
        sa.Column("title", sa.Text()),
        *(sa.Column(name, sa.Double()) for name in ("evidence", "boundary")),
        _text("state"),
        sa.Column("since", MOMENT),
        *(_text(name) for name in ("direction", "reason")),
        sa.PrimaryKeyConstraint(*KEY_OF_ALARM),
    )
    if op.get_bind().dialect.name == "postgresql":
        for table in ("monitorings", "monitored_values", "monitored_drift", "monitored_alarms"):
            for role, rights in RIGHTS.items():
                op.execute(f"GRANT {rights} ON {table} TO {role}")


def _key(name: str) -> sa.Column[Any]:
    return sa.Column(name, MOMENT, nullable=False) if name == "period_start" else _text(name)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)
