"""Rules between the sections of a study file."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pipeline.study.hand_made_study import (
    ENDPOINT,
    EVENT,
    RASH,
    REMOVED,
    SITE,
    refusal,
    study,
)

# Leakage: what a feature may not be.


def test_a_column_of_which_it_is_not_said_when_it_is_known_is_no_feature() -> None:
    (line,) = refusal(features__NOTED={"kind": "category"})
    assert "features.NOTED: say when column NOTED is known" in line


@pytest.mark.parametrize("column", ["WEEK8"])
def test_a_column_known_after_the_landmark_is_no_feature(column: str) -> None:
    (line,) = refusal(**{f"features__{column}": {"kind": "number"}})
    assert line == (
        "study.yaml: features.WEEK8: column WEEK8 is known `day 56`, after the landmark (study day "
        "28), so it can't be a feature"
    )


def test_a_column_known_on_the_day_of_the_landmark_can_be_a_feature() -> None:
    assert study(features__WEEK4={"kind": "number"})


def test_a_planted_later_column_under_another_name_is_no_feature() -> None:
    (line,) = refusal(features__innocent={"kind": "number", "column": "WEEK8"})
    assert "features.innocent: column WEEK8 is known `day 56`" in line


def test_a_column_that_a_label_judges_is_no_feature_even_if_declared_as_baseline() -> None:
    (line,) = refusal(
        features__DIED={"kind": "category"},
        datasets__dm__columns__DIED={"type": "text", "known": "baseline"},
    )
    assert "features.DIED: column DIED decides a label" in line


def test_a_column_that_masks_is_no_feature() -> None:
    (line,) = refusal(tasks__death__unknown_when={"column": "AGE", "above": 90})
    assert "features.AGE: column AGE decides a label" in line


def test_the_day_of_an_event_is_no_feature() -> None:
    (line,) = refusal(
        datasets__dm__columns__DTHDY={"type": "number", "known": "baseline"},
        features__DTHDY={"kind": "number"},
        tasks__dead={"kind": "outcome", "title": "x", "event": {"dataset": "dm", "day": "DTHDY"}},
    )
    assert "features.DTHDY: column DTHDY decides a label" in line


def test_the_day_of_leaving_is_no_feature() -> None:
    (line,) = refusal(
        datasets__dm__columns__EOSDY={"type": "number", "known": "baseline"},
        subject__exit_day="EOSDY",
        features__EOSDY={"kind": "number"},
    )
    assert "features.EOSDY: column EOSDY decides a label" in line


def test_a_baseline_value_can_be_a_feature_and_what_a_label_is_compared_with() -> None:
    assert study(
        tasks__rise={
            "kind": "response",
            "title": "Rise",
            "state": {"positive": {"column": "WEEK8", "above_column": "AGE"}},
        }
    )


def test_what_a_label_is_compared_with_must_be_known_by_the_landmark() -> None:
    (line,) = refusal(
        tasks__rise={
            "kind": "response",
            "title": "Rise",
            "state": {"positive": {"column": "DIED", "above_column": "WEEK8"}},
        }
    )
    assert "tasks.rise.state.positive: WEEK8, which others are compared with, must be" in line


LAB_COUNT = {"kind": "number", "dataset": "lb", "aggregate": "count"}


def test_a_column_of_rows_that_is_known_later_is_no_part_of_a_feature() -> None:
    lines = refusal(
        datasets__lb__columns={"LBSTRESN": {"known": "after"}, "LBBLFL": {"known": "day 56"}},
        features__flagged={**LAB_COUNT, "where": {"column": "LBBLFL", "equals": "Y"}},
    )
    assert [line.split(",")[0] for line in lines] == [
        "study.yaml: features.lab_ALT: column LBSTRESN is known `after`",
        "study.yaml: features.lab_CK_MB: column LBSTRESN is known `after`",
        "study.yaml: features.flagged: column LBBLFL is known `day 56`",
    ]


def test_the_end_of_a_row_is_no_part_of_a_feature() -> None:
    (line,) = refusal(
        datasets__lb__end_day="LBENDY",
        features__ended={**LAB_COUNT, "where": {"column": "LBENDY", "above": 5}},
    )
    assert "features.ended: column LBENDY is the end of a row of lb" in line


def test_rows_without_day_must_be_declared_as_known_by_the_landmark() -> None:
    lines = refusal(datasets__lb__day=REMOVED)
    assert len(lines) == 2
    assert all("have neither day nor date and are not declared to be known" in x for x in lines)
    assert study(datasets__lb__day=REMOVED, datasets__lb__known="baseline")


@pytest.mark.parametrize("known", ["after", "day 29"])
def test_rows_known_after_the_landmark_are_no_feature(known: str) -> None:
    assert len(refusal(datasets__lb__day=REMOVED, datasets__lb__known=known)) == 2


# Consistency of a study file.


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subject__dataset": "adsl"}, "subject.dataset: no dataset adsl; there are: dm, lb"),
        ({"features__AGE__dataset": "ad"}, "features.AGE.dataset: no dataset ad; there are"),
        ({"datasets__lb__supplements": "x"}, "datasets.lb.supplements: no dataset x"),
        ({"tasks__rash": {**RASH, "event": {"dataset": "x"}}}, "tasks.rash.event.dataset: no"),
        (
            {"tasks__rash": {**RASH, "event": {**EVENT, "follow_up": {"dataset": "x"}}}},
            "tasks.rash.event.follow_up.dataset: no dataset x",
        ),
        ({"tasks__death__state__dataset": "x"}, "tasks.death.state.dataset: no dataset x"),
        (
            {"datasets__lb__supplements": "dm"},
            "features.lab.dataset: lb only adds columns to dm; name dm",
        ),
        (
            {"datasets__dm__rows": "many_per_subject"},
            "subject.dataset: dm must have `rows: one_per_subject`",
        ),
        (
            {"subject": {"dataset": "dm", "row_number": True}, "datasets__lb__subject": "USUBJID"},
            "subject.row_number: only a study of one dataset can do without a subject key",
        ),
        (
            {"datasets__lb__day": REMOVED, "datasets__lb__date": "LBDTC"},
            "subject.reference_date: needed to count study days from dates",
        ),
        (
            {"datasets__dm__columns__AGE": {"known": "baseline"}},
            "datasets.dm.columns: delimited text carries no types: declare `type` of AGE",
        ),
        (
            {"features__lab_ALT": {"kind": "number", "column": "AGE"}},
            "features.lab_ALT: there are two features of this name",
        ),
        (
            {"features__arm": {"kind": "number", "column": "AGE"}},
            "features.arm: this name is taken by the pipeline",
        ),
        (
            {"features__ARM": {"kind": "number", "column": "AGE"}},
            "features.ARM: this name is taken by the pipeline",
        ),
        (
            {"features__age": {"kind": "number", "column": "AGE"}},
            "features.age: there are two features of this name",
        ),
        (
            {"features__label_x": {"kind": "number", "column": "AGE"}},
            "features.label_x: this name is taken by the pipeline",
        ),
        (
            {"datasets__lb__parameter": REMOVED},
            "features.lab_ALT: `each` needs datasets.lb.parameter",
        ),
        (
            {"features__AGE__aggregate": "mean"},
            "features.AGE: dm has one row per subject: name its column, without `aggregate`",
        ),
        (
            {"features__lab__aggregate": REMOVED},
            "features.lab_ALT: lb has many rows per subject: say which `aggregate`",
        ),
        (
            {"tasks__death__horizon": 28},
            "tasks.death.horizon: day 28 must lie after the landmark (study day 28)",
        ),
        (
            {"datasets__lb__day": REMOVED, "datasets__lb__known": "baseline", "tasks__rash": RASH},
            "tasks.rash.event: lb has no day or date: name the column (`day` or `date`), or write "
            "the label",
        ),
        (
            {"tasks__rash": {**RASH, "event": {**EVENT, "follow_up": {"dataset": "dm"}}}},
            "tasks.rash.event.follow_up: give either `day` or `date`",
        ),
        (
            {
                "tasks__rash": {
                    **{key: value for key, value in RASH.items() if key != "horizon"},
                    "event": {**EVENT, "follow_up": {"dataset": "dm", "day": "AGE"}},
                }
            },
            "tasks.rash.event.follow_up: without `horizon` no subject is known not to have",
        ),
        (
            {"tasks__rash": {**RASH, "event": {**EVENT, "landmark_day": "after"}}},
            "tasks.rash.event.landmark_day: the landmark is the end of study day 28",
        ),
        (
            {"tasks__rash": {**RASH, "event": {**EVENT, "landmark_day": "later"}}},
            "tasks.rash.event.landmark_day: expected `after`, `before`, `masked` or a condition",
        ),
        (
            {"slicing__by": {"arm": {"of": "arm"}}},
            "slicing.by.arm: the study file names no arm",
        ),
        (
            {"slicing__by": {"site": {"of": "site"}}},
            "slicing.by.site: the study file names no site",
        ),
        (
            {"site": SITE, "slicing": {"by": {"s": {"of": "site"}}, "pairs": [["s", "x"]]}},
            "slicing.pairs: no slicing x; there are: s",
        ),
        (
            {"evaluation": {"scheme": "internal_external", "by": "site"}},
            "evaluation.by: the study file names no site",
        ),
        (
            {"evaluation": {"scheme": "internal_external", "by": "region"}},
            "evaluation.by: no slicing region; there are: site",
        ),
        (
            {"evaluation": {"scheme": "cross_fit"}, "split": {"holdout_sites": ["01"]}},
            "split.holdout_sites: only a split holds sites out",
        ),
        (
            {"split": {"holdout_sites": ["01"]}},
            "split.holdout_sites: the study file names no site",
        ),
        (
            {"training": {"site_as_feature": True}},
            "training.site_as_feature: the study file names no site",
        ),
        (
            {"thresholds": [{"metric": "auc", "at_least": 0.7, "tasks": ["dead"]}]},
            "thresholds: no task dead; there are: death",
        ),
        (
            {
                "thresholds": [{"metric": "auc", "at_least": 0, "versus": "ridge"}],
                "training": {"reference_models": ["random_forest"]},
            },
            "thresholds: `versus: ridge` needs this model in `training.reference_models`",
        ),
    ],
)
def test_an_inconsistent_study_file_is_refused(changes: dict[str, Any], message: str) -> None:
    assert any(line.startswith(f"study.yaml: {message}") for line in refusal(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"datasets__lb__end_date": "X"}, "datasets.lb: `end_date` needs `date`"),
        ({"datasets__dm__end_day": "X"}, "datasets.dm: `end_day` needs `day`"),
        ({"subject__row_number": True}, "subject: give either `column` or `row_number: true`"),
        (
            {"subject__exit_day": "X", "subject__exit_date": "Y"},
            "subject: give either `exit_day` or `exit_date`, not both",
        ),
        (
            {"features__AGE": {"kind": "category", "aggregate": "mean"}},
            "features.AGE: a category can't have the aggregate mean",
        ),
        ({"tasks__death__event": EVENT}, "tasks.death: give either `event` or `state`"),
        (
            {"slicing__by": {"x": {"column": "AGE", "of": "arm"}}},
            "slicing.by.x: give either `column` or `of: arm` or `of: site` or `date`",
        ),
        (
            {"slicing__by": {"x": {"column": "AGE", "bands": [65, 50]}}},
            "slicing.by.x: bands must rise",
        ),
        (
            {"site": SITE, "slicing__by": {"x": {"of": "site", "bands": [65]}}},
            "slicing.by.x: bands are of a column of numbers, not of arm, site or date",
        ),
        (
            {"slicing__by": {"x": {"date": "RANDDT", "bands": [2014]}}},
            "slicing.by.x: bands are of a column of numbers, not of arm, site or date",
        ),
        (
            {"slicing__by": {"x": {"column": "AGE", "period": "year"}}},
            "slicing.by.x: `period` is the length of the periods of `date`: give `date`",
        ),
        ({"thresholds": [{"metric": "auc"}]}, "thresholds.0: give `at_least`, `at_most` or both"),
        (
            {"split": {"train": 0.5}},
            "split: the shares of train, eval and test must add up to 1",
        ),
        (
            {"split": {"train": 0.8, "eval": 0.2, "test": 0}},
            "split: each of train, eval and test needs a share above 0",
        ),
        (
            {"datasets__dm__columns__AGE__known": "week 4"},
            "datasets.dm.columns.AGE.known: expected `baseline`, `day N` (a study day) or `after`",
        ),
    ],
)
def test_a_part_that_contradicts_itself_is_refused(changes: dict[str, Any], message: str) -> None:
    assert refusal(**changes) == [f"study.yaml: {message}"]


def test_a_column_that_decides_a_time_to_event_is_no_feature() -> None:
    [line] = refusal(
        analysis__time_to_event={"death": ENDPOINT}, features__WEEK4={"kind": "number"}
    )
    assert "features.WEEK4: column WEEK4 decides a label" in line


def test_a_time_to_event_is_read_of_a_dataset_that_is_there() -> None:
    [line] = refusal(analysis__time_to_event={"death": {**ENDPOINT, "dataset": "adtte"}})
    assert "analysis.time_to_event.death.dataset: no dataset adtte" in line


def test_effects_are_adjusted_for_what_is_known_at_baseline_alone() -> None:
    [line] = refusal(analysis__adjust_for=["lab_ALT"])
    assert "lab_ALT is no feature that is known at baseline; those are: AGE" in line


def test_arms_that_are_not_named_cannot_be_randomised() -> None:
    [line] = refusal(analysis__randomised=True)
    assert "analysis.randomised: the study file names no arm" in line


def test_event_has_a_day_or_a_date() -> None:
    lines = refusal(tasks__rash={**RASH, "event": {**EVENT, "day": "LBDY", "date": "LBDTC"}})
    assert any("tasks.rash.event: give either `day` or `date`" in line for line in lines)


@pytest.mark.parametrize("where", ["event", "follow_up"])
def test_date_of_a_label_needs_a_reference_date(where: str) -> None:
    event = {**EVENT, "date": "LBDTC"}
    if where == "follow_up":
        event = {**EVENT, "follow_up": {"dataset": "dm", "date": "LASTDTC"}}
    lines = refusal(tasks__rash={**RASH, "event": event, "horizon": 90})
    assert any("subject.reference_date: needed to count study days from dates" in x for x in lines)


# Censoring: what weights may depend on.


FOLLOWED: dict[str, Any] = {
    "tasks__rash": {
        **RASH,
        "horizon": 90,
        "event": {**EVENT, "follow_up": {"dataset": "dm", "day": "WEEK8"}},
    }
}


def test_only_a_follow_up_is_weighted_for() -> None:
    (line,) = refusal(tasks__death__censoring={"largest_weight": 5})
    assert line == (
        "study.yaml: tasks.death.censoring: only the end of `event.follow_up` is weighted for, and "
        "this task has none: leave this key out"
    )


def test_weights_depend_on_slicings_of_the_study() -> None:
    (line,) = refusal(**FOLLOWED, tasks__rash__censoring={"by": ["mood"]})
    assert line.startswith("study.yaml: tasks.rash.censoring.by: no slicing mood; there are:")


def test_where_there_is_no_slicing_the_message_says_none() -> None:
    (line,) = refusal(slicing={"by": {}, "pairs": [["sex", "sex"]]})[:1]
    assert line == "study.yaml: slicing.pairs: no slicing sex; there are: none"


def test_weights_do_not_depend_on_what_comes_after_the_landmark() -> None:
    (line,) = refusal(
        **FOLLOWED,
        slicing__by={"late": {"column": "WEEK8", "bands": [5]}},
        tasks__rash__censoring={"by": ["late"]},
    )
    assert line == (
        "study.yaml: tasks.rash.censoring.by: column WEEK8 of slicing late must be declared as "
        "known by the landmark (datasets.dm.columns): who is still observed can't depend on what "
        "comes later"
    )
