"""A cluster on this machine: starts its processes, waits for them and stops them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from pipeline.beam.choices import WORKER_POOL, WORKER_POOL_PORT
from pipeline.beam.local_flink.hosts import (
    Host,
    Network,
    make_network,
    may_make_hosts,
    remove_network,
)
from pipeline.beam.local_flink.plan import EXCHANGES, JVM_OPTIONS, ClusterPlan
from pipeline.beam.local_flink.processes import Member, end_processes
from pipeline.errors import UserError
from pipeline.version import PROJECT

REST_PORT = 8081
_RPC_PORT = 6123
_POLL_SECONDS = 0.2
_START_SECONDS = 180.0

_JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
_TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"

_LOG4J = """\
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = Console
appender.console.name = Console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss,SSS} %-5p %c{1} %m%n
"""


class LocalFlink:
    """A running cluster.

    Attributes:
        plan: Its size and options.
        network: Its hosts.
        folder: Configuration and logs of its processes.
    """

    def __init__(self, plan: ClusterPlan, network: Network, folder: Path, flink: Path) -> None:
        """Creates the object only; use `start_cluster` for a running cluster.

        Args:
            plan: Its size and options.
            network: Its hosts.
            folder: For configuration and logs.
            flink: Folder of Flink's jars.
        """
        self.plan = plan
        self.network = network
        self.folder = folder
        self._flink = flink
        self._members: dict[str, Member] = {}
        local = network.bridge is None
        self._rest_port = _free_port(REST_PORT) if local else REST_PORT
        self._rpc_port = _free_port(_RPC_PORT) if local else _RPC_PORT

    @property
    def master(self) -> str:
        """Address of the job manager's REST interface, `host:port`."""
        return f"{self.network.machine.address}:{self._rest_port}"

    @property
    def worker_pool(self) -> str:
        """Address at which each task manager finds its worker pool."""
        return WORKER_POOL

    @property
    def worker_temporary(self) -> Path:
        """Folder of the workers' temporary files; each host has a separate one at this path."""
        return self.folder / "worker-tmp"

    @property
    def members(self) -> tuple[Member, ...]:
        """Processes, in the order in which they were started."""
        return tuple(self._members.values())

    def start(self) -> None:
        """Starts every process and returns when all slots are there.

        Raises:
            UserError: A process ended immediately; the message names its log.
        """
        self._start_job_manager()
        for number in range(len(self.network.hosts)):
            self.start_pool(number)
            self.start_task_manager(number)
        self._wait(lambda: slots_of(self.master) >= self.plan.task_managers)
        self.wait_for_pools()

    def start_task_manager(self, number: int) -> None:
        """Starts a task manager; also one that has ended."""
        name = f"taskmanager-{number}"
        host = self.network.hosts[number]
        temporary = self.folder / name / "tmp"
        options = {
            "taskmanager.host": host.address,
            "taskmanager.bind-host": host.address,
            "taskmanager.cpu.cores": "1",
            "taskmanager.numberOfTaskSlots": str(self._slots),
            "io.tmp.dirs": str(temporary),
            **self.plan.memory.options(),
        }
        # Beam's harness keeps files of its own in Java's folder for temporary files.
        jvm = [*self.plan.memory.jvm(), f"-Djava.io.tmpdir={temporary}"]
        temporary.mkdir(parents=True, exist_ok=True)
        self._start_java(name, host, _TASK_MANAGER, options, jvm)

    def start_pool(self, number: int) -> None:
        """Starts the worker pool of a task manager; also one that has ended."""
        name = f"pool-{number}"
        host = self.network.hosts[number]
        command = [sys.executable, "-m", "pipeline.beam.worker_pool", f"--port={WORKER_POOL_PORT}"]
        own = self.folder / name / "tmp"
        for folder in (own, self.worker_temporary):
            folder.mkdir(parents=True, exist_ok=True)
        command = host.command_with_own(self.worker_temporary, own, command)
        self._start(name, host, command, {"TMPDIR": str(self.worker_temporary)})

    def wait_for_pools(self) -> None:
        """Returns when every worker pool answers.

        Raises:
            UserError: One has ended, or does not answer for minutes.
        """
        self._wait(lambda: all(map(_pool_answers, self.network.hosts)))

    def member(self, name: str) -> Member:
        """The process of a name."""
        return self._members[name]

    def kill(self, name: str) -> None:
        """Kills a process with its children, as a crash would."""
        end_processes([self._members[name]], signal.SIGKILL)

    def stop(self) -> None:
        """Ends every process and removes the hosts."""
        end_processes(self.members[::-1], signal.SIGTERM)
        remove_network(self.network)

    def to_json(self) -> dict[str, Any]:
        """The description of the cluster for `down` and for runs."""
        return {
            "master": self.master,
            "worker_pool": self.worker_pool,
            "network": asdict(self.network),
            "members": [asdict(member) for member in self.members],
        }

    @property
    def _slots(self) -> int:
        return self.plan.task_managers // len(self.network.hosts)

    def _start_job_manager(self) -> None:
        address = self.network.machine.address
        options = {
            "jobmanager.bind-host": address,
            "jobmanager.memory.process.size": "1024m",
            "rest.bind-address": address,
        }
        arguments = ["--executionMode", "cluster"]
        self._start_java(
            "jobmanager", self.network.machine, _JOB_MANAGER, options, ["-Xmx512m"], arguments
        )

    def _common_options(self) -> dict[str, str]:
        address = self.network.machine.address
        restarts = {"restart-strategy.type": "none"}
        if self.plan.restarts:
            restarts = {
                "restart-strategy.type": "fixed-delay",
                "restart-strategy.fixed-delay.attempts": str(self.plan.restarts),
                "restart-strategy.fixed-delay.delay": "10 s",
            }
        return {
            "jobmanager.rpc.address": address,
            "jobmanager.rpc.port": str(self._rpc_port),
            "rest.address": address,
            "rest.port": str(self._rest_port),
            "parallelism.default": str(self.plan.task_managers),
            **EXCHANGES,
            # A lost task manager is given up after two of them. Until then a job that
            # starts again is sent there again, and has used up its attempts.
            "heartbeat.interval": "3000",
            # A machine under full load answers late, which is not a failure.
            "pekko.ask.timeout": "60 s",
            **restarts,
        }

    def _start_java(
        self,
        name: str,
        host: Host,
        main_class: str,
        options: Mapping[str, str],
        jvm: Sequence[str],
        arguments: Sequence[str] = (),
    ) -> None:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        everything = {**self._common_options(), **options}
        lines = "".join(f"{key}: {value}\n" for key, value in everything.items())
        (folder / "flink-conf.yaml").write_text(lines, encoding="utf-8")
        (folder / "log4j.properties").write_text(_LOG4J, encoding="utf-8")
        jars = [*sorted(self._flink.glob("*.jar")), *self.plan.jars]
        command = [
            *("java", *JVM_OPTIONS, *jvm),
            f"-Dlog4j.configurationFile=file:{folder}/log4j.properties",
            *("-cp", ":".join(map(str, jars))),
            *(main_class, "-c", str(folder), *arguments),
        ]
        self._start(name, host, host.command(command), {})

    def _start(
        self, name: str, host: Host, command: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._log(name).open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(PROJECT), **environment},
            )
        created = psutil.Process(process.pid).create_time()
        self._members[name] = Member(name, process.pid, created, host)

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _wait(self, is_true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not is_true():
            for member in self.members:
                if member.process is None:
                    raise UserError(
                        f"{member.name} of the local Flink ended immediately: see "
                        f"{self._log(member.name)}."
                    )
            if time.monotonic() > deadline:
                raise UserError(
                    f"The local Flink did not come up within {_START_SECONDS:.0f} seconds: see "
                    f"the logs in {self.folder}."
                )
            time.sleep(_POLL_SECONDS)


def start(plan: ClusterPlan, folder: Path, flink: Path) -> LocalFlink:
    """Starts a cluster.

    Args:
        plan: Its size and options.
        folder: For configuration and logs.
        flink: Folder of Flink's jars, from `fetch_flink`.

    Returns:
        The cluster, ready to accept jobs.

    Raises:
        UserError: It does not start; all its processes are ended.
    """
    if shutil.which("java") is None:
        raise UserError("Flink needs Java: install it (Debian: openjdk-17-jre-headless).")
    network = (
        make_network(plan.task_managers)
        if may_make_hosts()
        else Network(None, Host("127.0.0.1"), (Host("127.0.0.1"),))
    )
    cluster = LocalFlink(plan, network, folder, flink)
    try:
        cluster.start()
    except BaseException:
        cluster.stop()
        raise
    return cluster


def slots_of(master: str) -> int:
    """Number of slots of a cluster; 0 while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://{master}/overview", timeout=10) as answer:
            return int(json.load(answer)["slots-total"])
    except OSError:
        return 0


def _pool_answers(host: Host) -> bool:
    """Whether a host's worker pool answers; it is reachable only from that host."""
    probe = f"import socket; socket.create_connection(('localhost', {WORKER_POOL_PORT}), 2)"
    command = host.command([sys.executable, "-S", "-c", probe])
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _free_port(wanted: int) -> int:
    """The preferred port, or another one if it is in use."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise UserError("This machine has no free port.")
