"""Which values are shown, and that no few subjects follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa

from components.monitor.drift import Training, period_drift
from components.monitor.partition import Plan, partition_tallies
from components.monitor.reference import OfTask, TrainingInput
from components.monitor.settings import MonitorSettings
from components.monitor.values import Shown, shown_values
from components.monitor.watched import judged_alarms
from pipeline.estimates import Estimate
from pipeline.monitoring.alarms.watched import Reference
from pipeline.results.monitoring import MonitoredMetric, MonitoredValue
from tests.components.monitor.hand_made_log import (
    CHALLENGER,
    CHAMPION,
    MARCH,
    outcomes,
    predictions,
)

SETTINGS = MonitorSettings(
    study_name="pilot",
    title="Pilot",
    numbers=("AGE",),
    categories=("SEX",),
    features={"AGE": "Age"},
    tasks={"death": "Death"},
    groups={"sex": "SEX"},
    period="month",
    smallest_group=20,
)
PLAN = Plan(CHAMPION, "month", {"sex": "SEX"}, {})
WOMAN, MAN = {"SEX": "F", "AGE": "2"}, {"SEX": "M", "AGE": "1"}
EVALUATED = {
    "death": OfTask(
        {"auc": Estimate(0.8, 0.75, 0.85)},
        Reference(subjects=1_000, events=300, mean_error=0.0, error_variance=0.17),
    )
}
MAY, JUNE = datetime(2026, 5, 4, tzinfo=UTC), datetime(2026, 6, 4, tzinfo=UTC)
LATER = datetime(2026, 9, 1, tzinfo=UTC)
RISKS = np.linspace(0.05, 0.95, 100)


def shown(
    made: Sequence[pa.Table], known: Sequence[pa.Table] = (), as_of: datetime = LATER
) -> Shown:
    sums = dict(partition_tallies(made, known, PLAN))
    return shown_values(sums, SETTINGS, CHAMPION, EVALUATED, as_of)


def found(of: Shown, metric: MonitoredMetric) -> dict[tuple[tuple[str, str], ...], MonitoredValue]:
    return {
        value.group: value
        for value in of.values
        if value.metric == metric and value.role == "champion"
    }


def test_a_period_is_shown_a_day_after_its_end() -> None:
    made = [predictions(RISKS, WOMAN)]

    assert not shown(made, as_of=datetime(2026, 4, 1, 23, tzinfo=UTC)).values
    scored = found(shown(made, as_of=datetime(2026, 4, 2, tzinfo=UTC)), "scored")[()]
    assert (scored.value, scored.period_start) == (100, date(2026, 3, 1))


def test_a_period_of_few_subjects_is_not_shown() -> None:
    of_few = shown([predictions(RISKS[:19], WOMAN)])

    assert not of_few.values
    assert [item.reason for item in of_few.suppressed] == ["too_small"]


def test_numbers_of_subjects_are_multiples_of_five_and_shares_no_finer_than_a_subject() -> None:
    of_all = shown([predictions(RISKS[:52], WOMAN)])

    scored, mean = found(of_all, "scored")[()], found(of_all, "mean_prediction")[()]
    assert scored.value == scored.subjects == 50
    # 52 subjects have a mean of 0.28; one of them is worth 0.05.
    assert mean.value == 0.3


def test_a_small_group_is_not_shown_and_does_not_follow_from_the_other() -> None:
    people = [MAN] * 4 + [WOMAN] * 96

    assert set(found(shown([predictions(RISKS, people)]), "scored")) == {()}
    assert set(found(shown([predictions(RISKS, [MAN] * 40 + [WOMAN] * 60)]), "scored")) == {
        (),
        (("sex", "F"),),
        (("sex", "M"),),
    }


def test_few_flagged_subjects_are_not_shown() -> None:
    few = [["out_of_range:AGE"]] * 5 + [[]] * 95
    many = [["out_of_range:AGE"]] * 30 + [[]] * 70

    assert not found(shown([predictions(RISKS, WOMAN, flags=few)]), "flagged")
    flagged = found(shown([predictions(RISKS, WOMAN, flags=many)]), "flagged")
    assert {group: value.value for group, value in flagged.items()} == {
        (): 0.3,
        (("flag", "out_of_range"),): 0.3,
    }


def test_a_kind_of_flag_from_which_few_others_would_follow_is_not_shown() -> None:
    flags = [["out_of_range:AGE"]] * 30 + [["missing_value:SEX"]] * 3 + [[]] * 67

    assert set(found(shown([predictions(RISKS, WOMAN, flags=flags)]), "flagged")) == {()}


def test_expected_performance_stands_beside_that_of_the_evaluation() -> None:
    value = found(shown([predictions(RISKS, WOMAN)]), "expected_auc")[()]

    assert value.reference_estimate == Estimate(0.8, 0.75, 0.85)
    assert value.value == 0.8


def test_one_new_outcome_changes_nothing_that_is_shown() -> None:
    made = [predictions(RISKS, WOMAN)]
    first = outcomes([1, 0] * 20, MAY)
    one_more = outcomes([1, 0] * 20 + [1], JUNE)
    many_more = outcomes([1, 0] * 30, JUNE)

    before = shown(made, [first])
    assert found(before, "known")[()].value == 40
    assert shown(made, [first, one_more]) == before
    assert found(shown(made, [first, many_more]), "known")[()].value == 60


def test_groups_are_shown_only_as_long_as_each_grows_by_enough() -> None:
    people = [WOMAN, MAN] * 50
    first, second = outcomes([1, 0, 0, 1] * 12, MAY), outcomes([1, 0, 0, 1] * 18, JUNE)
    # 22 women, and two men.
    lopsided = pa.concat_tables(
        [second.slice(0, 52), *(second.slice(number, 1) for number in range(52, 72, 2))]
    )

    whole = shown([predictions(RISKS, people)], [first])
    assert set(found(whole, "auc")) == {(), (("sex", "F"),), (("sex", "M"),)}
    after = shown([predictions(RISKS, people)], [first, _with_more_women(lopsided)])
    assert set(found(after, "auc")) == {()}


def _with_more_women(cut: pa.Table) -> pa.Table:
    more = outcomes([1] * 28, JUNE, first=72)
    women = [more.slice(number, 1) for number in range(0, 28, 2)]
    return pa.concat_tables([cut, *women])


def test_a_challenger_is_compared_on_the_subjects_of_both() -> None:
    rng = np.random.default_rng(2)
    known = (rng.random(100) < RISKS).astype(int)
    made = [
        predictions(RISKS, WOMAN),
        predictions(np.full(100, 0.5), WOMAN, model=CHALLENGER),
    ]

    differences = {
        value.metric: value
        for value in shown(made, [outcomes(known, MAY)]).values
        if value.role == "difference"
    }
    assert differences["auc"].value < -0.2
    assert differences["brier"].value > 0.05
    assert differences["auc"].model == CHALLENGER


TRAINED = Training(
    [
        TrainingInput(
            "AGE",
            {"1": 500.0, "2": 500.0},
            0.0,
            frozenset({"0", "3"}),
            1_000.0,
            ("0", "1", "2", "3"),
        )
    ],
    {},
)


def drift_of(bins: Sequence[str | None]) -> dict[str, bool]:
    people = [{"SEX": "F", "AGE": of} for of in bins]
    sums = dict(partition_tallies([predictions(RISKS, people)], [], PLAN))
    return {
        item.kind: item.beyond for item in period_drift(sums, SETTINGS, CHAMPION, TRAINED, LATER)
    }


def test_inputs_are_compared_with_those_of_training() -> None:
    assert drift_of(["1", "2"] * 50) == {"values": False, "missing": False, "outside": False}
    assert drift_of(["2"] * 100)["values"]
    assert drift_of(["1", "2", None, None] * 25)["missing"]
    assert drift_of(["1", "3"] * 50)["outside"]


def test_how_few_lack_a_value_or_are_outside_is_not_shown() -> None:
    assert set(drift_of(["1", "2"] * 48 + [None] * 4)) == {"values", "outside"}
    assert set(drift_of(["1", "2"] * 48 + ["3"] * 4)) == {"values", "missing"}


def test_alarms_see_complete_weeks_alone() -> None:
    rng = np.random.default_rng(4)
    weeks = [MARCH + timedelta(weeks=week) for week in range(6)]
    made, known = [], []
    for number, moment in enumerate(weeks):
        first = 200 * number
        risks = rng.uniform(0.2, 0.8, 200)
        made.append(predictions(risks, WOMAN, moment, first=first))
        # Far fewer outcomes than predicted.
        drawn = (rng.random(200) < risks / 2).astype(int)
        known.append(outcomes(drawn, moment + timedelta(weeks=4), first=first))
    sums = dict(partition_tallies(made, known, PLAN))

    def calibration(as_of: datetime) -> bool:
        alarms = judged_alarms(sums, SETTINGS, CHAMPION, EVALUATED, TRAINED, as_of)
        return any(alarm.kind == "calibration" and alarm.fired for alarm in alarms)

    assert not calibration(weeks[0] + timedelta(weeks=4))
    assert calibration(LATER)


def test_a_share_of_all_but_a_few_is_not_shown() -> None:
    """Of 1,000 subjects all but twelve are in the bin that changed most, from a quarter."""
    bins = [*["2"] * 988, *["1", "3", "4"] * 4]
    people = [{"SEX": "F", "AGE": of} for of in bins]
    sums = dict(partition_tallies([predictions(np.full(1_000, 0.5), people)], [], PLAN))
    order = tuple(str(number) for number in range(6))
    quarters = dict.fromkeys(order[1:-1], 250.0)
    ages = TrainingInput("AGE", quarters, 0.0, frozenset({"0", "5"}), 1_000.0, order)

    (found,) = (
        alarm
        for alarm in judged_alarms(sums, SETTINGS, CHAMPION, EVALUATED, Training([ages], {}), LATER)
        if alarm.kind == "drift"
    )
    assert found.fired
    assert found.reason.endswith("the share is of few subjects")
