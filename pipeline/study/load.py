"""Loads study files; reports every problem with file, line and key."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from pipeline.documents import yaml_fault
from pipeline.errors import UserError
from pipeline.study.blinded import blinded
from pipeline.study.conditions import NO_VALUE
from pipeline.study.error_words import words_of
from pipeline.study.renamed import old_name, rename_old
from pipeline.study.study import Study
from pipeline.study.yaml_values import hint_for_text, misread_values
from pipeline.yaml_text import parse_yaml

logger = logging.getLogger(__name__)
TODO = "TODO"
"""Placeholder in a draft for values that the user must fill in."""

_AUTO_BY_DEFAULT = (
    "`evaluation` is not given, so the data decide now how a model that is trained is evaluated "
    "(`scheme: auto`): a trial with too few events for a test split is cross-fitted. `evaluation: "
    "{scheme: split}` is what earlier releases did."
)
_Path = tuple[int | str, ...]
_NO_TEXT = frozenset({"string_type", NO_VALUE})
"""Types of errors that a value without quotes may be the reason of."""


def load_study(path: Path, unblinded: bool = False) -> Study:
    """Reads and validates a study file.

    Args:
        path: A YAML file.
        unblinded: Whether the arm of a trial that is ongoing may be seen.

    Returns:
        The study; while its trial is ongoing without its arm (`pipeline.study.blinded`).

    Raises:
        UserError: The file can't be read, is not YAML, or breaks a rule; the message names
            the file, the line, the key and what was expected.

    Examples:
        >>> from pipeline.study.shipped import find_study_file
        >>> study = load_study(find_study_file("synthetic"))
        >>> study.landmark.day, sorted(study.slicing.by)
        (28, ['age_band', 'arm', 'sex'])
    """
    try:
        root, content = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: the study file can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: the study file is not UTF-8 text.") from error
    except yaml.YAMLError as error:
        raise UserError(
            f"{path}: not valid YAML: {yaml_fault(error)}. Expected the study file."
        ) from error
    repeated = [
        f"{path}, line {line + 1}: {key}: this key stands here twice; YAML keeps the last."
        for line, key in _repeated_keys(root)
    ]
    misread = [f"{path}, line {line + 1}: {problem}" for line, problem in misread_values(root)]
    if repeated or misread:
        raise UserError("\n".join([*repeated, *misread]))
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected keys such as `study:` and `datasets:`.")
    study = parse_study(content, str(path), root)
    if "evaluation" not in content:
        _log_once(f"{path}: {_AUTO_BY_DEFAULT}")
    return study if unblinded else blinded(study, str(path))


def parse_study(content: object, source: str, root: yaml.Node | None = None) -> Study:
    """Validates the content of a study file.

    Keys of an older release are renamed; if the YAML nodes are given, each is logged once.

    Args:
        content: Content of the YAML or JSON file, or of `Study.to_content`.
        source: Its origin, for messages.
        root: YAML nodes, for line numbers in messages.

    Returns:
        The study.

    Raises:
        UserError: A rule is broken; each problem is one line of the message.
    """
    present, renamed, doubled = rename_old(content)
    if doubled:
        raise UserError(
            "\n".join(
                f"{source}{_line_of(root, item.path)}: {item.renamed}: give the new name alone."
                for item in doubled
            )
        )
    if root is not None:
        for what in dict.fromkeys(item.renamed for item in renamed):
            first = next(item.path for item in renamed if item.renamed == what)
            _log_once(f"{source}{_line_of(root, first)}: {what}. The old name still works.")
    undecided = list(_undecided(present))
    try:
        study = Study.model_validate(present)
    except ValidationError as error:
        problems = [
            (location, reason + _hint(root, item))
            for item in _without_branches(error.errors(), present)
            for location, reason in _located_reasons(item)
            if not any(location[: len(path)] == path for path in undecided)
        ]
    else:
        problems = []
    problems += [(path, f"{TODO} is still to be decided.") for path in undecided]
    if problems:
        lines = [
            f"{source}{_line_of(root, location)}: {_key_path(location)}{reason}"
            for location, reason in problems
        ]
        raise UserError("\n".join(dict.fromkeys(lines)))
    return study


def _hint(root: yaml.Node | None, item: Any) -> str:
    """What to do where YAML may have read a value as something else than text."""
    node = _located(root, item["loc"])
    return hint_for_text(node[1]) if node and item["type"] in _NO_TEXT else ""


def _undecided(content: object, path: _Path = ()) -> Iterator[_Path]:
    """Key paths of the placeholders in a draft."""
    if content == TODO:
        yield path
    elif isinstance(content, dict):
        for key, value in content.items():
            yield from _undecided(key, (*path, str(key)))
            yield from _undecided(value, (*path, str(key)))
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from _undecided(value, (*path, number))


@cache
def _log_once(message: str) -> None:
    logger.warning("%s", message)


def _repeated_keys(node: yaml.Node | None) -> Iterator[tuple[int, str]]:
    """Line (from 0) and name of each repeated key."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.start_mark.line, key.value
            seen.add(str(key.value))
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)


def _without_branches(errors: Sequence[Any], content: object) -> Iterator[dict[str, Any]]:
    """Errors with the keys of the study file as their places.

    Where a value may be of one of several types, pydantic reports an error for each type and adds
    the type's name to the place.
    """
    for item in errors:
        location = tuple(_keys(item, content))
        is_one_of_several = len(location) < len(item["loc"])
        if not (is_one_of_several and item["type"] == "literal_error" and item["input"]):
            yield {**item, "loc": location}


def _keys(item: Any, content: Any) -> Iterator[int | str]:
    *_, last = item["loc"] or (None,)
    for part in item["loc"]:
        if _has(content, part):
            content = content[part]
        elif part != "[key]" and not (part is last and item["type"] == "missing"):
            continue
        yield part


def _has(content: Any, part: int | str) -> bool:
    if isinstance(content, list):
        return isinstance(part, int) and part < len(content)
    return isinstance(content, Mapping) and part in content


def _located_reasons(item: Any) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Key path and reason of each problem that pydantic reports as one error."""
    if reason := words_of(item):
        yield item["loc"], f"{reason}."
    elif item["loc"]:
        for reason in str(item["msg"]).removeprefix("Value error, ").splitlines():
            yield item["loc"], reason
    else:
        for problem in str(item["msg"]).removeprefix("Value error, ").splitlines():
            key, _, reason = problem.partition(": ")
            yield (tuple(key.split(".")), reason) if reason else ((), problem)


def _key_path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) + ": " if location else ""


def _line_of(root: yaml.Node | None, location: _Path) -> str:
    while location and (found := _located(root, location)) is None:
        location = location[:-1]
    return f", line {found[0] + 1}" if location and found else ""


def _located(root: yaml.Node | None, location: _Path) -> tuple[int, yaml.Node] | None:
    """Line (from 0) and node of a key path; None where the file does not have it."""
    found = None
    node = root
    for i, part in enumerate(location):
        old = old_name(location[:i], part)
        found = _child(node, part) or (_child(node, old) if old else None)
        if found is None:
            return None
        node = found[1]
    return found


def _child(node: yaml.Node | None, part: int | str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line, node.value[part]
    return None
