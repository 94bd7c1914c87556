"""Runs the Evaluator's executor on hand-made predictions.

The models used here read their predictions from a column of the examples, so that a test
decides them: `p_<task>` for the challenger, `q_<task>` for the champion.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.evaluator.settings import EvaluatorSettings
from pipeline.results.division import Division, write_division
from pipeline.results.evaluation_plan import SPLIT_PLAN
from pipeline.results.predictions import Predictions, write_predictions

Row = Mapping[str, float | bytes]


@dataclass(frozen=True)
class Evaluation:
    metrics: dict[str, Any]
    verdict: dict[str, Any]
    curves: dict[str, Any]
    blessing: Any
    folder: Path

    def record(self, task: str, metric: str, model: str = "challenger", **more: Any) -> Any:
        decision_threshold = more.pop("decision_threshold", None)
        versus = more.pop("versus", None)
        (found,) = (
            record
            for record in self.metrics["records"]
            if record["task"] == task
            and record["metric"] == metric
            and record["model"] == model
            and record["slice"] == more
            and record["decision_threshold"] == decision_threshold
            and record.get("versus") == versus
        )
        return found


def write_examples(folder: Path, rows: Iterable[Row], split: str = "test") -> None:
    import tensorflow as tf

    target = folder / f"Split-{split}"
    target.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(target / "data.gz"), "GZIP") as writer:
        for row in rows:
            example = tf.train.Example()
            for name, value in row.items():
                feature = example.features.feature[name]
                if isinstance(value, bytes):
                    feature.bytes_list.value.append(value)
                else:
                    feature.float_list.value.append(value)
            writer.write(example.SerializeToString())


def write_model(folder: Path, tasks: Iterable[str], prefix: str) -> None:
    import tensorflow as tf

    names = list(tasks)

    class Model(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
        def serve(self, examples: Any) -> Any:
            columns = {prefix + name: tf.io.FixedLenFeature([1], tf.float32) for name in names}
            parsed = tf.io.parse_example(examples, columns)
            return {name: parsed[prefix + name] for name in names}

    model = Model()
    tf.saved_model.save(
        model, str(folder / "Format-Serving"), signatures={"serving_default": model.serve}
    )


def write_reference_models(folder: Path, references: Predictions) -> None:
    repeats = int(references.repeat.max()) + 1
    fit = {"repeats": repeats, "most_subjects": 320, "seconds": 1.5}
    (folder / "reference_models.json").write_text(
        json.dumps({"models": dict.fromkeys(references.of, fit)})
    )


def split_division(parts: Mapping[Any, int]) -> Division:
    """The division of a champion by the number of each subject's part."""
    first = np.zeros(len(parts), np.int16)
    subjects = np.array(list(parts), object)
    rows = Predictions(subjects, first, np.array(list(parts.values()), np.int16), {})
    return Division(SPLIT_PLAN, rows)


def evaluate(
    folder: Path,
    settings: EvaluatorSettings,
    rows: Iterable[Row],
    champion: Mapping[str, Any] | None = None,
    predictions: Predictions | None = None,
    references: Predictions | None = None,
    plan: Mapping[str, Any] | None = None,
    champion_tasks: Iterable[str] = (),
    division: Division | None = None,
    censoring: Mapping[str, Any] | None = None,
) -> Evaluation:
    """Runs the executor.

    `champion` gives the champion's custom properties; it serves `champion_tasks`, or all.
    `division` says who was where in its run; without it all subjects were in its test split.
    `censoring` is that of `counts.json`; it is read where `plan` is given.
    """
    from apache_beam import Pipeline
    from apache_beam.runners.portability import fn_api_runner
    from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
    from tfx.types import artifact_utils, standard_artifacts

    from components import artifact_types
    from components.evaluator.executor import Executor

    def artifact(kind: Any, name: str) -> Any:
        made = kind()
        made.uri = str(folder / name)
        (folder / name).mkdir(parents=True, exist_ok=True)
        return made

    rows = list(rows)
    split = "test" if plan is None or plan["scheme"] == "split" else "train"
    write_examples(folder / "examples", rows, split)
    write_model(folder / "model", settings.tasks, "p_")
    examples = artifact(standard_artifacts.Examples, "examples")
    examples.split_names = artifact_utils.encode_split_names([split])
    inputs = {"examples": [examples], "model": [artifact(standard_artifacts.Model, "model")]}
    if champion is not None:
        baseline = artifact(standard_artifacts.Model, "baseline")
        for name, value in champion.items():
            if isinstance(value, int):
                baseline.set_int_custom_property(name, value)
            else:
                baseline.set_string_custom_property(name, value)
        if champion["present"]:
            write_model(folder / "baseline", champion_tasks or settings.tasks, "q_")
            inputs["champion_division"] = [artifact(artifact_types.Predictions, "division")]
            division = division or split_division({row["subject_hash"]: 2 for row in rows})
            write_division(str(folder / "division"), division)
        inputs["champion_model"] = [baseline]
    for key, table in (("predictions", predictions), ("reference_predictions", references)):
        if table is not None:
            inputs[key] = [artifact(artifact_types.Predictions, key)]
            write_predictions(str(folder / key), table)
    if references is not None:
        write_reference_models(folder / "reference_predictions", references)
    if plan is not None:
        inputs["rejects"] = [artifact(artifact_types.TrialRejects, "rejects")]
        (folder / "rejects/evaluation.json").write_text(json.dumps(plan))
        counts = {"datasets": {}, "subjects": {}, "tasks": {}, "censoring": dict(censoring or {})}
        (folder / "rejects/counts.json").write_text(json.dumps(counts))
    outputs = {
        "evaluation": [artifact(standard_artifacts.ModelEvaluation, "evaluation")],
        "blessing": [artifact(standard_artifacts.ModelBlessing, "blessing")],
        "verdict": [artifact(artifact_types.ModelVerdict, "verdict")],
    }
    context = BaseBeamExecutor.Context(
        make_beam_pipeline_fn=lambda: Pipeline(runner=fn_api_runner.FnApiRunner()),
        tmp_dir=str(folder / "tmp"),
        unique_id="1",
    )
    Executor(context).Do(inputs, outputs, {"settings": settings.to_json()})
    return Evaluation(
        metrics=json.loads((folder / "verdict/metrics.json").read_text()),
        verdict=json.loads((folder / "verdict/verdict.json").read_text()),
        curves=json.loads((folder / "verdict/curves.json").read_text()),
        blessing=outputs["blessing"][0],
        folder=folder,
    )


@pytest.fixture(scope="session")
def run_evaluator() -> Callable[..., Evaluation]:
    return evaluate
