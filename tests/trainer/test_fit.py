import dataclasses
from typing import Any, get_args

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pipeline.errors import UserError
from pipeline.study.sections import Hyperparameters as ChosenHyperparameters
from trainer.arrays import Arrays
from trainer.fit import _batch_loss, fit
from trainer.model import Encoding, Hyperparameters, Linear, resolve

ENCODING = Encoding(numbers=3, categories=1, codes=2, tasks=("death", "ae"))
SMALL = Hyperparameters(members=2, width=16, depth=1, batch_size=64, max_epochs=4)


def trial(count: Any, logit: Any, seed: Any = 0) -> Any:
    """Three standard normal numbers, one category of two codes; both tasks share their truth."""
    generator = np.random.default_rng(seed)
    numbers = generator.normal(size=(count, 3)).astype(np.float32)
    categories = generator.integers(0, 2, size=(count, 1)).astype(np.int32)
    chance = 1 / (1 + np.exp(-logit(numbers, categories)))[:, None]
    labels = (generator.random((count, 2)) < chance).astype(np.float32)
    return Arrays(numbers, categories, labels, np.ones_like(labels))


def linear_truth(numbers: Any, categories: Any) -> Any:
    return 1.5 * numbers[:, 0] - categories[:, 0]


def interaction(numbers: Any, categories: Any) -> Any:
    return 3.0 * numbers[:, 0] * np.where(categories[:, 0] == 1, 1.0, -1.0)


def noise(numbers: Any, categories: Any) -> Any:
    return np.full(len(numbers), -1.0) + 0.0 * categories[:, 0]


@pytest.fixture(scope="module")
def fitted() -> Any:
    return fit(trial(400, linear_truth), trial(200, linear_truth, 1), ENCODING, SMALL, seed=7)


