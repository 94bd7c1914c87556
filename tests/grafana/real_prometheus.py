"""Debian's Prometheus, which reads a service and evaluates the rules of the project."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from grafana.boards.generate import files
from grafana.boards.prometheus import RULES

_LISTENS = re.compile(r"Listening on\S* address=(\S+)")


def program(name: str) -> str:
    """Path of a program of Debian's package."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"missing: `make system` installs Debian's prometheus, which has {name}")
    return found


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus that listens.

    Attributes:
        client: A client of it.
    """

    client: httpx.Client

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """Series that an expression has now, each with `metric` and `value`."""
        answer = self.client.get("/api/v1/query", params={"query": expression})
        assert answer.status_code == 200, f"{expression}: {answer.text}"
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """All rules, with their health."""
        groups = self.client.get("/api/v1/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]


@contextmanager
def reading(target: str, token: Path, folder: Path) -> Iterator[Prometheus]:
    """Runs Prometheus with the files of the project, but for the place of service and token.

    Args:
        target: Host and port of the service.
        token: File of the token for its metrics.
        folder: For its files.
    """
    with subprocess.Popen(
        [
            program("prometheus"),
            f"--config.file={settings(target, token, folder)}",
            f"--storage.tsdb.path={folder / 'series'}",
            "--web.listen-address=127.0.0.1:0",
        ],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr
            said = next(filter(None, map(_LISTENS.search, process.stderr)))
            # Its pipe must not become full.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            with httpx.Client(base_url=f"http://{said.group(1)}", timeout=60) as client:
                yield Prometheus(client)
        finally:
            process.kill()


def settings(target: str, token: Path, folder: Path) -> Path:
    """The project's settings for a service on this machine, which is read each second."""
    made = files()
    content = yaml.safe_load(made["prometheus/prometheus.yaml"])
    content["global"] = dict.fromkeys(content["global"], "1s")
    [service] = content["scrape_configs"]
    service["authorization"]["credentials_file"] = str(token)
    service["static_configs"] = [{"targets": [target]}]
    (folder / RULES).write_text(made[f"prometheus/{RULES}"], encoding="utf-8")
    path = folder / "prometheus.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path
