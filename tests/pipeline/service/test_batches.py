"""Requests that come while the model is busy go into its next call together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from pipeline.service.answers import checked_rows, predict
from pipeline.service.batches import Batches
from pipeline.service.champion import Champion
from pipeline.service.follower import Follower
from pipeline.service.given import GivenColumns, columns_of_rows
from pipeline.service.model import ColumnsModel, Outputs
from tests.each import each
from tests.pipeline.service.hand_made import SUBJECT


class Counting(ColumnsModel):
    """A model that notes the rows of each call, and waits in the first one until it may go on."""

    def predict(self, arguments: Mapping[str, Any], slices: Mapping[str, Any]) -> Outputs:
        self.loaded.calls.append(len(arguments["AGE"]))
        if len(self.loaded.calls) == 1:
            assert self.loaded.goes_on.wait(60)
        if 66 in arguments["AGE"]:
            raise RuntimeError("the row at fault")
        return self.loaded.model.predict(arguments, slices)


class Held:
    """What `Counting` holds in place of a loaded model."""

    def __init__(self, model: ColumnsModel) -> None:
        self.model = model
        self.calls: list[int] = []
        self.goes_on = threading.Event()


@pytest.fixture
def champion(follower: Follower) -> Champion:
    found = follower.served.champion
    assert found is not None
    return found


@pytest.fixture
def model(champion: Champion) -> Counting:
    return Counting(**{**vars(champion.model), "loaded": Held(champion.model)})


def _given(ages: list[float]) -> GivenColumns:
    return columns_of_rows([SUBJECT | {"AGE": age} for age in ages])


def asked(champion: Champion, model: ColumnsModel, ages: list[list[float]]) -> list[Any]:
    """Answers of requests of which the first has begun when the others come; an error is one too.

    Args:
        champion: The champion.
        model: Its model.
        ages: Ages of the subjects of each request.
    """

    async def ask() -> list[Any]:
        batches = Batches()

        async def one(request: list[float]) -> Outputs:
            checked = checked_rows(champion, _given(request))
            return await batches.predict(model, checked.arguments, checked.slices, checked.rows)

        tasks = [asyncio.create_task(one(request)) for request in ages]
        while not model.loaded.calls:
            await asyncio.sleep(0)
        model.loaded.goes_on.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    return asyncio.run(ask())


def test_what_waits_is_put_together_and_answered_as_alone(
    champion: Champion, model: Counting
) -> None:
    ages = [[50.0], [60.0], [41.0, 42.0], [70.0]]
    answers = asked(champion, model, ages)

    # All requests of one turn of the loop are together.
    assert model.loaded.calls == [5]
    for request, answer in zip(ages, answers, strict=True):
        alone = predict(champion, _given(request)).outputs
        for name in each(alone):
            assert np.abs(answer[name][:, 0] - alone[name]).max() < 1e-6


def test_a_row_at_fault_fails_alone(champion: Champion, model: Counting) -> None:
    answers = asked(champion, model, [[50.0], [66.0], [60.0]])

    assert [isinstance(answer, RuntimeError) for answer in answers] == [False, True, False]
    assert model.loaded.calls == [3, 1, 1, 1]


def test_a_call_has_a_bounded_number_of_rows(champion: Champion, model: Counting) -> None:
    answers = asked(champion, model, [[50.0] * 40, [60.0] * 40, [60.0] * 24])
    assert [len(answer["death"]) for answer in answers] == [40, 40, 24]
    assert model.loaded.calls == [40, 64]


def test_a_large_request_is_called_alone(champion: Champion, model: Counting) -> None:
    answers = asked(champion, model, [[50.0] * 65, [60.0]])
    assert [len(answer["death"]) for answer in answers] == [65, 1]
    assert sorted(model.loaded.calls) == [1, 65]
