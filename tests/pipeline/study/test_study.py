"""The study file as an object, and how it is loaded: what is refused, with which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.study.load import load_study
from tests.pipeline.study.hand_made_study import (
    FULL,
    STUDY,
    refusal,
    refusal_of_text,
    study,
)


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


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (
            "{calibration_slope: [1.3, 0.7]}",
            "evaluation.default_thresholds: the two numbers of `calibration_slope` must rise",
        ),
        (
            "{acu: 0.6}",
            "evaluation.default_thresholds.acu: unknown key. Check its spelling, or remove it.",
        ),
        (
            "{auc: 1.2}",
            "evaluation.default_thresholds.auc: expected a number below 1, found 1.2.",
        ),
    ],
)
def test_a_value_of_one_of_several_types_is_named_by_its_key_alone(
    tmp_path: Path, value: str, told: str
) -> None:
    text = f"{STUDY}\nevaluation: {{default_thresholds: {value}}}\n"
    [line] = refusal_of_text(tmp_path, text)
    assert line.endswith(f": {told}")


def test_a_missing_key_is_named_with_the_line_of_what_lacks_it(tmp_path: Path) -> None:
    text = STUDY.replace("    title: Dead at the end\n", "")
    assert refusal_of_text(tmp_path, text) == [
        "study.yaml, line 28: tasks.death.title: this key is missing."
    ]


def test_a_broken_rule_is_named_with_its_line(tmp_path: Path) -> None:
    text = STUDY.replace("landmark: {day: 28}", "landmark: {day: 0}")
    assert refusal_of_text(tmp_path, text) == [
        "study.yaml, line 23: landmark.day: study day 0 lies before baseline, which is study day "
        "1: write `landmark: baseline`, and to count events of that day as after it, "
        "`landmark_day: after` in the task's `event`"
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
        f"{first_day}: write `landmark: baseline`, and to count events of that day as after it, "
        "`landmark_day: after` in the task's `event`"
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


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no", "expected text, found false, as YAML reads yes, no, on, off, true and false"),
        ("12", "expected text, found 12, which is no text in YAML: put it in quotes."),
        ("{name: Placebo}", "expected text, found a mapping with the keys name."),
        ("[Placebo]", "expected text, found a list."),
    ],
)
def test_value_that_is_no_text_is_reported_with_what_was_found(
    tmp_path: Path, text: str, told: str
) -> None:
    arm = f"arm: {{columns: [SEX], control: {text}}}\n"
    lines = refusal_of_text(tmp_path, STUDY + arm)
    assert any("arm.control: " + told in line for line in lines), lines


@pytest.mark.parametrize(
    "exposure",
    [{"column": "AGE", "unit": "days"}, {"duration": {"column": "AGE", "unit": "days"}}],
)
def test_exposure_by_column_and_unit_is_refused_with_how_it_is_written(
    exposure: dict[str, Any],
) -> None:
    [line] = refusal(summary={"exposure": exposure})
    assert "summary.exposure: expected one column by what it measures" in line
    assert "`Duration of treatment (days): TRTDURD`" in line


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"datasets__dm": None}, "datasets.dm: expected keys with their values, found nothing."),
        ({"features__AGE": "x"}, "features.AGE: expected keys with their values, found a single"),
        ({"subject": ["dm"]}, "subject: expected keys with their values, found a list."),
        (
            {"datasets__dm__columns__AGE__range": 5},
            "datasets.dm.columns.AGE.range: expected a list, found a single value.",
        ),
    ],
)
def test_what_is_no_mapping_or_no_list_is_said_in_words(
    changes: dict[str, Any], message: str
) -> None:
    assert any(line.startswith(f"study.yaml: {message}") for line in refusal(**changes))
