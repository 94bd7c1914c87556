"""The service and a batch scoring predict the same of the same subjects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import tensorflow as tf

from pipeline.names import EXAMPLES_SIGNATURE
from tests.each import each
from tests.pipeline.service.hand_made import serialized_example


def test_the_same_rows_have_the_same_numbers_as_in_a_batch(
    client: httpx.Client, saved_model: Path
) -> None:
    """The signature of a batch scoring takes serialised examples of the same subjects."""
    random = np.random.default_rng(7)
    subjects: list[dict[str, Any]] = [
        {
            "AGE": float(random.integers(40, 71)),
            "BMI": None if number % 3 == 0 else float(random.uniform(18, 40)),
            "SEX": ("F", "M")[number % 2],
            "arm": ("Active", "Placebo")[number // 2 % 2],
        }
        for number in range(40)
    ]
    loaded = tf.saved_model.load(str(saved_model))
    examples = tf.constant([serialized_example(subject) for subject in subjects])
    expected = loaded.signatures[EXAMPLES_SIGNATURE](examples=examples)

    body = {"instances": subjects}
    found = client.post("/v1/models/stroke:predict", json=body).json()["predictions"]

    for name in each(expected):
        answered = [row[name] for row in found]
        assert np.abs(np.array(answered) - expected[name].numpy()).max() < 1e-6, name
