"""A champion is swapped while a service, as a process, is asked in all of its protocols."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import yaml

from pipeline.runs.register import Decision
from pipeline.runs.registry import Registry
from tests.each import each
from tests.pipeline.service.hand_made import CONTENT, STUDY, SUBJECT, log_odds, register, risk
from tests.pipeline.service.processes import serving, until
from tests.pipeline.service.test_protocols import tensors
from tests.whole_runs import environment

pytestmark = pytest.mark.slow

OLD = risk(log_odds(60, 30, "F", "Active"))
NEW = risk(log_odds(60, 30, "F", "Active", offset=1.0))


def by_name(client: httpx.Client) -> httpx.Response:
    return client.post("/predict", json={"subject": SUBJECT})


def of_tensorflow_serving(client: httpx.Client) -> httpx.Response:
    return client.post(f"/v1/models/{STUDY}:predict", json={"instances": [SUBJECT]})


def of_open_inference(client: httpx.Client) -> httpx.Response:
    return client.post(f"/v2/models/{STUDY}/infer", json={"inputs": tensors(SUBJECT)})


def death(answer: httpx.Response) -> float:
    """The predicted risk, whatever protocol the answer is of."""
    content = answer.json()
    if "outputs" in content:
        [found] = [output for output in content["outputs"] if output["name"] == "death"]
        return float(found["data"][0])
    if isinstance(content["predictions"], list):
        return float(content["predictions"][0]["death"][0])
    return float(content["predictions"]["death"]["probability"])


PROTOCOLS: tuple[Callable[[httpx.Client], httpx.Response], ...] = (
    by_name,
    of_tensorflow_serving,
    of_open_inference,
)


class Load:
    """Clients that ask one after the other, two in each protocol, until they are stopped.

    Args:
        address: Address of the service.

    Attributes:
        answers: Status and text that each client got, in order.
        risks: The risks that it got, each run of the same one once: `old`, `new`.
    """

    def __init__(self, address: httpx.URL) -> None:
        self._address = address
        self._done = threading.Event()
        self.answers: list[list[tuple[int, str]]] = [[] for _ in self._clients()]
        self.risks: list[list[str]] = [[] for _ in self._clients()]

    def _clients(self) -> tuple[Callable[[httpx.Client], httpx.Response], ...]:
        return (*PROTOCOLS, *PROTOCOLS)

    def ask(self, place: int) -> None:
        with httpx.Client(base_url=self._address, timeout=60) as client:
            while not self._done.is_set():
                answer = self._clients()[place](client)
                self.answers[place].append((answer.status_code, answer.text))
                if answer.status_code == 200:
                    self._note(self.risks[place], death(answer))

    def _note(self, seen: list[str], found: float) -> None:
        names = [n for n, r in {"old": OLD, "new": NEW}.items() if found == pytest.approx(r, 1e-5)]
        name = names[0] if names else f"another risk: {found}"
        if seen[-1:] != [name]:
            seen.append(name)

    def stop(self) -> None:
        self._done.set()

    def all_have_seen(self, *risks: str) -> bool:
        """Whether each client has got these risks in this order, and nothing else."""
        return all(seen == list(risks) for seen in self.risks)


def decide(folder: Path, *words: str) -> str:
    """Runs `trial models`; the champion from then on."""
    command = [sys.executable, "-m", "pipeline.cli", "models", *words, "--reason", "a test"]
    place = ["--study", str(folder / "study.yaml"), "--registry", str(folder / "registry")]
    ended = subprocess.run(
        [*command, *place, "--json"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return str(json.loads(ended.stdout)["champion"])


def test_promotion_and_rollback_fail_no_request_of_any_protocol(
    tmp_path: Path, saved_model: Path, other_model: Path
) -> None:
    rule = {"registry": {"promotion": "person"}}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(CONTENT | rule))
    registry = tmp_path / "registry"
    first = register(registry, saved_model, tmp_path)
    waits = Decision(first.id, "person")
    second = register(registry, other_model, tmp_path, "run-2", decision=waits)
    champion = Registry(str(registry)).champion(STUDY)
    assert champion == first

    with serving(registry) as service, ThreadPoolExecutor(2 * len(PROTOCOLS)) as threads:
        load = Load(service.client.base_url)
        try:
            asking = [threads.submit(load.ask, place) for place in range(2 * len(PROTOCOLS))]
            until(lambda: load.all_have_seen("old"))
            assert decide(tmp_path, "promote", second.id) == second.id
            until(lambda: load.all_have_seen("old", "new"))
            assert decide(tmp_path, "rollback") == first.id
            until(lambda: load.all_have_seen("old", "new", "old"))
        finally:
            load.stop()
        for client in each(asking):
            client.result()
        for answers in each(load.answers):
            assert [answer for answer in each(answers) if answer[0] != 200] == []
