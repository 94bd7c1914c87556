"""Whole runs of the executor on hand-made out-of-fold predictions."""

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from components.evaluator.settings import EvaluatorSettings
from pipeline.estimates import Estimate
from pipeline.metrics import OF_UNCERTAINTY
from pipeline.results.censoring import CensoredTask
from pipeline.results.predictions import write_predictions
from pipeline.results.resolution import at_resolution, resolution
from pipeline.results.uncertainty import UNCERTAINTY_FOLDER
from pipeline.study.sections import Threshold
from tests.components.evaluator.cross_fit_trial import (
    FOLDS,
    REPEATS,
    make_trial,
    predictions,
    rows_of,
    uncertainty,
)
from tests.components.evaluator.test_predicted_risks import followed
from tests.each import each
from tests.verdict_texts import note_texts


@pytest.fixture(scope="module")
def settings() -> Any:
    return EvaluatorSettings(
        tasks={"response": (0.5,)},
        slicings=("sex",),
        pairs=(),
        smallest_group=20,
        thresholds=(
            Threshold(metric="auc", at_least=0.6),
            Threshold(
                metric="coverage_positive", at_least=0.99, holds="point", scope="every_slice"
            ),
        ),
        split_seed=3,
        label_digest="digest",
        arm_slicing="sex",
    )


@pytest.fixture(scope="module")
def trial() -> Any:
    return make_trial()


