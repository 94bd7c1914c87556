"""A signature called with one tensor of all numbers and one of all texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from pipeline.service.model import JoinedSignature

NUMBER = np.array([1.0, np.nan], np.float32)


def signature(kinds: str) -> Any:
    """Takes `a`, `b` and so on, `n` for a number and `t` for a text, and says what it has got."""
    specs = {
        name: tf.TensorSpec([None], tf.float32 if kind == "n" else tf.string, name=name)
        for name, kind in zip("abc", kinds, strict=False)
    }

    def call(**columns: Any) -> Any:
        return {f"of {name}": values[:, None] for name, values in columns.items()}

    return tf.function(call, autograph=False).get_concrete_function(**specs)


@pytest.mark.parametrize("kinds", ["n", "t", "nt", "tn", "ntn", "tnt"])
def test_each_column_is_the_one_of_its_name(kinds: str) -> None:
    values = {
        name: NUMBER + place if kind == "n" else np.array([b"F%d" % place, b""], object)
        for place, (name, kind) in enumerate(zip("abc", kinds, strict=False))
    }

    found = JoinedSignature(signature(kinds))(values)

    assert set(found) == {f"of {name}" for name in values}
    for name, expected in values.items():
        np.testing.assert_array_equal(found[f"of {name}"].numpy()[:, 0], expected)
