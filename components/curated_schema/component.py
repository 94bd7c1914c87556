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
    """Brings a study's curated schema into a run.

    It stands in for TFX's Importer: the schema travels inside the pipeline, so a compiled one
    needs no file that lies somewhere else, and another schema is another execution.

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
