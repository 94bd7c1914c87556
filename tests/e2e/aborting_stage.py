"""A stage whose run really dies, and a graph of it behind a stage that does not."""

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration import metadata
from tfx.orchestration.pipeline import Pipeline
from tfx.types.standard_artifacts import Examples

from components.curated_schema.component import CuratedSchema

_LONGEST_SECONDS = 120


def _abort_if(marker: Parameter[str], examples: OutputArtifact[Examples]) -> None:
    # TFX reads the parameter's type: no postponed annotations in this file.
    Path(examples.uri, "half").write_text("rows of subjects")
    match Path(marker).read_text():
        case "abort":
            os.abort()
        case "kill -9":
            os.kill(os.getppid(), signal.SIGKILL)
            _wait()
        case "SIGTERM":
            os.kill(os.getppid(), signal.SIGTERM)
            _wait()
        case "SIGHUP, wrapped":
            os.kill(os.getppid(), signal.SIGHUP)
            try:
                _wait()
            except KeyboardInterrupt as interrupt:
                # As Beam's worker does.
                raise RuntimeError("KeyboardInterrupt") from interrupt
        case "Ctrl-C, swallowed":
            os.kill(os.getppid(), signal.SIGINT)
            # As a callback of a weak reference does.
            with contextlib.suppress(KeyboardInterrupt):
                _wait()
            _wait()


def _wait() -> None:
    end = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < end:
        time.sleep(0.1)


def graph(config: Any, marker: str) -> Pipeline:
    """CuratedSchema, then a stage that dies as a file says while it is there.

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
