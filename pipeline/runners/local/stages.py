"""TFX's local runner, extended so that each stage can be shown and recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.portable import launcher, outputs_utils, runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from pipeline.beam.batching import batch_by_bytes
from pipeline.errors import UserError
from pipeline.runs.stage_rows import log_rows


class _StageInterruptedError(Exception):
    """A keyboard interrupt on its way through TFX, which cleans up after an Exception only."""


class _Launcher(launcher.Launcher):
    """Launches one node and records whether its executor ran."""

    executed = False

    def _run_executor(self, execution_info: Any) -> Any:
        self.executed = True
        try:
            output = super()._run_executor(execution_info)
        except KeyboardInterrupt as interrupt:
            outputs_utils.remove_output_dirs(execution_info.output_dict)
            raise _StageInterruptedError from interrupt
        log_rows(
            self._pipeline_node.node_info.id,
            execution_info.input_dict,
            execution_info.output_dict,
        )
        return output


class StageRunner(LocalDagRunner):
    """Runs a pipeline's nodes one after the other.

    It keeps TFX's `run`, which TFX's CLI replaces to obtain a pipeline without running it.

    Attributes:
        outputs: URI of each output of each node, after the run.
    """

    def __init__(self) -> None:
        super().__init__()
        self.outputs: dict[str, dict[str, str]] = {}
        batch_by_bytes()

    def run_stage(self, stage: str, launch: Callable[[], bool]) -> None:
        """Runs one stage; subclasses override it to observe the stage.

        Args:
            stage: The node's id.
            launch: Runs the node; False when its result came from the cache.
        """
        del stage
        launch()

    def run_with_ir(
        self, pipeline: pipeline_pb2.Pipeline, run_options: Any = None, **_: Any
    ) -> None:
        """Runs a compiled pipeline; called by `run`.

        Args:
            pipeline: The compiled pipeline.
            run_options: Not supported: a rerun takes finished stages from the cache.

        Raises:
            KeyboardInterrupt: The user interrupted a stage; it is recorded as failed and its
                outputs are deleted.
        """
        if run_options is not None:
            raise UserError("Partial runs are not supported: finished stages come from the cache.")
        runtime_parameter_utils.substitute_runtime_parameter(
            pipeline,
            {constants.PIPELINE_RUN_ID_PARAMETER_NAME: datetime.now().isoformat()},
        )
        deployment = runner_utils.extract_local_deployment_config(pipeline)
        connection = getattr(
            deployment.metadata_connection_config,
            deployment.metadata_connection_config.WhichOneof("connection_config"),
        )
        for node in run_order([item.pipeline_node for item in pipeline.nodes]):
            stage = node.node_info.id
            node_launcher = _Launcher(
                pipeline_node=node,
                mlmd_connection=metadata.Metadata(connection),
                pipeline_info=pipeline.pipeline_info,
                pipeline_runtime_spec=pipeline.runtime_spec,
                executor_spec=runner_utils.extract_executor_spec(deployment, stage),
                custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, stage),
            )

            def launch(node_launcher: _Launcher = node_launcher, stage: str = stage) -> bool:
                try:
                    execution = node_launcher.launch()
                except _StageInterruptedError as interrupt:
                    raise KeyboardInterrupt from interrupt
                self.outputs[stage] = _output_uris(connection, execution.execution_id)
                return node_launcher.executed

            self.run_stage(stage, launch)


def run_order(nodes: Sequence[Any]) -> list[Any]:
    """Moves stages that no other depends on to the end, where they delay or fail no other stage.

    Of these, the latest in the graph come first: they report on the training.

    Args:
        nodes: Pipeline nodes, each after its dependencies.
    """
    beside = [node for node in nodes if not node.downstream_nodes]
    return [node for node in nodes if node.downstream_nodes] + beside[::-1]


def _output_uris(connection: Any, execution_id: int) -> dict[str, str]:
    """URIs of an execution's outputs by name, cached ones included."""
    with metadata.Metadata(connection) as handle:
        events = handle.store.get_events_by_execution_ids([execution_id])
        outputs = {
            event.artifact_id: event.path.steps[0].key
            for event in events
            if event.type == metadata_store_pb2.Event.OUTPUT and event.path.steps
        }
        artifacts = handle.store.get_artifacts_by_id(list(outputs))
    return {outputs[artifact.id]: artifact.uri for artifact in artifacts}
