"""Documents for people: their groups have the titles of slicings in place of names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from pipeline.results.analysis import Subgroups
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.results.fairness import Gap
from pipeline.results.of_group import OfGroup, group_text
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
    if isinstance(value, Mapping):
        return {name: _titled(item, titles) for name, item in value.items()}
    if not isinstance(value, BaseModel):
        return value
    changed = {
        name: _titled(found, titles)
        for name, found in vars(value).items()
        if isinstance(found, tuple | Mapping | BaseModel)
    }
    if isinstance(value, OfGroup):
        changed["slice"] = _titled_slice(value.slice, titles)
    elif isinstance(value, Subgroups):
        changed["slicing"] = titled(value.slicing, titles)
    elif isinstance(value, EvaluationPlan):
        changed["by"] = titled(value.by, titles) if value.by else value.by
    elif isinstance(value, Gap):
        lowest, highest = (
            _titled_slice(found, titles) for found in (value.lowest_slice, value.highest_slice)
        )
        changed |= {
            "slicing": tuple(titled(name, titles) for name in value.slicing),
            "lowest_slice": lowest,
            "highest_slice": highest,
            # A document of an earlier version has the words alone.
            "lowest": group_text(lowest) if lowest else value.lowest,
            "highest": group_text(highest) if highest else value.highest,
        }
    return value.model_copy(update=changed)


def _titled_slice(found: Mapping[str, str], titles: Mapping[str, str]) -> dict[str, str]:
    return {titled(name, titles): value for name, value in found.items()}
