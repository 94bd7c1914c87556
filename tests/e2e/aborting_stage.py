"""A stage whose process really aborts, and a graph of it behind a stage that does not."""

import os
from pathlib import Path
from typing import Any

from tfx.dsl.component.experimental.annotations import Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration import metadata
from tfx.orchestration.pipeline import Pipeline

from components.curated_schema.component import CuratedSchema


def _abort_if(marker: Parameter[str]) -> None:
    # TFX reads the parameter's type: no postponed annotations in this file.
    if Path(marker).exists():
        os.abort()


def graph(config: Any, marker: str) -> Pipeline:
    """CuratedSchema, then a stage that aborts while a file is there.

    Args:
        config: The run's configuration.
        marker: Path of the file.
    """
    schema = CuratedSchema(config.schema)
    stage = component(_abort_if)(marker=marker).with_id("AbortingStage")
    stage.add_upstream_node(schema)
    return Pipeline(
        pipeline_name=config.pipeline_name,
        pipeline_root=config.pipeline_root,
        components=[schema, stage],
        enable_cache=True,
        metadata_connection_config=metadata.sqlite_metadata_connection_config(config.metadata_path),
    )