@pytest.fixture(scope="module")
def evaluation(
    run_evaluator: Any, settings: Any, trial: Any, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    folder = tmp_path_factory.mktemp("cross_fit")
    write_predictions(str(folder / "predictions" / UNCERTAINTY_FOLDER), uncertainty(trial))
    return run_evaluator(
        folder,
        settings,
        rows_of(trial),
        predictions=predictions(trial, "challenger", REPEATS),
        references=predictions(trial, "ridge", 2),
        plan={"scheme": "cross_fit", "requested": "auto", "folds": FOLDS, "repeats": REPEATS},
        censoring={"response": followed_to_risks(("F", 0.64), ("M", 0.2)).model_dump()},
    )


def followed_to_risks(*risks: tuple[str, float]) -> CensoredTask:
    """Follow-up of arms whose risk is known to .1; a fifth of 300 subjects left early."""
    arms = {arm: followed(Estimate(risk, risk - 0.1, risk + 0.1)) for arm, risk in risks}
    return CensoredTask(horizon=90, arms=arms)


def within_folds(trial: Any, column: Any, repeats: Any, kept: Any) -> Any:
    """Share of pairs of the same fold that are in the right order, mean of the repeats."""
    values = []
    for repeat in range(repeats):
        wins = pairs = 0.0
        for fold in range(FOLDS):
            rows = kept & (trial["fold"][:, repeat] == fold)
            label, score = trial["label"][rows], trial[column][rows, repeat]
            number = label.sum() * (1 - label).sum()
            wins += sk.roc_auc_score(label, score) * number
            pairs += number
        values.append(wins / pairs)
    return np.mean(values)


@pytest.mark.parametrize("sex", [None, "F"])
def test_the_auc_is_counted_within_folds_and_averaged_over_repeats(
    evaluation: Any, trial: Any, sex: Any
) -> None:
    group = {"sex": sex} if sex else {}
    kept = trial["known"] & (trial["sex"] == sex.encode() if sex else True)

    record = evaluation.record("response", "auc", **group)

    exact = within_folds(trial, "score", REPEATS, kept)
    # Some labels are unknown: a group's numbers are shown at its resolution.
    assert record["value"] == pytest.approx(
        at_resolution(exact, kept.sum()) if sex else exact, abs=1e-12
    )
    pooled = np.mean(
        [sk.roc_auc_score(trial["label"][kept], trial["score"][kept, r]) for r in range(REPEATS)]
    )
    assert record["value"] > pooled + 0.02


def test_curves_say_how_predictions_vary_between_training_samples(
    evaluation: Any, trial: Any
) -> None:
    (curves,) = (c for c in evaluation.curves["curves"] if not c["slice"])

    found = curves["stability"]

    assert (found["repeats"], found["trained_share"]) == (REPEATS, 0.75)
    known = trial["score"][trial["known"]].astype(float)
    spread = known.std(axis=1, ddof=1) * np.sqrt(3)
    assert found["quantiles"]["50"] == pytest.approx(np.median(spread), rel=0.05)


@pytest.mark.parametrize("sex", [None, "F"])
def test_sets_and_intervals_are_measured_in_each_group(
    evaluation: Any, trial: Any, sex: Any
) -> None:
    group = {"sex": sex} if sex else {}
    kept = trial["known"] & (trial["sex"] == sex.encode() if sex else True)
    score, events = trial["score"][kept], trial["label"][kept] > 0
    single = (score < 0.8) != (score > 0.2)

    def value(metric: str) -> float:
        return float(evaluation.record("response", metric, **group)["value"])

    def shown(exact: float, subjects: int) -> Any:
        return pytest.approx(at_resolution(exact, subjects) if sex else exact)

    assert value("coverage_positive") == shown((score[events] > 0.2).mean(), events.sum())
    assert value("coverage_negative") == shown((score[~events] < 0.8).mean(), (~events).sum())
    assert value("single_sets") == shown(single.mean(), len(score))
    assert value("full_sets") == shown(1 - single.mean(), len(score))
    assert value("empty_sets") == 0
    assert value("interval_width") == pytest.approx(0.3)
    coverage = evaluation.record("response", "coverage_positive", **group)
    assert coverage["lower"] < coverage["value"] < coverage["upper"]


def test_coverage_is_judged_by_the_studys_threshold_in_every_slice(evaluation: Any) -> None:
    found = {
        tuple(item["slice"].values()): item
        for item in evaluation.verdict["comparisons"]
        if item["metric"] == "coverage_positive"
    }

    assert set(found) == {(), ("F",), ("M",)}
    for item in each(found.values()):
        record = evaluation.record("response", "coverage_positive", **item["slice"])
        assert item["value"] == record["value"]
        assert item["outcome"] == ("passes" if record["value"] >= 0.99 else "fails")
    assert "fails" in {item["outcome"] for item in found.values()}


def test_intervals_and_sets_change_no_other_metric(
    run_evaluator: Any, settings: Any, trial: Any, evaluation: Any, tmp_path: Any
) -> None:
    without = run_evaluator(
        tmp_path,
        settings,
        rows_of(trial),
        predictions=predictions(trial, "challenger", REPEATS),
        plan={"scheme": "cross_fit", "requested": "auto", "folds": FOLDS, "repeats": REPEATS},
    )

    found, expected = (
        {
            (record["metric"], *record["slice"].values()): record
            for record in of.metrics["records"]
            if record["model"] == "challenger" and record["metric"] not in OF_UNCERTAINTY
        }
        for of in (evaluation, without)
    )
    assert {("auc",), ("brier",), ("auc", "F"), ("brier", "F")} < set(expected)
    assert found == expected


def test_curves_say_what_leaving_the_widest_intervals_to_people_gains(
    evaluation: Any, trial: Any
) -> None:
    (curves,) = (c for c in evaluation.curves["curves"] if not c["slice"])

    first = curves["referral"][0]

    kept = trial["known"]
    error = (trial["score"][kept, 0].astype(float) - trial["label"][kept]) ** 2
    assert (first["referred"], first["subjects"]) == (0, kept.sum())
    assert first["brier"] == pytest.approx(error.mean())
    assert len(curves["referral"]) > 5


def test_intervals_and_sets_are_no_reference_model_and_not_the_champion_s(evaluation: Any) -> None:
    models = {record["model"] for record in evaluation.metrics["records"]}

    assert models == {"challenger", "ridge", "difference"}


def test_net_benefit_is_the_mean_over_the_repeats(evaluation: Any, trial: Any) -> None:
    (curves,) = (c for c in evaluation.curves["curves"] if c["slice"] == {"sex": "F"})

    (point,) = (item for item in curves["decision"] if item["threshold"] == 0.5)

    kept = trial["known"] & (trial["sex"] == b"F")
    treated = trial["score"][kept] >= 0.5
    gain = np.where(trial["label"][kept] > 0, 1.0, -1.0)[:, None] * treated
    assert point["net_benefit"] == at_resolution(gain.mean(), kept.sum())
    assert point["lower"] < point["net_benefit"] < point["upper"]


def test_a_reference_model_is_evaluated_in_the_repeats_that_it_predicts(
    evaluation: Any, trial: Any
) -> None:
    record = evaluation.record("response", "auc", "ridge")

    expected = within_folds(trial, "ridge", 2, trial["known"])
    assert record["value"] == pytest.approx(expected, abs=1e-12)
    assert record["lower"] < record["value"] < record["upper"]
    assert evaluation.metrics["reference_models"] == {"ridge": {"repeats": 2, "most_subjects": 320}}


@pytest.mark.parametrize("sex", [None, "M"])
@pytest.mark.parametrize("metric", ["auc", "brier"])
def test_the_difference_to_a_reference_model_is_paired_by_subject(
    evaluation: Any, metric: Any, sex: Any
) -> None:
    group = {"sex": sex} if sex else {}
    own = evaluation.record("response", metric, **group)
    ridge = evaluation.record("response", metric, "ridge", **group)

    found = evaluation.record("response", metric, "difference", versus="ridge", **group)

    # Each of the three AUCs of a group is at its resolution.
    nearly = 1.5 * resolution(own["subjects"]) if sex and metric == "auc" else 1e-12
    assert found["value"] == pytest.approx(own["value"] - ridge["value"], abs=nearly)
    assert found["lower"] < found["value"] < found["upper"]
    unpaired = (own["upper"] - own["lower"]) + (ridge["upper"] - ridge["lower"])
    assert found["upper"] - found["lower"] < unpaired


def test_a_model_that_is_clearly_better_than_the_reference_model_needs_no_note(
    evaluation: Any,
) -> None:
    assert evaluation.record("response", "auc", "difference", versus="ridge")["value"] > 0.005
    assert "predicts as well" not in " ".join(note_texts(evaluation.verdict))


def test_on_the_test_split_the_verdict_says_that_a_simpler_model_predicts_better(
    run_evaluator: Any, settings: Any, trial: Any, tmp_path: Any
) -> None:
    one_fold = {**trial, "fold": np.zeros_like(trial["fold"])}
    better = {**one_fold, "ridge": (0.2 * trial["score"] + 0.8 * trial["label"][:, None])}

    found = run_evaluator(
        tmp_path,
        settings,
        rows_of(trial),
        references=predictions(better, "ridge", 1),
        plan={"scheme": "split", "requested": "split"},
    )

    kept = trial["known"]
    expected = sk.roc_auc_score(trial["label"][kept], better["ridge"][kept, 0])
    record = found.record("response", "auc", "ridge")
    assert record["value"] == pytest.approx(expected, abs=1e-12)
    (note,) = (note for note in note_texts(found.verdict) if "ridge logistic regression" in note)
    assert note.startswith("response: ridge logistic regression predicts better: its AUC is 1.000")


def test_mean_predictions_are_compared_with_the_risks_by_the_horizon(evaluation: Any) -> None:
    found = {item["arm"]: item for item in evaluation.verdict["risks"]}

    for arm, outcome in {"F": "passes", "M": "fails"}.items():
        record = evaluation.record("response", "mean_prediction", sex=arm)
        assert found[arm]["mean_prediction"]["value"] == record["value"]
        assert found[arm]["outcome"] == outcome
    notes = [note for note in note_texts(evaluation.verdict) if "risk by the horizon" in note]
    assert [note.partition(" is ")[0] for note in notes] == [
        "response: the mean prediction of the arm M"
    ]
