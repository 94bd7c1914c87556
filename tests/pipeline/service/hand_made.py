"""A registered champion made by hand, small enough to be computed in a test.

Of 100 training subjects ages are 40 to 70 and all known (40 below 50, 30 from there to 60), 80 have
a body mass index from 18 to 40, the sexes are 30 F, 69 M and 1 X, and there are two arms of 50.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_metadata.proto.v0 import statistics_pb2

from pipeline.names import EXAMPLES_SIGNATURE
from pipeline.results.contributions import CONTRIBUTIONS_FILE
from pipeline.results.registration import Candidate, RegisteredModel
from pipeline.results.uncertainty import SERVED_FILE
from pipeline.runs.register import Decision
from pipeline.runs.registry import Registry
from tests.registered_models import documents

STUDY = "stroke"
FEATURES = ("AGE", "BMI", "SEX", "arm")
CONTENT: dict[str, Any] = {
    "study": STUDY,
    "title": "The stroke trial",
    "datasets": {
        "subjects": {
            "file": "subjects.csv",
            "format": "csv",
            "rows": "one_per_subject",
            "columns": {
                "ID": {"type": "text"},
                "AGE": {"type": "number", "known": "baseline", "range": [18, 120]},
                "BMI": {"type": "number", "known": "baseline"},
                "SEX": {"type": "text", "known": "baseline"},
                "TREATMENT": {"type": "text", "known": "baseline"},
            },
        },
        "deaths": {
            "file": "deaths.csv",
            "format": "csv",
            "rows": "many_per_subject",
            "day": "DAY",
            "columns": {
                "ID": {"type": "text"},
                "DAY": {"type": "number"},
                "WHAT": {"type": "text"},
            },
        },
    },
    "subject": {"dataset": "subjects", "column": "ID"},
    "arm": {"columns": ["TREATMENT"], "control": "Placebo"},
    "features": {
        "AGE": {"kind": "number", "title": "Age (years)"},
        "BMI": {"kind": "number"},
        "SEX": {"kind": "category"},
    },
    "tasks": {
        "death": {
            "kind": "outcome",
            "title": "Death within a year",
            "horizon": 365,
            "event": {
                "dataset": "deaths",
                "where": {"column": "WHAT", "equals": "death"},
                "landmark_day": "after",
            },
        },
        "relapse": {
            "kind": "outcome",
            "title": "Relapse within a year",
            "horizon": 365,
            "event": {
                "dataset": "deaths",
                "where": {"column": "WHAT", "equals": "relapse"},
                "landmark_day": "after",
            },
        },
    },
    "slicing": {"smallest_group": 20},
    "card": {
        "purpose": "Helps a stroke unit to plan follow-up.",
        "users": "Physicians of the unit.",
        "not_for": "Children.",
        "limits": ["One country."],
    },
}
SUBJECT: dict[str, Any] = {"AGE": 60, "BMI": 30, "SEX": "F", "arm": "Active"}
"""A subject whose values training subjects had."""


def log_odds(
    age: float | None, bmi: float | None, sex: str | None, arm: str, offset: float = 0.0
) -> float:
    """What the model predicts of death; of relapse it is half of that."""
    known = 60.0 if age is None else age
    return (
        -4.5
        + offset
        + known / 20
        + 0.5 * (sex == "F")
        + 0.3 * (arm == "Active")
        + (0.0 if bmi is None else 0.01 * (bmi - 25))
    )


def risk(log_odds: float) -> float:
    """The probability with a logarithm of the odds."""
    return float(1 / (1 + np.exp(-log_odds)))


class HandMade(tf.Module):  # type: ignore[misc]
    """The model of `log_odds`.

    Args:
        offset: Added to the log odds.
    """

    def __init__(self, offset: float) -> None:
        super().__init__()
        self._offset = offset

    @tf.function(autograph=False)
    def columns(self, AGE: Any, BMI: Any, SEX: Any, arm: Any) -> Any:  # noqa: N803
        """Probabilities; of death also interval and set."""
        logit = tf.add_n(self._terms(AGE, BMI, SEX, arm))[:, None] + self._offset - 1.5
        death = tf.sigmoid(logit)
        return {
            "death": death,
            "death/lower": death - 0.05,
            "death/upper": death + 0.05,
            "death/set_negative": tf.cast(death < 0.7, tf.float32),
            "death/set_positive": tf.cast(death > 0.3, tf.float32),
            "relapse": tf.sigmoid(logit / 2),
        }

    @tf.function(autograph=False)
    def explained(self, AGE: Any, BMI: Any, SEX: Any, arm: Any) -> Any:  # noqa: N803
        """Against a man of 60 of unknown body mass index, under placebo."""
        terms = tf.stack(self._terms(AGE, BMI, SEX, arm), axis=1)
        reference = tf.fill([tf.shape(AGE)[0], 1], self._offset - 1.5)
        death = tf.concat([terms, reference], axis=1)
        return {"death": death, "relapse": death / 2}

    @tf.function(autograph=False)
    def examples(self, examples: Any) -> Any:
        """As `columns`, of serialised examples."""
        spec = {
            "AGE": tf.io.FixedLenFeature([], tf.float32, float("nan")),
            "BMI": tf.io.FixedLenFeature([], tf.float32, float("nan")),
            "SEX": tf.io.FixedLenFeature([], tf.string, ""),
            "arm": tf.io.FixedLenFeature([], tf.string, ""),
        }
        return self.columns(**tf.io.parse_example(examples, spec))

    def _terms(self, age: Any, bmi: Any, sex: Any, arm: Any) -> list[Any]:
        return [
            (tf.where(tf.math.is_nan(age), 60.0, age) - 60) / 20,
            tf.where(tf.math.is_nan(bmi), 0.0, 0.01 * (bmi - 25)),
            0.5 * tf.cast(sex == "F", tf.float32),
            0.3 * tf.cast(arm == "Active", tf.float32),
        ]


def save(folder: Path, offset: float = 0.0) -> Path:
    """Saves the model with all that the service reads beside it."""
    model = HandMade(offset)
    columns = {
        name: tf.TensorSpec([None], tf.float32 if name in ("AGE", "BMI") else tf.string, name=name)
        for name in FEATURES
    }
    signatures = {
        "columns": model.columns.get_concrete_function(**columns),
        "columns_contributions": model.explained.get_concrete_function(**columns),
        EXAMPLES_SIGNATURE: model.examples.get_concrete_function(
            tf.TensorSpec([None], tf.string, name="examples")
        ),
    }
    tf.saved_model.save(model, str(folder), signatures=signatures)
    (folder / CONTRIBUTIONS_FILE).parent.mkdir(exist_ok=True)
    reference = {"SEX": "M", "arm": "Placebo"}
    (folder / CONTRIBUTIONS_FILE).write_text(
        json.dumps({"features": FEATURES, "reference": reference})
    )
    why_not = {"relapse": {"why_not": "Too few subjects with a relapse."}, "death": {}}
    (folder / SERVED_FILE).write_text(
        json.dumps({"coverage": 0.9, "out_of_fold": True, "tasks": why_not})
    )
    return folder


def _statistics() -> bytes:
    made = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = made.datasets.add(num_examples=100)
    for name, lowest, highest, known in (("AGE", 40, 70, 100), ("BMI", 18, 40, 80)):
        number = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.FLOAT)
        number.path.step.append(name)
        number.num_stats.min, number.num_stats.max = lowest, highest
        number.num_stats.common_stats.num_non_missing = known
        if name == "AGE":
            quantiles = number.num_stats.histograms.add(type=statistics_pb2.Histogram.QUANTILES)
            for upper, count in ((50, 40), (60, 30), (70, 30)):
                quantiles.buckets.add(high_value=upper, sample_count=count)
    counted = {"SEX": {"M": 69, "F": 30, "X": 1}, "arm": {"Active": 50, "Placebo": 50}}
    for name, counts in counted.items():
        category = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.STRING)
        category.path.step.append(name)
        category.string_stats.unique = len(counts)
        category.string_stats.common_stats.num_non_missing = sum(counts.values())
        for label, count in counts.items():
            category.string_stats.rank_histogram.buckets.add(label=label, sample_count=count)
    return made.SerializeToString()


def register(
    root: Path | str,
    model: Path,
    folder: Path,
    run: str = "run-1",
    evidence: dict[str, Any] | None = None,
    decision: Decision | None = None,
    **changes: Any,
) -> RegisteredModel:
    """Registers a saved model: as the champion, unless a person decides.

    Args:
        root: Root of the registry.
        model: The SavedModel.
        folder: Folder for files that are copied into the registry.
        run: Id of the run.
        evidence: What the card has of metrics and verdict.
        decision: What decides on its promotion.
        changes: Sections of the study file that differ.
    """
    candidate = Candidate(
        study=STUDY,
        split_seed=1,
        label_digest="labels",
        study_digest="study",
        fingerprint=f"data of {run}",
        code_version="0.2.0",
        run=run,
        metrics={},
    )
    found = documents(candidate.fingerprint, candidate.study_digest)
    card = json.loads(found["card.json"])
    card["study_file"] = CONTENT | changes
    card["evidence"] |= evidence or {}
    card["features"] = [
        {"name": name, "kind": "number", "source": f"subjects, {name}", "missing": 0}
        for name in FEATURES
    ]
    found["card.json"] = json.dumps(card).encode()
    found["card.html"] = b"<!doctype html><title>The card</title>"
    statistics = folder / "statistics"
    statistics.mkdir(parents=True, exist_ok=True)
    (statistics / "FeatureStats.pb").write_bytes(_statistics())
    registry = Registry(str(root))
    return registry.register(
        candidate, str(model), str(statistics), documents=found, decision=decision
    ).entry


def serialized_example(subject: dict[str, Any]) -> bytes:
    """The tf.Example of a subject's columns; a missing value is an absent feature."""
    made = tf.train.Example()
    for name, value in subject.items():
        feature = made.features.feature[name]
        if isinstance(value, str):
            feature.bytes_list.value.append(value.encode())
        elif value is not None:
            feature.float_list.value.append(value)
    return bytes(made.SerializeToString())
