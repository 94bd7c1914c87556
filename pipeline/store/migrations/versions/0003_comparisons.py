"""Comparisons with thresholds get a table, thresholds a scope, two metrics their field's names."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Written out: a migration must not change with the code that reads the store.
METRICS = {"recall": "sensitivity", "precision": "positive_predictive_value"}
RIGHTS = {"trial_reader": "SELECT", "trial_writer": "SELECT, INSERT"}


def upgrade() -> None:
    """Creates the table, and renames a column and metrics.

    Runs that were exported before have no comparisons: boards show them as not recorded.
    """
    _make_comparisons()
    # SQLite can rename a column of a key.
    op.execute("ALTER TABLE thresholds RENAME COLUMN place TO scope")
    for former, name in METRICS.items():
        _rename_metric(former, name)


def _make_comparisons() -> None:
    op.create_table(
        "comparisons",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("slicing", sa.Text(), nullable=False),
        sa.Column("slice", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("decision_threshold", sa.Double(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("limit", sa.Double(), nullable=False),
        sa.Column("holds", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run", "number"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for role, rights in RIGHTS.items():
            op.execute(f"GRANT {rights} ON comparisons TO {role}")


def _rename_metric(former: str, name: str) -> None:
    """Renames a metric of decisions; messages name it with its decision threshold."""
    op.execute(
        sa.text(
            "UPDATE blessing_reasons SET message = "
            "REPLACE(message, :former_words, :words) WHERE metric = :former"
        ).bindparams(
            former=former,
            former_words=f"{former} at decision threshold",
            words=f"{name} at decision threshold",
        )
    )
    for table in ("metrics", "thresholds", "blessing_reasons"):
        op.execute(
            sa.text(f"UPDATE {table} SET metric = :name WHERE metric = :former").bindparams(
                name=name, former=former
            )
        )
