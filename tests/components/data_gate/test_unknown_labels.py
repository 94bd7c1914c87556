"""Labels that are unknown are counted by reason, task and arm, judged exactly, shown with care."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.data_gate.unknown_labels import unknown_labels
from pipeline.results.counts import Counts, MaskReason
from pipeline.results.findings import Finding
from pipeline.study.sections import Gate
from tests.each import each

SMALLEST = 20
REJECTED, ON_LANDMARK = str(MaskReason.REJECTED_ROW), str(MaskReason.ON_LANDMARK)
BY_DESIGN = [
    MaskReason.UNKNOWN_WHEN,
    MaskReason.LEFT,
    MaskReason.BEFORE,
    MaskReason.NOT_FOLLOWED,
    MaskReason.NO_ROW,
]
OF_VALUES = [MaskReason.UNDATED, MaskReason.UNCERTAIN_DAY, MaskReason.MISSING_VALUE]


def labels(known: int, **masked: int) -> dict[str, Any]:
    return {"known": known, "positives": known // 2, "masked": masked}


def counts_of(*splits: dict[str, Any]) -> Counts:
    names = ("train", "eval", "test")
    return Counts.model_validate(
        {"datasets": {}, "subjects": {}, "tasks": {"death": dict(zip(names, splits, strict=False))}}
    )


def by_arm(**arms: dict[str, Any]) -> Counts:
    """Labels of one split by arm."""
    masked: dict[str, int] = {}
    for arm in arms.values():
        for reason, n in arm["masked"].items():
            masked[reason] = masked.get(reason, 0) + n
    known = sum(arm["known"] for arm in arms.values())
    return counts_of({**labels(known, **masked), "arms": arms})


def judged(counts: Counts, **gate: Any) -> list[Finding]:
    return list(unknown_labels(counts, Gate(**gate), SMALLEST))


@pytest.mark.parametrize(
    ("lost", "severity"),
    [(0, None), (9, "ok"), (10, "warn"), (49, "warn"), (50, "stop"), (1000, "stop")],
)
@pytest.mark.parametrize(
    ("reason", "rule"), [(REJECTED, "lost_labels"), (ON_LANDMARK, "landmark_labels")]
)
def test_labels_that_are_lost_are_a_warning_from_1_percent_and_a_stop_from_5(
    reason: str, rule: str, lost: int, severity: str | None
) -> None:
    findings = judged(counts_of(labels(1000 - lost, **{reason: lost} if lost else {})))

    assert [(item.rule, item.severity, item.task) for item in findings] == (
        [(rule, severity, "death")] if severity else []
    )


def test_1086_of_3086_deaths_on_the_landmarks_day_stop_the_run() -> None:
    (finding,) = judged(counts_of(labels(20_207 - 1_086, **{ON_LANDMARK: 1_086})))

    assert finding.severity == "stop"
    assert finding.message.startswith(
        "task death: 1,086 of 20,207 subjects (5.4%) have no known label: event on the landmark's"
        " day. It is a warning from 1.0% of the subjects on, a stop from 5.0%."
    )
    assert "`event.landmark_day`" in finding.message


def test_31_of_347_events_in_rejected_rows_stop_the_run() -> None:
    (finding,) = judged(counts_of(labels(316, **{REJECTED: 31})))

    assert (finding.rule, finding.severity) == ("lost_labels", "stop")
    assert "rejects of TrialExampleGen" in finding.message


@pytest.mark.parametrize("rule", ["lost_labels", "landmark_labels"])
@pytest.mark.parametrize("severity", ["stop", "warn", "ignore"])
def test_the_studys_severity_is_the_gravest(rule: str, severity: Any) -> None:
    masked = {REJECTED: 100} if rule == "lost_labels" else {ON_LANDMARK: 100}

    (finding,) = judged(counts_of(labels(900, **masked)), **{rule: severity})

    assert finding.severity == severity


@pytest.mark.parametrize(
    ("setting", "value", "severity"),
    [
        ("lost_labels_warn", 0.04, "ok"),
        ("lost_labels_limit", 0.03, "stop"),
        ("lost_labels_limit", 0.031, "warn"),
        ("lost_labels_limit", 0.005, "stop"),
    ],
)
def test_each_limit_is_a_setting(setting: str, value: float, severity: str) -> None:
    (finding,) = judged(counts_of(labels(970, **{REJECTED: 30})), **{setting: value})

    assert finding.severity == severity


@pytest.mark.parametrize("reason", BY_DESIGN)
def test_labels_that_are_unknown_by_design_are_shown_and_not_judged(reason: MaskReason) -> None:
    (finding,) = judged(counts_of(labels(100, **{reason: 900})), unknown_labels="stop")

    assert (finding.rule, finding.severity) == ("unknown_labels", "ok")
    assert f"900 of 1,000 subjects (90.0%) have no known label: {reason}." in finding.message


@pytest.mark.parametrize("reason", OF_VALUES)
@pytest.mark.parametrize(("lost", "severity"), [(9, "ok"), (10, "warn"), (900, "warn")])
def test_labels_that_are_unknown_by_a_value_are_a_warning(
    reason: MaskReason, lost: int, severity: str
) -> None:
    (finding,) = judged(counts_of(labels(1000 - lost, **{reason: lost})))

    assert (finding.rule, finding.severity) == ("unknown_labels", severity)


def test_every_reason_is_judged_or_by_design() -> None:
    assert {*BY_DESIGN, *OF_VALUES, MaskReason.REJECTED_ROW, MaskReason.ON_LANDMARK} == {
        *MaskReason
    }


def test_the_splits_count_together() -> None:
    splits = [labels(300, **{REJECTED: 20}), labels(100, **{REJECTED: 0}), labels(80)]

    (finding,) = judged(counts_of(*splits))

    assert finding.value == 0.04
    assert "20 of 500 subjects (4.0%)" in finding.message


def test_arms_that_lose_unequally_stop_the_run_although_few_are_lost() -> None:
    findings = judged(by_arm(A=labels(961, **{REJECTED: 39}), B=labels(990, **{REJECTED: 10})))

    assert [item.severity for item in findings] == ["warn", "stop"]
    assert "differs between arms by 2 percentage points or more" in findings[1].message
    assert not re.search(r"39|29|\b10\b", findings[1].message)


@pytest.mark.parametrize(
    ("a", "b", "size"),
    [
        pytest.param(3, 0, 60, id="5 points that may be chance"),
        pytest.param(1950, 0, 100_000, id="1.95 points that are not chance"),
        pytest.param(40, 40, 1000, id="no difference"),
    ],
)
def test_arms_that_lose_alike_do_not_stop_it(a: int, b: int, size: int) -> None:
    counts = by_arm(A=labels(size - a, **{REJECTED: a}), B=labels(size - b, **{REJECTED: b}))

    assert [
        item for item in each(judged(counts, lost_labels_warn=1)) if item.severity != "ok"
    ] == []


def test_of_three_arms_one_that_differs_is_enough() -> None:
    arms = {arm: labels(1000, **{REJECTED: 5}) for arm in "AB"}
    counts = by_arm(**arms, C=labels(940, **{REJECTED: 60}))

    assert [item.severity for item in judged(counts)][-1] == "stop"


def test_the_difference_between_arms_is_a_setting() -> None:
    counts = by_arm(A=labels(961, **{REJECTED: 39}), B=labels(990, **{REJECTED: 10}))

    findings = judged(counts, lost_labels_difference=0.03)

    assert [item.severity for item in findings] == ["warn"]


def test_counts_by_arm_are_shown_where_no_group_is_small() -> None:
    arms = {"A": labels(500, **{ON_LANDMARK: 40}), "B": labels(500, **{ON_LANDMARK: 60})}

    (finding,) = judged(by_arm(**arms))

    assert "landmark's day (A: 40, B: 60)." in finding.message


def test_a_small_count_is_not_shown_nor_does_it_follow_from_others() -> None:
    arms = {"A": labels(500, **{ON_LANDMARK: 37}), "B": labels(500, **{ON_LANDMARK: 3})}

    (finding,) = judged(by_arm(**arms))

    assert "(numbers by arm are suppressed)" in finding.message
    assert "40 of 1,040" in finding.message


def test_small_counts_of_several_arms_protect_each_other() -> None:
    sizes = {"A": 37, "B": 40, "C": 3, "D": 4}

    (finding,) = judged(
        by_arm(**{arm: labels(500, **{ON_LANDMARK: n}) for arm, n in sizes.items()})
    )

    assert "84 of 2,084" in finding.message
    assert "(A: suppressed, B: 40, C: fewer than 20, D: fewer than 20)" in finding.message


def test_a_small_total_is_not_shown() -> None:
    (finding,) = judged(counts_of(labels(100, **{ON_LANDMARK: 7})))

    assert "task death: fewer than 20 of 107 subjects have no known label" in finding.message
    assert (finding.severity, finding.value) == ("stop", None)


def test_a_number_that_would_give_a_small_one_away_is_suppressed() -> None:
    findings = judged(counts_of(labels(100, **{ON_LANDMARK: 7, str(MaskReason.LEFT): 25})))

    assert findings[0].message.startswith(
        "task death: some of 132 subjects (number suppressed) have no known label: left the trial"
    )
    assert findings[0].value is None


def test_a_number_by_arm_that_one_task_suppresses_stands_with_no_other() -> None:
    left = str(MaskReason.LEFT)
    relapse = by_arm(A=labels(500, **{left: 88}), B=labels(500, **{left: 64}))
    death = by_arm(
        A=labels(500, **{left: 88, ON_LANDMARK: 5}), B=labels(500, **{left: 64, ON_LANDMARK: 30})
    )
    both = {"death": death.tasks["death"], "relapse": relapse.tasks["death"]}

    alone = judged(relapse)[0].message
    together = judged(relapse.model_copy(update={"tasks": both}))

    assert "(A: 88, B: 64)" in alone
    assert not any("A: 88" in item.message for item in each(together))


def test_the_name_of_a_small_arm_is_not_shown() -> None:
    arms = {"A": labels(500), "B": labels(500, **{ON_LANDMARK: 60}), "rare": labels(5)}

    assert not [item for item in each(judged(by_arm(**arms))) if "rare" in item.message]


@given(
    st.lists(
        st.fixed_dictionaries({str(reason): st.integers(0, 60) for reason in MaskReason}),
        min_size=1,
        max_size=3,
    ),
    st.integers(0, 500),
)
def test_every_masked_label_is_counted_and_no_small_number_shown(
    arms: list[dict[str, int]], known: int
) -> None:
    counts = by_arm(**{f"arm{place}": labels(known, **masked) for place, masked in enumerate(arms)})
    total = {reason: sum(arm[reason] for arm in arms) for reason in map(str, MaskReason)}

    findings = [item for item in judged(counts) if "no known label" in item.message]

    assert len(findings) == sum(n > 0 for n in total.values())
    for item in findings:
        head, _, rest = item.message.partition(" subjects")
        shown = re.findall(r"(?<!fewer than )\b(\d+)\b", head.split(": ", 1)[1].replace(",", ""))
        in_arms = re.findall(r"arm\d: (\d+)", rest)
        numbers = [int(number) for number in (*shown, *in_arms)]
        assert all(number >= SMALLEST for number in numbers)  # may be empty


def test_the_task_has_its_title_and_its_name() -> None:
    arms = {"A": labels(900, **{REJECTED: 100}), "B": labels(1000)}

    found = list(unknown_labels(by_arm(**arms), Gate(), SMALLEST, {"death": "Dead at 6 months"}))

    assert len(found) == 2
    for item in each(found):
        assert item.message.startswith("task Dead at 6 months [death]: ")
