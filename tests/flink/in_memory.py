"""The model of a run on Flink, evaluated in memory, and the comparison of numbers of both."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tests.flink import artifacts

TOLERANCE = 1e-6
_AS_GOOD_AS_ZERO = 1e-12


def assert_close(found: Any, expected: Any, what: str) -> None:
    """Numbers within the tolerance, everything else equal."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), what
        for key in expected:
            assert_close(found[key], expected[key], f"{what}/{key}")
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected), what
        for place, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_close(one, other, f"{what}/{place}")
    elif isinstance(expected, float) and not math.isnan(expected):
        assert found == pytest.approx(expected, rel=TOLERANCE, abs=_AS_GOOD_AS_ZERO), what
    elif not isinstance(expected, float):
        assert found == expected, what


def evaluate_in_memory(outputs: dict[str, dict[str, str]], study: Path, folder: Path) -> Path:
    """Evaluates the model of a run in memory.

    Args:
        outputs: The run's outputs, folder by stage and name; of a pipeline run or of a validation.
        study: Its study file.
        folder: Gets the Evaluator's outputs.

    Returns:
        Folder of the verdict.
    """
    from tfx.types import artifact_utils, standard_artifacts

    from components.artifact_types import ModelVerdict, Predictions, TrialRejects
    from components.evaluator.executor import Executor
    from components.evaluator.settings import EvaluatorSettings
    from pipeline.beam.options import IN_MEMORY, beam_options
    from pipeline.study.load import load_study

    def artifact(kind: type, uri: str) -> Any:
        made = kind()
        made.uri = uri
        return made

    examples = artifact(standard_artifacts.Examples, outputs["TrialExampleGen"]["examples"])
    examples.split_names = artifact_utils.encode_split_names(list(artifacts.SPLITS))
    examples.set_string_custom_property("payload_format", "FORMAT_TF_EXAMPLE")
    examples.set_string_custom_property("file_format", "tfrecords_gzip")
    sources = {
        "model": (standard_artifacts.Model, ("Trainer", "RegisteredModel"), "model"),
        "predictions": (Predictions, ("CrossFit",), "predictions"),
        "reference_predictions": (Predictions, ("ReferenceModels",), "predictions"),
        "rejects": (TrialRejects, ("TrialExampleGen",), "rejects"),
    }
    inputs = {
        name: [artifact(kind, outputs[stage][output])]
        for name, (kind, stages, output) in sources.items()
        for stage in stages
        if stage in outputs
    }
    written = {
        "evaluation": standard_artifacts.ModelEvaluation,
        "blessing": standard_artifacts.ModelBlessing,
        "verdict": ModelVerdict,
    }
    context = Executor.Context(
        beam_pipeline_args=list(beam_options(IN_MEMORY)), tmp_dir=str(folder), unique_id="1"
    )
    Executor(context).Do(
        {"examples": [examples], **inputs},
        {name: [artifact(kind, str(folder / name))] for name, kind in written.items()},
        {"settings": EvaluatorSettings.of(load_study(study)).to_json()},
    )
    return folder / "verdict"
