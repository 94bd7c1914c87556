"""Size and memory of a local cluster, and Flink's options for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

TASK_MANAGERS = 2
"""Default number of task managers."""

# The graphs of Transform and of the evaluation are wide: with the default of 512 buffers for each
# sort-merge exchange they require more than any cluster has.
EXCHANGES = {"taskmanager.network.sort-shuffle.min-buffers": "16"}

# Flink and Beam access packages that Java encapsulates since version 17.
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
        channel: Messages queued for the Python workers. Beam checks only after every 100th message
            whether they keep up, and a bucket of subjects, some 4 MB compressed, is one message.
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
    """Size and options of a local cluster.

    Attributes:
        task_managers: How many slots; each a task manager of its own where hosts can be made.
        memory: Of each task manager.
        restarts: How often a failed job is restarted; 0 lets it fail.
        jars: Jars beside Flink's own on the cluster's class path.
    """

    task_managers: int = TASK_MANAGERS
    memory: Memory = field(default_factory=Memory)
    restarts: int = 3
    jars: tuple[Path, ...] = ()
