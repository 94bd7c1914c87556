"""What DataGate is told of the study: its one parameter."""

from __future__ import annotations

from typing import Literal

from pipeline.documents import parse_document
from pipeline.names import ARM, SITE
from pipeline.study.conditions import StrictModel
from pipeline.study.sections import Gate
from pipeline.study.study import Study


class GateConfig(StrictModel):
    """The parts of a study that the gate judges by.

    Attributes:
        study: Name of the study.
        gate: Severities and limits.
        tasks: Names of the tasks.
        features: Columns of the examples that a model may use, with their kind.
    """

    study: str
    gate: Gate
    tasks: tuple[str, ...]
    features: dict[str, Literal["number", "category"]]


def gate_section(study: Study) -> str:
    """The gate's parameter, as JSON that changes only with what the gate judges by.

    The arm is judged like a feature, and so is the site where the model may use it.
    """
    features: dict[str, Literal["number", "category"]] = {
        feature.name: feature.kind for feature in study.resolved_features
    }
    if study.arm:
        features[ARM] = "category"
    if study.training.site_as_feature:
        features[SITE] = "category"
    config = GateConfig(
        study=study.study, gate=study.gate, tasks=tuple(study.tasks), features=features
    )
    return config.model_dump_json()


def parse_gate_section(text: str) -> GateConfig:
    """Reads what `gate_section` wrote.

    Raises:
        UserError: It is something else.
    """
    return parse_document(
        GateConfig,
        text,
        "Parameter `gate` of DataGate",
        "what components.data_gate.config.gate_section makes",
        "Make it with that.",
    )
