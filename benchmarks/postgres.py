"""A PostgreSQL server of Debian's package, for a measurement or a test session."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import free_port
from pipeline.errors import UserError

DATABASE = "trial"

_PROGRAMS = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server with one database.

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
        """Address of the role that creates tables: through the socket, without a password."""
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
        """Runs a program as a user that PostgreSQL accepts.

        Raises:
            UserError: It failed.
        """
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        done = subprocess.run(
            [*as_user, *map(str, command)],
            cwd=self.folder,
            # What the server inherits must not keep the pipe of this process open.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            output = (self.folder / "log").read_text()
            raise UserError(f"PostgreSQL: {command[0]} failed with {done.returncode}.\n{output}")


@contextmanager
def running_server() -> Iterator[Server]:
    """A server with an empty database, stopped and removed afterwards.

    Raises:
        UserError: PostgreSQL is not installed, or does not start.
    """
    found = sorted(_PROGRAMS.glob("*/bin"))
    if not found:
        raise UserError("PostgreSQL is not installed: `make system` as root (Debian: postgresql).")
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    (folder / "log").touch()
    (folder / "log").chmod(0o666)
    server = Server(found[-1], folder, free_port())
    try:
        server.run(
            *(found[-1] / "initdb", "-D", folder / "data", "-U", "postgres", "--no-sync"),
            *("--auth-local=trust", "--auth-host=scram-sha-256", "-E", "UTF8", "--locale=C"),
        )
        server.control("start")
        try:
            socket_of = ("-h", folder, "-p", server.port, "-U", "postgres")
            server.run(found[-1] / "createdb", *socket_of, DATABASE)
            yield server
        finally:
            server.control("stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder)
