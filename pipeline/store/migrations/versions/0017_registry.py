"""The decisions of the registry get tables."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# Written out: a migration must not change with the code that reads the store.
RIGHTS = {"trial_reader": "SELECT", "trial_writer": "SELECT, INSERT"}
TEXTS = ("action", "actor", "reason", "model", "run", "compared_with", "champion", "refused")


def upgrade() -> None:
    """Creates the tables; the next run or decision fills them with the whole trail."""
    op.create_table(
        "registry_entries",
        *(_text(name) for name in ("study", "digest")),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(_text(name) for name in TEXTS),
        sa.PrimaryKeyConstraint("study", "digest"),
    )
    op.create_index("registry_entries_of_model", "registry_entries", ["study", "model"])
    op.create_table(
        "model_stages",
        *(_text(name) for name in ("study", "digest", "model")),
        sa.Column("number", sa.Integer(), nullable=False),
        _text("stage"),
        sa.PrimaryKeyConstraint("study", "digest", "model"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for table in ("registry_entries", "model_stages"):
            for role, rights in RIGHTS.items():
                op.execute(f"GRANT {rights} ON {table} TO {role}")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)
