"""A Flink on this machine, and a way to give it Beam's jobs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pipeline.beam.local_flink.cluster import LocalFlink, start
from pipeline.beam.local_flink.jars import fetch_flink
from pipeline.beam.local_flink.plan import ClusterPlan
from tests.flink.job_server import JobServer, fetch_beam_jars


@dataclass(frozen=True)
class Flink:
    """A cluster with its job server.

    Attributes:
        cluster: The cluster.
        job_endpoint: Address of the job server.
        small_disk: A folder for a megabyte that all workers see; None where none can be made.
    """

    cluster: LocalFlink
    job_endpoint: str
    small_disk: Path | None

    def options(self, *further: str) -> list[str]:
        """Options of `pipeline.beam.options` that choose this cluster."""
        return [
            "--runner=flink",
            f"--master={self.cluster.master}",
            f"--worker-pool={self.cluster.worker_pool}",
            f"--job_endpoint={self.job_endpoint}",
            *further,
        ]

    @property
    def arguments(self) -> list[str]:
        """Arguments of the command line that choose this cluster."""
        own = ("--runner", "--master", "--worker")
        return [
            option if option.startswith(own) else f"--beam={option}" for option in self.options()
        ]


@pytest.fixture(scope="session")
def flink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flink]:
    """A cluster on which a job that fails starts again, up to three times."""
    with _running(ClusterPlan(), tmp_path_factory.mktemp("flink")) as running:
        yield running


@pytest.fixture(scope="session")
def fragile_flink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flink]:
    """A cluster on which a job that fails has failed."""
    with _running(ClusterPlan(restarts=0), tmp_path_factory.mktemp("flink")) as running:
        yield running


@contextmanager
def _running(plan: ClusterPlan, folder: Path) -> Iterator[Flink]:
    """A job manager and two task managers; hosts of their own where this user may make them."""
    for program, package in (("javac", "openjdk-17-jdk-headless"), ("mvn", "maven")):
        if shutil.which(program) is None:
            pytest.fail(f"{program} is missing: `make system` installs Debian's package {package}")
    if os.geteuid() == 0 and shutil.which("ip") is None:
        pytest.fail("ip is missing: `make system` installs Debian's package iproute2")
    jars, beam_jars = fetch_flink(), fetch_beam_jars()
    with _small_disk(folder / "disk") as small_disk:
        plan = replace(plan, jars=tuple(sorted(beam_jars.glob("*.jar"))))
        cluster = start(plan, folder, jars)
        try:
            server = JobServer(jars, beam_jars, folder / "jobs.log")
            yield Flink(cluster, server.endpoint, small_disk)
            server.stop()
        finally:
            cluster.stop()


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path | None]:
    """Mounted before the cluster starts: its hosts see what was mounted until then."""
    if os.geteuid() != 0:
        yield None
        return
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.fixture(scope="session")
def subject_key(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Reference to a key that this machine and all workers can read."""
    file: Path = tmp_path_factory.mktemp("key") / "subject_key"
    file.write_text("a key for tests: 0123456789abcdef")
    return f"file:{file}"
