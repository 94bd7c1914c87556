"""Documents for people: their groups have the titles of slicings in place of names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from pipeline.results.documents import Group, OfGroup
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.results.fairness import Gap
from pipeline.titles import titled

_Content = TypeVar("_Content", bound=BaseModel)


def with_titles(document: _Content, titles: Mapping[str, str]) -> _Content:
    """A document as pages and notebooks show it.

    Args:
        document: A document whose groups are named as the study file names slicings.
        titles: Titles of the slicings that have one, by name.

    Examples:
        >>> from pipeline.results.documents import SuppressedGroup
        >>> found = SuppressedGroup(task="death", slice={"sex": "F"}, reason="too_small")
        >>> with_titles(found, {"sex": "Sex"}).slice
        {'Sex': 'F'}
    """
    titled: _Content = _titled(document, titles) if titles else document
    return titled


def _titled(value: Any, titles: Mapping[str, str]) -> Any:
    if isinstance(value, tuple):
        return tuple(_titled(item, titles) for item in value)
    if not isinstance(value, BaseModel):
        return value
    changed = {
        name: _titled(found, titles)
        for name, found in vars(value).items()
        if isinstance(found, tuple | BaseModel)
    }
    if isinstance(value, OfGroup):
        changed["slice"] = {titled(name, titles): level for name, level in value.slice.items()}
        if "message" in vars(value) and value.slice:
            changed["message"] = vars(value)["message"].replace(
                _in_messages(value.group), _in_messages(tuple(changed["slice"].items())), 1
            )
    elif isinstance(value, EvaluationPlan):
        changed["by"] = titled(value.by, titles) if value.by else value.by
    elif isinstance(value, Gap):
        changed["slicing"] = tuple(titled(name, titles) for name in value.slicing)
        changed |= {
            "lowest": _group_text(value.lowest, value.slicing, titles),
            "highest": _group_text(value.highest, value.slicing, titles),
        }
    return value.model_copy(update=changed)


def _group_text(text: str, slicing: Sequence[str], titles: Mapping[str, str]) -> str:
    """A group such as `sex F, age 65+`, with titles."""
    left = ""
    for name in slicing:
        before, found, text = text.partition(f"{name} ")
        left += before + (f"{titled(name, titles)} " if found else "")
    return left + text


def _in_messages(group: Group) -> str:
    """A group as the Evaluator's messages have it."""
    return ", ".join(f"{slicing}={value}" for slicing, value in group)
