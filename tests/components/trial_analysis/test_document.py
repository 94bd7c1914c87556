"""The whole document: what it has, what it says, and what it keeps to itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.trial_analysis.analyse import analyse
from components.trial_analysis.disclosure import Disclosure
from components.trial_analysis.settings import TrialAnalysisSettings
from components.trial_analysis.subjects import (
    TrialSubjects,
    make_factors,
    pooled,
)
from components.trial_analysis.wording import _expected
from pipeline.errors import UserError
from pipeline.results.analysis import Analysis
from pipeline.results.documents import read_result
from pipeline.study.load import load_study
from pipeline.study.sections import Arm
from pipeline.study.shipped import SCHEMAS
from tests.components.trial_analysis.hand_made_subjects import (
    categories,
    repeated,
    settings_of,
    times,
    trial,
)
from tests.each import each

ASPIRIN_HEPARIN = ("RXASP", "RXHEP")


def a_trial() -> TrialSubjects:
    """Two arms of 40, two sexes, a death of 10 and of 20, two unknown."""
    return trial(
        repeated(("Active", 40), ("Placebo", 40)),
        numbers={"AGE": [50 + place % 20 for place in range(80)]},
        characteristics={"SEX": repeated(("F", 20), ("M", 20)) * 2},
        slicings={"sex": repeated(("F", 20), ("M", 20)) * 2},
        outcomes={
            "death": [
                *repeated((None, 2), (True, 10), (False, 28)),
                *repeated((True, 20), (False, 20)),
            ]
        },
        times={
            "death": times(
                [place * 37 % 80 + 1 for place in range(80)], [place % 2 for place in range(80)]
            )
        },
    )


def document(subjects: TrialSubjects | None = None, **options: Any) -> Analysis:
    chosen = subjects or a_trial()
    return analyse(chosen, settings_of(chosen, **options))


def sizes_of_groups(part: Any, key: str = "") -> Iterator[int]:
    """Every number of subjects that a document shows, but those of events and the unknown."""
    if isinstance(part, dict):
        for name, value in part.items():
            yield from sizes_of_groups(value, name)
    elif isinstance(part, list):
        for value in part:
            yield from sizes_of_groups(value, key)
    elif key in ("subjects", "control_subjects", "missing") and part is not None:
        yield part


def test_a_comparison_is_described_in_a_sentence() -> None:
    [effect] = document(randomised=True).tasks[0].effects
    assert effect.says == (
        "Death: 10 of 38 (26.3\u202f%) with Active against 20 of 40 (50.0\u202f%) with Placebo: "
        "−23.7 percentage points (95\u202f% interval −42.3 to −2.1). The interval does not "
        "include 0 (no difference)."
    )


def test_subjects_whose_outcome_is_unknown_are_left_out_and_counted() -> None:
    placebo, active = document().tasks[0].rates
    assert (active.level, active.subjects, active.events, active.unknown) == ("Active", 38, 10, 2)
    assert (placebo.subjects, placebo.unknown) == (40, 0)


def test_without_random_assignment_no_difference_is_called_an_effect() -> None:
    found = document()
    assert not found.randomised
    [effect] = found.tasks[0].effects
    assert effect.says.endswith("The groups were not randomised: this is not a treatment effect.")
    assert any("can't be attributed to the treatment" in note for note in found.notes)
    assert all("is an effect" not in note for note in each(found.notes))
    [comparison] = found.endpoints[0].comparisons
    assert comparison.says.endswith("this is not a treatment effect.")


def test_with_random_assignment_a_difference_beyond_chance_is_one() -> None:
    notes = document(randomised=True).notes
    assert any("is an effect of the assignment" in note for note in notes)


def test_the_number_of_tests_is_reported() -> None:
    arms = repeated(("High", 40), ("Low", 40), ("Placebo", 40))
    outcomes = {name: repeated((True, 20), (False, 20)) * 3 for name in ("death", "nausea")}
    found = document(trial(arms, outcomes=outcomes))
    assert any(note.startswith("There are 4 comparisons of rates.") for note in found.notes)
    assert all(
        effect.test.p_value_holm is not None
        for task in each(found.tasks)
        for effect in task.effects
    )


@pytest.mark.parametrize(("tests", "says"), [(1, "0.05"), (3, "0.15"), (44, "2.2"), (240, "12")])
def test_few_tests_are_not_said_to_err_twice_as_often_as_they_do(tests: int, says: str) -> None:
    assert _expected(tests) == says


def test_holms_family_are_all_comparisons_of_all_tasks() -> None:
    arms = repeated(("Active", 100), ("Placebo", 100))
    outcomes = {
        name: [*repeated((True, 30), (False, 70)), *repeated((True, 15), (False, 85))]
        for name in ("death", "nausea")
    }
    first, second = (
        task.effects[0].test for task in document(trial(arms, outcomes=outcomes)).tasks
    )
    assert first.p_value_holm == pytest.approx(2 * first.p_value)
    assert second.p_value_holm == pytest.approx(2 * second.p_value)


def test_more_than_two_arms_are_compared_each_with_the_control() -> None:
    arms = repeated(("High", 40), ("Low", 40), ("Placebo", 40))
    found = document(trial(arms, outcomes={"death": repeated((True, 60), (False, 60))}))
    compared = [(e.comparison.level, e.comparison.control) for e in found.tasks[0].effects]
    assert compared == [("High", "Placebo"), ("Low", "Placebo")]


def test_an_arm_of_two_columns_is_compared_by_each_over_the_other() -> None:
    arms = repeated(("N/N", 40), ("N/Y", 40), ("Y/N", 40), ("Y/Y", 40))
    subjects = trial(
        arms,
        control="N/N",
        columns=ASPIRIN_HEPARIN,
        outcomes={"death": repeated((True, 10), (False, 30)) * 4},
        characteristics={"SEX": repeated(("F", 20), ("M", 20)) * 4},
    )
    found = document(subjects)
    assert [(f.name, f.control, f.describes) for f in found.factors] == [
        ("RXASP", "N", True),
        ("RXHEP", "N", True),
        ("arm", "N/N", False),
    ]
    compared = [e.comparison.text for e in found.tasks[0].effects]
    assert compared == [
        "RXASP Y against N",
        "RXHEP Y against N",
        "N/Y against N/N",
        "Y/N against N/N",
        "Y/Y against N/N",
    ]
    assert {row.factor for row in found.characteristics} == {"RXASP", "RXHEP"}


def test_a_trial_without_arms_has_rates_curves_and_correlations() -> None:
    subjects = trial(
        None,
        count=40,
        numbers={"AGE": list(range(40))},
        outcomes={"death": repeated((False, 20), (True, 20))},
        times={"death": times(list(range(1, 41)), [1] * 40)},
    )
    found = document(subjects)
    assert [(rate.level, rate.events) for rate in found.tasks[0].rates] == [("all subjects", 20)]
    assert found.tasks[0].effects == ()
    assert len(found.endpoints[0].curves[0].points) > 3
    assert len(found.screening.pairs) == 1
    assert {absent.section for absent in found.absent} == {"effects", "subgroups"}


def test_a_trial_with_one_arm_says_that_there_is_nothing_to_compare() -> None:
    subjects = trial(
        repeated(("Placebo", 40)), outcomes={"death": repeated((False, 20), (True, 20))}
    )
    found = document(subjects)

    reasons = {absent.section: absent.reason for absent in found.absent}
    assert reasons["effects"] == reasons["subgroups"]
    assert "one arm" in reasons["effects"]
    assert not any("assigned at random" in note for note in each(found.notes))


def test_an_arm_that_is_too_small_is_the_reason_for_the_missing_comparison() -> None:
    subjects = trial(
        repeated(("Active", 3), ("Placebo", 77)),
        outcomes={"death": repeated((False, 40), (True, 40))},
    )
    found = document(subjects)

    assert found.tasks[0].effects == ()
    reasons = {absent.section: absent.reason for absent in found.absent}
    assert "too few subjects" in reasons["effects"]
    assert not any("assigned at random" in note for note in each(found.notes))


def test_outcomes_after_a_later_landmark_are_described_as_those_of_subjects_who_remained() -> None:
    subjects = a_trial()
    settings = settings_of(subjects).model_copy(update={"landmark": 28})
    assert any("after study day 28" in note for note in analyse(subjects, settings).notes)


def test_every_measure_has_its_words() -> None:
    found = document()
    shown = {"rate", "risk_difference", "risk_ratio", "number_needed", "adjusted", "survival"}
    shown |= {"hazard_ratio", "interaction", "spearman", "cramers_v", "q_value", "p_value_holm"}
    assert shown <= found.terms.keys()


def test_no_group_below_the_smallest_size_is_shown_anywhere() -> None:
    rng = np.random.default_rng(3)
    n = 300
    subjects = trial(
        rng.choice(["A", "B", "C", "D"], n, p=[0.4, 0.35, 0.2, 0.05]).tolist(),
        control="A",
        numbers={"AGE": np.where(rng.random(n) < 0.03, np.nan, rng.normal(60, 9, n)).tolist()},
        characteristics={"RACE": rng.choice(["w", "x", "y", "z"], n, p=[0.7, 0.2, 0.07, 0.03])},  # type: ignore[dict-item]
        slicings={"site": rng.choice([f"s{i}" for i in range(9)], n).tolist()},
        outcomes={"death": rng.choice([True, False, None], n, p=[0.3, 0.6, 0.1]).tolist()},  # type: ignore[arg-type]
        times={"death": times(rng.integers(1, 200, n).tolist(), rng.random(n) < 0.5)},  # type: ignore[arg-type]
    )
    found = document(subjects, smallest=20)
    sizes = [size for size in sizes_of_groups(found.model_dump(mode="json")) if size]
    assert sizes
    assert min(sizes) >= 20
    assert "D" in {level.name for level in found.factors[0].levels if level.subjects is None}


def test_an_arm_of_a_factorial_design_does_not_follow_from_its_factors() -> None:
    # Y/Y has 6 subjects: with RXASP Y (46), RXHEP Y (46) and either other arm it would be told.
    arms = repeated(("N/N", 40), ("N/Y", 40), ("Y/N", 40), ("Y/Y", 6))
    subjects = trial(arms, control="N/N", columns=ASPIRIN_HEPARIN)
    disclosure = Disclosure(subjects, 20)
    shown = {
        (factor.name, level)
        for factor in subjects.factors
        for level in factor.levels
        if disclosure.shows_level(factor, level)
    }
    equations = {
        ("RXASP", "N"): [1, 1, 0, 0],
        ("RXASP", "Y"): [0, 0, 1, 1],
        ("RXHEP", "N"): [1, 0, 1, 0],
        ("RXHEP", "Y"): [0, 1, 0, 1],
        ("arm", "N/N"): [1, 0, 0, 0],
        ("arm", "N/Y"): [0, 1, 0, 0],
        ("arm", "Y/N"): [0, 0, 1, 0],
        ("arm", "Y/Y"): [0, 0, 0, 1],
    }
    known = np.array([[1, 1, 1, 1], *(equations[group] for group in shown)])
    smallest_arm = np.array([0, 0, 0, 1])
    assert np.linalg.matrix_rank(np.vstack([known, smallest_arm])) > np.linalg.matrix_rank(known)


def test_very_many_values_of_a_category_are_pooled() -> None:
    column = categories([f"v{place % 40:02}" for place in range(400)] + ["v00"] * 5 + [None])
    found = pooled(column)
    assert len(found.values) == 30
    assert {"other", "v00"} <= set(found.values)
    assert found.codes[-1] == -1
    assert (found.codes == found.values.index("other")).sum() == 11 * 10


def test_a_control_arm_without_subjects_is_an_error_of_the_study_file() -> None:
    with pytest.raises(UserError, match=r"no subject is in arm Control; found: A, B"):
        make_factors(categories(["A", "B"]), Arm(columns=("ARM",), control="Control"), 2)


@pytest.mark.parametrize("study", ["ist", "actg175", "cdisc_pilot01", "synthetic"])
def test_a_studys_settings_survive_their_way_through_the_pipeline(study: str) -> None:
    settings = TrialAnalysisSettings.of(load_study(SCHEMAS / study / "study.yaml"))
    assert TrialAnalysisSettings.from_json(settings.to_json()) == settings
    assert settings.analysis.time_to_event


def test_subgroups_are_not_made_by_the_arm() -> None:
    settings = TrialAnalysisSettings.of(load_study(SCHEMAS / "synthetic" / "study.yaml"))
    assert settings.slicings == ("sex", "age_band")


def test_the_document_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = document()
    (tmp_path / "analysis.json").write_text(written.model_dump_json())
    assert read_result(Analysis, str(tmp_path)) == written
