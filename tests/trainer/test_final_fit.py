import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer.arrays import Arrays
from trainer.final_fit import fit_on_all
from trainer.fit import Fitted
from trainer.model import Encoding, Hyperparameters

ENCODING = Encoding(numbers=3, categories=1, codes=2, tasks=("death", "ae"))
SMALL = Hyperparameters(
    members=4, width=8, depth=1, batch_size=32, max_epochs=6, learning_rate=0.01
)


def trial(count: int, seed: int = 0) -> Arrays:
    """Three standard normal numbers, one category; the first number raises both risks."""
    generator = np.random.default_rng(seed)
    numbers = generator.normal(size=(count, 3)).astype(np.float32)
    categories = generator.integers(0, 2, size=(count, 1)).astype(np.int32)
    chance = 1 / (1 + np.exp(-1.5 * numbers[:, :1]))
    labels = (generator.random((count, 2)) < chance).astype(np.float32)
    return Arrays(numbers, categories, labels, np.ones_like(labels))


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    return fit_on_all(trial(120), ENCODING, SMALL, seed=1)


def test_the_best_epochs_weights_are_kept() -> None:
    hasty = dataclasses.replace(SMALL, learning_rate=0.3, dropout=0.0, patience=3, weight_decay=0)
    arrays = trial(60)

    stopped = fit_on_all(arrays, ENCODING, hasty, seed=1)
    until_best = fit_on_all(
        arrays, ENCODING, dataclasses.replace(hasty, max_epochs=stopped.history.best_epoch), seed=1
    )

    assert stopped.history.best_epoch < stopped.history.epochs
    np.testing.assert_allclose(stopped.logits(arrays), until_best.logits(arrays), atol=1e-5)


def test_new_subjects_are_predicted(fitted: Fitted) -> None:
    from sklearn.metrics import roc_auc_score

    fresh = trial(500, seed=1)

    assert roc_auc_score(fresh.labels[:, 0], fitted.predict(fresh)[:, 0]) > 0.75
    assert list(fitted.history.eval_loss) == ["death", "ae"]
    assert len(fitted.history.eval_loss["ae"]) == fitted.history.epochs + 1


def test_the_order_of_the_subjects_changes_nothing(fitted: Fitted) -> None:
    order = np.random.default_rng(9).permutation(120)

    other = fit_on_all(trial(120).take(order), ENCODING, SMALL, seed=1)

    fresh = trial(50, 2)
    np.testing.assert_allclose(other.predict(fresh), fitted.predict(fresh), atol=1e-6)


def test_a_number_of_steps_is_kept_to() -> None:
    history = fit_on_all(trial(120), ENCODING, SMALL, seed=1, steps=10).history

    assert history.steps == 10
    assert history.epochs == 5  # two steps each: 90 subjects of each model in batches of 32


def test_progress_is_reported_of_every_epoch() -> None:
    told: list[Any] = []

    fit_on_all(trial(60), ENCODING, SMALL, 1, progress=lambda *what: told.append(what))

    assert [(epoch, total) for epoch, total, _ in told] == [(n, 6) for n in range(1, 7)]


def test_many_subjects_are_trained_by_a_single_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    from trainer.model import TrialModel

    monkeypatch.setattr("trainer.final_fit.STACKED_SUBJECTS", 50)

    assert isinstance(fit_on_all(trial(80), ENCODING, SMALL, seed=1).model, TrialModel)


def test_it_is_saved_with_the_signatures_of_a_single_model(study: Any, tmp_path: Path) -> None:
    import tensorflow as tf

    from tests.trainer.trainer_study import INPUTS, example
    from trainer.serving import save

    examples = study.examples(study.train_files)
    arrays = examples.whole()
    fitted = fit_on_all(arrays, examples.encoding, SMALL, seed=1)

    save(fitted, examples.transformation, tmp_path)

    serve = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    served = serve(examples=tf.constant([example(row) for row in study.rows[:400]]))
    found = np.concatenate([served[task].numpy() for task in INPUTS.tasks], axis=1)
    np.testing.assert_allclose(
        np.sort(found, axis=0), np.sort(fitted.predict(arrays), axis=0), atol=1e-5
    )
