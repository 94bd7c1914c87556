"""${message}"""

import sqlalchemy as sa
from alembic import op

from pipeline.store.models import UtcTime

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Goes to this revision."""
    ${upgrades if upgrades else "pass"}
