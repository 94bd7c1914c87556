"""The parts of a study that determine a stage's output, each as a study of its own.

Stages that read the data need most of the study file. They get a study without the settings that do
not affect their output, so their cached results stay valid if those change. Nor does the order of
names in the file, except where a stage's document shows them in that order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from pipeline.study.load import parse_study
from pipeline.study.study import Study
from pipeline.study.untitled import untitled_features

_NOT_OF_EXAMPLES = (
    *("thresholds", "gate", "training", "card", "summary", "disclosure"),
    *("scoring", "monitoring", "validation", "registry", "retrain"),
    "unblinded_readers",
)
_NOT_OF_TASKS = ("decision_thresholds",)
_NOT_OF_ENDPOINTS = ("unit", "horizon")

_Place = tuple[str, ...]
_SHOWN_BY_SUMMARY: frozenset[_Place] = frozenset(
    {("summary", "exposure"), ("summary", "endpoints")}
)
_SHOWN_BY_CARD: frozenset[_Place] = _SHOWN_BY_SUMMARY | {
    *(("features",), ("tasks",), ("slicing", "by"), ("analysis", "time_to_event"))
}
"""Mappings by name whose order is the one in which people see the names."""


def _parse(content: object) -> Study:
    return content if isinstance(content, Study) else parse_study(content, "the study")


StudyContent = Annotated[
    Study, BeforeValidator(_parse), PlainSerializer(Study.to_content), WithJsonSchema({})
]
"""A study as a field of a stage's settings: in JSON what its study file holds, without defaults.

Its reader raises UserError, as `parse_study` does.
"""


def part_for_examples(study: Study) -> Study:
    """The study without settings that do not affect the examples, and without titles.

    Its names are in alphabetical order.
    """
    content = {k: v for k, v in study.to_content().items() if k not in _NOT_OF_EXAMPLES}
    slicings = content.pop("slicing", {}).get("by")
    endpoints = content.pop("analysis", {}).get("time_to_event")
    if study.database is not None:
        # How its user is known, and how long snapshots are kept, decides no example.
        content["database"] = {"address": study.database.address}
    content["title"] = ""
    content["features"] = untitled_features(content["features"])
    content["tasks"] = _untitled(content["tasks"], _NOT_OF_TASKS)
    if slicings:
        content["slicing"] = {"by": slicings}
    if endpoints:
        content["analysis"] = {"time_to_event": _untitled(endpoints, _NOT_OF_ENDPOINTS)}
    return parse_study(_sort_names(content), "the study's part for TrialExampleGen")


def part_for_scoring(study: Study) -> Study:
    """The study without settings that do not affect the examples of subjects who are scored.

    The tasks are among those that do: what a task predicts decides which rows on the landmark's
    day are features.
    """
    content = part_for_examples(study).to_content()
    if study.training.site_as_feature:
        content["training"] = {"site_as_feature": True}
    return parse_study(content, "the study's part for TrialExampleGen")


def part_for_summary(study: Study) -> Study:
    """The study without settings that do not affect the summary of the trial's progress.

    It includes the settings of the examples, since they decide which rows are rejected. Names are
    in alphabetical order, except those that the summary shows in the file's order.
    """
    summary = {k: v for k, v in study.to_content().items() if k in ("slicing", "summary")}
    content = part_for_examples(study).to_content() | _sort_names(summary, _SHOWN_BY_SUMMARY)
    return parse_study(content, "the study's part for TrialSummary")


def part_for_card(study: Study) -> Study:
    """The study without `disclosure`, on which the card, which is public, does not depend.

    Names are in alphabetical order, except those that people see in the file's order.
    """
    content = _sort_names(study.as_public().to_content(), _SHOWN_BY_CARD)
    return parse_study(content, "the study's part for ModelCard")


def _sort_names(
    content: Mapping[str, Any], kept: frozenset[_Place] = frozenset(), place: _Place = ()
) -> dict[str, Any]:
    """Content of a study file whose mappings have sorted keys, except those at some places."""
    # `each` is a list of values as well: the order of its features, with titles or without.
    names = content if place in kept or place[-1:] == ("each",) else sorted(content)
    return {
        name: _sort_names(part, kept, (*place, name))
        if isinstance(part := content[name], Mapping)
        else part
        for name in names
    }


def _untitled(
    named: dict[str, dict[str, object]], left_out: tuple[str, ...]
) -> dict[str, dict[str, object]]:
    return {
        name: {k: v for k, v in part.items() if k not in left_out} | {"title": ""}
        for name, part in named.items()
    }
