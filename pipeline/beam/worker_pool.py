"""The worker pool of a cluster's Beam workers: `python -m pipeline.beam.worker_pool`.

A runner such as Flink requests Python workers from the pool of each of its task managers, for each
job again. Beam's own pool starts each worker as a new interpreter, which then imports TensorFlow:
that costs more than most stages compute. This one makes workers as copies of one process that has
imported everything already; they also share its memory.

One pool serves one task manager: a runner's worker ids repeat from task manager to task manager.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent import futures
from multiprocessing.context import ForkServerProcess
from typing import Any

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc

from pipeline.beam.choices import WORKER_POOL_PORT
from pipeline.errors import UserError

logger = logging.getLogger(__name__)

_IMPORTED_ONCE = (
    "tensorflow",
    "tensorflow_data_validation",
    "tensorflow_model_analysis",
    "tensorflow_transform.beam",
    "tfx.components.evaluator.executor",
    "tfx.components.statistics_gen.executor",
    "tfx.components.transform.executor",
)
_SIDE_INPUT_CACHE_BYTES = 100 * 2**20
"""A worker's cache of side inputs; Beam's own pool caches nothing and fetches them each time."""
_STOP_SECONDS = 5.0
_WARM_UP_SECONDS = 300.0


class WorkerPool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):
    """Beam's worker pool service, with workers that start without delay."""

    def __init__(self) -> None:
        self._processes: dict[str, ForkServerProcess] = {}
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(_IMPORTED_ONCE))

    def warm_up(self) -> None:
        """Returns when everything is imported and workers start without delay."""
        process = self._context.Process(target=_nothing)
        process.start()
        process.join(_WARM_UP_SECONDS)

    def StartWorker(  # noqa: N802 (gRPC's name)
        self, start_worker_request: Any, unused_context: Any
    ) -> Any:
        """Starts a worker that connects to the requesting runner."""
        del unused_context
        worker_id = start_worker_request.worker_id
        try:
            process = self._context.Process(
                target=_run_worker,
                args=(start_worker_request.control_endpoint.url, worker_id),
            )
            process.start()
        except OSError as error:
            return beam_fn_api_pb2.StartWorkerResponse(error=f"worker {worker_id}: {error}")
        logger.info("worker %s started as process %s", worker_id, process.pid)
        self._processes[worker_id] = process
        return beam_fn_api_pb2.StartWorkerResponse()

    def StopWorker(  # noqa: N802 (gRPC's name)
        self, stop_worker_request: Any, unused_context: Any
    ) -> Any:
        """Stops a worker."""
        del unused_context
        process = self._processes.pop(stop_worker_request.worker_id, None)
        if process is not None:
            _stop(process)
            logger.info("worker %s stopped", stop_worker_request.worker_id)
        return beam_fn_api_pb2.StopWorkerResponse()

    def stop_all(self) -> None:
        """Stops every worker."""
        while self._processes:
            _stop(self._processes.popitem()[1])


def _stop(process: ForkServerProcess) -> None:
    process.terminate()
    process.join(_STOP_SECONDS)
    if process.exitcode is None:
        process.kill()
        process.join()


def _nothing() -> None:
    """Target of a process that is started only to test that it can be."""


def _run_worker(control_address: str, worker_id: str) -> None:
    """Runs one worker until its runner disconnects."""
    from apache_beam.runners.worker import sdk_worker

    from pipeline.beam.batching import batch_by_bytes
    from pipeline.storage import file_systems

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    batch_by_bytes()
    # These workers get no pipeline options, without which Beam opens no object store.
    file_systems()
    sdk_worker.SdkHarness(
        control_address, worker_id=worker_id, state_cache_size=_SIDE_INPUT_CACHE_BYTES
    ).run()


def serve(port: int, address: str) -> None:
    """Serves until the process receives SIGTERM or SIGINT.

    Args:
        port: Port to listen on.
        address: Address to listen on. Any client that reaches it can run code in workers: by
            default it is the loopback address.

    Raises:
        UserError: The port is in use.
    """
    pool = WorkerPool()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
    try:
        server.add_insecure_port(f"{address}:{port}")
    except RuntimeError as error:
        raise UserError(
            f"The worker pool can't listen on {address}:{port}. Is another one running? Choose "
            "another port with --port."
        ) from error
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    pool.warm_up()
    server.start()
    logger.info("listening on %s:%d", address, port)
    stopped.wait()
    server.stop(0)
    pool.stop_all()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Returns:
        0, or 2 for an error that the user can fix.
    """
    parser = argparse.ArgumentParser(prog="python -m pipeline.beam.worker_pool")
    parser.add_argument("--port", type=int, default=WORKER_POOL_PORT, help="default %(default)s")
    parser.add_argument("--address", default="localhost", help="default %(default)s")
    chosen = parser.parse_args(arguments)
    # TensorFlow reads these when it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        # Imports of this module have set up logging already.
        force=True,
    )
    try:
        serve(chosen.port, chosen.address)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    # Workers import their function by its module's name, which is not `__main__`.
    from pipeline.beam.worker_pool import main as run

    sys.exit(run())
