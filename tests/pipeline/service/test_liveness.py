"""A service whose registry is not followed any more asks for a restart."""

from __future__ import annotations

import threading
from pathlib import Path

from pipeline.runs.registry import Registry
from pipeline.runs.trail import Book
from pipeline.service.app import create_app
from pipeline.service.champion import Champion, champion_of_book
from pipeline.service.follower import Follower
from tests.pipeline.service.hand_made import STUDY, SUBJECT, register
from tests.pipeline.service.running import problem, running


def test_a_service_that_does_not_follow_the_registry_any_more_asks_for_a_restart(
    saved_model: Path, other_model: Path, tmp_path: Path
) -> None:
    register(tmp_path / "registry", saved_model, tmp_path)
    registry = Registry(str(tmp_path / "registry"))
    loaded: list[Book] = []
    ended = threading.Event()

    def load(book: Book) -> Champion:
        loaded.append(book)
        if len(loaded) > 1:
            raise RuntimeError("a bug")
        return champion_of_book(book)

    app = create_app(Follower(registry, STUDY, load), seconds=0.01)
    with running(app) as client:
        assert client.get("/v2/health/live").status_code == 200
        app.state.watch.add_done_callback(lambda _: ended.set())
        register(tmp_path / "registry", other_model, tmp_path, run="run-2")
        assert ended.wait(60)
        assert "restart" in problem(client.get("/v2/health/live"), 503)["detail"]
        # It answers meanwhile, by the model that it has.
        assert client.post("/predict", json={"subject": SUBJECT}).status_code == 200
