"""A Beam job server for Flink that does without Beam's own jar: `python tests/flink/job_server.py`.

FlinkRunner fetches Beam's job server, one jar, from Maven Central. Where that jar can't be had,
this stands in for it: the runner, its options and what reaches the cluster are the same. Beam's
and Flink's own jars come from Maven and PyPI; the cluster must have Beam's on its class path
(`trial flink up --jars`).
"""

from __future__ import annotations

import argparse
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from apache_beam.portability.api import beam_job_api_pb2, beam_job_api_pb2_grpc
from apache_beam.runners.portability import abstract_job_service
from apache_beam.utils.timestamp import Timestamp

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
BEAM_JARS = PROJECT / ".tools" / "flink" / "beam"

_STATE = beam_job_api_pb2.JobState
_MESSAGE = beam_job_api_pb2.JobMessage
_RUNS_LONG = 64


def fetch_beam_jars(folder: Path = BEAM_JARS) -> Path:
    """Jars of Beam's Flink runner without Flink's; Maven downloads them the first time."""
    if folder.is_dir():
        return folder
    if shutil.which("mvn") is None:
        raise RuntimeError("mvn is missing: `make system` installs Debian's package maven")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
        jars = Path(draft) / "jars"
        command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml")]
        done = subprocess.run(
            [*command, "dependency:copy-dependencies", f"-DoutputDirectory={jars}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"Maven can't fetch Beam's jars: {done.stdout[-2000:]}")
        for jar in jars.glob("flink-*.jar"):
            jar.unlink()
        jars.rename(folder)
    return folder


class JobServer:
    """The server and the Java process that submits the jobs.

    Attributes:
        endpoint: `host:port`, for Beam's option `--job_endpoint`.
    """

    def __init__(self, flink_jars: Path, beam_jars: Path, log: Path, port: int = 0) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._java = _start_java([flink_jars, beam_jars], log)
        self._turn = threading.Lock()
        self._server = grpc.server(
            futures.ThreadPoolExecutor(_RUNS_LONG),
            options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
        )
        beam_job_api_pb2_grpc.add_JobServiceServicer_to_server(_Jobs(self), self._server)
        self.endpoint = f"localhost:{self._server.add_insecure_port(f'localhost:{port}')}"
        self._server.start()

    def submit(self, name: str, pipeline: bytes, options: bytes) -> str:
        """Runs a job to its end.

        Returns:
            Why it failed; nothing when it did not.
        """
        files = [Path(self._folder.name, f"{name}.{kind}") for kind in ("pipeline", "options")]
        for file, content in zip(files, (pipeline, options), strict=True):
            file.write_bytes(content)
        with self._turn:
            self._java.stdin.write("\t".join([name, *map(str, files)]) + "\n")  # type: ignore[union-attr]
            self._java.stdin.flush()  # type: ignore[union-attr]
            answer = self._java.stdout.readline()  # type: ignore[union-attr]
        for file in files:
            file.unlink()
        if answer.strip() == "DONE":
            return ""
        reason = answer.partition("\t")[2].strip() or "the job server's Java process has ended"
        return reason.replace("\\n", "\n").replace("\\\\", "\\")

    def stop(self) -> None:
        self._server.stop(0)
        self._java.stdin.close()  # type: ignore[union-attr]
        self._java.terminate()
        self._java.wait()
        self._folder.cleanup()


class _Job(abstract_job_service.AbstractBeamJob):
    """One job; who asks for its states or messages gets them as they come."""

    def __init__(self, server: JobServer, *args: Any) -> None:
        super().__init__(*args)
        self._job_server = server
        self._states: queue.Queue[Any] = queue.Queue()
        self._messages: queue.Queue[Any] = queue.Queue()

    def prepare(self) -> None:
        pass

    def artifact_staging_endpoint(self) -> None:
        return None  # The workers have the project installed.

    def run(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def cancel(self) -> None:
        raise NotImplementedError("jobs are cancelled in Flink")

    def get_state_stream(self) -> Iterator[Any]:
        return self.with_state_history(_until_terminal(self._states))

    def get_message_stream(self) -> Iterator[Any]:
        return _until_terminal(self._messages)

    def _run(self) -> None:
        self._enter(_STATE.RUNNING)
        reason = self._job_server.submit(
            self._job_id,
            self._pipeline_proto.SerializeToString(),
            self._pipeline_options.SerializeToString(),
        )
        if reason:
            self._messages.put(_MESSAGE(importance=_MESSAGE.JOB_MESSAGE_ERROR, message_text=reason))
        self._enter(_STATE.FAILED if reason else _STATE.DONE)

    def _enter(self, state: int) -> None:
        self.set_state(state)
        for stream in (self._messages, self._states):
            stream.put((state, Timestamp.now()))


def _until_terminal(stream: queue.Queue[Any]) -> Iterator[Any]:
    while True:
        event = stream.get()
        yield event
        if isinstance(event, tuple) and abstract_job_service.AbstractBeamJob.is_terminal_state(
            event[0]
        ):
            return


class _Jobs(abstract_job_service.AbstractJobServiceServicer):
    def __init__(self, server: JobServer) -> None:
        super().__init__()
        self._server = server

    def create_beam_job(self, *args: Any) -> _Job:
        return _Job(self._server, *args)

    def GetJobMetrics(self, request: Any, context: Any = None) -> Any:  # noqa: N802
        del request, context
        return beam_job_api_pb2.GetJobMetricsResponse()


def _start_java(folders: Sequence[Path], log: Path) -> subprocess.Popen[str]:
    sys.path.insert(0, str(PROJECT))
    from pipeline.beam.local_flink.plan import JVM_OPTIONS

    jars = [jar for folder in folders for jar in sorted(folder.glob("*.jar"))]
    with log.open("ab") as errors:
        return subprocess.Popen(
            [
                *("java", *JVM_OPTIONS, "-Xmx512m", "-cp", ":".join(map(str, jars))),
                str(HERE / "JobRunner.java"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )


def main() -> None:
    """Serves until it is interrupted."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--log", type=Path, default=PROJECT / ".tools" / "flink" / "jobs.log")
    chosen = parser.parse_args()
    sys.path.insert(0, str(PROJECT))
    from pipeline.beam.local_flink.jars import fetch_flink

    server = JobServer(fetch_flink(), fetch_beam_jars(), chosen.log, chosen.port)
    sys.stdout.write(f"{server.endpoint}\n")
    sys.stdout.flush()
    try:
        threading.Event().wait()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
