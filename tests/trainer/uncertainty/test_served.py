"""Served signatures and calibrators decide alike, whatever is known of a subject."""

import numpy as np
import tensorflow as tf

from pipeline.names import slice_key
from pipeline.results.signatures import SLICES_SIGNATURE
from pipeline.results.uncertainty import PARTS, Uncertainty, output_name
from tests.trainer.uncertainty.simulated import simulate
from tests.trainer.uncertainty.test_task import fitted
from trainer.uncertainty.served import ServedUncertainty


def test_a_signature_answers_as_the_calibrators_do_whichever_groups_are_known() -> None:
    calibrators, subjects = fitted(simulate(16_000, 61)), simulate(2_000, 62)
    rng = np.random.default_rng(63)
    slices = {
        name: np.where(rng.random(2_000) < 0.3, "", values)
        for name, values in subjects.slices.items()
    }
    some = sum((values == "").astype(int) for values in slices.values())
    assert set(np.unique(some)) == {0, 1, 2, 3}

    document = Uncertainty(
        coverage=0.9, out_of_fold=False, tasks={"death": calibrators.to_document()}
    )
    found = ServedUncertainty(document).added(
        SLICES_SIGNATURE,
        {slice_key(name): tf.constant(values) for name, values in slices.items()},
        {"death": tf.constant(subjects.score[:, None], tf.float32)},
    )

    expected = calibrators(subjects.score, slices)
    for part in PARTS:
        np.testing.assert_array_equal(
            found[output_name("death", part)].numpy().ravel(), expected[part]
        )
