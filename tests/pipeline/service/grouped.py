"""The hand-made study with groups, a population and a day of exit, and a model with sets of groups.

A set has the outcome where the risk is above .3, as far as no group is known; otherwise above .2,
or .1 of women, or .4 in the north.
"""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import tensorflow as tf

from pipeline.names import EXAMPLES_SIGNATURE
from tests.pipeline.service.hand_made import CONTENT, FEATURES, HandMade, save

SLICINGS = ("age", "arm", "region", "sex")


def content() -> dict[str, Any]:
    """The study file."""
    made = copy.deepcopy(CONTENT)
    made["datasets"]["subjects"]["columns"] |= {
        "REGION": {"type": "text", "known": "baseline"},
        "ENROLLED": {"type": "text", "known": "baseline"},
        "EXIT": {"type": "number", "known": "after"},
    }
    made["subject"]["exit_day"] = "EXIT"
    made["population"] = {"column": "ENROLLED", "equals": "Y"}
    made["slicing"] |= {
        "by": {
            "sex": {"column": "SEX"},
            "age": {"column": "AGE", "bands": [50, 65]},
            "region": {"column": "REGION"},
            "arm": {"of": "arm"},
        },
        "pairs": [["sex", "age"]],
    }
    return made


class Grouped(HandMade):
    """The model of `log_odds`, with sets of groups."""

    @tf.function(autograph=False)
    def with_slices(self, **inputs: Any) -> Any:
        """As `columns`, with the sets of the subjects' groups."""
        found = dict(self.columns(**{name: inputs[name] for name in FEATURES}))
        slices = {name: inputs[f"slice_{name}"] for name in SLICINGS}
        limit = tf.fill(tf.shape(inputs["AGE"]), 0.2)
        limit = tf.where(slices["sex"] == "F", 0.1, limit)
        limit = tf.where(slices["region"] == "North", 0.4, limit)
        unknown = tf.reduce_all(tf.stack([slices[name] == "" for name in SLICINGS]), axis=0)
        limit = tf.where(unknown, 0.3, limit)
        found["death/set_positive"] = tf.cast(found["death"] > limit[:, None], tf.float32)
        return found

    @tf.function(autograph=False)
    def examples(self, examples: Any) -> Any:
        """As `with_slices`, of serialised examples."""
        texts = ("SEX", "arm", *(f"slice_{name}" for name in SLICINGS))
        spec = {name: tf.io.FixedLenFeature([], tf.string, "") for name in texts}
        for name in ("AGE", "BMI"):
            spec[name] = tf.io.FixedLenFeature([], tf.float32, float("nan"))
        return self.with_slices(**tf.io.parse_example(examples, spec))


def save_grouped(folder: Path) -> Path:
    """Saves the model with what the service reads beside it."""
    extra = save(folder / "plain") / "assets.extra"
    model = Grouped(0.0)
    columns = {
        name: tf.TensorSpec([None], tf.float32 if name in ("AGE", "BMI") else tf.string, name=name)
        for name in FEATURES
    }
    slices = {
        f"slice_{name}": tf.TensorSpec([None], tf.string, name=f"slice_{name}") for name in SLICINGS
    }
    signatures = {
        "columns": model.columns.get_concrete_function(**columns),
        "columns_with_slices": model.with_slices.get_concrete_function(**columns, **slices),
        "columns_contributions": model.explained.get_concrete_function(**columns),
        EXAMPLES_SIGNATURE: model.examples.get_concrete_function(
            tf.TensorSpec([None], tf.string, name="examples")
        ),
    }
    tf.saved_model.save(model, str(folder / "model"), signatures=signatures)
    shutil.copytree(extra, folder / "model" / "assets.extra", dirs_exist_ok=True)
    return folder / "model"
