"""The code of each stage, a part of its key in the cache: what is edited runs again, no more."""

from __future__ import annotations

import ast
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline import stage_code
from pipeline.stage_code import code_digest, import_closure, imported_modules
from pipeline.version import PROJECT
from tests.each import each

PACKAGES = ("components", "grafana", "notebooks", "pipeline", "trainer")
EXECUTORS = sorted(
    ".".join(path.relative_to(PROJECT).with_suffix("").parts)
    for path in (PROJECT / "components").glob("*/executor.py")
)
FUNCTIONS = ("trainer.preprocessing", "trainer.run", "trainer.tuning")


def executors(*names: str) -> set[str]:
    """Modules of the executors of some components."""
    return {f"components.{name}.executor" for name in names}


def modules() -> dict[str, Path]:
    """File of every module of the project."""
    found = {}
    for package in PACKAGES:
        for path in (PROJECT / package).rglob("*.py"):
            parts = path.relative_to(PROJECT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """Statements at any depth, but for those below `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.stmt):
            yield node
        yield from statements(node)


def imported_by_its_tree(path: Path, known: set[str]) -> set[str]:
    """Modules of the project that a file imports or names by a text, by its syntax tree."""
    named: set[str] = set()
    for node in statements(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        scripts = (
            str(call.args[0].value)
            for call in ast.walk(node)
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(".with_name")
            if isinstance(call.args[0], ast.Constant)
        )
        package = ".".join(path.parent.relative_to(PROJECT).parts)
        named |= {f"{package}.{name[:-3]}" for name in scripts if name.endswith(".py")}
        texts = (found.value for found in ast.walk(node) if isinstance(found, ast.Constant))
        named |= {text for text in texts if isinstance(text, str) and "." in text}
    parts = [name.split(".") for name in named if " " not in name]
    return known & {".".join(p[:place]) for p in parts for place in range(1, len(p) + 1)}


def test_the_imports_of_every_module_are_those_of_its_syntax_tree() -> None:
    found = modules()
    for name, path in each(found.items()):
        by_tree = imported_by_its_tree(path, set(found))
        assert imported_modules(path) - set(PACKAGES) == by_tree - set(PACKAGES), name


def test_what_tfma_finds_by_its_name_is_part_of_the_evaluators_code() -> None:
    closure = import_closure(["components.evaluator.executor"])
    assert {f"components.evaluator.{name}" for name in ("metrics", "extractors")} <= closure


def test_no_stage_imports_by_a_computed_name() -> None:
    known = modules()
    importing = {
        module
        for module in import_closure([*EXECUTORS, *FUNCTIONS])
        if any(word in known[module].read_text() for word in ("import_module(", "__import__("))
    }
    # It imports a package of others.
    assert importing == {"pipeline.tfx_release"}


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """Writes a small project, each time into a folder of its own, with some files changed."""
    number = iter(range(100))

    def make(**changed: str) -> Path:
        files = {
            "trainer/__init__.py": "",
            "trainer/run.py": (
                "from typing import TYPE_CHECKING\n"
                "import pipeline.direct as other\n"
                "from pipeline.shown import (\n    page,  # with its templates\n)\n"
                "if TYPE_CHECKING:\n    from pipeline.types_only import A\n\n"
                "def run():\n    from pipeline import late\n"
            ),
            "pipeline/__init__.py": "",
            "pipeline/direct.py": "from pipeline.behind import name\n",
            "pipeline/behind.py": "name = 1\n",
            "pipeline/late.py": "",
            "pipeline/types_only.py": "class A: ...\n",
            "pipeline/unrelated.py": "",
            "pipeline/shown/__init__.py": "",
            "pipeline/shown/page.py": "",
            "pipeline/shown/templates/page.html": "<p>",
            "pipeline/apart/__init__.py": "",
            "pipeline/apart/template.html": "<p>",
            **changed,
        }
        folder = tmp_path / str(next(number))
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        return folder

    return make


@pytest.mark.parametrize(
    "file",
    [
        "trainer/__init__.py",
        "pipeline/__init__.py",
        "pipeline/direct.py",
        "pipeline/behind.py",
        "pipeline/late.py",
        "pipeline/shown/page.py",
        "pipeline/shown/templates/page.html",
    ],
)
def test_another_byte_of_what_is_imported_is_another_digest(
    project: Callable[..., Path], file: str
) -> None:
    before = project()
    after = project(**{file: (before / file).read_text() + "# \n"})
    assert code_digest(["trainer.run"], before) != code_digest(["trainer.run"], after)


@pytest.mark.parametrize(
    "file",
    [
        "pipeline/types_only.py",
        "pipeline/unrelated.py",
        "pipeline/apart/template.html",
        "pipeline/new.py",
        "trainer/__pycache__/run.cpython-311.pyc",
    ],
)
def test_a_change_of_what_is_not_imported_changes_nothing(
    project: Callable[..., Path], file: str
) -> None:
    changed = project(**{file: "# another\n"})
    assert code_digest(["trainer.run"], project()) == code_digest(["trainer.run"], changed)


def test_the_time_of_a_file_changes_nothing(project: Callable[..., Path]) -> None:
    before, after = project(), project()
    os.utime(after / "trainer" / "run.py", (1, 1))
    assert code_digest(["trainer.run"], before) == code_digest(["trainer.run"], after)


def test_a_module_that_moved_is_another_digest(project: Callable[..., Path]) -> None:
    before = project()
    after = project(**{"pipeline/late/__init__.py": ""})
    (after / "pipeline" / "late.py").unlink()
    assert code_digest(["trainer.run"], before) != code_digest(["trainer.run"], after)


@pytest.mark.parametrize("entries", [[], ["trainer.run"]])
@pytest.mark.parametrize("name", ["code_version", "lock_digest"])
def test_another_version_or_lock_is_another_digest_of_every_stage(
    monkeypatch: pytest.MonkeyPatch, name: str, entries: list[str]
) -> None:
    before = code_digest(entries)
    monkeypatch.setattr(stage_code, name, lambda: "another")
    assert code_digest(entries) != before


def test_a_module_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"no module trainer\.missing"):
        import_closure(["trainer.missing"])


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Copies the project's packages, with a line more in one of the files."""

    def make(edited: str) -> Path:
        folder = tmp_path_factory.mktemp("project")
        for package in PACKAGES:
            shutil.copytree(
                PROJECT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
            )
        with (folder / edited).open("a") as file:
            file.write("\n")
        return folder

    return make


@pytest.mark.parametrize(
    ("edited", "stages"),
    [
        ("components/evaluator/intervals.py", executors("evaluator")),
        ("components/evaluator/metrics.py", executors("evaluator")),
        ("trainer/tuning.py", {"trainer.tuning"}),
        (
            "trainer/fit.py",
            {"trainer.run", "trainer.tuning", *executors("cross_fit", "reference_models")},
        ),
        (
            "pipeline/results/suppress.py",
            executors("data_gate", "evaluator", "monitor", "trial_analysis", "trial_summary"),
        ),
        *(
            (
                f"pipeline/reading/formats/{child}.py",
                executors("data_gate", "metrics_exporter", "trial_example_gen", "trial_summary"),
            )
            for child in ("readstat_child", "parquet_child")
        ),
        (
            "pipeline/reading/plan.py",
            executors("data_gate", "trial_example_gen", "trial_summary"),
        ),
        (
            "pipeline/html/templates/page.css",
            # Every reader of a module beside the templates.
            executors(
                *("batch_scoring", "external_validation", "model_card", "monitor"),
                *("outcome_log", "run_page", "trial_analysis"),
            ),
        ),
        ("grafana/boards/generate.py", set()),
        ("pipeline/runners/local/run.py", set()),
        ("pipeline/service/app.py", set()),
    ],
)
def test_an_edit_runs_those_stages_again_that_import_it(
    copy: Callable[[str], Path], edited: str, stages: set[str]
) -> None:
    folder = copy(edited)
    changed = {
        entry
        for entry in (*EXECUTORS, *FUNCTIONS)
        if code_digest([entry]) != code_digest([entry], folder)
    }
    assert changed == stages
