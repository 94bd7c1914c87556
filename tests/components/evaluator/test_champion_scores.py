"""Champion and challenger are compared only on subjects that neither was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as sk

from components.evaluator.settings import EvaluatorSettings
from pipeline.results.division import Division
from tests.components.evaluator.compared_trial import (
    CHAMPION,
    PLAN,
    N,
    Trial,
    auc_difference,
    comparisons,
    make_settings,
    make_trial,
    predictions,
    rows_of,
)
from tests.components.evaluator.conftest import split_division
from tests.each import each
from tests.verdict_texts import note_texts

TRAIN, EVAL, TEST = range(3)


@pytest.fixture(scope="module")
def settings() -> EvaluatorSettings:
    return make_settings()


@pytest.fixture(scope="module")
def trial() -> Trial:
    return make_trial()


def parts_of(trial: Trial, parts: NDArray[Any]) -> Division:
    """The champion's division: its part of each subject, negative for those who are new."""
    kept = zip(trial["hash"], parts.tolist(), strict=True)
    return split_division({bytes(subject): part for subject, part in kept if part >= 0})


@pytest.fixture(scope="module")
def partly(
    run_evaluator: Any, settings: Any, trial: Any, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """Of the test subjects 100 trained the champion, 40 stopped it, 60 are new since."""
    parts = np.repeat([TRAIN, EVAL, -1, TEST], [100, 40, 60, 200])
    folder = tmp_path_factory.mktemp("partly")
    division = parts_of(trial, parts)
    return run_evaluator(folder, settings, rows_of(trial), CHAMPION, division=division)


def test_on_a_test_split_subjects_that_the_champion_has_seen_are_left_out(
    partly: Any, trial: Any
) -> None:
    unseen = trial["known"] & (np.arange(N) >= 140)
    record = partly.record("response", "auc", "difference")
    assert record["value"] == pytest.approx(auc_difference(trial, unseen), abs=1e-12)
    assert record["subjects"] == unseen.sum() == 234
    assert record["positives"] == trial["label"][unseen].sum()
    assert record["lower"] < record["value"] < record["upper"]


def test_the_challengers_own_metrics_are_of_all_test_subjects(partly: Any, trial: Any) -> None:
    record = partly.record("response", "auc")
    known = trial["known"]
    expected = sk.roc_auc_score(trial["label"][known], trial["own"][known])
    assert record["value"] == pytest.approx(expected, abs=1e-12)
    assert record["subjects"] == known.sum()


def test_metrics_of_decisions_are_compared_on_the_same_subjects(partly: Any, trial: Any) -> None:
    positive = (np.arange(N) >= 140) & (trial["label"] > 0)
    record = partly.record("response", "sensitivity", "champion", decision_threshold=0.5)
    assert record["value"] == pytest.approx((trial["champion"][positive] >= 0.5).mean())


def test_the_champions_curves_are_of_the_compared_subjects(partly: Any) -> None:
    (curves,) = (
        found
        for found in partly.curves["curves"]
        if found["model"] == "champion" and not found["slice"]
    )
    assert curves["subjects"] == 234


def test_the_verdict_says_on_how_many_subjects_the_models_were_compared(partly: Any) -> None:
    assert note_texts(partly.verdict) == [
        "Compared with the champion on 260 test subjects that neither model was trained, stopped "
        "or calibrated on; 60 of them are new since the champion's run. 140 test subjects that the "
        "champion has seen are left out."
    ]


def test_a_comparison_on_too_few_events_is_not_judged_and_neither_is_the_task(
    run_evaluator: Any, settings: Any, trial: Any, tmp_path: Path
) -> None:
    unseen = (trial["label"] > 0) & (np.cumsum(trial["label"]) <= 9)
    unseen |= trial["known"] & (trial["label"] == 0) & (np.arange(N) < 100)
    division = parts_of(trial, np.where(unseen, TEST, TRAIN))
    found = run_evaluator(tmp_path, settings, rows_of(trial), CHAMPION, division=division)
    assert comparisons(found) == [
        (
            "not_judged",
            "too_few_events",
            "response: difference of AUC to the champion overall can't be judged: of the subjects "
            "that neither model was trained, stopped or calibrated on, fewer than 10 have the "
            "outcome, or are without it",
        )
    ]
    assert found.verdict["tasks"]["response"]["verdict"] == "not_judged"
    assert not found.verdict["blessed"]
    assert note_texts(found.verdict)[1] == (
        "To compare a task with the champion takes at least 20 subjects with a known label that "
        "neither model has seen, 10 of them with the outcome and 10 without it: let the trial grow "
        "(new subjects are added to those compared), evaluate by `scheme: cross_fit`, which "
        "compares later models on all subjects, replace the champion without the task by "
        "`drop_tasks: allowed`, or measure a registered model on new data by `trial validate`."
    )


@pytest.mark.parametrize("unseen", [0, 12])
def test_nothing_is_shown_of_fewer_subjects_than_the_smallest_group(
    unseen: int, run_evaluator: Any, settings: Any, trial: Any, tmp_path: Path
) -> None:
    division = parts_of(trial, np.where(np.arange(N) < unseen, TEST, TRAIN))
    found = run_evaluator(tmp_path, settings, rows_of(trial), CHAMPION, division=division)
    assert {record["model"] for record in found.metrics["records"]} == {"challenger"}
    assert {curves["model"] for curves in found.curves["curves"]} == {"challenger"}
    outcomes = {(outcome, reason) for outcome, reason, _ in comparisons(found)}
    assert outcomes == {("not_judged", "too_few_subjects")}
    slices = [c for c in found.verdict["comparisons"] if c["slice"] and c["model"] == "difference"]
    assert {c["reason"] for c in each(slices)} == {"group_too_small"}
    told = "0" if not unseen else "fewer than 20"
    assert note_texts(found.verdict)[0].startswith(f"Compared with the champion on {told} test")


def test_a_few_subjects_who_are_left_out_do_not_follow_from_the_rest(
    run_evaluator: Any, settings: Any, trial: Any, tmp_path: Path
) -> None:
    """The challenger's number of events minus the champion's would be that of five subjects."""
    division = parts_of(trial, np.where(np.arange(N) < 5, TRAIN, TEST))
    found = run_evaluator(tmp_path, settings, rows_of(trial), CHAMPION, division=division)
    assert {record["model"] for record in found.metrics["records"]} == {"challenger"}
    # It is judged all the same, without a digit.
    assert [outcome for outcome, _, _ in comparisons(found)] == ["passes"]


def test_a_champion_that_is_not_comparable_is_named_as_such(
    run_evaluator: Any, settings: Any, trial: Any, tmp_path: Path
) -> None:
    """`test_champion.py` has the other reasons."""
    found = run_evaluator(
        tmp_path,
        settings,
        rows_of(trial),
        CHAMPION,
        division=parts_of(trial, np.full(N, TEST)),
        plan=PLAN,
        predictions=predictions(trial, "challenger", "own"),
    )
    assert note_texts(found.verdict)[0].startswith(
        "The champion is not comparable: it was evaluated by `split`, this model by `cross"
    )
    assert {record["model"] for record in found.metrics["records"]} == {"challenger"}
    assert [reason for _, reason, _ in comparisons(found)] == ["no_champion"]
