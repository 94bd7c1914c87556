"""Renames keys of older study files.

Study files of older releases can be loaded: before validation their keys are renamed by the table
below. The same holds for study files in run records and compiled packages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.metrics import FORMER_NAMES

Path = tuple[int | str, ...]
"""Keys and positions from the top of a study file to a part of it."""

_ANY = "*"
"""Wildcard for any key or position in a path of the table."""


@dataclass(frozen=True)
class RenamedKey:
    """A renamed key.

    Attributes:
        parent: Path of the mapping that holds the key, in present names; `*` is a wildcard.
        old: The former name.
        new: The present name.
    """

    parent: tuple[str, ...]
    old: str
    new: str

    def __str__(self) -> str:
        old = [old_name(self.parent[:i], key) or key for i, key in enumerate(self.parent)]
        return f"{_written((*old, self.old))} is called {_written((*self.parent, self.new))} now"


RENAMED_KEYS: tuple[RenamedKey, ...] = (
    RenamedKey((), "slices", "slicing"),
    RenamedKey(("slicing",), "groups", "by"),
    RenamedKey(("thresholds", _ANY), "where", "scope"),
)
"""All renamed keys; keys inside a renamed part come after it."""


@dataclass(frozen=True)
class RenamedValue:
    """A renamed value; `path` is its path, as in `RenamedKey`."""

    path: tuple[str, ...]
    old: str
    new: str

    def __str__(self) -> str:
        return f"`{self.path[-1]}: {self.old}` is called `{self.path[-1]}: {self.new}` now"


RENAMED_VALUES: tuple[RenamedValue, ...] = tuple(
    RenamedValue(("thresholds", _ANY, "metric"), old, new) for old, new in FORMER_NAMES.items()
)
"""All renamed values, by paths of present names."""


@dataclass(frozen=True)
class Renaming:
    """A former name in a study file: its path in present names, and the renaming."""

    path: Path
    renamed: RenamedKey | RenamedValue


def rename_old(content: Any) -> tuple[Any, list[Renaming], list[Renaming]]:
    """Renames the keys of a study file's content.

    Args:
        content: Content of the YAML or JSON file; not modified.

    Returns:
        The renamed content, the former names that it had, and those that are given together with
        the present name, which the caller reports as errors.
    """
    found: list[Renaming] = []
    doubled: list[Renaming] = []
    for key in RENAMED_KEYS:
        for path, parent in _parts(content, key.parent):
            if not isinstance(parent, Mapping) or key.old not in parent:
                continue
            renaming = Renaming((*path, key.new), key)
            if key.new in parent:
                doubled.append(renaming)
                continue
            found.append(renaming)
            renamed = {key.new if k == key.old else k: v for k, v in parent.items()}
            content = _replaced(content, path, renamed)
    for value in RENAMED_VALUES:
        for path, held in _parts(content, value.path):
            if held == value.old:
                found.append(Renaming(path, value))
                content = _replaced(content, path, value.new)
    return content, found, doubled


def rename_threshold(content: object) -> object:
    """Renames the keys of a threshold in a document of an older release."""
    renamed, _, _ = rename_old({"thresholds": [content]})
    return renamed["thresholds"][0]


def old_name(parent: Path, key: int | str) -> str | None:
    """The former name of a key; `parent` is the path of its mapping, in present names."""
    for renamed in RENAMED_KEYS:
        if renamed.new == key and _matches(parent, renamed.parent):
            return renamed.old
    return None


def _written(path: Sequence[str]) -> str:
    return f"`{'.'.join(part for part in path if part != _ANY)}`"


def _matches(path: Path, pattern: tuple[str, ...]) -> bool:
    return len(path) == len(pattern) and all(
        expected in (_ANY, part) for part, expected in zip(path, pattern, strict=True)
    )


def _parts(content: Any, pattern: Sequence[str], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Path and content of every part that matches a pattern."""
    if not pattern:
        yield path, content
        return
    first, *rest = pattern
    items: list[tuple[int | str, Any]] = []
    if isinstance(content, Mapping):
        items = [(k, v) for k, v in content.items() if first in (_ANY, k)]
    elif isinstance(content, list | tuple) and first == _ANY:
        items = list(enumerate(content))
    for key, value in items:
        yield from _parts(value, rest, (*path, key))


def _replaced(content: Any, path: Path, part: Any) -> Any:
    """A copy of the content with the part at a path replaced."""
    if not path:
        return part
    key, *rest = path
    replaced = _replaced(content[key], tuple(rest), part)
    if isinstance(content, Mapping):
        return {k: replaced if k == key else v for k, v in content.items()}
    return [replaced if i == key else v for i, v in enumerate(content)]
