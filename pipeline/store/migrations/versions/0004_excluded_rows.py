"""Rows that the study file excludes are called so."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Renames the column."""
    op.execute("ALTER TABLE stage_rows RENAME COLUMN left_out TO excluded")