def test_masked_labels_have_no_influence_on_the_fitted_model(fitted: Any) -> None:
    del fitted
    parts = [trial(300, linear_truth), trial(100, linear_truth, 1)]
    for part in parts:
        part.weights[::4, 1] = 0.0
    flipped = [
        dataclasses.replace(part, labels=np.where(part.weights == 0, 1 - part.labels, part.labels))
        for part in parts
    ]

    as_is, changed = (fit(*both, ENCODING, SMALL, seed=0) for both in (parts, flipped))  # type: ignore[call-arg, misc]

    for one, other in zip(as_is.model.get_weights(), changed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert as_is.calibration == changed.calibration
    assert as_is.history.eval_loss == changed.history.eval_loss


def test_same_seed_gives_the_same_predictions(fitted: Any) -> None:
    again = fit(trial(400, linear_truth), trial(200, linear_truth, 1), ENCODING, SMALL, seed=7)

    fresh = trial(100, linear_truth, 2)
    np.testing.assert_array_equal(again.predict(fresh), fitted.predict(fresh))


def test_another_seed_gives_other_predictions(fitted: Any) -> None:
    other = fit(trial(400, linear_truth), trial(200, linear_truth, 1), ENCODING, SMALL, seed=8)

    assert other.history.best_epoch > 0
    fresh = trial(100, linear_truth, 2)
    assert not np.array_equal(other.predict(fresh), fitted.predict(fresh))


def test_a_signal_is_learned(fitted: Any) -> None:
    fresh = trial(2_000, linear_truth, 2)
    truth = linear_truth(fresh.numbers, fresh.categories)

    for task in (0, 1):
        best = roc_auc_score(fresh.labels[:, task], truth)
        assert roc_auc_score(fresh.labels[:, task], fitted.predict(fresh)[:, task]) > best - 0.02


def test_the_ensemble_learns_an_interaction_that_the_linear_path_cannot() -> None:
    train, evaluation = trial(3_000, interaction), trial(600, interaction, 1)
    fresh = trial(2_000, interaction, 2)
    deep = dataclasses.replace(SMALL, max_epochs=12, learning_rate=1e-2)

    with_ensemble = fit(train, evaluation, ENCODING, deep, seed=0)
    alone = fit(train, evaluation, ENCODING, dataclasses.replace(deep, depth=0), seed=0)

    assert roc_auc_score(fresh.labels[:, 0], alone.predict(fresh)[:, 0]) < 0.6
    assert roc_auc_score(fresh.labels[:, 0], with_ensemble.predict(fresh)[:, 0]) > 0.85


def test_noise_gives_about_the_base_rate() -> None:
    fitted = fit(trial(1_000, noise), trial(400, noise, 1), ENCODING, SMALL, seed=0)

    predicted = fitted.predict(trial(500, noise, 2))

    base_rate = 1 / (1 + np.exp(1.0))
    assert predicted.mean() == pytest.approx(base_rate, abs=0.04)
    assert predicted.std() < 0.05


def test_category_that_no_subject_in_train_has_adds_nothing() -> None:
    train = trial(128, noise)
    encoding = dataclasses.replace(ENCODING, codes=3)

    model = fit(train, trial(64, noise, 1), encoding, SMALL, seed=0).model

    assert np.all(model.linear.codes.numpy()[2] == 0.0)
    vectors = model.ensemble.table.numpy()  # type: ignore[union-attr]
    assert np.all(vectors[2] == 0.0)
    assert np.all(np.any(vectors[:2] != 0.0, axis=1))


def test_a_fixed_number_of_steps_is_kept_to() -> None:
    fitted = fit(trial(256, noise), trial(64, noise, 1), ENCODING, SMALL, seed=0, steps=11)

    assert fitted.history.steps == 11
    assert fitted.history.epochs == 3


def test_many_fixed_steps_on_a_small_split_are_evaluated_seldom() -> None:
    history = fit(trial(64, noise), trial(64, noise, 1), ENCODING, SMALL, seed=0, steps=120).history

    assert history.steps == 120
    assert history.epochs == 40  # three passes of one step each in between


def test_training_stops_when_eval_no_longer_improves() -> None:
    patient = dataclasses.replace(SMALL, max_epochs=200, patience=3, learning_rate=1e-2)

    history = fit(trial(128, noise), trial(64, noise, 1), ENCODING, patient, seed=0).history

    assert history.epochs == history.best_epoch + 3
    losses = np.array(list(history.eval_loss.values()))
    assert losses.shape == (2, history.epochs + 1)


def test_the_weights_of_the_best_epoch_are_kept() -> None:
    hasty = dataclasses.replace(
        SMALL, learning_rate=0.1, max_epochs=10, weight_decay=0.0, dropout=0.0
    )
    evaluation = trial(200, noise, 1)

    fitted = fit(trial(200, noise), evaluation, ENCODING, hasty, seed=0)

    logits = fitted.logits(evaluation).astype(np.float64)
    loss = np.mean(np.logaddexp(0, logits) - evaluation.labels * logits, axis=0)
    best = [losses[fitted.history.best_epoch] for losses in fitted.history.eval_loss.values()]
    assert loss == pytest.approx(best)
    assert fitted.history.best_epoch < fitted.history.epochs


def test_progress_is_reported_about_every_epoch() -> None:
    told = []

    fit(
        trial(128, noise),
        trial(64, noise, 1),
        ENCODING,
        SMALL,
        seed=0,
        progress=lambda epoch, total, detail: told.append((epoch, total, detail)),
    )

    assert [(epoch, total) for epoch, total, _ in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert all("eval loss" in detail for *_, detail in told)


def test_blocks_are_iterated_again_and_again() -> None:
    blocks = [trial(128, linear_truth, seed) for seed in (0, 1, 2)]

    fitted = fit(blocks, trial(64, linear_truth, 3), ENCODING, SMALL, seed=0, steps=9)

    assert fitted.history.steps == 9
    assert fitted.history.epochs == 5  # two steps a block, the last one cut short


def test_a_step_is_traced_once_for_blocks_and_epochs_of_any_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    traced = []

    def loss(*parts: Any) -> Any:
        traced.append(parts)
        return _batch_loss(*parts)

    monkeypatch.setattr("trainer.fit._batch_loss", loss)
    blocks = [trial(300, linear_truth), trial(200, linear_truth, 1)]
    history = fit(blocks, trial(100, linear_truth, 2), ENCODING, SMALL, seed=0, steps=8).history

    assert (history.steps, history.epochs) == (8, 3)
    assert len(traced) == 1


def test_fewer_subjects_than_a_batch_are_one_batch() -> None:
    fitted = fit(trial(20, linear_truth), trial(10, linear_truth, 1), ENCODING, SMALL, seed=0)

    assert fitted.history.steps == fitted.history.epochs


def test_chosen_hyperparameters_win_over_tuned_ones() -> None:
    resolved = resolve(1_000, tuned={"width": 32, "depth": 1}, chosen={"width": 16})

    assert (resolved.width, resolved.depth) == (16, 1)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"widht": 3}, "hyperparameters.widht: unknown key"),
        ({"width": 3.5}, "width: expected a whole number, found 3.5"),
        ({"dropout": "much"}, "dropout: expected a number, found much"),
        ({"dropout": 1.5}, "dropout: expected a number at most 0.9, found 1.5"),
    ],
)
def test_impossible_hyperparameter_is_named(chosen: Any, message: Any) -> None:
    with pytest.raises(UserError, match=message):
        resolve(1_000, chosen=chosen)


def test_a_study_file_may_choose_every_hyperparameter() -> None:
    of_trainer = {field.name: field.type for field in dataclasses.fields(Hyperparameters)}

    assert {
        name: get_args(field.annotation)[0].__origin__.__name__
        for name, field in ChosenHyperparameters.model_fields.items()
    } == of_trainer


@pytest.mark.parametrize(("numbers", "codes"), [(0, 3), (2, 0), (2, 3)])
def test_a_kind_of_feature_that_the_study_lacks_has_no_weights(numbers: int, codes: int) -> None:
    """A product of width zero ends the process on some processors."""
    path = Linear(Encoding(numbers, min(codes, 1), codes, ("death", "relapse")))

    path(np.zeros((5, numbers), np.float32), np.zeros((5, min(codes, 1)), np.int32))

    sizes = sorted(weight.shape[0] for weight in path.weights if len(weight.shape) == 2)
    assert sizes == sorted(size for size in (numbers, codes) if size)
