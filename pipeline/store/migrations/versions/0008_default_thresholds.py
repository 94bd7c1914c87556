"""Comparisons and thresholds say whether the study file demands them or they are defaults."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the columns; all earlier ones are of the study file and name no reference model."""
    for table, column, value in (
        ("thresholds", "origin", "study"),
        ("comparisons", "origin", "study"),
        ("comparisons", "versus", ""),
    ):
        op.add_column(table, sa.Column(column, sa.Text(), nullable=False, server_default=value))
        if op.get_bind().dialect.name == "postgresql":
            op.alter_column(table, column, server_default=None)
