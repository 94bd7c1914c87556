"""What the notebooks made of a run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from tests.whole_runs import REPOSITORY, Run, environment


@dataclass(frozen=True)
class Executed:
    """A notebook that was executed by the command that a person types.

    Attributes:
        notebook: With its outputs.
        page: The HTML file.
    """

    notebook: nbformat.NotebookNode
    page: Path

    @property
    def text(self) -> str:
        """Everything that was written: notebook and page."""
        return self.page.with_suffix(".ipynb").read_text() + self.page.read_text()


@pytest.fixture(scope="session")
def executed(finished_run: Run) -> Callable[[str], Executed]:
    """Executes a notebook on the run, once for all tests."""
    found: dict[str, Executed] = {}

    def execute(name: str) -> Executed:
        if name not in found:
            ended = subprocess.run(
                [
                    *(sys.executable, "-m", "notebooks", "--root", str(finished_run.root)),
                    *("--only", name),
                ],
                cwd=REPOSITORY,
                env=environment(),
                capture_output=True,
                text=True,
                check=False,
                timeout=600,
            )
            assert ended.returncode == 0, ended.stderr
            page = Path(ended.stdout.strip())
            notebook = nbformat.read(page.with_suffix(".ipynb"), as_version=4)
            found[name] = Executed(notebook, page)
        return found[name]

    return execute
