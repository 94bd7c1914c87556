"""A Flink session cluster on this machine: `python -m pipeline.beam.local_flink up` and `down`.

One job manager, and task managers that each have a Beam worker pool beside them. Where this user
may make network namespaces, every task manager with its pool is a host of its own, as on
Kubernetes; elsewhere there is one task manager, with as many slots.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from pipeline.beam.choices import WORKER_POOL, WORKER_POOL_PORT
from pipeline.beam.local_hosts import Host, Network, make_network, may_make_hosts, remove_network
from pipeline.errors import UserError
from pipeline.version import PROJECT

TOOLS = PROJECT / ".tools" / "flink"
STATE_FILE = TOOLS / "cluster.json"
FLINK_LOCK = PROJECT / "requirements" / "flink.txt"

TASK_MANAGERS = 2
REST_PORT = 8081
_RPC_PORT = 6123
_POLL_SECONDS = 0.2
_START_SECONDS = 180.0
_STOP_SECONDS = 15.0

# The graphs of Transform and of the evaluation are wide: with the default of 512 buffers for each
# sort-merge exchange they ask for more than any cluster has.
EXCHANGES = {"taskmanager.network.sort-shuffle.min-buffers": "16"}

_JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
_TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"

# Flink and Beam reach into packages that Java has closed since version 17.
_OPENED = (
    "java.lang",
    "java.lang.invoke",
    "java.net",
    "java.nio",
    "java.time",
    "java.util",
    "java.util.concurrent",
    "sun.nio.ch",
)
_LOG4J = """\
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = Console
appender.console.name = Console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss,SSS} %-5p %c{1} %m%n
"""
JVM_OPTIONS = tuple(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED)


@dataclass(frozen=True)
class Memory:
    """Parts of a task manager's memory, in MiB.

    Flink's start scripts derive most of them; here everything is written out, since the process
    is started without the scripts.

    Attributes:
        heap: Java objects of the tasks: all rows of one bucket at a time, above all.
        managed: For sorting; what does not fit goes to disk.
        network: Buffers between tasks.
        channel: What waits to go to the Python workers. Beam looks only after every 100th message
            whether they keep up, and a bucket of subjects, some 4 MB when compressed, is one.
    """

    heap: int = 640
    managed: int = 512
    network: int = 512
    channel: int = 512

    _FRAMEWORK = 128
    _METASPACE = 256
    _OVERHEAD = 192

    def options(self) -> dict[str, str]:
        """Flink's options."""
        return {
            "taskmanager.memory.task.heap.size": f"{self.heap}m",
            "taskmanager.memory.task.off-heap.size": f"{self.channel}m",
            "taskmanager.memory.managed.size": f"{self.managed}m",
            "taskmanager.memory.network.min": f"{self.network}m",
            "taskmanager.memory.network.max": f"{self.network}m",
            "taskmanager.memory.framework.heap.size": f"{self._FRAMEWORK}m",
            "taskmanager.memory.framework.off-heap.size": f"{self._FRAMEWORK}m",
            "taskmanager.memory.jvm-metaspace.size": f"{self._METASPACE}m",
            "taskmanager.memory.jvm-overhead.min": f"{self._OVERHEAD}m",
            "taskmanager.memory.jvm-overhead.max": f"{self._OVERHEAD}m",
        }

    def jvm(self) -> list[str]:
        """Java's options for the same sizes, as Flink's scripts give them."""
        heap = self.heap + self._FRAMEWORK
        return [
            *(f"-Xms{heap}m", f"-Xmx{heap}m"),
            f"-XX:MaxDirectMemorySize={self.network + self.channel + self._FRAMEWORK}m",
            f"-XX:MaxMetaspaceSize={self._METASPACE}m",
        ]


@dataclass(frozen=True)
class ClusterPlan:
    """What a local cluster is to be.

    Attributes:
        task_managers: How many slots; each a task manager of its own where hosts can be made.
        memory: Of each task manager.
        restarts: How often a job starts again after a failure; 0 lets it fail.
        jars: Jars beside Flink's own on the cluster's class path.
    """

    task_managers: int = TASK_MANAGERS
    memory: Memory = field(default_factory=Memory)
    restarts: int = 3
    jars: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Member:
    """A process of the cluster.

    Attributes:
        name: `jobmanager`, `taskmanager-0`, `pool-0`, ...
        pid: Its process.
        created: When the process began, seconds since 1970: pids are used again.
        host: Where it runs.
    """

    name: str
    pid: int
    created: float
    host: Host

    @property
    def process(self) -> psutil.Process | None:
        """The process; None when it has ended."""
        try:
            found = psutil.Process(self.pid)
            same = found.create_time() == self.created
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


