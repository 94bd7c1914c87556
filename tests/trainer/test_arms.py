"""A trial in which only the arm matters: the model predicts each arm's rate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.results.reference_models import RIDGE
from tests.each import each
from trainer.arms import arm_codes, arms_of
from trainer.arrays import Arrays
from trainer.calibration import fit_calibration
from trainer.cross_fit import cross_fit
from trainer.final_fit import fit_on_all
from trainer.fit import _Loop, build, fit
from trainer.linear import LinearStart, choose_penalties, fit_linear
from trainer.model import Encoding, Hyperparameters
from trainer.reference import PENALTIES, fit_predict
from trainer.stack import Member, Stack

EVENTS = (16, 40, 60)
"""Of 80 subjects in each arm: rates of .2, .5 and .75."""

RATES = np.array(EVENTS) / 80
BETWEEN_ARMS = 0.745
"""Chance that of two subjects, one with and one without the event, the one with it is in an arm of
a higher rate, or with half the chance in the same: AUC of the arms' rates, counted below."""

NOISE = 20
ENCODING = Encoding(NOISE, 1, 5, ("rash",), arms=(0, 1, 2, 3, 4))
"""Codes of the arms 0, 1 and 2, of new arms (3) and of a missing one (4)."""

WITHOUT_ARMS = Encoding(NOISE, 1, 5, ("rash",))
SMALL = Hyperparameters(width=8, max_epochs=20, patience=4)


def trial(events: tuple[int, ...] = EVENTS, seed: int = 0) -> Arrays:
    """Eighty subjects in each arm, with numbers that say nothing."""
    arm = np.repeat(np.arange(len(events)), 80)
    labels = np.concatenate([np.arange(80) < count for count in events]).astype(np.float32)
    numbers = np.random.default_rng(seed).normal(size=(len(arm), NOISE)).astype(np.float32)
    codes = arm[:, None].astype(np.int32)
    return Arrays(numbers, codes, labels[:, None], np.ones((len(arm), 1), np.float32))


def folds() -> NDArray[np.int64]:
    """Five folds that are alike in arm and outcome."""
    return (np.arange(240) % 5)[:, None]


def by_arm(values: NDArray[Any], arrays: Arrays) -> NDArray[np.float64]:
    arm = arrays.categories[:, 0]
    return np.array([values[arm == number].mean() for number in np.unique(arm)])


def sigmoid(logits: NDArray[Any]) -> NDArray[Any]:
    return 1 / (1 + np.exp(-logits))


def linear_logits(arrays: Arrays, penalty: float) -> NDArray[np.float64]:
    start = fit_linear(arrays, ENCODING, penalty)
    found: NDArray[np.float64] = (
        arrays.numbers @ start.numbers + start.codes[arrays.categories[:, 0]] + start.bias
    )[:, 0]
    return found


def auc(score: NDArray[Any], labels: NDArray[Any]) -> float:
    with_it, without = score[labels > 0], score[labels == 0]
    pairs = with_it[:, None] - without
    return float(((pairs > 0) + 0.5 * (pairs == 0)).mean())


def test_the_rates_of_the_arms_have_the_auc_that_is_counted() -> None:
    """116 subjects with the event and 124 without: 8,800 pairs in order, 3,824 of one arm."""
    arrays = trial()
    pairs_in_order = 40 * 64 + 60 * 64 + 60 * 40
    pairs_of_one_arm = 16 * 64 + 40 * 40 + 60 * 20
    counted = (pairs_in_order + pairs_of_one_arm / 2) / (116 * 124)

    found = auc(RATES[arrays.categories[:, 0]], arrays.labels[:, 0])

    assert found == pytest.approx(counted)
    assert found == pytest.approx(BETWEEN_ARMS, abs=0.001)


def test_out_of_fold_each_arm_is_predicted_by_its_rate_and_no_worse_than_by_it() -> None:
    """Which subject of an arm comes first is chance: the mean over three trials is judged."""
    aucs = []
    for seed in range(3):
        arrays = trial(seed=seed)
        found = cross_fit(arrays, folds(), ENCODING, SMALL, seed=1).probabilities[:, 0, 0]
        assert by_arm(found, arrays) == pytest.approx(RATES, abs=0.01)
        inside = [folds()[:, 0] == fold for fold in range(5)]
        aucs += [auc(found[fold], arrays.labels[fold, 0]) for fold in inside]

    assert np.mean(aucs) > BETWEEN_ARMS - 0.015


