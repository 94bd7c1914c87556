"""The order of layers is enforced: upward imports, circles and imports of other components fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pipeline.version import PROJECT

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


def test_the_project_keeps_its_layers(tree: Path) -> None:
    found = lint(tree)
    assert found.returncode == 0, found.stdout
    assert "3 kept, 0 broken" in found.stdout


@pytest.mark.parametrize(
    ("file", "planted", "contract"),
    [
        ("pipeline/study/load.py", "import pipeline.results.documents", "from those below it"),
        ("pipeline/errors.py", "import pipeline.names", "from those below it"),
        ("components/data_gate/auc.py", "import components.evaluator.judge", "no other component"),
        ("pipeline/study/references.py", "import pipeline.study.rules", "No circle"),
    ],
)
def test_a_planted_import_breaks_its_contract(
    tree: Path, file: str, planted: str, contract: str
) -> None:
    path = tree / file
    original = path.read_text()
    path.write_text(f"{original}\n{planted}\n")
    try:
        found = lint(tree)
    finally:
        path.write_text(original)
    assert found.returncode == 1
    broken = [line for line in found.stdout.splitlines() if "BROKEN" in line]
    assert any(contract in line for line in broken), found.stdout


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
