"""What leaving the least certain subjects to people gains gets a table."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Written out: a migration must not change with the code that reads the store.
RIGHTS = {"trial_reader": "SELECT", "trial_writer": "SELECT, INSERT"}
NUMBERS = ("referred", "widest", "observed_rate", "brier")


def upgrade() -> None:
    """Creates the table."""
    op.create_table(
        "referral",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("run", "task")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("point", "subjects")),
        *(sa.Column(name, sa.Double(), nullable=False) for name in NUMBERS),
        sa.PrimaryKeyConstraint("run", "task", "point"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for role, rights in RIGHTS.items():
            op.execute(f"GRANT {rights} ON referral TO {role}")
