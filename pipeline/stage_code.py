"""The code that a stage runs, found by its imports: a part of its key in the cache.

An edited module runs exactly those stages again that import it, directly or through others, and a
new version or lock runs all of them again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.version import PROJECT, code_version, lock_digest

if TYPE_CHECKING:
    from tfx.dsl.components.base.base_node import BaseNode

CODE_DIGEST = "code_digest"
"""Parameter of every stage that holds the digest of its code."""

_PACKAGES = frozenset({"components", "grafana", "notebooks", "pipeline", "trainer"})
_FUNCTIONS = ("preprocessing_fn", "run_fn", "tuner_fn")
"""Parameters of TFX's components that name a function by its import path."""

# A syntax tree of all modules takes a second at each start of a run.
_FOR_ANNOTATIONS = re.compile(r"^if TYPE_CHECKING:\n(?:[ \t]+.*\n|[ \t]*\n)*", re.M)
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<module>[\w.]+)[ \t]+import[ \t]+(?P<names>\([^)]*\)|[^\n]*)"
    r"|import[ \t]+(?P<modules>[^\n]+))",
    re.M,
)
_NAMED_BY_A_TEXT = re.compile(
    rf"""["']((?:{"|".join(sorted(_PACKAGES))})\.[\w.]+)["']""",
)
_SCRIPT_BESIDE = re.compile(r"""with_name\(["'](\w+)\.py["']\)""")
_COMMENT = re.compile(r"#.*")
_ALIAS = re.compile(r"\s+as\s+\w+")


def entry_modules(node: BaseNode) -> tuple[str, ...]:
    """Modules of this project that a node's execution starts in.

    Args:
        node: A node of the graph.

    Returns:
        The executor's module, or those of the functions that are given to one of TFX's
        executors; empty for an executor that runs no code of this project.
    """
    named = [node.executor_spec.class_path]
    named += [node.exec_properties.get(name) or "" for name in _FUNCTIONS]
    modules = (path.rpartition(".")[0] for path in named)
    return tuple(module for module in modules if module.partition(".")[0] in _PACKAGES)


def code_digest(entries: Iterable[str], project: Path = PROJECT) -> str:
    """Digest of all code that is imported from some modules, of the version, and of the lock.

    Args:
        entries: Names of modules.
        project: Folder of the packages.

    Returns:
        16 hexadecimal digits; times of files do not count.
    """
    digest = hashlib.sha256(f"{code_version()}\0{lock_digest()}\0".encode())
    for path in sorted(_files(import_closure(entries, project), project)):
        name = path.relative_to(project).as_posix()
        digest.update(f"{name}\0{_file_digest(path)}\0".encode())
    return digest.hexdigest()[:16]


def import_closure(entries: Iterable[str], project: Path = PROJECT) -> frozenset[str]:
    """Modules of this project that some modules import, at any place and through any others.

    Args:
        entries: Names of modules, which are part of the closure.
        project: Folder of the packages.

    Raises:
        ModuleNotFoundError: There is no such module.
    """
    found: set[str] = set()
    waiting = [module for entry in entries for module in _with_packages(entry)]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            path = _path(module, project)
            if path is None:
                raise ModuleNotFoundError(f"There is no module {module} in {project}.")
            waiting += imported_modules(path, project)
    return frozenset(found)


@cache
def imported_modules(path: Path, project: Path = PROJECT) -> frozenset[str]:
    """Modules of this project that a module imports, with the packages that they lie in.

    Imports for annotations alone are left out. A text that is the name of a module or of something
    in it counts as an import: TFMA, for example, finds its metrics and extractors so. So does a
    script beside it that runs in a process of its own (`with_name("script.py")`).

    Args:
        path: The module's file.
        project: Folder of the packages.
    """
    text = _FOR_ANNOTATIONS.sub("", path.read_text(encoding="utf-8"))
    named = [name for match in _IMPORT.finditer(text) for name in _named(match)]
    named += _NAMED_BY_A_TEXT.findall(text)
    package = ".".join(path.parent.relative_to(project).parts)
    named += [f"{package}.{script}" for script in _SCRIPT_BESIDE.findall(text)]
    candidates = (module for name in named for module in _with_packages(name))
    return frozenset(module for module in candidates if _path(module, project))


def _named(match: re.Match[str]) -> Iterator[str]:
    """Dotted names of an import; of `from a import b` also `a.b`, which may be a module."""
    module = match["module"]
    names = _COMMENT.sub("", match["names"] if module else match["modules"]).strip("() \t\n")
    for name in _ALIAS.sub("", names).split(","):
        yield ".".join(filter(None, (module, name.strip())))


def _with_packages(name: str) -> Iterator[str]:
    """A module and the packages that it lies in, if it is one of this project's."""
    parts = name.split(".")
    if parts[0] in _PACKAGES:
        yield from (".".join(parts[: place + 1]) for place in range(len(parts)))


@cache
def _path(module: str, project: Path) -> Path | None:
    """File of a module; None for a name that is none."""
    place = project.joinpath(*module.split("."))
    for path in (place / "__init__.py", place.with_suffix(".py")):
        if path.is_file():
            return path
    return None


def _files(modules: Iterable[str], project: Path) -> Iterator[Path]:
    """Files of modules, and what else lies in their folders, such as templates."""
    paths = [path for path in (_path(module, project) for module in modules) if path]
    yield from paths
    for folder in {path.parent for path in paths}:
        yield from _resources(folder)


@cache
def _resources(folder: Path) -> tuple[Path, ...]:
    """Files in a package's folder that are no modules, and those in folders that are none."""
    found: list[Path] = []
    for path in folder.iterdir():
        if path.is_dir():
            if path.name != "__pycache__" and not (path / "__init__.py").exists():
                found += _resources(path)
        elif path.suffix != ".py":
            found.append(path)
    return tuple(found)


@cache
def _file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
