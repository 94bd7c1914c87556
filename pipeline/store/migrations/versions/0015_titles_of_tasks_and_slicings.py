"""Titles of tasks and slicings get a table."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# Written out: a migration must not change with the code that reads the store.
RIGHTS = {"trial_reader": "SELECT", "trial_writer": "SELECT, INSERT"}


def upgrade() -> None:
    """Creates the table; earlier runs have no titles."""
    op.create_table(
        "titles",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("run", "kind", "name", "title")),
        sa.PrimaryKeyConstraint("run", "kind", "name"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for role, rights in RIGHTS.items():
            op.execute(f"GRANT {rights} ON titles TO {role}")
