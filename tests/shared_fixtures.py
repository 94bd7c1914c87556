"""Which everyday tests run in the same process: `make test` has two processes.

Files below a folder with a `conftest.py` share its fixtures (a run of the pipeline, a trained
model): in one process each of these is made once. Another file may run anywhere.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from xdist.scheduler import LoadScopeScheduling


def sharing_of(file: str, root: Path) -> str:
    """What is run in one process with a file of tests: a folder, or the file alone.

    Args:
        file: From the project's root, with slashes.
        root: The project's root.
    """
    # The conftest.py of `tests` itself is shared by all.
    above = [folder for folder in PurePosixPath(file).parents if folder.parts[1:]]
    # The outermost: its fixtures are those of the folders inside it as well.
    for folder in reversed(above):
        if (root / folder / "conftest.py").is_file():
            return str(folder)
    return file


class SharedScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Hands a process the tests of all files that share fixtures."""

    def _split_scope(self, nodeid: str) -> str:
        """The folder or file of a test."""
        return sharing_of(nodeid.partition("::")[0], self.config.rootpath)