class LocalFlink:
    """A running cluster.

    Attributes:
        plan: What it is.
        network: Its hosts.
        folder: Configuration and logs of its processes.
    """

    def __init__(self, plan: ClusterPlan, network: Network, folder: Path, flink: Path) -> None:
        """Takes the parts; `start` is how to get a running cluster.

        Args:
            plan: What it is to be.
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
        """Folder of the workers' temporary files; each host of its own finds its own there."""
        return self.folder / "worker-tmp"

    @property
    def members(self) -> tuple[Member, ...]:
        """Processes, in the order in which they were started."""
        return tuple(self._members.values())

    def start(self) -> None:
        """Starts every process and returns when all slots are there.

        Raises:
            UserError: A process ended at once; the message names its log.
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
        """Ends a process with its children at once, as a crash would."""
        _end([self._members[name]], signal.SIGKILL)

    def stop(self) -> None:
        """Ends every process and takes the hosts away."""
        _end(self.members[::-1], signal.SIGTERM)
        remove_network(self.network)

    def to_json(self) -> dict[str, Any]:
        """What `down` and a run need to know of the cluster."""
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
            # A task manager that has ended is given up after two of them. Until then a job that
            # starts again is sent there again, and has used up its attempts.
            "heartbeat.interval": "3000",
            # A machine whose cores are all at work answers late, which is no failure.
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
                        f"{member.name} of the local Flink ended at once: see "
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
        plan: What it is to be.
        folder: For configuration and logs.
        flink: Folder of Flink's jars, from `fetch_flink`.

    Returns:
        The cluster, ready for jobs.

    Raises:
        UserError: It does not come up; nothing of it stays.
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


def fetch_flink(folder: Path = TOOLS / "lib") -> Path:
    """Flink's jars; they are downloaded the first time.

    Args:
        folder: Where they are kept.

    Returns:
        The folder.

    Raises:
        UserError: They can't be downloaded.
    """
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
        # Only downloaded: its jars are all that is wanted of the package.
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"),
                *("--no-deps", "--no-build-isolation", "--require-hashes"),
                *("-r", str(FLINK_LOCK), "-d", draft),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise UserError(
                f"Flink ({FLINK_LOCK.name}) can't be downloaded: {done.stderr.strip()[-500:]}"
            )
        (package,) = Path(draft).glob("*.tar.gz")
        jars = Path(draft) / "lib"
        jars.mkdir()
        with tarfile.open(package) as content:
            for item in content:
                if "/deps/lib/" in item.name and item.name.endswith(".jar"):
                    item.name = Path(item.name).name
                    content.extract(item, jars, filter="data")
        jars.rename(folder)
    return folder


def running_cluster(state_file: Path = STATE_FILE) -> dict[str, Any] | None:
    """What is known of the cluster that `up` started; None when none is up."""
    if not state_file.exists():
        return None
    found: dict[str, Any] = json.loads(state_file.read_text())
    return found


def up(plan: ClusterPlan, state_file: Path = STATE_FILE) -> LocalFlink:
    """Starts the cluster that `make run RUNNER=flink` finds.

    Raises:
        UserError: One is up already, or it can't be started.
    """
    if running_cluster(state_file):
        raise UserError("A local Flink is up already. `make flink-down` stops it.")
    cluster = start(plan, state_file.parent / "cluster", fetch_flink())
    state_file.write_text(json.dumps(cluster.to_json(), indent=1) + "\n")
    return cluster


def down(state_file: Path = STATE_FILE) -> bool:
    """Stops the cluster that `up` started.

    Returns:
        Whether there was one.
    """
    found = running_cluster(state_file)
    if found is None:
        return False
    members = [Member(**{**item, "host": Host(**item["host"])}) for item in found["members"]]
    _end(members[::-1], signal.SIGTERM)
    network = found["network"]
    remove_network(
        Network(
            network["bridge"],
            Host(**network["machine"]),
            tuple(Host(**host) for host in network["hosts"]),
        )
    )
    state_file.unlink()
    return True


def _end(members: Sequence[Member], number: signal.Signals) -> None:
    """Ends processes with their children; those that do not hear are killed."""
    found = [process for member in members if (process := member.process)]
    every = [child for process in found for child in process.children(recursive=True)] + found
    for process in every if number == signal.SIGKILL else found:
        _send(process, number)
    _, alive = psutil.wait_procs(every, timeout=_STOP_SECONDS)
    for process in alive:
        _send(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=_STOP_SECONDS)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def _pool_answers(host: Host) -> bool:
    """Whether a host's worker pool is there; it can be asked from that host alone."""
    probe = f"import socket; socket.create_connection(('localhost', {WORKER_POOL_PORT}), 2)"
    command = host.command([sys.executable, "-S", "-c", probe])
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _free_port(wanted: int) -> int:
    """The port that is wanted, or another one where it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise UserError("This machine has no free port.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Returns:
        0, or 2 for something that a person can put right.
    """
    parser = argparse.ArgumentParser(prog="python -m pipeline.beam.local_flink")
    commands = parser.add_subparsers(dest="command", required=True)
    starting = commands.add_parser("up", help="start a cluster")
    starting.add_argument("--task-managers", type=int, default=TASK_MANAGERS)
    starting.add_argument(
        "--jars", type=Path, help="folder of further jars for the cluster's class path"
    )
    commands.add_parser("down", help="stop it")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "down":
            sys.stdout.write("stopped\n" if down() else "no local Flink is up\n")
            return 0
        plan = ClusterPlan(task_managers=chosen.task_managers)
        if chosen.jars:
            plan = replace(plan, jars=tuple(sorted(chosen.jars.glob("*.jar"))))
        cluster = up(plan)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"Flink: http://{cluster.master}, logs in {cluster.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
