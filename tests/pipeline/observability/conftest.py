"""A receiver whose address is set."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.observability.address import ENDPOINT
from tests.pipeline.observability.receiver import Receiver, receiving


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as found:
        monkeypatch.setenv(ENDPOINT, found.address)
        yield found
