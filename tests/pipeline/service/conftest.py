"""A registered champion, and a service of it that all tests of this folder ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pipeline.runs.registry import Registry
from pipeline.service.app import create_app
from pipeline.service.follower import Follower
from tests.pipeline.service.hand_made import STUDY, register, save
from tests.pipeline.service.running import running


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("served") / "model")


@pytest.fixture(scope="session")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose log odds of death are higher by one."""
    return save(tmp_path_factory.mktemp("other") / "model", offset=1.0)


@pytest.fixture(scope="session")
def follower(saved_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Follower:
    """Of a registry that no test changes."""
    folder = tmp_path_factory.mktemp("registered")
    register(folder / "registry", saved_model, folder)
    return Follower(Registry(str(folder / "registry")), STUDY)


@pytest.fixture(scope="session")
def client(follower: Follower) -> Iterator[httpx.Client]:
    with running(create_app(follower)) as client:
        yield client
