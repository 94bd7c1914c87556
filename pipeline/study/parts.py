"""The parts of a study that determine a stage's output, each as a study of its own.

Stages that read the data need most of the study file. They get a study without the settings that do
not affect their output, so their cached results stay valid if those change.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from pipeline.study.load import parse_study
from pipeline.study.study import Study

_NOT_OF_EXAMPLES = ("thresholds", "gate", "training", "card", "summary", "disclosure")
_NOT_OF_TASKS = ("decision_thresholds",)
_NOT_OF_ENDPOINTS = ("unit", "horizon")


def _parse(content: object) -> Study:
    return content if isinstance(content, Study) else parse_study(content, "the study")


StudyContent = Annotated[
    Study, BeforeValidator(_parse), PlainSerializer(Study.to_content), WithJsonSchema({})
]
"""A study as a field of a stage's settings: in JSON what its study file holds, without defaults.

Its reader raises UserError, as `parse_study` does.
"""


def part_for_examples(study: Study) -> Study:
    """The study without settings that do not affect the examples, and without titles."""
    content = {k: v for k, v in study.to_content().items() if k not in _NOT_OF_EXAMPLES}
    slicings = content.pop("slicing", {}).get("by")
    endpoints = content.pop("analysis", {}).get("time_to_event")
    content["title"] = ""
    content["tasks"] = _untitled(content["tasks"], _NOT_OF_TASKS)
    if slicings:
        content["slicing"] = {"by": slicings}
    if endpoints:
        content["analysis"] = {"time_to_event": _untitled(endpoints, _NOT_OF_ENDPOINTS)}
    return parse_study(content, "the study's part for TrialExampleGen")


def part_for_summary(study: Study) -> Study:
    """The study without settings that do not affect the summary of the trial's progress.

    It includes the settings of the examples, since they decide which rows are rejected.
    """
    summary = {k: v for k, v in study.to_content().items() if k in ("slicing", "summary")}
    content = part_for_examples(study).to_content() | summary
    return parse_study(content, "the study's part for TrialSummary")


def _untitled(
    named: dict[str, dict[str, object]], left_out: tuple[str, ...]
) -> dict[str, dict[str, object]]:
    return {
        name: {k: v for k, v in part.items() if k not in left_out} | {"title": ""}
        for name, part in named.items()
    }
