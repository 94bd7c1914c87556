"""What is shown of groups whose labels are partly unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.evaluator.coarse import GroupResolution
from components.evaluator.judge import judge
from components.evaluator.records import Record
from components.evaluator.settings import EvaluatorSettings
from components.evaluator.shown import shown_metrics, suppressed_groups
from pipeline.results.documents import OVERALL, Group, MetricRecord
from pipeline.study.sections import Threshold

WOMEN: Group = (("sex", "F"),)
MEN: Group = (("sex", "M"),)


def record(task: str, group: Group, subjects: int, unknown: int, **changes: Any) -> Record:
    """A rate of 17 positives."""
    given: dict[str, Any] = {"metric": "observed_rate", "model": "challenger"}
    given |= {"value": 17 / subjects, "lower": 0.2, "upper": 0.4}
    return Record(
        task=task,
        group=group,
        decision_threshold=None,
        subjects=subjects,
        positives=17,
        unknown=unknown,
        **(given | changes),
    )


def of_groups(task: str, women: int, men: int, unknown: tuple[int, int]) -> list[Record]:
    return [
        record(task, OVERALL, women + men, sum(unknown)),
        record(task, WOMEN, women, unknown[0]),
        record(task, MEN, men, unknown[1]),
    ]


# One woman's outcome of "worsening" is unknown.
RECORDS = [*of_groups("death", 55, 60, (0, 0)), *of_groups("worsening", 54, 60, (1, 0))]


def settings(*thresholds: Threshold) -> EvaluatorSettings:
    return EvaluatorSettings(
        tasks={"death": (), "worsening": ()},
        slicings=("sex",),
        pairs=(),
        smallest_group=20,
        thresholds=thresholds,
        split_seed=1,
        label_digest="digest",
    )


def shown(task: str, group: Group) -> MetricRecord:
    hidden = suppressed_groups(RECORDS, settings())
    metrics = shown_metrics(RECORDS, hidden, hidden, settings())
    (found,) = (r for r in metrics.records if (r.task, r.group) == (task, group))
    return found


@pytest.mark.parametrize("group", [WOMEN, MEN])
def test_a_group_is_counted_with_all_its_subjects_for_every_task(group: Group) -> None:
    assert shown("death", group).subjects == shown("worsening", group).subjects


def test_a_share_of_a_group_is_no_finer_than_one_of_its_subjects() -> None:
    assert shown("worsening", WOMEN).value == 0.3  # 17 / 54 is .3148


def test_positives_of_a_group_are_rounded() -> None:
    assert shown("worsening", WOMEN).positives == 15


def test_a_group_without_unknown_labels_looks_the_same_as_one_with_some() -> None:
    assert shown("worsening", MEN).positives == 15
    assert shown("worsening", MEN).value == 0.3  # 17 / 60 is .2833


def test_a_task_whose_labels_are_all_known_is_shown_exactly() -> None:
    assert (shown("death", WOMEN).value, shown("death", WOMEN).positives) == (17 / 55, 17)


def test_all_subjects_together_are_shown_exactly() -> None:
    of_all = shown("worsening", OVERALL)
    assert (of_all.value, of_all.subjects, of_all.positives) == (17 / 114, 114, 17)


def test_the_exact_value_is_judged_and_the_coarse_one_shown() -> None:
    """17 / 54 is above .31, and is shown as .3."""
    limit = Threshold(metric="calibration_in_the_large", at_least=0.31, scope="every_slice")
    records = [replace(r, metric="calibration_in_the_large") for r in RECORDS]

    verdict = judge(records, suppressed_groups(records, settings()), settings(limit), None)

    (found,) = (
        item
        for item in verdict.comparisons
        if (item.application.task, item.application.group) == ("worsening", WOMEN)
    )
    assert (found.outcome, found.value) == ("passes", 0.3)


@pytest.mark.parametrize(("compared", "shown"), [(33, 35), (54, 55)])
def test_subjects_that_two_models_are_compared_on_are_rounded_or_all(
    compared: int, shown: int
) -> None:
    """Of 55 women, one of whom has an unknown label."""
    of_both = record("worsening", WOMEN, compared, 55 - compared, model="champion")

    assert GroupResolution([*RECORDS, of_both]).record(of_both).subjects == shown


def test_a_group_is_shown_for_every_task_or_has_many_unknown_labels() -> None:
    """Of 20 women one has an unknown label: worsening does not show them, nor if none had."""
    for unknown in (0, 1):
        found = of_groups("worsening", 20 - unknown, 99 + unknown, (unknown, 1 - unknown))

        assert set(suppressed_groups(found, settings())["worsening"]) >= {WOMEN}


def test_the_step_of_a_share_is_the_same_whether_a_group_lacks_a_label_or_not() -> None:
    """Of 54 women none or one has an unknown label; 27 of them have the outcome."""
    shown = []
    for unknown in (0, 1):
        all_women = of_groups("worsening", 54 - unknown, 59 + unknown, (unknown, 1 - unknown))
        women = replace(all_women[1], value=27 / (54 - unknown))
        shown.append(GroupResolution(all_women).record(women).value)

    assert shown == [0.5, 0.5]


def test_curves_of_a_group_count_in_fives_and_keep_their_rates() -> None:
    found = {
        "calibration": [
            {
                "mean_prediction": 0.3,
                "observed_rate": 7 / 22,
                "lower": 0.16,
                "upper": 0.53,
                "subjects": 22,
            }
        ],
        "roc": [{"threshold": 0.5, "false_positive_rate": 2 / 37, "true_positive_rate": 14 / 17}],
        "confusion": [
            {
                "decision_threshold": 0.5,
                "true_positives": 14,
                "false_positives": 2,
                "true_negatives": 35,
                "false_negatives": 3,
            }
        ],
    }

    curves = GroupResolution(RECORDS).curves(RECORDS[4], found)

    # 17 of the 54 women whose label is known.
    assert curves["weighted"] == {"observed_rate": 0.3, "effective_subjects": 55.0}
    assert curves["calibration"][0]["subjects"] == 20
    assert curves["calibration"][0]["observed_rate"] == 0.3
    assert curves["roc"][0]["true_positive_rate"] == 0.8
    assert curves["confusion"] == [
        {
            "decision_threshold": 0.5,
            "true_positives": 15,
            "false_positives": 0,
            "true_negatives": 35,
            "false_negatives": 5,
            "true_positive_rate": 0.8,
            "false_positive_rate": 0.05,
        }
    ]


def test_a_share_of_predicted_subjects_is_shown_where_no_subject_has_the_outcome() -> None:
    none: dict[str, Any] = {"decision_threshold": 0.5, "value": float("nan")}
    records = [
        replace(record, **(none | {"metric": metric}))
        for record in RECORDS
        for metric in ("sensitivity", "positive_predictive_value")
    ]
    groups = GroupResolution(records)

    assert len([groups.record(record) for record in records]) == 12
