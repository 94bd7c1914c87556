"""Executes a notebook on a run and writes the result beside the run's records."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL
from tempfile import TemporaryDirectory

from notebooks.opened_run import RUN_VARIABLE
from pipeline.errors import UserError

OUTPUTS = "notebooks"
"""Folder of the executed notebooks, inside the run's folder of records."""

_QUIET = {"PYTHONWARNINGS": "ignore::FutureWarning", "TF_CPP_MIN_LOG_LEVEL": "3"}
"""Hides warnings of libraries, which a reader of the outputs can't act on."""

_FOLDER = Path(__file__).parent
_MOST_SECONDS = 600
"""Seconds after which a cell is considered to hang."""


def notebook_names() -> list[str]:
    """Names of the notebooks, without the file extension."""
    return sorted(path.stem for path in _FOLDER.glob("*.ipynb"))


def execute(name: str, run_folder: Path) -> Path:
    """Executes a notebook and writes it with its outputs, and as HTML.

    Args:
        name: The notebook.
        run_folder: The run's folder of records.

    Returns:
        The HTML file; the executed notebook is beside it.

    Raises:
        UserError: The run did not write what the notebook shows.
    """
    # Imported on use: a mistyped argument is reported at once.
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from traitlets.config import Config

    from notebooks.export import to_html

    notebook = nbformat.read(_FOLDER / f"{name}.ipynb", as_version=nbformat.NO_CONVERT)
    with TemporaryDirectory() as sockets:
        client = NotebookClient(
            notebook,
            # Sockets in a folder of its own: no port is opened that others could reach.
            config=Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}}),
            timeout=_MOST_SECONDS,
            resources={"metadata": {"path": str(_FOLDER.parent)}},
        )
        try:
            with _variables({RUN_VARIABLE: str(run_folder.resolve()), **_QUIET}):
                # Output of C++ libraries on standard error is no output of a cell.
                client.execute(stderr=DEVNULL)
        except CellExecutionError as error:
            if error.ename == UserError.__name__:
                raise UserError(error.evalue) from error
            raise
    written = run_folder / OUTPUTS
    written.mkdir(exist_ok=True)
    nbformat.write(notebook, written / f"{name}.ipynb")
    page = written / f"{name}.html"
    page.write_text(to_html(notebook, name), encoding="utf-8")
    return page


@contextmanager
def _variables(values: Mapping[str, str]) -> Iterator[None]:
    """Sets environment variables, which the notebook's kernel inherits."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
