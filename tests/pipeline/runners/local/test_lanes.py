"""Which stages run at once, and what happens to the others when one ends badly."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Collection, Mapping, Sequence

import pytest

from pipeline.runners.local.lanes import BESIDE, run_lanes, run_order, stages_beside

WAIT = 30
IN_MEMORY = ["--runner=FnApiRunner"]


class Lanes:
    """Runs stages that do nothing but what a test gives them to do, and notes what happened."""

    def __init__(self, **does: Callable[[], object]) -> None:
        self._does = does
        self._lock = threading.Lock()
        self.noted: list[str] = []
        self.stopped = threading.Event()

    def run(self, upstream: Mapping[str, Collection[str]], beside: Sequence[str] = BESIDE) -> None:
        run_lanes(
            list(upstream),
            upstream,
            beside,
            self._run_stage,
            self.stopped.set,
        )

    def note(self, text: str) -> None:
        with self._lock:
            self.noted.append(text)

    def _run_stage(self, stage: str) -> None:
        self.note(f"{stage} starts")
        self._does.get(stage, lambda: None)()
        self.note(f"{stage} ends")


def fail() -> None:
    raise ValueError("a stage failed")


def test_stages_that_do_not_wait_for_each_other_run_at_once() -> None:
    both_run = threading.Barrier(2, timeout=WAIT)
    lanes = Lanes(Trainer=both_run.wait, ReferenceModels=both_run.wait)
    lanes.run({"Trainer": [], "ReferenceModels": []})
    assert sorted(lanes.noted) == [
        "ReferenceModels ends",
        "ReferenceModels starts",
        "Trainer ends",
        "Trainer starts",
    ]


def test_a_stage_waits_for_those_of_the_other_lane() -> None:
    lanes = Lanes()
    lanes.run({"Transform": [], "ReferenceModels": ["Transform"], "Evaluator": ["ReferenceModels"]})
    assert lanes.noted == [
        *("Transform starts", "Transform ends"),
        *("ReferenceModels starts", "ReferenceModels ends"),
        *("Evaluator starts", "Evaluator ends"),
    ]


def test_the_study_s_files_are_read_by_one_stage_at_a_time() -> None:
    lanes = Lanes()
    lanes.run({"TrialSummary": [], "TrialExampleGen": []})
    assert lanes.noted == [
        *("TrialExampleGen starts", "TrialExampleGen ends"),
        *("TrialSummary starts", "TrialSummary ends"),
    ]


def test_the_second_lane_has_an_order_of_its_own() -> None:
    lanes = Lanes()
    lanes.run({"ReferenceModels": [], "TrialAnalysis": []})
    assert [text for text in lanes.noted if text.endswith("starts")] == [
        "TrialAnalysis starts",
        "ReferenceModels starts",
    ]


def test_one_lane_runs_the_stages_in_their_order() -> None:
    lanes = Lanes()
    lanes.run({"Transform": [], "Trainer": ["Transform"], "ReferenceModels": []}, beside=())
    assert [text for text in lanes.noted if text.endswith("starts")] == [
        "Transform starts",
        "Trainer starts",
        "ReferenceModels starts",
    ]


def test_after_a_failure_the_other_lane_s_stage_ends_and_no_further_one_starts() -> None:
    beside_runs, failed = threading.Event(), threading.Event()

    def trainer() -> None:
        assert beside_runs.wait(WAIT)
        failed.set()
        fail()

    def references() -> None:
        beside_runs.set()
        assert failed.wait(WAIT)

    lanes = Lanes(Trainer=trainer, ReferenceModels=references)
    with pytest.raises(ValueError, match="a stage failed"):
        lanes.run(
            {
                "Trainer": [],
                "CrossFit": ["Trainer"],
                "ReferenceModels": [],
                "TrialAnalysis": ["CrossFit"],
            },
            ["ReferenceModels", "TrialAnalysis"],
        )
    assert lanes.noted[-1] == "ReferenceModels ends"
    assert not {"CrossFit starts", "TrialAnalysis starts"} & {*lanes.noted}
    assert not lanes.stopped.is_set()


def test_after_a_failure_what_is_earlier_in_the_order_still_judges_the_data() -> None:
    failed = threading.Event()

    def transform() -> None:
        failed.set()
        raise ValueError("what Transform makes of the data")

    def statistics() -> None:
        assert failed.wait(WAIT)

    def gate() -> None:
        raise ValueError("the gate stops the data")

    lanes = Lanes(Transform=transform, StatisticsGen=statistics, DataGate=gate)
    with pytest.raises(ValueError, match="the gate stops the data"):
        lanes.run(
            {
                "StatisticsGen": [],
                "DataGate": ["StatisticsGen"],
                "TrialSummary": ["DataGate"],
                "Transform": [],
                "Trainer": ["Transform", "DataGate"],
                "ReferenceModels": [],
            }
        )
    started = {text.removesuffix(" starts") for text in lanes.noted if text.endswith("starts")}
    assert started == {"StatisticsGen", "DataGate", "Transform"}


def test_of_two_failures_that_of_the_earlier_stage_is_raised() -> None:
    both_run = threading.Barrier(2, timeout=WAIT)

    def raise_that(text: str) -> Callable[[], None]:
        def stage() -> None:
            both_run.wait()
            raise ValueError(text)

        return stage

    lanes = Lanes(
        ReferenceModels=raise_that("the first in the order"), Trainer=raise_that("the second")
    )
    with pytest.raises(ValueError, match="the first in the order"):
        lanes.run({"ReferenceModels": [], "Trainer": []})


def test_an_interrupted_stage_ends_the_one_beside_it_at_once() -> None:
    beside_runs = threading.Event()

    def trainer() -> None:
        assert beside_runs.wait(WAIT)
        raise KeyboardInterrupt

    def references() -> None:
        beside_runs.set()
        assert lanes.stopped.wait(WAIT)
        raise KeyboardInterrupt

    lanes = Lanes(Trainer=trainer, ReferenceModels=references)
    with pytest.raises(KeyboardInterrupt):
        lanes.run({"Trainer": [], "ReferenceModels": []})
    assert lanes.stopped.is_set()


def test_after_an_interrupt_nothing_starts_that_is_earlier_in_the_order() -> None:
    interrupted = threading.Event()

    def transform() -> None:
        interrupted.set()
        raise KeyboardInterrupt

    lanes = Lanes(Transform=transform, StatisticsGen=lambda: interrupted.wait(WAIT))
    with pytest.raises(KeyboardInterrupt):
        lanes.run({"StatisticsGen": [], "DataGate": ["StatisticsGen"], "Transform": []})
    assert "DataGate starts" not in lanes.noted


def test_an_interrupt_while_this_lane_waits_ends_the_stage_beside_it_at_once() -> None:
    def references() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        assert lanes.stopped.wait(WAIT)
        raise KeyboardInterrupt

    lanes = Lanes(ReferenceModels=references)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            lanes.run({"ReferenceModels": [], "TrialEvaluator": ["ReferenceModels"]})
    finally:
        signal.signal(signal.SIGINT, before)
    assert "TrialEvaluator starts" not in lanes.noted


def test_a_stage_beside_others_is_shown_just_before_the_first_that_waits_for_it() -> None:
    order = run_order(
        {
            "Transform": ["ReferenceModels", "Trainer"],
            "ReferenceModels": ["TrialEvaluator"],
            "Trainer": ["CrossFit", "TrialEvaluator"],
            "CrossFit": ["TrialEvaluator"],
            "TrialEvaluator": [],
        }
    )
    assert order == ["Transform", "Trainer", "CrossFit", "ReferenceModels", "TrialEvaluator"]


def test_what_nothing_waits_for_comes_last_in_the_reverse_order_of_the_graph() -> None:
    assert run_order({"A": [], "B": ["C"], "C": [], "D": []}) == ["B", "D", "C", "A"]


def test_one_stage_at_a_time_leaves_none_beside() -> None:
    assert stages_beside(BESIDE, 1, IN_MEMORY) == []
    assert stages_beside(BESIDE, 2, IN_MEMORY) == list(BESIDE)


@pytest.mark.parametrize(
    "options",
    [
        ["--runner=FlinkRunner"],
        ["--runner=FnApiRunner", "--direct_running_mode=multi_processing"],
    ],
)
def test_where_beam_uses_a_cluster_or_all_cores_its_jobs_run_one_after_the_other(
    options: list[str],
) -> None:
    assert stages_beside(BESIDE, 2, options) == ["TrialAnalysis", "ReferenceModels"]
