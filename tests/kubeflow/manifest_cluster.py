"""A real Kubernetes API server with its etcd, on loopback addresses of this machine."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.kubeflow.manifest_objects import API_SERVER, kubernetes_release, needed_program
from tests.kubeflow.spec_walker import REPOSITORY

_BUILT = REPOSITORY / ".tools" / "kubernetes"
_SECONDS_TO_START = 120
_SECONDS_TO_STOP = 30


@dataclass(frozen=True)
class Cluster:
    """An API server that answers.

    Attributes:
        kubeconfig: How kubectl reaches it, as its administrator.
    """

    kubeconfig: Path

    def kubectl(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Runs kubectl.

        Args:
            arguments: Its command line.
            given: Its standard input.
        """
        return subprocess.run(
            ["kubectl", f"--kubeconfig={self.kubeconfig}", *arguments],
            input=given,
            env={**os.environ, "KUBECACHEDIR": str(self.kubeconfig.parent / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Starts an API server and stops it.

    Args:
        folder: For its data, its keys and its logs.
    """
    needed_program("kubectl", "install the Kubernetes project's kubectl")
    etcd = needed_program("etcd", "`make system` installs Debian's etcd-server")
    server = _built_api_server()
    client, peer, port = _free_ports(3)
    token = secrets.token_hex(16)
    (folder / "tokens.csv").write_text(f"{token},administrator,1,system:masters\n")
    _write_keys(folder)
    etcd_address = f"http://127.0.0.1:{client}"
    with (
        _running(
            [
                etcd,
                f"--data-dir={folder / 'etcd'}",
                f"--listen-client-urls={etcd_address}",
                f"--advertise-client-urls={etcd_address}",
                f"--listen-peer-urls=http://127.0.0.1:{peer}",
                "--unsafe-no-fsync",
            ],
            folder / "etcd.log",
        ),
        _running(
            [
                str(server),
                f"--etcd-servers={etcd_address}",
                "--bind-address=127.0.0.1",
                f"--secure-port={port}",
                f"--cert-dir={folder / 'certificates'}",
                "--authorization-mode=RBAC",
                f"--token-auth-file={folder / 'tokens.csv'}",
                "--service-cluster-ip-range=10.96.0.0/24",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-account-signing-key-file={folder / 'accounts.key'}",
                f"--service-account-key-file={folder / 'accounts.pub'}",
            ],
            folder / "api-server.log",
        ) as process,
    ):
        cluster = Cluster(_write_kubeconfig(folder, port, token))
        _wait_until_ready(cluster, process, folder / "api-server.log")
        yield cluster


def _built_api_server() -> Path:
    """The API server, built once from the Go module of Kubernetes."""
    built = _BUILT / f"versioned-kube-apiserver-{kubernetes_release()}"
    if not built.exists():
        go = needed_program("go", "install Go as its go.mod asks")
        draft = built.with_name(f"{built.name}.draft")
        draft.parent.mkdir(parents=True, exist_ok=True)
        # Otherwise it says that it is of version 0, which Helm compares with the chart's.
        version = f"-X k8s.io/component-base/version.gitVersion={kubernetes_release()}"
        program = "k8s.io/kubernetes/cmd/kube-apiserver"
        ran = subprocess.run(
            [go, "build", "-trimpath", f"-ldflags={version}", "-o", draft, program],
            cwd=API_SERVER,
            env={**os.environ, "CGO_ENABLED": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            pytest.fail(ran.stderr)
        draft.rename(built)
    return built


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [found.getsockname()[1] for found in sockets]
    for found in sockets:
        found.close()
    return ports


def _write_keys(folder: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (folder / "accounts.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    (folder / "accounts.pub").write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def _write_kubeconfig(folder: Path, port: int, token: str) -> Path:
    server = {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}
    path = folder / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "test", "cluster": server}],
                "users": [{"name": "test", "user": {"token": token}}],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
                "current-context": "test",
            }
        )
    )
    return path


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(cluster: Cluster, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while cluster.kubectl("get", "--raw", "/readyz").returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"the API server does not answer:\n{log.read_text()[-4000:]}")
        time.sleep(0.5)
