"""Champion and challenger are compared only on subjects that neither was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as sk

from components.evaluator.champion_scores import ChampionScores, score_subjects
from components.evaluator.settings import EvaluatorSettings
from components.trial_example_gen.deal import Deal, Kind, deal_subjects
from components.trial_example_gen.inherited import Kept
from pipeline.results.division import Division
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.results.predictions import Predictions, write_predictions
from pipeline.study.sections import Evaluation, Split, Threshold
from tests.components.evaluator.conftest import (
    split_division,
    write_examples,
    write_model,
)
from tests.each import each

TRAIN, EVAL, TEST = range(3)
N, FOLDS = 400, 4
CHAMPION = {"present": 1, "split_seed": 3, "label_digest": "digest"}
PLAN = {"scheme": "cross_fit", "requested": "cross_fit", "folds": FOLDS, "repeats": 2}


@pytest.fixture(scope="module")
def settings() -> EvaluatorSettings:
    return EvaluatorSettings(
        tasks={"response": (0.5,)},
        slicings=("sex",),
        pairs=(),
        smallest_group=20,
        thresholds=(
            Threshold(metric="auc", at_least=-0.5, versus="champion"),
            Threshold(metric="brier", at_most=0.5, versus="champion", scope="every_slice"),
        ),
        split_seed=3,
        label_digest="digest",
    )


@pytest.fixture(scope="module")
def trial() -> dict[str, NDArray[Any]]:
    """Subjects, whose every tenth has no known outcome, predicted by both models."""
    generator = np.random.default_rng(11)
    logit = generator.normal(0, 1.3, N)
    known = np.arange(N) % 10 != 0
    draws = generator.random(N)
    return {
        "hash": np.array([b"%016x" % (number * 7919) for number in range(N)]),
        "known": known,
        "label": (draws < 1 / (1 + np.exp(-logit))).astype(float) * known,
        "own": (1 / (1 + np.exp(-logit + generator.normal(0, 0.6, N)))).astype(np.float32),
        "champion": (1 / (1 + np.exp(-logit + generator.normal(0, 1.5, N)))).astype(np.float32),
        "fold": np.stack([generator.permutation(N) % FOLDS for _ in range(2)], axis=1),
        "sex": np.where(np.arange(N) % 2 == 0, b"F", b"M"),
    }


def rows_of(trial: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    return [
        {
            "subject_hash": bytes(trial["hash"][i]),
            "slice_sex": bytes(trial["sex"][i]),
            "label_response": float(trial["label"][i]),
            "weight_response": float(trial["known"][i]),
            "p_response": float(trial["own"][i]),
            "q_response": float(trial["champion"][i]),
        }
        for i in range(N)
    ]


def parts_of(trial: Mapping[str, NDArray[Any]], parts: NDArray[Any]) -> Division:
    """The champion's division: its part of each subject, negative for those who are new."""
    kept = zip(trial["hash"], parts.tolist(), strict=True)
    return split_division({bytes(subject): part for subject, part in kept if part >= 0})


def auc_difference(trial: Mapping[str, NDArray[Any]], rows: NDArray[np.bool_]) -> float:
    label = trial["label"][rows]
    own, other = (sk.roc_auc_score(label, trial[name][rows]) for name in ("own", "champion"))
    return float(own - other)


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
    assert partly.verdict["notes"] == [
        "Compared with the champion on 260 test subjects that neither model was trained, stopped "
        "or calibrated on; 60 of them are new since the champion's run. 140 test subjects that the "
        "champion has seen are left out."
    ]


def comparisons(evaluation: Any, metric: str = "auc") -> list[tuple[str, str, str]]:
    return [
        (found["outcome"], found["reason"], found["message"])
        for found in evaluation.verdict["comparisons"]
        if found["model"] == "difference" and found["metric"] == metric and not found["slice"]
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
            "response: difference of auc to the champion overall can't be judged: of the subjects "
            "that neither model was trained, stopped or calibrated on, fewer than 10 have the "
            "outcome, or are without it",
        )
    ]
    assert found.verdict["tasks"]["response"]["verdict"] == "not_judged"
    assert not found.verdict["blessed"]


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
    assert found.verdict["notes"][0].startswith(f"Compared with the champion on {told} test")


