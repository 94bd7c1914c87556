"""Thresholds: whether the point or the interval's end must hold, and at which decision threshold.

Both belong to the key, since a study may set thresholds of both kinds for a metric.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

RIGHTS = {"trial_reader": "SELECT", "trial_writer": "SELECT, INSERT"}
KEPT = "run, task, metric, place, versus, at_least, at_most"


def upgrade() -> None:
    """Recreates the table: SQLite can't alter a key.

    Rows exported before did not record it; they remain judged by points, at every decision
    threshold.
    """
    op.rename_table("thresholds", "thresholds_0001")
    op.create_table(
        "thresholds",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("versus", sa.Text(), nullable=False),
        sa.Column("holds", sa.Text(), nullable=False),
        sa.Column("decision_threshold", sa.Double(), nullable=False),
        sa.Column("at_least", sa.Double(), nullable=True),
        sa.Column("at_most", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint(
            "run", "task", "metric", "place", "versus", "holds", "decision_threshold"
        ),
    )
    op.execute(
        f"INSERT INTO thresholds ({KEPT}, holds, decision_threshold) "
        f"SELECT {KEPT}, 'point', 0 FROM thresholds_0001"
    )
    op.drop_table("thresholds_0001")
    if op.get_bind().dialect.name == "postgresql":
        for role, rights in RIGHTS.items():
            op.execute(f"GRANT {rights} ON thresholds TO {role}")
