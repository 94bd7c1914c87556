"""What a saved model answers to why it predicts what it predicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from pipeline.results.contributions import CONTRIBUTIONS_FILE, ContributionColumns
from pipeline.results.training import Training
from tests.each import each
from tests.trainer.trainer_study import INPUTS, columns, example, subjects


def log_odds(probabilities: Any) -> Any:
    inner = np.asarray(probabilities, np.float64)[:, 0]
    return np.log(inner) - np.log1p(-inner)


def test_contributions_add_up_to_the_prediction(signatures: Any) -> None:
    examples = tf.constant([example(row) for row in subjects(40, seed=4)])

    predicted = signatures["serving_default"](examples=examples)
    contributions = signatures["contributions"](examples=examples)

    assert set(contributions) == {"death", "ae"}
    for task, found in contributions.items():
        assert found.shape == (40, len(INPUTS.features) + 1)
        np.testing.assert_allclose(found.numpy().sum(axis=1), log_odds(predicted[task]), atol=1e-4)


def test_all_subjects_have_the_same_reference(signatures: Any) -> None:
    examples = tf.constant([example(row) for row in subjects(40, seed=4)])
    contributions = signatures["contributions"](examples=examples)
    for task in INPUTS.tasks:
        found = contributions[task]
        np.testing.assert_allclose(found[:, -1], found[0, -1], atol=1e-5)


def test_contributions_of_columns_are_those_of_examples(signatures: Any) -> None:
    rows = subjects(40, seed=4)

    by_example = signatures["contributions"](examples=tf.constant([example(row) for row in rows]))
    by_column = signatures["columns_contributions"](**columns(rows))

    for task in INPUTS.tasks:
        np.testing.assert_array_equal(by_example[task], by_column[task])


def test_pairs_of_features_have_an_interaction_for_each_task(signatures: Any) -> None:
    rows = subjects(3, seed=4)
    features = len(INPUTS.features)

    by_example = signatures["interactions"](examples=tf.constant([example(row) for row in rows]))
    by_column = signatures["columns_interactions"](**columns(rows))

    for task in each(INPUTS.tasks):
        assert by_example[task].shape == (3, features, features)
        np.testing.assert_array_equal(by_example[task], by_column[task])


def test_the_model_names_the_columns_of_its_contributions(trained: Any) -> None:
    content = (trained / "Format-Serving" / CONTRIBUTIONS_FILE).read_bytes()
    described = ContributionColumns.model_validate_json(content)

    assert described.features == ("age", "sbp", "sex", "country")
    assert set(described.reference) == {"sex", "country"}
    assert described.reference["sex"] in {"F", "M"}


def test_importance_is_the_mean_size_of_what_the_signature_answers(
    trained: Any, signatures: Any, study: Any
) -> None:
    importance = Training.model_validate_json(
        (trained / "run" / "training.json").read_bytes()
    ).importance
    assert importance is not None
    rows = study.rows[400:]

    found = signatures["columns_contributions"](**columns(rows))

    assert importance.subjects == len(rows)
    for task in each(INPUTS.tasks):
        means = np.abs(found[task].numpy())[:, :-1].mean(axis=0)
        expected = dict(zip(INPUTS.features, means.tolist(), strict=True))
        assert importance.tasks[task].features == pytest.approx(expected, abs=1e-4)
