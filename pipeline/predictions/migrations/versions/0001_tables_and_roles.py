"""Tables and roles of the prediction log."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WRITER = "trial_prediction_writer"
READER = "trial_prediction_reader"

TABLES = """
CREATE TABLE predictions.batches (
    study text NOT NULL,
    source text NOT NULL,
    name text NOT NULL,
    day date NOT NULL,
    PRIMARY KEY (study, source, name)
);
CREATE TABLE predictions.predicted (
    predicted_at timestamptz NOT NULL,
    study text NOT NULL,
    task text NOT NULL,
    model text NOT NULL,
    source text NOT NULL,
    run text NOT NULL,
    subject_hash text,
    prediction real,
    lower real,
    upper real,
    flags text[] NOT NULL,
    inputs jsonb NOT NULL
);
CREATE INDEX predicted_subjects ON predictions.predicted (study, subject_hash);
CREATE INDEX predicted_times ON predictions.predicted (study, predicted_at);
"""


def upgrade() -> None:
    """Creates the tables, a role that adds rows and can read none, and one that reads them."""
    op.execute(TABLES)
    for role in (WRITER, READER):
        op.execute(
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') "
            f"THEN CREATE ROLE {role} LOGIN; END IF; END $$"
        )
        op.execute(f"GRANT USAGE ON SCHEMA predictions TO {role}")
    op.execute(f"GRANT INSERT ON predictions.batches, predictions.predicted TO {WRITER}")
    op.execute(f"GRANT SELECT ON predictions.predicted TO {READER}")
