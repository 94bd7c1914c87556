"""A model says how it was evaluated."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the columns; earlier models were evaluated on a test split."""
    columns = (
        sa.Column("scheme", sa.Text(), nullable=False, server_default="split"),
        sa.Column("folds", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("repeats", sa.Integer(), nullable=False, server_default="0"),
    )
    for column in columns:
        op.add_column("models", column)
        if op.get_bind().dialect.name == "postgresql":
            op.alter_column("models", column.name, server_default=None)
