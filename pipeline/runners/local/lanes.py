"""Runs stages that don't wait for each other at once, in two lanes.

The first lane is this process, the second one beside it takes the stages of `BESIDE`. Which stage
runs where is fixed, so that neither results nor their order depend on the time that a stage takes.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Collection, Mapping, Sequence

_BEFORE_TRAINING = ("StatisticsGen", "ExampleValidator", "DataGate", "TrialSummary")
"""Stages that judge the data, the second lane's first: Transform goes on meanwhile, and the Trainer
waits for them. They are shown before Transform, and run before it where there is one lane."""

BESIDE = (*_BEFORE_TRAINING, "TrialAnalysis", "ReferenceModels")
"""Stages that others wait for late or never, with executors that load no model; in this order."""

_AFTER = {"TrialSummary": "TrialExampleGen"}
"""Both hold the study's files in memory: they run one after the other."""


def stages_beside(stages: Collection[str], at_once: int, beam_args: Collection[str]) -> list[str]:
    """The stages that run in the second lane.

    Args:
        stages: Those of `BESIDE` that the graph has.
        at_once: How many stages may run at once.
        beam_args: Beam's options; elsewhere than in this process, its jobs run one after the
            other: each may take all that a cluster or machine has.

    Examples:
        >>> stages_beside(BESIDE, 2, ["--runner=FlinkRunner"])
        ['TrialAnalysis', 'ReferenceModels']
    """
    if at_once < 2:
        return []
    beam_is_here = "--runner=FnApiRunner" in beam_args and not any(
        option.startswith("--direct_running_mode") for option in beam_args
    )
    return [stage for stage in stages if beam_is_here or stage not in _BEFORE_TRAINING]


def run_order(downstream: Mapping[str, Collection[str]]) -> list[str]:
    """The order in which stages are shown, and run where they run one after the other.

    Stages that no other waits for come last, where they delay or fail no other stage; of these,
    the latest in the graph come first: they report on the training. Those of the second lane come
    just before the first stage that waits for them, when their end is due; those that judge the
    data before Transform at the latest: where they stop the run, nothing else is shown.

    Args:
        downstream: The stages that wait for each one; the keys are in the order of the graph.

    Returns:
        The stages.

    Examples:
        >>> run_order({"TrialSummary": ["C"], "A": [], "B": ["C"], "C": []})
        ['B', 'TrialSummary', 'C', 'A']
    """
    last = [stage for stage, waiting in downstream.items() if not waiting]
    order = [stage for stage in downstream if stage not in last] + last[::-1]
    for stage in [stage for stage in BESIDE if stage in order and stage not in last]:
        order.remove(stage)
        due = {*downstream[stage]} | ({"Transform"} if stage in _BEFORE_TRAINING else set())
        order.insert(min(order.index(other) for other in due & {*order}), stage)
    return order


def run_lanes(
    order: Sequence[str],
    upstream: Mapping[str, Collection[str]],
    beside: Sequence[str],
    run_stage: Callable[[str], None],
    stop_beside: Callable[[], None],
) -> None:
    """Runs every stage after those that it waits for.

    After a failure the other lane finishes the stage that it runs, whose result the next run takes
    from the cache, and starts only what comes earlier in the order than the stage that failed: if
    the gate stops the data, a person reads that, and not what Transform makes of them.

    Args:
        order: The stages, each after those that it waits for.
        upstream: The stages that each one waits for.
        beside: Stages of the second lane, in its order; none runs everything in this thread.
        run_stage: Runs one stage; called in the thread of its lane.
        stop_beside: Ends the second lane's stage at once; called when the user interrupts.

    Raises:
        BaseException: What a stage raised; of two, that of the earlier one in the order.
        KeyboardInterrupt: The user interrupted a stage, or the wait for one.
    """
    run = _Lanes(order, upstream, run_stage)
    of_second = [stage for stage in beside if stage in order]
    second = threading.Thread(target=run.work, args=(of_second,), daemon=True)
    if of_second:
        second.start()
    try:
        run.work([stage for stage in order if stage not in beside])
        if not run.interrupted and of_second:
            second.join()
    except KeyboardInterrupt as interrupt:
        run.interrupt(interrupt)
    if run.interrupted and of_second:
        stop_beside()
        second.join()
    for stage in ("", *order):
        if stage in run.failed:
            raise run.failed[stage]


class _Lanes:
    """What both lanes know.

    Attributes:
        failed: What each stage raised; "" for an interrupt while no stage ran in this thread.
    """

    def __init__(
        self,
        order: Sequence[str],
        upstream: Mapping[str, Collection[str]],
        run_stage: Callable[[str], None],
    ) -> None:
        self._run_stage = run_stage
        self._place = {stage: place for place, stage in enumerate(order)}
        after = {stage: {_AFTER.get(stage)} & upstream.keys() for stage in upstream}
        self._upstream = {stage: {*waits, *after[stage]} for stage, waits in upstream.items()}
        self._ended: set[str] = set()
        self._left_out: set[str] = set()
        self._changed = threading.Condition()
        self.failed: dict[str, BaseException] = {}

    @property
    def interrupted(self) -> bool:
        """Whether the user interrupted a stage."""
        return any(isinstance(error, KeyboardInterrupt) for error in self.failed.values())

    def interrupt(self, interrupt: KeyboardInterrupt) -> None:
        """Lets no further stage start."""
        self._end("", interrupt)

    def work(self, lane: Sequence[str]) -> None:
        """Runs a lane's stages one after the other."""
        for stage in lane:
            with self._changed:
                self._changed.wait_for(functools.partial(self._is_decided, stage))
                if self._is_left_out(stage):
                    self._left_out.add(stage)
                    self._changed.notify_all()
                    continue
            try:
                self._run_stage(stage)
            except BaseException as error:
                self._end(stage, error)
            else:
                self._end(stage, None)

    def _is_decided(self, stage: str) -> bool:
        return self._is_left_out(stage) or self._upstream[stage] <= self._ended

    def _is_left_out(self, stage: str) -> bool:
        """Whether a stage failed that comes before this one, or that this one waits for."""
        if self.interrupted:
            return True
        return any(self._place[failed] <= self._place[stage] for failed in self.failed) or bool(
            self._upstream[stage] & self._left_out
        )

    def _end(self, stage: str, error: BaseException | None) -> None:
        with self._changed:
            if error is None:
                self._ended.add(stage)
            else:
                self.failed[stage] = error
            self._changed.notify_all()