def test_a_model_that_does_not_know_the_arms_shrinks_them_towards_each_other() -> None:
    arrays = trial()

    found = cross_fit(arrays, folds(), WITHOUT_ARMS, SMALL, seed=1).probabilities[:, 0, 0]

    low, _, high = by_arm(found, arrays)
    assert low > RATES[0] + 0.02
    assert high < RATES[2] - 0.02


def test_the_model_of_all_subjects_predicts_each_arm_by_its_rate() -> None:
    arrays = trial()

    found = fit_on_all(arrays, ENCODING, SMALL, seed=1).predict(arrays)[:, 0]

    assert by_arm(found, arrays) == pytest.approx(RATES, abs=0.01)


def test_under_a_split_each_arm_of_the_eval_split_is_predicted_by_its_rate() -> None:
    train, evaluation = trial(seed=1), trial(seed=2)

    found = fit(train, evaluation, ENCODING, SMALL, seed=1).predict(evaluation)[:, 0]

    assert by_arm(found, evaluation) == pytest.approx(RATES, abs=0.02)


def test_ridge_predicts_each_arm_by_its_rate() -> None:
    train, new = trial(seed=1), trial(seed=2)

    found = fit_predict(RIDGE, train, new, ENCODING, seed=0)[:, 0]

    assert by_arm(found, new) == pytest.approx(RATES, abs=0.02)
    assert auc(found, new.labels[:, 0]) > BETWEEN_ARMS - 0.015


def test_ridge_is_the_linear_start_with_the_same_penalty() -> None:
    train = trial()
    [penalty] = choose_penalties(train, ENCODING, PENALTIES)

    found = fit_predict(RIDGE, train, train, ENCODING, seed=0)[:, 0]

    assert found == pytest.approx(sigmoid(linear_logits(train, penalty)), abs=2e-3)


@pytest.mark.parametrize("penalty", [10.0, 1_000.0, 100_000.0])
def test_the_linear_start_gives_each_arm_its_rate_whatever_the_penalty(penalty: float) -> None:
    arrays = trial()

    found = sigmoid(linear_logits(arrays, penalty))

    assert by_arm(found, arrays) == pytest.approx(RATES, abs=0.005)


def test_an_arm_without_an_event_has_a_small_risk_and_a_finite_weight() -> None:
    arrays = trial(events=(0, 40, 60))

    start = fit_linear(arrays, ENCODING, penalty=1_000.0)

    assert np.abs(start.codes).max() < 6
    assert by_arm(sigmoid(linear_logits(arrays, 1_000.0)), arrays)[0] < 0.02


def test_a_new_arm_is_predicted_between_the_others() -> None:
    start = fit_linear(trial(), ENCODING, penalty=100_000.0)

    new = sigmoid(start.codes[3, 0] + start.bias[0])

    assert RATES[0] < new < RATES[2]


def test_features_that_say_nothing_more_than_the_arm_have_the_largest_penalty() -> None:
    """A number that differs between the arms alone, and would be of use without them."""
    arrays = trial()
    arm = arrays.categories[:, :1]
    numbers = np.concatenate([arm + arrays.numbers[:, :1] / 3, arrays.numbers[:, 1:]], axis=1)
    copies = Arrays(numbers.astype(np.float32), arrays.categories, arrays.labels, arrays.weights)

    [knowing] = choose_penalties(copies, ENCODING, PENALTIES)
    [ignorant] = choose_penalties(copies, WITHOUT_ARMS, PENALTIES)

    assert knowing == max(PENALTIES)
    assert ignorant < max(PENALTIES)


def test_the_penalty_is_that_of_leaving_each_subject_out_with_the_arms_unpenalised() -> None:
    """Regression on a column for each arm and on penalised numbers, refitted without each."""
    few = trial().take(np.arange(0, 240, 8))
    penalties = (1.0, 30.0, 1_000.0)
    arms = np.eye(3)[few.categories[:, 0]]
    design = np.hstack([few.numbers, arms]).astype(np.float64)
    labels = few.labels[:, 0].astype(np.float64)
    within = labels - arms @ by_arm(labels, few)

    def error(penalty: float) -> float:
        ridge = np.diag([penalty / within.var()] * NOISE + [0.0] * 3)
        total = 0.0
        for out in range(len(few)):
            x, y = np.delete(design, out, axis=0), np.delete(labels, out)
            weights = np.linalg.solve(x.T @ x + ridge, x.T @ y)
            total += (labels[out] - design[out] @ weights) ** 2
        return total

    assert choose_penalties(few, ENCODING, penalties).tolist() == [min(penalties, key=error)]