def test_a_few_subjects_who_are_left_out_do_not_follow_from_the_rest(
    run_evaluator: Any, settings: Any, trial: Any, tmp_path: Path
) -> None:
    """The challenger's number of events minus the champion's would be that of five subjects."""
    division = parts_of(trial, np.where(np.arange(N) < 5, TRAIN, TEST))
    found = run_evaluator(tmp_path, settings, rows_of(trial), CHAMPION, division=division)
    assert {record["model"] for record in found.metrics["records"]} == {"challenger"}
    # It is judged all the same, without a digit.
    assert [outcome for outcome, _, _ in comparisons(found)] == ["passes"]


NOT = "The champion is not comparable:"


@pytest.mark.parametrize(
    ("champion", "plan", "reason"),
    [
        ({"subject_key_id": "another"}, None, f"{NOT} the pseudonyms of its subjects were made"),
        ({"split_seed": 4}, None, f"{NOT} it was trained on another split"),
        ({"label_digest": "other"}, None, f"{NOT} its label definitions or its way of dividing"),
        ({}, {"scheme": "cross_fit"}, f"{NOT} it was evaluated by `split`, this model by `cross"),
    ],
    ids=["subject key", "seed", "labels", "scheme"],
)
def test_a_champion_that_is_not_comparable_is_named_as_such(
    champion: Any,
    plan: Any,
    reason: str,
    run_evaluator: Any,
    settings: Any,
    trial: Any,
    tmp_path: Path,
) -> None:
    out_of_fold = {"plan": PLAN, "predictions": predictions(trial, "challenger", "own")}
    found = run_evaluator(
        tmp_path,
        settings,
        rows_of(trial),
        {**CHAMPION, **champion},
        division=parts_of(trial, np.full(N, TEST)),
        **(out_of_fold if plan else {}),
    )
    assert found.verdict["notes"][0].startswith(reason)
    assert {record["model"] for record in found.metrics["records"]} == {"challenger"}
    assert [reason for _, reason, _ in comparisons(found)] == ["no_champion"]


def test_a_champion_whose_division_the_registry_lacks_is_not_comparable(
    run_evaluator: Any, settings: Any, trial: Any, tmp_path: Path
) -> None:
    nothing = split_division({})
    found = run_evaluator(tmp_path, settings, rows_of(trial), CHAMPION, division=nothing)
    assert found.verdict["notes"][0].startswith(f"{NOT} the registry does not hold which subjects")


def predictions(
    trial: Mapping[str, NDArray[Any]],
    model: str,
    column: str,
    kept: NDArray[np.bool_] | None = None,
    fold: NDArray[Any] | None = None,
) -> Predictions:
    """Predictions in two repeats of which the second is lower by a tenth of a point."""
    rows = np.flatnonzero(np.ones(N, bool) if kept is None else kept)
    folds = (trial["fold"] if fold is None else fold)[rows]
    score = np.stack([trial[column][rows], trial[column][rows] - np.float32(0.001)])
    return Predictions(
        np.tile(trial["hash"][rows].astype(object), 2),
        np.repeat([0, 1], len(rows)).astype(np.int16),
        folds.T.ravel().astype(np.int16),
        {model: {"response": score.ravel()}},
    )


def folds_of(rows: Predictions) -> Division:
    return Division(EvaluationPlan.model_validate(PLAN), rows)


