"""A difference names the reference model that it is to."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Written out: a migration must not change with the code that reads the store.
KEY = ("run", "task", "slicing", "slice", "metric", "decision_threshold", "model", "versus")


def upgrade() -> None:
    """Adds the column to the table and to its key; earlier differences are to the champion."""
    op.add_column("metrics", sa.Column("versus", sa.Text(), nullable=False, server_default=""))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE metrics DROP CONSTRAINT metrics_pkey")
        op.create_primary_key("metrics_pkey", "metrics", list(KEY))
        op.alter_column("metrics", "versus", server_default=None)
    else:
        _copy_with_key()


def _copy_with_key() -> None:
    """Copies the table: SQLite can't change a key."""
    columns: list[sa.Column[Any]] = [
        *(sa.Column(name, sa.Text(), nullable=False) for name in KEY[:5]),
        sa.Column("decision_threshold", sa.Double(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in KEY[6:]),
        *(sa.Column(name, sa.Double(), nullable=True) for name in ("value", "lower", "upper")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("subjects", "positives")),
    ]
    names = ", ".join(column.name for column in columns)
    op.rename_table("metrics", "former_metrics")
    op.create_table("metrics", *columns, sa.PrimaryKeyConstraint(*KEY))
    op.execute(f"INSERT INTO metrics ({names}) SELECT {names} FROM former_metrics")
    op.drop_table("former_metrics")
    op.create_index("metrics_over_runs", "metrics", ["task", "metric", "slicing", "model", "run"])
