"""TFX's local runner, extended so that each stage can be shown and recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.portable import (
    base_executor_operator,
    launcher,
    outputs_utils,
    runtime_parameter_utils,
)
from tfx.proto.orchestration import executable_spec_pb2, pipeline_pb2

from pipeline import interrupts
from pipeline.beam.batching import batch_by_bytes
from pipeline.errors import UserError
from pipeline.runners.local.lanes import run_lanes, run_order
from pipeline.runners.local.side_process import SideProcess
from pipeline.runs.stage_rows import log_rows


class _StageInterruptedError(Exception):
    """A keyboard interrupt on its way through TFX, which cleans up after an Exception only."""


class _SideOperator(base_executor_operator.BaseExecutorOperator):
    """Runs a node's executor in the side process."""

    SUPPORTED_EXECUTOR_SPEC_TYPE = (
        executable_spec_pb2.PythonClassExecutableSpec,
        executable_spec_pb2.BeamExecutableSpec,
    )
    SUPPORTED_PLATFORM_CONFIG_TYPE = ()

    def __init__(self, side: SideProcess, executor_spec: Any) -> None:
        super().__init__(executor_spec)
        self._side = side

    def run_executor(self, execution_info: Any) -> Any:
        return self._side.run_executor(
            execution_info.pipeline_node.node_info.id, self._executor_spec, execution_info
        )


class _Launcher(launcher.Launcher):
    """Launches one node and records whether its executor ran.

    Args:
        metadata_lock: Held during work with ML Metadata: one thread at a time.
        side: Where the executor runs; None runs it in this process.
        node: Arguments of TFX's launcher.
    """

    executed = False

    def __init__(
        self, metadata_lock: threading.Lock, side: SideProcess | None, **node: Any
    ) -> None:
        super().__init__(**node)
        self._metadata_lock = metadata_lock
        self._side = side
        if side:
            self._executor_operator = _SideOperator(side, node["executor_spec"])

    def _prepare_execution(self) -> Any:
        with self._metadata_lock:
            return super()._prepare_execution()

    def _publish_successful_execution(self, *execution: Any, **named: Any) -> None:
        with self._metadata_lock:
            super()._publish_successful_execution(*execution, **named)

    def _publish_failed_execution(self, *execution: Any, **named: Any) -> None:
        with self._metadata_lock:
            super()._publish_failed_execution(*execution, **named)

    def _run_executor(self, execution_info: Any) -> Any:
        self.executed = True
        try:
            # The side process takes no signals: it is ended.
            with nullcontext() if self._side else interrupts.insisted():
                output = super()._run_executor(execution_info)
        except KeyboardInterrupt as interrupt:
            interrupts.handle()
            outputs_utils.remove_output_dirs(execution_info.output_dict)
            raise _StageInterruptedError from interrupt
        except Exception as error:
            # Beam's worker makes a failure of its own of an interrupt.
            if interrupts.received():
                interrupts.handle()
                raise _StageInterruptedError from error
            raise
        # The side process logs the rows of its stages.
        if not self._side:
            log_rows(
                self._pipeline_node.node_info.id,
                execution_info.input_dict,
                execution_info.output_dict,
            )
        return output


class StageRunner(LocalDagRunner):
    """Runs a pipeline's nodes: in two lanes where there is a side process, else one by one.

    It keeps TFX's `run`, which TFX's CLI replaces to obtain a pipeline without running it.

    Args:
        side: The process of the second lane; None runs one stage at a time.
        beside: The stages of the second lane, in its order; the graph may lack some.

    Attributes:
        side: The process of the second lane.
        beside: The stages of the second lane.
        order: The nodes in the order in which they are shown; known once they run.
    """

    def __init__(self, side: SideProcess | None = None, beside: Sequence[str] = ()) -> None:
        super().__init__()
        self.side = side
        self.beside = tuple(beside) if side else ()
        self._metadata_lock = threading.Lock()
        self._outputs: dict[str, dict[str, str]] = {}
        self.order: list[str] = []
        batch_by_bytes()

    @property
    def outputs(self) -> dict[str, dict[str, str]]:
        """URI of each output of each node that has ended, in the order of `order`."""
        return {stage: self._outputs[stage] for stage in self.order if stage in self._outputs}

    def begin(self) -> None:
        """Called when `order` is known, before the first stage."""

    def run_stage(self, stage: str, launch: Callable[[], bool]) -> None:
        """Runs one stage, in the thread of its lane; subclasses override it to observe the stage.

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
        nodes = {item.pipeline_node.node_info.id: item.pipeline_node for item in pipeline.nodes}
        self.order = run_order({stage: node.downstream_nodes for stage, node in nodes.items()})
        self.begin()

        def run_stage(stage: str) -> None:
            node_launcher = _Launcher(
                self._metadata_lock,
                self.side if stage in self.beside else None,
                pipeline_node=nodes[stage],
                mlmd_connection=metadata.Metadata(connection),
                pipeline_info=pipeline.pipeline_info,
                pipeline_runtime_spec=pipeline.runtime_spec,
                executor_spec=runner_utils.extract_executor_spec(deployment, stage),
                custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, stage),
            )

            def launch() -> bool:
                interrupts.check()
                try:
                    execution = node_launcher.launch()
                except _StageInterruptedError as interrupt:
                    raise KeyboardInterrupt from interrupt
                with self._metadata_lock:
                    self._outputs[stage] = _output_uris(connection, execution.execution_id)
                return node_launcher.executed

            self.run_stage(stage, launch)

        run_lanes(
            self.order,
            {stage: node.upstream_nodes for stage, node in nodes.items()},
            self.beside,
            run_stage,
            self.side.interrupt if self.side else lambda: None,
        )


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
