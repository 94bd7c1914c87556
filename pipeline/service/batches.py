"""Puts together what waits while the model is busy: subjects of several requests in one call."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from pipeline.service.answers import Predicted, checked_rows, predict, predicted
from pipeline.service.champion import Champion
from pipeline.service.given import GivenColumns, joined_columns
from pipeline.service.validation import InvalidRowsError

_MOST_ROWS = 128
"""Rows of a call that is put together; a request with more is called alone, and waits for none."""


@dataclass(frozen=True)
class _Call:
    """Subjects that wait for the model."""

    champion: Champion
    given: GivenColumns
    found: asyncio.Future[Predicted]


class Batches:
    """Checks subjects and calls the model, one call at a time.

    What comes while it is called goes into the next call together: no request waits longer than for
    the call before its own, and none waits where no other one is there. Most of the time of a check
    is the same for one subject and for a hundred, as is that of a call.
    """

    def __init__(self) -> None:
        self._waiting: deque[_Call] = deque()
        self._worker: asyncio.Task[None] | None = None
        # A thread of its own is reached sooner than one of a pool for everything.
        self._thread = ThreadPoolExecutor(1, "model")

    async def predict(self, champion: Champion, given: GivenColumns) -> Predicted:
        """Predictions of the subjects of a request, without contributions.

        Args:
            champion: The model.
            given: Columns of the subjects.

        Raises:
            InvalidRowsError: Something is wrong with a column.
        """
        # Names of no column are refused; joined, they would take memory for every subject.
        if given.rows > _MOST_ROWS or not given.values.keys() <= champion.inputs.names.keys():
            return await run_in_threadpool(predict, champion, given)
        found = asyncio.get_running_loop().create_future()
        self._waiting.append(_Call(champion, given, found))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return await found

    async def _work(self) -> None:
        while self._waiting:
            calls = self._taken()
            try:
                answers = await self._in_thread(calls)
            except Exception as error:
                # Of several one may be at fault: only that one fails.
                alone = _at_fault(calls, error)
                self._waiting.extendleft(call for call in reversed(calls) if call not in alone)
                await self._call_alone(alone, error if len(calls) == 1 else None)
                continue
            for call, answer in zip(calls, answers, strict=True):
                if not call.found.done():
                    call.found.set_result(answer)
        self._worker = None

    async def _call_alone(self, calls: Sequence[_Call], error: Exception | None) -> None:
        for call in calls:
            try:
                if error:
                    raise error
                [answer] = await self._in_thread([call])
            except Exception as own:
                if not call.found.done():
                    call.found.set_exception(own)
            else:
                if not call.found.done():
                    call.found.set_result(answer)

    def _in_thread(self, calls: Sequence[_Call]) -> asyncio.Future[list[Predicted]]:
        return asyncio.get_running_loop().run_in_executor(self._thread, _called, calls)

    def _taken(self) -> list[_Call]:
        """What has waited longest, as far as it is for one model and not too much."""
        calls = [self._waiting.popleft()]
        rows = calls[0].given.rows
        while self._waiting:
            following = self._waiting[0]
            rows += following.given.rows
            if following.champion is not calls[0].champion or rows > _MOST_ROWS:
                break
            calls.append(self._waiting.popleft())
        return calls


def _called(calls: Sequence[_Call]) -> list[Predicted]:
    """Answers of each call, from one check and one call of the model."""
    champion = calls[0].champion
    checked = checked_rows(champion, joined_columns([call.given for call in calls]))
    outputs = champion.model.predict(checked.arguments, checked.slices)
    return [
        predicted(
            champion,
            checked.part(rows) if len(calls) > 1 else checked,
            {name: values[rows] for name, values in outputs.items()},
        )
        for rows in _places(calls)
    ]


def _at_fault(calls: Sequence[_Call], error: Exception) -> list[_Call]:
    """The calls that an error is about: all, where it does not say."""
    if not isinstance(error, InvalidRowsError):
        return list(calls)
    rows = [problem.row for problem in error.problems]
    return [
        call
        for call, place in zip(calls, _places(calls), strict=True)
        if any(place.start <= row < place.stop for row in rows)
    ]


def _places(calls: Sequence[_Call]) -> Iterator[slice]:
    """Where the subjects of each call are among those of all."""
    ends = itertools.accumulate(call.given.rows for call in calls)
    return (slice(end - call.given.rows, end) for call, end in zip(calls, ends, strict=True))
