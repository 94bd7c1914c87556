"""What makes two hosts of one machine two hosts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.flink.conftest import Flink

pytestmark = pytest.mark.slow


def test_each_worker_has_temporary_files_of_its_own(flink: Flink, tmp_path: Path) -> None:
    hosts = flink.cluster.network.hosts
    if len(hosts) == 1:
        pytest.fail("hosts of their own can be made by root alone, on Linux")
    everywhere = tmp_path / "tmp"
    own = [tmp_path / str(number) for number in range(len(hosts))]
    for folder in (everywhere, *own):
        folder.mkdir()

    for number, (host, content) in enumerate(zip(hosts, own, strict=True)):
        written = ["touch", str(everywhere / f"from-{number}")]
        subprocess.run(host.command_with_own(everywhere, content, written), check=True)

    assert [[file.name for file in folder.iterdir()] for folder in own] == [["from-0"], ["from-1"]]
    assert not list(everywhere.iterdir())
