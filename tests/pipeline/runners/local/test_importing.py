"""The garbage collector rests while libraries are imported, and only then."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from pipeline.runners.local.importing import collection_paused
from tests.each import each


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_nothing_is_collected_meanwhile() -> None:
    with collection_paused():
        assert not gc.isenabled()

    assert gc.isenabled()


def test_what_was_imported_is_not_examined_later() -> None:
    with collection_paused():
        imported: list[object] = [[]]

    assert not any(known is imported for known in each(gc.get_objects()))


def test_the_collector_returns_after_a_failed_import() -> None:
    with pytest.raises(ImportError), collection_paused():
        raise ImportError("no such library")

    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with collection_paused():
            pass

        assert not gc.isenabled()
    finally:
        gc.enable()
