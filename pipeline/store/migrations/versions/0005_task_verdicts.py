"""The verdict on each task gets a table."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Written out: a migration must not change with the code that reads the store.
RIGHTS = {"trial_reader": "SELECT", "trial_writer": "SELECT, INSERT"}


def upgrade() -> None:
    """Creates the table and fills it for the runs that are there.

    Their models have one verdict: it refuses each task for which a comparison failed.
    """
    op.create_table(
        "task_verdicts",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run", "task"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for role, rights in RIGHTS.items():
            op.execute(f"GRANT {rights} ON task_verdicts TO {role}")
    op.execute("""
INSERT INTO task_verdicts (run, task, verdict, reason)
SELECT f.run, f.task, CASE WHEN b.message IS NULL THEN 'blessed' ELSE 'refused' END,
       COALESCE(b.message, '')
FROM (SELECT run, task FROM metrics
      UNION SELECT run, task FROM suppressed_groups
      UNION SELECT run, task FROM blessing_reasons) f
LEFT JOIN blessing_reasons b ON b.run = f.run AND b.task = f.task
  AND b.number = (SELECT MIN(n.number) FROM blessing_reasons n
                  WHERE n.run = f.run AND n.task = f.task)
""")
