"""Under which names groups that are not shown are listed."""

from __future__ import annotations

from typing import Any

from components.evaluator.judge import judge
from components.evaluator.named_groups import OTHER
from components.evaluator.records import Record
from components.evaluator.settings import EvaluatorSettings
from components.evaluator.shown import shown_metrics, suppressed_groups
from pipeline.results.documents import OVERALL, Group
from pipeline.study.sections import Threshold

SETTINGS = EvaluatorSettings(
    tasks={"death": ()},
    slicings=("race", "arm"),
    pairs=(("race", "arm"),),
    smallest_group=20,
    thresholds=(Threshold(metric="auc", at_least=0.5, scope="every_slice"),),
    split_seed=1,
    label_digest="digest",
)


def trial(**races: tuple[int, int]) -> list[Record]:
    """Numbers of subjects of each race in the two arms."""
    sizes: dict[Group, int] = {OVERALL: sum(map(sum, races.values()))}
    for place, arm in enumerate(("Active", "Placebo")):
        sizes[("arm", arm),] = sum(of[place] for of in races.values())
        for race, of in races.items():
            sizes[("race", race),] = sum(of)
            sizes[("race", race), ("arm", arm)] = of[place]
    return [
        Record("death", group, "auc", None, "challenger", 0.7, 0.6, 0.8, size, size // 2)
        for group, size in sizes.items()
        if size
    ]


def listed(records: list[Record]) -> set[Group]:
    hidden = suppressed_groups(records, SETTINGS)
    return {item.group for item in shown_metrics(records, hidden, hidden, SETTINGS).suppressed}


def judged(records: list[Record]) -> dict[str, Any]:
    hidden = suppressed_groups(records, SETTINGS)
    return judge(records, hidden, SETTINGS, None).to_json()


def test_the_arm_of_the_only_subject_of_a_race_is_not_told_by_the_list() -> None:
    active, placebo = (
        trial(black=(40, 40), white=(60, 60), plantrace=of) for of in ((1, 0), (0, 1))
    )

    assert listed(active) == listed(placebo)
    assert {(("race", OTHER), ("arm", arm)) for arm in ("Active", "Placebo")} <= listed(active)
    assert "plantrace" not in str(listed(active))


def test_comparisons_name_the_same_groups_whichever_are_empty() -> None:
    active, placebo = (
        judged(trial(black=(40, 40), white=(60, 60), plantrace=of)) for of in ((1, 0), (0, 1))
    )

    assert [item["slice"] for item in active["not_judged"]] == [
        item["slice"] for item in placebo["not_judged"]
    ]
    assert "plantrace" not in str(active)


def test_an_empty_combination_of_large_values_is_listed_as_a_small_one_is() -> None:
    black_active: Group = (("race", "black"), ("arm", "Active"))

    assert black_active in listed(trial(black=(0, 80), white=(60, 60)))
    assert black_active in listed(trial(black=(1, 79), white=(60, 60)))


def test_several_small_values_have_one_name_and_no_limit_of_their_number() -> None:
    records = trial(black=(40, 40), white=(60, 60), one=(15, 3), two=(3, 15))
    hidden = suppressed_groups(records, SETTINGS)

    (other,) = (
        item
        for item in shown_metrics(records, hidden, hidden, SETTINGS).suppressed
        if item.group == (("race", OTHER),)
    )

    assert (other.reason, other.subjects) == ("too_small", None)
