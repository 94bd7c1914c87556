"""A cluster as delivery sees it: Kubeflow's API takes runs, and the walker runs them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests import http_server
from tests.kubeflow.spec_walker import TaskRun, Walker, WalkError

_API = "/apis/v2beta1"
_RUN = "0f6f4f6a-1c5e-4b57-9a8e-1f1f0e7d4c11"


@dataclass
class Cluster:
    """A cluster that runs one package.

    Attributes:
        walker: How it runs it.
        address: Of its API.
        tokens: Those that requests came with.
        image: Image of the submitted tasks.
        tasks: What the run's tasks made, by task; empty until it has ended.
        failed: Why it failed.
        has_ended: Whether the run has ended.
    """

    walker: Walker
    address: str = ""
    tokens: set[str] = field(default_factory=set)
    image: str = ""
    tasks: dict[str, TaskRun] = field(default_factory=dict)
    failed: str = ""
    has_ended: bool = False

    @property
    def state(self) -> str:
        """As the API has it."""
        if not self.has_ended:
            return "RUNNING"
        return "SUCCEEDED" if self.tasks else "FAILED"

    def answer(self, what: str, body: Any) -> dict[str, Any] | None:
        """What the API answers; None if it does not know the question.

        Args:
            what: Method and path.
            body: The request's content.
        """
        if what == f"POST {_API}/runs":
            threading.Thread(target=self._run, args=(body,), daemon=True).start()
            return {"run_id": _RUN, "state": "PENDING"}
        answers: dict[str, dict[str, Any]] = {
            f"GET {_API}/healthz": {"multi_user": False},
            f"GET {_API}/experiments": {
                "experiments": [{"experiment_id": "7", "display_name": "Default"}]
            },
            f"GET {_API}/runs/{_RUN}": {"run_id": _RUN, "state": self.state},
        }
        return answers.get(what)

    def _run(self, body: Any) -> None:
        try:
            # What Kubernetes must know lies beside the package.
            spec = body["pipeline_spec"].get("pipeline_spec", body["pipeline_spec"])
            executors = spec["deploymentSpec"]["executors"].values()
            [self.image] = {executor["container"]["image"] for executor in executors}
            self.tasks = self.walker.run(json.dumps(spec), body["runtime_config"]["parameters"])
        except WalkError as error:
            self.failed = str(error)
        finally:
            self.has_ended = True


@contextmanager
def running(walker: Walker) -> Iterator[Cluster]:
    """Starts the API of a cluster.

    Args:
        walker: How it runs packages.
    """
    cluster = Cluster(walker)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            cluster.tokens.add(self.headers.get("Authorization", ""))
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            what = f"{self.command} {self.path.partition('?')[0]}"
            found = cluster.answer(what, json.loads(body) if body else None)
            content = json.dumps(found or {}).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer  # noqa: N815 (the library's names)

        def log_message(self, *_: object) -> None:
            pass

    with http_server.running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as cluster.address:
        yield cluster