def test_a_calibration_gives_way_to_the_rate_of_the_arm() -> None:
    """Logits that are right on average in each arm, and noise within it."""
    arrays = trial()
    arm = arrays.categories[:, 0]
    logit = (np.log(RATES / (1 - RATES))[arm] + 2 * arrays.numbers[:, 0])[:, None]

    found = fit_calibration(logit, arrays.labels, arrays.weights, arm.astype(np.int64), 3)

    calibrated = sigmoid(found(logit, arm.astype(np.int64)))[:, 0]
    without = fit_calibration(logit, arrays.labels, arrays.weights)
    assert found.slopes[0] < 0.75
    assert by_arm(calibrated, arrays) == pytest.approx(RATES, abs=0.02)
    assert np.abs(by_arm(sigmoid(without(logit))[:, 0], arrays) - RATES).max() > 0.02


def test_one_arm_is_calibrated_as_a_study_without_arms() -> None:
    arrays = trial(events=(30,))
    logit = arrays.numbers[:, :1].astype(np.float64)

    found = fit_calibration(logit, arrays.labels, arrays.weights, np.zeros(80, np.int64), 3)
    without = fit_calibration(logit, arrays.labels, arrays.weights)

    assert found.without_arms() == without
    assert found(logit, np.zeros(80, np.int64))[:, 0].mean() == pytest.approx(
        without(logit)[:, 0].mean(), abs=0.05
    )


def test_weight_decay_spares_the_arms() -> None:
    """Subjects without a known label have no gradient: nothing but decay moves a weight."""
    arrays = trial()
    silent = Arrays(arrays.numbers, arrays.categories, arrays.labels, 0 * arrays.weights)
    model = build(ENCODING, SMALL, seed=1)
    model.linear.numbers.assign(np.ones((NOISE, 1)))
    model.linear.codes.assign([[-1.0], [0.5], [1.0], [0.2], [0.3]])

    _Loop(model, arrays, arrays, SMALL).run(silent, np.random.default_rng(1), passes=50, most=None)

    assert model.linear.codes.numpy()[:, 0] == pytest.approx([-1.0, 0.5, 1.0, 0.2, 0.3], abs=1e-5)
    kept = (1 - SMALL.learning_rate * SMALL.weight_decay) ** 50
    assert each(model.linear.numbers.numpy()[:, 0]) == pytest.approx([kept] * NOISE, abs=1e-4)


def test_weight_decay_of_the_models_of_the_folds_spares_the_arms() -> None:
    start = fit_linear(trial(), ENCODING, penalty=10.0)
    encoding = Encoding(NOISE, 1, 6, ("rash",), arms=(0, 1, 2, 4, 5))
    codes = np.insert(start.codes, 3, 0.0, axis=0)
    member = Member(np.arange(240), (1,), LinearStart(start.numbers, codes, start.bias), np.ones(1))

    decays = Stack(encoding, SMALL, [member], trial().categories).decays()

    assert np.ravel(decays["linear_codes"]).tolist() == [0, 0, 0, SMALL.weight_decay, 0, 0]
    assert decays["linear_numbers"] == SMALL.weight_decay


def test_arms_are_found_among_the_codes() -> None:
    categories = np.array([[0, 2], [1, 5], [0, 7]], np.int32)
    arms = arm_codes([b"1\x1fPlacebo", b"0\x1fF", b"1\x1fHigh", b"0\x1fM"], ("sex", "arm"))

    assert arms == (0, 2, 5, 7)
    # The sex has codes 1, 3, 4 and 6.
    assert arms_of(np.array([[1, 2], [3, 5], [4, 0], [6, 7]], np.int32), arms).tolist() == [
        1,
        2,
        0,
        3,
    ]
    assert arms_of(categories, ()).tolist() == [0, 0, 0]


def test_a_study_without_arms_has_no_code_of_an_arm() -> None:
    assert arm_codes([b"0\x1fF", b"0\x1fM"], ("sex",)) == ()