@pytest.fixture(scope="module")
def cross_fitted(
    run_evaluator: Any, settings: Any, trial: Any, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """Of the subjects 100 are new since the champion's run."""
    old = np.arange(N) >= 100
    lower = {**trial, "oof": trial["champion"] * np.float32(0.9)}
    return run_evaluator(
        tmp_path_factory.mktemp("cross_fitted"),
        settings,
        rows_of(trial),
        CHAMPION,
        plan=PLAN,
        predictions=predictions(trial, "challenger", "own"),
        division=folds_of(predictions(lower, "champion", "oof", old)),
    )


def test_out_of_fold_the_models_are_compared_on_the_subjects_of_both_runs(
    cross_fitted: Any, trial: Any
) -> None:
    shared = trial["known"] & (np.arange(N) >= 100)
    record = cross_fitted.record("response", "brier", "champion")
    score = trial["champion"] * np.float32(0.9)
    expected = np.mean(
        [((p - trial["label"]) ** 2)[shared].mean() for p in (score, score - np.float32(0.001))]
    )
    assert record["value"] == pytest.approx(expected, abs=1e-6)
    assert record["subjects"] == shared.sum() == 270
    difference = cross_fitted.record("response", "auc", "difference")
    assert difference["lower"] < difference["value"] < difference["upper"]
    assert difference["value"] == pytest.approx(auc_difference(trial, shared), abs=0.02)
    assert comparisons(cross_fitted)[0][:2] == ("passes", "within_limit")


def test_subjects_who_are_new_since_are_compared_apart(cross_fitted: Any, trial: Any) -> None:
    new = trial["known"] & (np.arange(N) < 100)
    told, apart = cross_fitted.verdict["notes"]
    assert told == (
        "Compared with the champion on 300 subjects of both runs, each predicted by models that "
        "never saw the subject; 100 subjects are new since the champion's run, and are compared "
        "apart."
    )
    assert apart.startswith(
        "response, subjects who are new since the champion's run (90 with a known outcome, "
        "predicted by the champion's own model): difference of the AUC to the champion "
    )
    value = float(apart.split("champion ")[-1].split(" ")[0])
    assert value == pytest.approx(auc_difference(trial, new), abs=0.05)


def test_a_few_new_subjects_are_not_compared(
    run_evaluator: Any, settings: Any, trial: Any, tmp_path: Path
) -> None:
    old = np.arange(N) >= 12
    found = run_evaluator(
        tmp_path,
        settings,
        rows_of(trial),
        CHAMPION,
        plan=PLAN,
        predictions=predictions(trial, "challenger", "own"),
        division=folds_of(predictions(trial, "champion", "champion", old)),
    )
    assert "fewer than 20 subjects are new" in found.verdict["notes"][0]
    assert found.verdict["notes"][1].endswith("too few to compare the models on them.")


def test_no_pseudonym_is_left_in_the_evaluation(cross_fitted: Any, trial: Any) -> None:
    files = [path for path in (cross_fitted.folder / "evaluation").rglob("*") if path.is_file()]
    for file in each(files):
        content = file.read_bytes()
        assert not any(bytes(value) in content for value in each(trial["hash"].tolist())), file


def test_subjects_who_changed_their_fold_are_left_out(trial: Any, tmp_path: Path) -> None:
    moved = trial["fold"].copy()
    moved[:7, 1] = (moved[:7, 1] + 1) % FOLDS
    write_predictions(str(tmp_path / "own"), predictions(trial, "challenger", "own"))
    champion = folds_of(predictions(trial, "champion", "champion", fold=moved))
    found = score_subjects(
        "no model", "no examples", champion, champion.plan, str(tmp_path / "own"), ["response"]
    )
    assert (found.compared, found.new, found.left_out) == (N - 7, 0, 7)


def test_repeats_that_the_champion_lacks_are_not_compared(trial: Any, tmp_path: Path) -> None:
    write_predictions(str(tmp_path / "own"), predictions(trial, "challenger", "own"))
    both = predictions(trial, "champion", "champion")
    one = Predictions(
        both.subjects[:N], both.repeat[:N], both.fold[:N], {"champion": {"response": trial["own"]}}
    )
    plan = EvaluationPlan.model_validate(PLAN)
    found = score_subjects(
        "no model", "no examples", folds_of(one), plan, str(tmp_path / "own"), ["response"]
    )
    scores = found.predictions.of["champion"]["response"]
    repeat = found.predictions.repeat
    assert not np.isnan(scores[repeat == 0]).any()
    assert np.isnan(scores[repeat == 1]).all()


SIZES = (150, 165, 182, 200)


def kinds(size: int) -> dict[Kind, NDArray[np.uint64]]:
    """The first subjects of a trial; the hash of a subject is its number, scrambled."""
    numbers = (np.arange(size, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    return {
        Kind(arm, held_out=False, group="", labels=(label,)): np.sort(numbers[which::6])
        for which, (arm, label) in enumerate((arm, label) for arm in "AB" for label in range(3))
    }


def pseudonym(number: int) -> bytes:
    return b"%016x" % number


def evaluated(deal: Deal) -> list[bytes]:
    part = deal.dealt[:, 0]
    chosen = deal.hashes if deal.plan.out_of_fold else deal.hashes[part == TEST]
    return [pseudonym(number) for number in chosen.tolist()]


def division_of(deal: Deal) -> Division:
    repeats = deal.dealt.shape[1]
    subjects = np.array([pseudonym(number) for number in deal.hashes.tolist()], object)
    predicted = np.full(len(subjects) * repeats, 0.25, np.float32)
    rows = Predictions(
        np.tile(subjects, repeats),
        np.repeat(np.arange(repeats), len(subjects)).astype(np.int16),
        deal.dealt.T.ravel(),
        {"champion": {"response": predicted}} if deal.plan.out_of_fold else {},
    )
    return Division(deal.plan, rows)


def compare(folder: Path, challenger: Deal, champion: Division) -> ChampionScores:
    """The challenger's run, in which the champion's own model always predicts .75."""
    split = "train" if challenger.plan.out_of_fold else "test"
    write_model(folder / "model", ["response"], "q_")
    subjects = evaluated(challenger)
    write_examples(
        folder, [{"subject_hash": subject, "q_response": 0.75} for subject in subjects], split
    )
    rows = division_of(challenger).rows
    own = Predictions(
        rows.subjects, rows.repeat, rows.fold, {"challenger": dict(rows.of.get("champion", {}))}
    )
    write_predictions(str(folder / "own"), own)
    return score_subjects(
        str(folder / "model" / "Format-Serving"),
        str(folder / f"Split-{split}"),
        champion,
        challenger.plan,
        str(folder / "own") if challenger.plan.out_of_fold else None,
        ["response"],
    )


@pytest.mark.parametrize("scheme", ["split", "cross_fit"])
def test_no_subject_that_trained_the_champion_is_compared_while_a_trial_grows(
    scheme: Any, tmp_path: Path
) -> None:
    """Out of fold nobody is predicted by a model that saw the subject: by its fold's, or as new."""
    champion: Deal | None = None
    for size in SIZES:
        kept = Kept(champion.plan, champion.hashes, champion.dealt) if champion else None
        run = deal_subjects(Evaluation(scheme=scheme), Split(), ["response"], kinds(size), 20, kept)
        if champion is not None:
            known = {pseudonym(number) for number in champion.hashes.tolist()}
            found = compare(tmp_path / str(size), run, division_of(champion))
            rows = found.predictions
            if scheme == "split":
                of_champion = zip(champion.hashes.tolist(), champion.dealt[:, 0], strict=True)
                seen = {pseudonym(number) for number, part in of_champion if part != TEST}
                assert not seen & set(rows.subjects.tolist())
                assert found.compared == len(evaluated(run)) > len(evaluated(champion))
                assert found.left_out == 0
            else:
                of_model = rows.of["champion_of_new"]["response"] == np.float32(0.75)
                assert set(rows.subjects[of_model].tolist()) == set(evaluated(run)) - known
                by_folds = rows.of["champion"]["response"] == np.float32(0.25)
                assert set(rows.subjects[by_folds].tolist()) == known
                assert (found.compared, found.left_out) == (len(known), 0)
        champion = run
