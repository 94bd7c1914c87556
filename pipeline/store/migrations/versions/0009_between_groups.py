"""The summary over the groups of `internal_external` gets a table."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Written out: a migration must not change with the code that reads the store.
RIGHTS = {"trial_reader": "SELECT", "trial_writer": "SELECT, INSERT"}
ENDS = ("mean", "lower", "upper", "new_lower", "new_upper")


def upgrade() -> None:
    """Creates the table."""
    op.create_table(
        "between_groups",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("run", "task", "metric")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("groups", "left_out")),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("lowest", "highest")),
        *(sa.Column(name, sa.Double(), nullable=True) for name in ENDS),
        sa.PrimaryKeyConstraint("run", "task", "metric"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for role, rights in RIGHTS.items():
            op.execute(f"GRANT {rights} ON between_groups TO {role}")
