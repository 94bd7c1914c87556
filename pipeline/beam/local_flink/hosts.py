"""Network namespaces as the hosts of a cluster on one machine.

Each host has an address of its own and a loopback interface of its own, as a pod of Kubernetes
has. All of them share the machine's files, except a folder that each may have for itself, and reach
each other through a bridge.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_MOUNTED = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
_MOST_NETWORKS = 200


@dataclass(frozen=True)
class Host:
    """A host.

    Attributes:
        address: Its address for the others.
        namespace: Its network namespace; None for the machine itself.
    """

    address: str
    namespace: str | None = None

    def command(self, arguments: Sequence[str]) -> list[str]:
        """A command line that runs a command on this host."""
        inside = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        return [*inside, *arguments]

    def command_with_own(self, folder: Path, content: Path, arguments: Sequence[str]) -> list[str]:
        """The same for a command that needs this host's own files in a folder.

        Args:
            folder: The folder, at the same path on every host.
            content: Folder that a host in a namespace sees there instead.
            arguments: The command.
        """
        if not self.namespace:
            return self.command(arguments)
        # `ip` also creates a mount namespace, which ends with the command.
        mount = ["sh", "-c", _MOUNTED, "sh", str(content), str(folder)]
        return self.command([*mount, *arguments])


@dataclass(frozen=True)
class Network:
    """Hosts that can reach each other.

    Attributes:
        bridge: Name of the bridge between them; None where the machine is the only host.
        machine: The machine itself.
        hosts: The others.
    """

    bridge: str | None
    machine: Host
    hosts: tuple[Host, ...]


def may_make_hosts() -> bool:
    """Whether this user may create network namespaces here."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"trial-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    if made.returncode == 0:
        _ip("netns", "delete", name)
    return made.returncode == 0


def make_network(hosts: int) -> Network:
    """Creates namespaces and the bridge between them.

    Args:
        hosts: How many hosts besides the machine.

    Returns:
        The network; `remove_network` removes it.
    """
    number = _free_number()
    bridge = f"trial{number}"
    machine = Host(f"10.213.{number}.1")
    _ip("link", "add", bridge, "type", "bridge")
    _ip("address", "add", f"{machine.address}/24", "dev", bridge)
    _ip("link", "set", bridge, "up")
    return Network(bridge, machine, tuple(_make_host(number, index) for index in range(hosts)))


def remove_network(network: Network) -> None:
    """Removes a network; its processes must have ended."""
    if network.bridge is None:
        return
    for host in network.hosts:
        if host.namespace:
            _ip("netns", "delete", host.namespace)
    _ip("link", "delete", network.bridge)


def _make_host(number: int, index: int) -> Host:
    namespace = f"trial{number}-{index}"
    outer, inner = f"trial{number}-{index}a", f"trial{number}-{index}b"
    address = f"10.213.{number}.{index + 2}"
    _ip("netns", "add", namespace)
    _ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", namespace)
    _ip("link", "set", outer, "master", f"trial{number}", "up")
    _ip("-n", namespace, "address", "add", f"{address}/24", "dev", inner)
    _ip("-n", namespace, "link", "set", inner, "up")
    # A namespace's loopback is down at first, and a task manager finds its worker pool there.
    _ip("-n", namespace, "link", "set", "lo", "up")
    return Host(address, namespace)


def _free_number() -> int:
    links = _ip("-brief", "link", "show", "type", "bridge")
    taken = {line.split()[0] for line in links.splitlines() if line}
    return next(number for number in range(_MOST_NETWORKS) if f"trial{number}" not in taken)


def _ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"`ip {' '.join(arguments)}` failed: {done.stderr.strip()}")
    return done.stdout
