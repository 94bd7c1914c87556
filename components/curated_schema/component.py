"""The CuratedSchema component."""

from __future__ import annotations

from typing import ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.curated_schema.executor import Executor


class CuratedSchemaSpec(ComponentSpec):
    """Parameter and output of CuratedSchema."""

    INPUTS: ClassVar[dict[str, ChannelParameter]] = {}
    OUTPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "schema": ChannelParameter(type=standard_artifacts.Schema),
    }
    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        "content": ExecutionParameter(type=str),
    }


class CuratedSchema(base_component.BaseComponent):
    """Loads a study's curated schema into a run.

    It replaces TFX's Importer: the schema is a parameter, so a compiled pipeline needs no file
    elsewhere, and a changed schema is a new execution.

    Args:
        schema: The content of the study's schema.pbtxt.
    """

    SPEC_CLASS = CuratedSchemaSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, schema: str) -> None:
        super().__init__(
            spec=CuratedSchemaSpec(
                content=schema,
                schema=channel_utils.as_channel([standard_artifacts.Schema()]),
            )
        )
