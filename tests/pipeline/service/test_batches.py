"""Requests that come while the model is busy go into its next call together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.runs.registry import Registry
from pipeline.service.answers import predict
from pipeline.service.batches import Batches
from pipeline.service.champion import Champion
from pipeline.service.follower import Follower
from pipeline.service.given import GivenColumns, columns_of_rows, joined_columns
from pipeline.service.model import ColumnsModel, Outputs
from pipeline.service.validation import InvalidRowsError
from tests.each import each
from tests.pipeline.service.grouped import content, save_grouped
from tests.pipeline.service.hand_made import STUDY, SUBJECT, register


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


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Champion:
    """With groups, a population and a landmark."""
    folder = tmp_path_factory.mktemp("batches")
    register(folder / "registry", save_grouped(folder / "model"), folder, **content())
    found = Follower(Registry(str(folder / "registry")), STUDY).served.champion
    assert found is not None
    return found


@pytest.fixture
def model(champion: Champion) -> Counting:
    return Counting(**{**vars(champion.model), "loaded": Held(champion.model)})


def _given(ages: list[float]) -> GivenColumns:
    return columns_of_rows([SUBJECT | {"AGE": age} for age in ages])


def asked(champion: Champion, model: ColumnsModel, requests: list[GivenColumns]) -> list[Any]:
    """Answers of requests of which the first has begun when the others come; an error is one too.

    Args:
        champion: The champion.
        model: Its model.
        requests: Columns of the subjects of each request.
    """

    async def ask() -> list[Any]:
        waiting, served = Batches(), replace(champion, model=model)
        tasks = [asyncio.create_task(waiting.predict(served, given)) for given in requests]
        while not model.loaded.calls:
            await asyncio.sleep(0)
        model.loaded.goes_on.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    return asyncio.run(ask())


def test_what_waits_is_put_together_and_answered_as_alone(
    champion: Champion, model: Counting
) -> None:
    requests = [
        _given([50.0]),
        # Other columns than the others have, and much that can be said of a subject.
        columns_of_rows(
            [
                {"AGE": None, "arm": "Active", "EXIT": 1},
                SUBJECT | {"AGE": 119, "REGION": "North", "ENROLLED": "N"},
            ]
        ),
        columns_of_rows([SUBJECT | {"SEX": "unheard of"}]),
        _given([70.0]),
    ]
    answers = asked(champion, model, requests)

    # All requests of one turn of the loop are together.
    assert model.loaded.calls == [5]
    for given, answer in zip(requests, answers, strict=True):
        alone = predict(champion, given)
        for name in each(alone.outputs):
            assert np.abs(answer.outputs[name] - alone.outputs[name]).max() < 1e-6
        assert answer.checked.rows == alone.checked.rows
        for told in ("flags", "unknown", "arms"):
            assert getattr(answer.checked, told) == getattr(alone.checked, told)
        for found, expected in (
            (answer.checked.slices, alone.checked.slices),
            (answer.checked.arguments, alone.checked.arguments),
        ):
            for name in each(expected):
                np.testing.assert_array_equal(found[name], expected[name])


def test_a_row_at_fault_fails_alone(champion: Champion, model: Counting) -> None:
    answers = asked(champion, model, [_given([50.0]), _given([66.0]), _given([60.0])])

    assert [isinstance(answer, RuntimeError) for answer in answers] == [False, True, False]
    assert model.loaded.calls == [3, 1, 1, 1]


def test_who_can_not_be_predicted_fails_alone_and_by_its_own_place(
    champion: Champion, model: Counting
) -> None:
    wrong = columns_of_rows([SUBJECT, SUBJECT | {"AGE": "old"}])
    answers = asked(champion, model, [_given([50.0]), wrong, _given([60.0])])

    assert [isinstance(answer, InvalidRowsError) for answer in answers] == [False, True, False]
    assert [(found.row, found.column) for found in answers[1].problems] == [(1, "AGE")]
    # The others stay together.
    assert model.loaded.calls == [2]


def test_names_of_no_column_are_joined_with_nothing(
    champion: Champion, model: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Joined, each of them would take a place for every subject of every request."""
    joined: list[GivenColumns] = []

    def note(parts: Sequence[GivenColumns]) -> GivenColumns:
        joined.append(joined_columns(parts))
        return joined[-1]

    monkeypatch.setattr("pipeline.service.batches.joined_columns", note)
    odd = [GivenColumns(1, {f"c{number}": [1]}) for number in range(20)]
    answers = asked(champion, model, [_given([50.0]), *odd, _given([60.0])])

    failed = [isinstance(answer, InvalidRowsError) for answer in answers]
    assert failed == [False, *[True] * 20, False]
    assert [given.rows for given in joined] == [2]
    assert joined[0].values.keys() == SUBJECT.keys()


def test_a_call_has_a_bounded_number_of_rows(champion: Champion, model: Counting) -> None:
    answers = asked(champion, model, [_given([60.0] * rows) for rows in (80, 80, 48)])
    assert [answer.checked.rows for answer in answers] == [80, 80, 48]
    assert model.loaded.calls == [80, 128]


def test_a_large_request_is_called_alone(champion: Champion, model: Counting) -> None:
    answers = asked(champion, model, [_given([50.0] * 129), _given([60.0])])
    assert [answer.checked.rows for answer in answers] == [129, 1]
    assert sorted(model.loaded.calls) == [1, 129]


def test_the_first_of_a_call_may_have_left(champion: Champion, model: Counting) -> None:
    async def leave() -> Any:
        batches, served = Batches(), replace(champion, model=model)
        left, stays = (
            asyncio.create_task(batches.predict(served, _given([age]))) for age in (50.0, 60.0)
        )
        while not model.loaded.calls:
            await asyncio.sleep(0)
        left.cancel()
        model.loaded.goes_on.set()
        return await stays

    assert asyncio.run(leave()).checked.rows == 1
