"""The study file: what it refuses, with which words, and what decides the examples."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.errors import UserError
from pipeline.study.load import load_study, parse_study
from pipeline.study.study import Study

STUDY = """\
study: hand
title: A trial made by hand
datasets:
  dm:
    file: dm.csv
    format: csv
    rows: one_per_subject
    columns:
      USUBJID: {type: text}
      AGE: {type: number, known: baseline}
      WEEK4: {type: number, known: day 28}
      WEEK8: {type: number, known: day 56}
      DIED: {type: text, known: after}
      NOTED: {type: text}
      SITEID: {type: text, known: baseline}
  lb:
    file: lb.xpt
    format: xpt
    rows: many_per_subject
    day: LBDY
    parameter: LBTESTCD
subject: {dataset: dm, column: USUBJID}
landmark: {day: 28}
features:
  AGE: {kind: number}
  lab: {kind: number, dataset: lb, column: LBSTRESN, each: [ALT, CK-MB], aggregate: last}
tasks:
  death:
    kind: outcome
    title: Dead at the end
    state: {positive: {column: DIED, equals: "Y"}}
"""
REMOVED = object()


def changed(**changes: Any) -> dict[str, Any]:
    """The study file with changes; `__` divides the keys of a path."""
    content: dict[str, Any] = yaml.safe_load(STUDY)
    for path, value in changes.items():
        *folders, last = path.split("__")
        place = content
        for name in folders:
            place = place.setdefault(name, {})
        if value is REMOVED:
            del place[last]
        else:
            place[last] = copy.deepcopy(value)
    return content


def study(**changes: Any) -> Study:
    return parse_study(changed(**changes), "study.yaml")


def refusal(**changes: Any) -> list[str]:
    """Lines of the message with which a changed study file is refused."""
    with pytest.raises(UserError) as caught:
        study(**changes)
    return str(caught.value).splitlines()


def refusal_of_text(folder: Path, text: str) -> list[str]:
    path = folder / "study.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        load_study(path)
    return [line.removeprefix(str(folder) + "/") for line in str(caught.value).splitlines()]


EVENT = {"dataset": "lb", "where": {"column": "LBTESTCD", "equals": "ALT"}}
RASH = {"kind": "adverse_event", "title": "Rash", "event": EVENT}


def test_a_study_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    found = load_study(path)
    assert found == study()
    assert found.landmark_day == 28
    assert [feature.name for feature in found.resolved_features] == ["AGE", "lab_ALT", "lab_CK_MB"]


@pytest.mark.parametrize(("first_day", "day"), [(0, 0), (1, 1)])
def test_baseline_is_the_first_study_day(first_day: int, day: int) -> None:
    assert study(landmark="baseline", first_day=first_day).landmark_day == day


def test_an_unknown_key_is_named_with_its_line(tmp_path: Path) -> None:
    text = STUDY.replace("    parameter: LBTESTCD", "    paramter: LBTESTCD")
    assert refusal_of_text(tmp_path, text) == [
        "study.yaml, line 21: datasets.lb.paramter: unknown key. Check its spelling, or remove it."
    ]


def test_a_key_that_stands_twice_is_named_with_its_line(tmp_path: Path) -> None:
    text = STUDY.replace("  AGE: {kind: number}", "  AGE: {kind: number}\n  AGE: {kind: category}")
    assert refusal_of_text(tmp_path, text) == [
        "study.yaml, line 26: AGE: this key stands here twice; YAML keeps the last."
    ]


def test_a_missing_key_is_named_with_the_line_of_what_lacks_it(tmp_path: Path) -> None:
    text = STUDY.replace("    title: Dead at the end\n", "")
    assert refusal_of_text(tmp_path, text) == [
        "study.yaml, line 28: tasks.death.title: this key is missing."
    ]


def test_a_broken_rule_is_named_with_its_line(tmp_path: Path) -> None:
    text = STUDY.replace("landmark: {day: 28}", "landmark: {day: 0}")
    assert refusal_of_text(tmp_path, text) == [
        "study.yaml, line 23: landmark.day: study day 0 lies before baseline, which is study day 1"
    ]


def test_every_broken_rule_of_a_file_is_reported_on_a_line_of_its_own(tmp_path: Path) -> None:
    text = (
        STUDY.replace("AGE: {kind: number}", "DIED: {kind: category}\n  WEEK8: {kind: number}")
        .replace("column: LBSTRESN, ", "")
        .replace("aggregate: last", "aggregate: mean")
        .replace("    parameter: LBTESTCD\n", "")
    )
    lines = refusal_of_text(tmp_path, text + "slicing: {pairs: [[sex, age]]}\n")
    assert [line.split(": ")[1] for line in lines] == [
        "features.DIED",
        "features.DIED",
        "features.WEEK8",
        "features.lab_ALT",
        "features.lab_CK_MB",
        "slicing.pairs",
        "slicing.pairs",
    ]


def test_every_malformed_key_of_a_file_is_reported_on_a_line_of_its_own(tmp_path: Path) -> None:
    text = STUDY.replace("kind: number}", "knd: number}").replace("day: LBDY", "dat: LBDY")
    assert [line.split(": ")[1] for line in refusal_of_text(tmp_path, text)] == [
        "datasets.lb.dat",
        "features.AGE.kind",
        "features.AGE.knd",
    ]


def test_every_broken_rule_of_one_dataset_is_reported() -> None:
    assert refusal(datasets__lb__date="LBDTC", datasets__lb__known="baseline") == [
        "study.yaml: datasets.lb: give either `day` or `date`, not both",
        "study.yaml: datasets.lb: `known` is for datasets whose rows have neither day nor date",
    ]


@pytest.mark.parametrize(
    "landmark", ["basline", 28, {"dy": 28}, {"day": "28"}, {"day": True}, {"day": 28, "week": 4}]
)
def test_a_landmark_is_baseline_or_a_study_day(landmark: Any) -> None:
    assert refusal(landmark=landmark) == [
        "study.yaml: landmark: expected `baseline` or `{day: N}` with the number of a study day"
    ]


@pytest.mark.parametrize(("first_day", "day"), [(1, 0), (1, -7), (0, -1)])
def test_a_landmark_before_baseline_is_refused(first_day: int, day: int) -> None:
    assert refusal(landmark={"day": day}, first_day=first_day) == [
        f"study.yaml: landmark.day: study day {day} lies before baseline, which is study day "
        f"{first_day}"
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("study: [", "not valid YAML"),
        ("- a\n- b\n", "expected keys such as `study:` and `datasets:`"),
        ("", "expected keys such as"),
    ],
)
def test_a_file_that_is_no_study_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    assert words in "\n".join(refusal_of_text(tmp_path, text))


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't be read: No such file"):
        load_study(tmp_path / "study.yaml")


def test_a_file_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(STUDY.replace("hand", "h\xe4nd").encode("latin-1"))
    with pytest.raises(UserError, match="not UTF-8"):
        load_study(path)


def test_another_version_of_the_format_is_refused() -> None:
    assert refusal(version=2) == [
        "study.yaml: version: this release reads version 1 of the study file"
    ]


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

SITE = {"column": "SITEID"}


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
            "tasks.rash.event: lb has no day or date: name the column (`day`), or write the label",
        ),
        (
            {"tasks__rash": {**RASH, "event": {**EVENT, "follow_up": {"dataset": "dm"}}}},
            "tasks.rash.event.follow_up: give either `day` or `date`",
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
            "slicing.by.x: give either `column` or `of: arm` or `of: site`",
        ),
        (
            {"slicing__by": {"x": {"column": "AGE", "bands": [65, 50]}}},
            "slicing.by.x: bands must rise",
        ),
        (
            {"site": SITE, "slicing__by": {"x": {"of": "site", "bands": [65]}}},
            "slicing.by.x: bands are of a column of numbers, not of the arm or the site",
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


FULL: dict[str, Any] = {
    "title": "Another title",
    "site": SITE,
    "population": {"not": {"column": "AGE", "below": 18}},
    "window": {"column": "SITEID", "start": "2014-01-01"},
    "tasks__rash": {**RASH, "horizon": 90, "decision_thresholds": [0.1]},
    "slicing": {
        "by": {"age": {"column": "AGE", "bands": [65]}, "site": {"of": "site"}},
        "pairs": [["age", "site"]],
        "smallest_group": 50,
    },
    "split": {"train": 0.5, "eval": 0.2, "test": 0.3, "seed": 7, "holdout_sites": ["01"]},
    "thresholds": [{"metric": "auc", "at_least": 0.7}],
    "training": {"steps": 100},
    "gate": {"drift": "stop"},
}


def test_a_default_that_is_written_out_changes_nothing() -> None:
    written = study(datasets__dm__encoding="utf-8", first_day=1, version=1)
    assert written.digest() == study().digest()


def test_every_column_that_the_study_file_names_is_read() -> None:
    found = study(
        **{
            **FULL,
            "tasks__death__unknown_when": {"column": "NOTED", "present": False},
            "tasks__rash__event__follow_up": {"dataset": "dm", "day": "WEEK8"},
        }
    )
    assert set(found.columns_used("dm")) == {"USUBJID", "AGE", "DIED", "SITEID", "NOTED", "WEEK8"}
    assert set(found.columns_used("lb")) == {"USUBJID", "LBDY", "LBSTRESN", "LBTESTCD"}


@pytest.mark.parametrize("item", ["23a", "99"])
def test_a_card_states_only_items_that_a_person_answers(item: str) -> None:
    with pytest.raises(UserError, match=rf"card\.statements.*{item} is no item .* 17, 18a"):
        study(card__statements={item: "We did well."})


ENDPOINT: dict[str, Any] = {
    "title": "Death",
    "time": "WEEK4",
    "event": {"column": "DIED", "equals": "Y"},
}


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


def test_the_arm_is_no_characteristic_of_baseline() -> None:
    with_arm = study(
        datasets__dm__columns__TRT01P={"type": "text", "known": "baseline"},
        arm={"columns": ["TRT01P"], "control": "Placebo"},
        features__TRT01P={"kind": "category"},
    )
    assert [feature.name for feature in with_arm.baseline_features] == ["AGE"]


def test_rows_up_to_the_landmark_are_of_baseline_where_that_is_the_landmark() -> None:
    at_baseline = study(landmark="baseline")
    assert [feature.name for feature in at_baseline.baseline_features] == [
        "AGE",
        "lab_ALT",
        "lab_CK_MB",
    ]


def test_arms_that_are_not_named_cannot_be_randomised() -> None:
    [line] = refusal(analysis__randomised=True)
    assert "analysis.randomised: the study file names no arm" in line
