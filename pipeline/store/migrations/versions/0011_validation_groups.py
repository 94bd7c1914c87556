"""Estimates of an external validation are of a group, or of all subjects."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Written out: a migration must not change with the code that reads the store.
TABLE = "validation_estimates"
KEY = ("run", "task", "slicing", "slice", "measure", "method", "decision_threshold")


def upgrade() -> None:
    """Adds the columns to the table and to its key; earlier estimates are of all subjects."""
    for name in ("slicing", "slice"):
        op.add_column(TABLE, sa.Column(name, sa.Text(), nullable=False, server_default=""))
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT {TABLE}_pkey")
        op.create_primary_key(f"{TABLE}_pkey", TABLE, list(KEY))
        for name in ("slicing", "slice"):
            op.alter_column(TABLE, name, server_default=None)
    else:
        _copy_with_key()


def _copy_with_key() -> None:
    """Copies the table: SQLite can't change a key."""
    columns: list[sa.Column[Any]] = [
        *(sa.Column(name, sa.Text(), nullable=False) for name in KEY[:-1]),
        sa.Column("decision_threshold", sa.Double(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=True) for name in ("value", "lower", "upper")),
    ]
    names = ", ".join(column.name for column in columns)
    op.rename_table(TABLE, "former_estimates")
    op.create_table(TABLE, *columns, sa.PrimaryKeyConstraint(*KEY))
    op.execute(f"INSERT INTO {TABLE} ({names}) SELECT {names} FROM former_estimates")
    op.drop_table("former_estimates")
