"""What the gate says of follow-up that ended before the horizon."""

from __future__ import annotations

from typing import Any

import pytest

from components.data_gate.censoring import censoring
from pipeline.estimates import Estimate
from pipeline.results.censoring import CensoredArm, CensoredTask
from pipeline.results.counts import Counts
from pipeline.results.findings import Finding
from pipeline.study.sections import Gate

SMALLEST = 20


def arm(**changed: Any) -> CensoredArm:
    """100 subjects, 30 of them censored."""
    found: dict[str, Any] = {
        "subjects": 100,
        "events": 20,
        "competing": 0,
        "complete": 50,
        "censored": 30,
        "risk": Estimate(0.2412, 0.1567, 0.3604),
        "naive": 20 / 70,
        "weighted": 0.2412,
        "observed": 0.625,
        "largest_weight": 1.6,
        "truncated": 0,
        "effective": 66.7,
    }
    return CensoredArm(**{**found, **changed})


def findings(
    *, smallest: int = SMALLEST, gate: Gate | None = None, is_complete: bool = False, **arms: Any
) -> list[Finding]:
    task = CensoredTask(horizon=90, is_complete=is_complete, arms=arms)
    counts = Counts(datasets={}, subjects={}, tasks={}, censoring={"rash": task})
    return list(censoring(counts, gate or Gate(), smallest))


def test_the_risk_stands_beside_the_share_of_known_labels() -> None:
    [found] = findings(A=arm())

    assert (found.rule, found.severity, found.task) == ("censoring", "ok", "rash")
    assert (
        "study day 90; risk by then (Kaplan-Meier): A: 0.241 (0.157 to 0.360), 0.286 of the known "
        "labels, effective sample size 67, largest weight 1.6."
    ) in found.message


def test_the_task_has_its_title_and_its_name() -> None:
    task = CensoredTask(horizon=90, is_complete=False, arms={"A": arm()})
    counts = Counts(datasets={}, subjects={}, tasks={}, censoring={"rash": task})

    [found] = censoring(counts, Gate(), SMALLEST, {"rash": "Any rash"})

    assert found.message.startswith("task Any rash [rash]: known labels")


def test_complete_follow_up_is_no_finding() -> None:
    complete = arm(censored=0, largest_weight=1.0)

    found = [len(findings(is_complete=is_complete, A=complete)) for is_complete in (True, False)]

    assert found == [0, 1]


@pytest.mark.parametrize(
    "changed", [{"effective": 34.0}, {"truncated": 3}], ids=["few effective", "cut"]
)
@pytest.mark.parametrize("severity", ["warn", "stop"])
def test_weights_of_few_who_stand_for_many_are_found(
    changed: dict[str, Any], severity: Any
) -> None:
    [found] = findings(gate=Gate(censoring=severity), A=arm(), B=arm(**changed))

    assert found.severity == severity
    assert "choose an earlier horizon" in found.message


def test_numbers_of_an_arm_with_few_censored_subjects_are_not_shown() -> None:
    [found] = findings(A=arm(risk=Estimate(0.111, 0.1, 0.2)), B=arm(censored=3, effective=69.9))

    assert "A: 0.111" in found.message
    assert "B: few subjects are concerned" in found.message
    assert found.value is None
    assert "70" not in found.message


def test_a_small_arm_and_slices_that_were_put_together_are_named() -> None:
    task = CensoredTask(
        horizon=90, by=("sex",), arms={"A": arm(small_strata=2), "B": arm(is_pooled=True)}
    )
    counts = Counts(datasets={}, subjects={}, tasks={}, censoring={"rash": task})

    [found] = censoring(counts, Gate(), SMALLEST)

    assert "Weighted as all arms together, since too small: B." in found.message
    assert "Small slices of sex of A are weighted together." in found.message


def test_a_published_document_has_no_count_and_no_arm_with_few_censored_subjects() -> None:
    task = CensoredTask(horizon=90, arms={"A": arm(), "B": arm(censored=19)})
    counts = Counts(datasets={}, subjects={}, tasks={}, censoring={"rash": task})

    public = counts.published(SMALLEST).censoring["rash"]

    assert (list(public.arms), public.suppressed) == (["A"], ("B",))
    shown = public.arms["A"]
    assert {shown.subjects, shown.events, shown.complete, shown.censored} == {None}
    assert (shown.risk.value, shown.effective, shown.largest_weight) == (0.241, 67.0, 1.6)


@pytest.mark.parametrize(
    ("censored", "is_shown"),
    [((30, 30), True), ((30, 3), False), ((12, 12), True), ((9, 9), False)],
)
def test_numbers_of_all_subjects_do_not_give_away_those_of_an_arm(
    censored: tuple[int, int], is_shown: bool
) -> None:
    task = CensoredTask(
        horizon=90,
        overall=arm(subjects=200, censored=sum(censored)),
        arms={"A": arm(censored=censored[0]), "B": arm(censored=censored[1])},
    )

    public = task.published(SMALLEST)

    assert (public.overall is not None) == is_shown
    assert public.published(SMALLEST) == public
