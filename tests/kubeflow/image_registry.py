"""A registry of images on this machine: Debian's docker-registry."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import urllib.request
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

_PROGRAM = "docker-registry"
_LISTENS = "listening on"


@contextmanager
def running(address: str, folder: Path) -> Iterator[None]:
    """Starts a registry; what was pushed is removed at its end.

    Args:
        address: Host and port that it answers at, without TLS.
        folder: For its settings and its images.
    """
    if shutil.which(_PROGRAM) is None:
        pytest.fail(f"missing: `make system` installs Debian's {_PROGRAM}")
    settings = folder / "settings.yaml"
    images = folder / "images"
    content = {
        "version": 0.1,
        "log": {"level": "info"},
        "storage": {"filesystem": {"rootdirectory": str(images)}},
        "http": {"addr": address},
    }
    settings.write_text(yaml.safe_dump(content))
    with subprocess.Popen(
        [_PROGRAM, "serve", settings],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        try:
            _wait(server)
            yield
        finally:
            server.terminate()
            shutil.rmtree(images, ignore_errors=True)


def asked(address: str, path: str) -> Any:
    """What a registry answers.

    Args:
        address: Host and port.
        path: Of the question.
    """
    with urllib.request.urlopen(f"http://{address}/v2/{path}", timeout=30) as answer:
        return json.load(answer)


def _wait(server: subprocess.Popen[str]) -> None:
    assert server.stdout is not None
    said = []
    for line in server.stdout:
        said.append(line)
        if _LISTENS in line:
            # What it says from now on is read, so that it can go on.
            threading.Thread(target=deque, args=(server.stdout, 0), daemon=True).start()
            return
    pytest.fail("".join(said))
