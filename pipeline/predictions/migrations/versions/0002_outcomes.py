"""Table of outcomes, and the role that adds them."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OUTCOME_WRITER = "trial_outcome_writer"
READER = "trial_prediction_reader"

TABLE = """
CREATE TABLE predictions.outcomes (
    study text NOT NULL,
    task text NOT NULL,
    subject_hash text NOT NULL,
    outcome smallint CHECK (outcome IN (0, 1)),
    status text NOT NULL CHECK (status IN ('observed', 'censored', 'unknown')),
    weight real NOT NULL,
    known_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    cut text NOT NULL,
    CHECK ((outcome IS NOT NULL) = (status = 'observed'))
);
CREATE INDEX outcome_subjects ON predictions.outcomes (study, subject_hash);
"""


def upgrade() -> None:
    """Creates the table, and a role that sees who was predicted and adds the outcomes."""
    op.execute(TABLE)
    op.execute(
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OUTCOME_WRITER}') "
        f"THEN CREATE ROLE {OUTCOME_WRITER} LOGIN; END IF; END $$"
    )
    op.execute(f"GRANT USAGE ON SCHEMA predictions TO {OUTCOME_WRITER}")
    op.execute(f"GRANT SELECT ON predictions.predicted TO {OUTCOME_WRITER}")
    op.execute(f"GRANT INSERT ON predictions.batches, predictions.outcomes TO {OUTCOME_WRITER}")
    op.execute(f"GRANT SELECT ON predictions.outcomes TO {READER}")
