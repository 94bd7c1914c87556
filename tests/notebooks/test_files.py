"""The notebooks as they are checked in."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.each import each

FILES = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> Any:
    return nbformat.read(request.param, as_version=nbformat.NO_CONVERT)


def test_it_is_a_valid_notebook(notebook: Any) -> None:
    nbformat.validate(notebook)


def test_it_has_no_outputs(notebook: Any) -> None:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]

    assert all(cell.outputs == [] and cell.execution_count is None for cell in each(code))


def test_its_cells_have_names_that_do_not_change_with_every_save(notebook: Any) -> None:
    """Names made by people: Jupyter's own are eight hexadecimal digits or longer random ones."""
    names = [cell.id for cell in notebook.cells]

    assert all(name.replace("-", "").isalpha() and name.islower() for name in names), names
    assert len(set(names)) == len(names)


def test_its_cells_hold_no_logic(notebook: Any) -> None:
    """Calls alone: what computes lies in modules, where it is tested."""
    logic = (ast.For, ast.While, ast.If, ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp)
    for cell in each(notebook.cells):
        if cell.cell_type == "code":
            found = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, logic)]
            assert found == [], cell.id
