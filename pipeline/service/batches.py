"""Puts together what waits while the model is busy: rows of several requests in one call of it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool

from pipeline.service.model import Arguments, ColumnsModel, Outputs

_MOST_ROWS = 64
"""Rows of a call that is put together; a request with more is called alone, and waits for none."""


@dataclass(frozen=True)
class _Call:
    """Rows that wait for the model."""

    model: ColumnsModel
    arguments: Arguments
    slices: Mapping[str, NDArray[Any]]
    rows: int
    found: asyncio.Future[Outputs]


class Batches:
    """Calls the model, one call at a time.

    What comes while it is called goes into the next call together: no request waits longer than for
    the call before its own, and none waits where no other one is there.
    """

    def __init__(self) -> None:
        self._waiting: deque[_Call] = deque()
        self._worker: asyncio.Task[None] | None = None
        # A thread of its own is reached sooner than one of a pool for everything.
        self._thread = ThreadPoolExecutor(1, "model")

    async def predict(
        self,
        model: ColumnsModel,
        arguments: Arguments,
        slices: Mapping[str, NDArray[Any]],
        rows: int,
    ) -> Outputs:
        """Answers of the model for the rows of a request.

        Args:
            model: The model.
            arguments: Arguments of the signature `columns`.
            slices: Value of each subject by slicing.
            rows: Number of subjects.
        """
        if rows > _MOST_ROWS:
            return await run_in_threadpool(model.predict, arguments, slices)
        found = asyncio.get_running_loop().create_future()
        self._waiting.append(_Call(model, arguments, slices, rows, found))
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
                await self._call_alone(calls, error)
                continue
            for call, answer in zip(calls, answers, strict=True):
                if not call.found.done():
                    call.found.set_result(answer)
        self._worker = None

    async def _call_alone(self, calls: Sequence[_Call], error: Exception) -> None:
        for call in calls:
            try:
                if len(calls) == 1:
                    raise error
                [answer] = await self._in_thread([call])
            except Exception as own:
                if not call.found.done():
                    call.found.set_exception(own)
            else:
                if not call.found.done():
                    call.found.set_result(answer)

    def _in_thread(self, calls: Sequence[_Call]) -> asyncio.Future[list[Outputs]]:
        return asyncio.get_running_loop().run_in_executor(self._thread, _called, calls)

    def _taken(self) -> list[_Call]:
        """What has waited longest, as far as it is for one model and not too much."""
        calls = [self._waiting.popleft()]
        rows = calls[0].rows
        while self._waiting:
            following = self._waiting[0]
            rows += following.rows
            if following.model is not calls[0].model or rows > _MOST_ROWS:
                break
            calls.append(self._waiting.popleft())
        return calls


def _called(calls: Sequence[_Call]) -> list[Outputs]:
    """Answers of each call, from one call of the model."""
    first = calls[0]
    if len(calls) == 1:
        return [first.model.predict(first.arguments, first.slices)]
    found = first.model.predict(
        _joined([call.arguments for call in calls]), _joined([call.slices for call in calls])
    )
    ends = np.cumsum([call.rows for call in calls])
    return [
        {name: values[end - call.rows : end] for name, values in found.items()}
        for call, end in zip(calls, ends, strict=True)
    ]


def _joined(parts: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
