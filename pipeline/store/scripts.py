"""Alembic's migrations in a folder: what release tables are of, and the way to the newest one."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

ALEMBIC = threading.Lock()
"""Held while a migration looks and runs: Alembic keeps the current one in global variables."""


@dataclass(frozen=True)
class Scripts:
    """The migrations of some tables.

    Attributes:
        folder: Folder with `env.py` and the versions.
        schema: Schema of PostgreSQL that the tables are in; None for the connection's own.
    """

    folder: Path
    schema: str | None = None

    @property
    def head(self) -> str | None:
        """The newest revision."""
        return self._directory().get_current_head()

    def knows(self, revision: str) -> bool:
        """Whether a revision is one of these migrations."""
        return revision in {script.revision for script in self._directory().walk_revisions()}

    def revision(self, connection: Connection) -> str | None:
        """Revision of the tables; None where there are none."""
        options = {"version_table_schema": self.schema}
        return MigrationContext.configure(connection, opts=options).get_current_revision()

    def upgrade(self, connection: Connection, revision: str = "head") -> None:
        """Creates or alters the tables, up to a revision; the caller holds `ALEMBIC`."""
        config = self._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    def _config(self) -> Config:
        config = Config()
        config.set_main_option("script_location", str(self.folder))
        return config

    def _directory(self) -> ScriptDirectory:
        return ScriptDirectory.from_config(self._config())
