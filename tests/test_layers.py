"""The order of layers is enforced: upward imports, circles and imports of other components fail."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pipeline.version import PROJECT
from tests.each import each

PACKAGES = ("pipeline", "components", "trainer", "grafana", "notebooks", "benchmarks")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source files alone, to plant imports in."""
    folder = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        for file in (PROJECT / package).rglob("*.py"):
            copy = folder / file.relative_to(PROJECT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    shutil.copyfile(PROJECT / "pyproject.toml", folder / "pyproject.toml")
    return folder


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )


PLANTED = {
    "pipeline/study/load.py": "pipeline.results.documents",
    "pipeline/errors.py": "pipeline.names",
    "components/data_gate/auc.py": "components.evaluator.judge",
    "pipeline/study/references.py": "pipeline.study.rules",
}
"""Files, and what each of them then imports."""

CONTRACTS = {
    "A module imports from its own layer or from those below it": (
        "pipeline.study.load -> pipeline.results.documents",
        "pipeline.errors -> pipeline.names",
    ),
    "A component imports no other component": (
        "components.data_gate.auc -> components.evaluator.judge",
    ),
    "No circle of rooms, nor of modules in a room": ("No cycles are allowed in pipeline.study.",),
}
"""What each contract then says."""


def test_each_planted_import_breaks_its_contract(tree: Path) -> None:
    # Without them no contract is broken: `make lint` holds that.
    for file, imported in PLANTED.items():
        with (tree / file).open("a", encoding="utf-8") as source:
            source.write(f"\nimport {imported}\n")

    found = lint(tree)

    assert found.returncode == 1
    assert "0 kept, 3 broken" in found.stdout
    reports = re.split(r"\n(.+)\n-+\n", found.stdout)
    told = dict(zip(reports[1::2], reports[2::2], strict=True))
    for contract, said in CONTRACTS.items():
        for sentence in each(said):
            assert sentence in told[contract], (contract, told)


def test_every_room_of_the_pipeline_has_a_layer() -> None:
    content = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    order = content["tool"]["importlinter"]["contracts"][0]["layers"]
    named = {name.strip() for line in order for name in line.split("|")}
    rooms = {
        f"pipeline.{path.stem}"
        for path in (PROJECT / "pipeline").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms - {"pipeline.__init__", "pipeline.runners"} <= named


def test_lint_runs_the_contracts() -> None:
    assert "lint-imports" in (PROJECT / "Makefile").read_text()
