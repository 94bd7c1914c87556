"""A PostgreSQL server of Debian's package, for the tests of the store."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

WRITER_PASSWORD = "the writer's, for this test"
READER_PASSWORD = "the reader's, for this test"
DATABASE = "trial"


@dataclass
class Server:
    """A PostgreSQL server of this test session.

    Attributes:
        binaries: Folder of its programs.
        folder: Its data.
        port: Where it listens, on the loopback address alone.
    """

    binaries: Path
    folder: Path
    port: int

    @property
    def owner(self) -> str:
        """Address for who may make tables: through the socket, without a password."""
        return f"postgresql://postgres@/{DATABASE}?host={self.folder}&port={self.port}"

    def of(self, role: str, database: str = DATABASE) -> str:
        """Address for a role, over the network, with a password."""
        return f"postgresql://{role}@127.0.0.1:{self.port}/{database}"

    def control(self, *arguments: str) -> None:
        """Starts or stops the server."""
        listen = f"-k {self.folder} -p {self.port} -c listen_addresses=127.0.0.1"
        command = [self.binaries / "pg_ctl", "-D", self.folder / "data", "-w", "-o", listen]
        self.run(*command, "-l", self.folder / "log", *arguments)

    def run(self, *command: object) -> None:
        """Runs a program as a user that PostgreSQL accepts."""
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        done = subprocess.run(
            [*as_user, *map(str, command)],
            cwd=self.folder,
            # What the server inherits must not keep the pipe of this process open.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == 0, (command, (self.folder / "log").read_text())
