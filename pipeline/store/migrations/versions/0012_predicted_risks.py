"""Mean predictions beside the risks by the horizon get a table."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Written out: a migration must not change with the code that reads the store.
RIGHTS = {"trial_reader": "SELECT", "trial_writer": "SELECT, INSERT"}
NUMBERS = ("risk", "risk_lower", "risk_upper", "mean_prediction", "mean_lower", "mean_upper")


def upgrade() -> None:
    """Creates the table."""
    op.create_table(
        "predicted_risks",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("run", "task", "arm")),
        *(sa.Column(name, sa.Double(), nullable=True) for name in NUMBERS),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("outcome", "reason")),
        sa.PrimaryKeyConstraint("run", "task", "arm"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for role, rights in RIGHTS.items():
            op.execute(f"GRANT {rights} ON predicted_risks TO {role}")
