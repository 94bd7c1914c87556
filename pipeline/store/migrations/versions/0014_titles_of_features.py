"""Findings of the data gate have the title of their feature."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column; earlier findings have no title."""
    op.add_column("gate_findings", sa.Column("title", sa.Text(), nullable=True))
