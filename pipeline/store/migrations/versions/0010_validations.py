"""External validations: a kind of run, and tables of their results."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# Written out: a migration must not change with the code that reads the store.
RIGHTS = {"trial_reader": "SELECT", "trial_writer": "SELECT, INSERT"}


def upgrade() -> None:
    """Adds the column, whose value is the same for all earlier runs, and creates the tables."""
    kind = sa.Column("kind", sa.Text(), nullable=False, server_default="training")
    op.add_column("runs", kind)
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("runs", "kind", server_default=None)
    op.create_table(
        "validations",
        *(_text(name) for name in ("run", "study", "model_study", "model", "model_fingerprint")),
        sa.Column("subjects", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run"),
    )
    op.create_table(
        "validation_estimates",
        *(_text(name) for name in ("run", "task", "measure", "method")),
        sa.Column("decision_threshold", sa.Double(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=True) for name in ("value", "lower", "upper")),
        sa.PrimaryKeyConstraint("run", "task", "measure", "method", "decision_threshold"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for table in ("validations", "validation_estimates"):
            for role, rights in RIGHTS.items():
                op.execute(f"GRANT {rights} ON {table} TO {role}")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)
