"""A registered model made by hand, and examples of subjects."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import tensorflow as tf
import tensorflow_data_validation as tfdv

from pipeline.results.registration import Candidate, RegisteredModel
from pipeline.results.uncertainty import TaskUncertainty, Uncertainty
from pipeline.runs.registry import Registry
from tests.registered_models import documents
from trainer.resaved import save_with_outputs
from trainer.uncertainty.served import ServedUncertainty

STUDY = "first"
MISSING_AGE = 60.0
"""What the model takes for a missing age."""

UNCERTAINTY = Uncertainty(
    coverage=0.9,
    out_of_fold=True,
    tasks={
        "death": TaskUncertainty(
            starts=(0.3,),
            lower=(0.1, 0.4),
            upper=(0.3, 0.7),
            negative=0.3,
            positive=0.8,
            negative_alone=0.3,
            positive_alone=0.8,
        ),
        "relapse": TaskUncertainty(why_not="too few subjects"),
    },
)
"""Intervals and sets of `death`: the level without it up to a prediction of .3, that with it from
.2 on."""


class HandMade(tf.Module):  # type: ignore[misc]
    """Logit of `death`: -4.5 + AGE / 20 + 0.5 for women; of `relapse`: half of that."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples: Any) -> Any:
        parsed = tf.io.parse_example(
            examples,
            {
                "AGE": tf.io.FixedLenFeature([], tf.float32, float("nan")),
                "SEX": tf.io.FixedLenFeature([], tf.string, ""),
            },
        )
        return self._predicted(parsed["AGE"], parsed["SEX"])

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.float32, name="AGE"),
            tf.TensorSpec([None], tf.string, name="SEX"),
        ]
    )
    def columns(self, AGE: Any, SEX: Any) -> Any:  # noqa: N803 - names of columns
        return self._predicted(AGE, SEX)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def contributions(self, examples: Any) -> Any:
        """Of the sex alone, against a man of unknown age."""
        parsed = tf.io.parse_example(examples, {"SEX": tf.io.FixedLenFeature([], tf.string, "")})
        of_sex = 0.5 * tf.cast(parsed["SEX"] == "F", tf.float32)[:, None]
        death = tf.concat([of_sex, tf.fill(tf.shape(of_sex), -4.5 + MISSING_AGE / 20)], axis=1)
        return {"death": death, "relapse": death / 2}

    def _predicted(self, age: Any, sex: Any) -> Any:
        known = tf.where(tf.math.is_nan(age), MISSING_AGE, age)
        logit = (-4.5 + known / 20 + 0.5 * tf.cast(sex == "F", tf.float32))[:, None]
        return {"death": tf.sigmoid(logit), "relapse": tf.sigmoid(logit / 2)}


def register_by_hand(
    root: Path | str, folder: Path, uncertainty: Uncertainty | None = None
) -> RegisteredModel:
    """Registers the model as the champion of the study `first`.

    Args:
        root: Root of the registry.
        folder: Folder for files that are copied into it.
        uncertainty: Its intervals and sets; it has none by default.
    """
    model = HandMade()
    tf.saved_model.save(
        model,
        str(folder / "model"),
        signatures={
            "serving_default": model.serve,
            "columns": model.columns,
            "contributions": model.contributions,
        },
    )
    served = folder / "model"
    if uncertainty:
        served = folder / "served"
        save_with_outputs(str(folder / "model"), str(served), ServedUncertainty(uncertainty).added)
    subjects = pd.DataFrame(
        {
            "AGE": [40.0, 50.0, 60.0, 70.0] * 25,
            "SEX": ["F", "M", "M", "M"] * 25,
            "label_death": [1.0, 0.0, 0.0, 0.0] * 25,
            "weight_death": [1.0] * 100,
        }
    )
    (folder / "statistics").mkdir()
    statistics = tfdv.generate_statistics_from_dataframe(subjects, n_jobs=1)
    (folder / "statistics" / "FeatureStats.pb").write_bytes(statistics.SerializeToString())
    candidate = Candidate(
        study=STUDY,
        split_seed=1,
        label_digest="labels",
        study_digest="study",
        fingerprint="data of the first trial",
        code_version="0.2.0",
        run="run-1",
        metrics={},
    )
    return (
        Registry(str(root))
        .register(
            candidate,
            str(served),
            str(folder / "statistics"),
            documents=documents(candidate.fingerprint, candidate.study_digest),
        )
        .entry
    )


def content_of(folder: Path) -> dict[str, bytes]:
    """Content of all files below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def example(columns: Mapping[str, float | str]) -> bytes:
    """A serialized tf.Example with some columns; others are missing."""
    made = tf.train.Example()
    for name, value in columns.items():
        if isinstance(value, str):
            made.features.feature[name].bytes_list.value.append(value.encode())
        else:
            made.features.feature[name].float_list.value.append(value)
    return bytes(made.SerializeToString())


def predicted(model: str, *subjects: bytes) -> dict[str, list[float]]:
    """Predictions of a SavedModel's `serving_default`."""
    loaded = tf.saved_model.load(model)
    outputs = loaded.signatures["serving_default"](examples=tf.constant(list(subjects)))
    return {task: values.numpy().ravel().tolist() for task, values in outputs.items()}
