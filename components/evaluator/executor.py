"""Runs TFX's Evaluator, reads its result and writes the verdict."""

from __future__ import annotations

import json
import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_model_analysis.api import model_eval_lib
from tfx.components.evaluator import constants
from tfx.components.evaluator import executor as tfx_executor
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs
from tfx.types.artifact import Artifact
from tfx.utils import io_utils, path_utils, proto_utils

from components.evaluator import jackknife, results, shown
from components.evaluator.champion import Champion, find_champion, needed_notes, new_subjects_notes
from components.evaluator.defaults import default_thresholds
from components.evaluator.eval_config import build_eval_config
from components.evaluator.judge import Verdict, judge
from components.evaluator.predicted_risks import predicted_risks
from components.evaluator.prediction_table import predictions_from
from components.evaluator.scheme import Scheme
from components.evaluator.settings import EvaluatorSettings
from components.evaluator.validated_sets import write_answered
from pipeline import names
from pipeline.documents import Document, parse_document
from pipeline.results.documents import OVERALL
from pipeline.results.documents import Verdict as VerdictDocument
from pipeline.results.held_back import held_curves, held_metrics, held_verdict
from pipeline.results.reference_comparison import simpler_models
from pipeline.results.release import Release, read_release
from pipeline.results.task_verdicts import WORDS
from pipeline.runs.looks import RunLook, record_look
from pipeline.storage import remove_folder
from pipeline.titles import NAMES

SETTINGS_KEY = "settings"
CHAMPION_KEY = "champion_model"
DIVISION_KEY = "champion_division"
REGISTRY_KEY = "registry_root"
LOOK_KEY = "look"
VERDICT_KEY = "verdict"
METRICS_FILE = "metrics.json"
VERDICT_FILE = "verdict.json"
CURVES_FILE = "curves.json"

_EXTRACTORS = "components.evaluator.extractors"
logger = logging.getLogger(__name__)


class Executor(tfx_executor.Executor):
    """Evaluates on the test split or out of fold, and blesses or refuses the model.

    The `evaluation` output is TFMA's raw result. It holds groups of any size and is internal:
    `metrics.json` and `curves.json` in the `verdict` output may be shown, with small groups
    suppressed.
    """

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Evaluates the model and writes the verdict and the blessing.

        Args:
            input_dict: `examples`, `model`, and `champion_model`, which may be missing or marked as
                not present; `champion_division`, `predictions`, `reference_predictions` and
                `rejects`, each of which may be missing.
            output_dict: `evaluation`, `blessing`, `verdict`.
            exec_properties: `settings`: `EvaluatorSettings` as JSON; `registry_root` and `look`
                (`RunLook` as JSON), where the evaluation is to be recorded.
        """
        settings = EvaluatorSettings.from_json(exec_properties[SETTINGS_KEY])
        inputs = dict(input_dict)
        models = inputs.pop(CHAMPION_KEY, [])
        divisions = inputs.pop(DIVISION_KEY, [])
        scheme = Scheme.of(inputs)
        champion = find_champion(
            models,
            divisions,
            artifact_utils.get_single_instance(inputs[standard_component_specs.EXAMPLES_KEY]),
            settings,
            scheme.plan,
            scheme.own,
        )
        # Beside TFMA's result, where workers read and write; removed, since they hold pseudonyms.
        evaluation = output_dict[standard_component_specs.EVALUATION_KEY]
        looked_up = f"{artifact_utils.get_single_uri(evaluation)}/looked_up"
        if champion.scores:
            scheme = scheme.and_from(champion.scores.write(f"{looked_up}/champion"))
        if scheme.plan.scheme == "validate":
            scheme = scheme.and_from(
                write_answered(
                    path_utils.serving_model_path(
                        artifact_utils.get_single_uri(inputs[standard_component_specs.MODEL_KEY])
                    ),
                    artifact_utils.get_split_uri(
                        inputs[standard_component_specs.EXAMPLES_KEY], scheme.plan.evaluated_split
                    ),
                    list(settings.tasks),
                    f"{looked_up}/uncertainty",
                )
            )
        with (
            tempfile.TemporaryDirectory() as folder,
            jackknife.grouped_by_subject(),
            predictions_from(scheme.source),
        ):
            inputs[standard_component_specs.SCHEMA_KEY] = [_columns_to_read(settings, Path(folder))]
            super().Do(
                inputs,
                output_dict,
                {
                    standard_component_specs.EVAL_CONFIG_KEY: proto_utils.proto_to_json(
                        build_eval_config(settings, scheme.source)
                    ),
                    standard_component_specs.EXAMPLE_SPLITS_KEY: json.dumps(
                        [scheme.plan.evaluated_split]
                    ),
                    standard_component_specs.MODULE_PATH_KEY: _EXTRACTORS,
                },
            )
        remove_folder(looked_up)
        look = _read_look(exec_properties)
        release = read_release(
            artifact_utils.get_single_uri(inputs[standard_component_specs.EXAMPLES_KEY])
        )
        verdict = _judge(output_dict, settings, scheme, champion, look, release)
        if look:
            # From now on the metrics can be seen.
            record_look(exec_properties[REGISTRY_KEY], look.settings)
        compared = models if champion.scores else []
        _bless(verdict, inputs, compared, output_dict, exec_properties)


def _read_look(exec_properties: dict[str, Any]) -> RunLook | None:
    text = exec_properties.get(LOOK_KEY)
    if not text:
        return None
    return parse_document(
        RunLook, text, f"parameter {LOOK_KEY}", "the settings of a run", "Create the run again."
    )


def _columns_to_read(settings: EvaluatorSettings, folder: Path) -> Artifact:
    """A schema of labels, weights, slices and hash: other features are not decoded."""
    floats = [key(task) for task in settings.tasks for key in (names.label_key, names.weight_key)]
    texts = [names.SUBJECT_HASH, *map(names.slice_key, settings.slicings)]
    schema = schema_pb2.Schema(
        feature=[
            *(schema_pb2.Feature(name=name, type=schema_pb2.FLOAT) for name in floats),
            *(schema_pb2.Feature(name=name, type=schema_pb2.BYTES) for name in texts),
        ]
    )
    (folder / "schema.pbtxt").write_text(text_format.MessageToString(schema))
    artifact = standard_artifacts.Schema()
    artifact.uri = str(folder)
    return artifact


def _judge(
    output_dict: dict[str, list[Artifact]],
    settings: EvaluatorSettings,
    scheme: Scheme,
    champion: Champion,
    look: RunLook | None,
    release: Release,
) -> Verdict:
    evaluation = artifact_utils.get_single_uri(output_dict[standard_component_specs.EVALUATION_KEY])
    found = list(model_eval_lib.load_metrics(evaluation))
    records = results.read_records(found, settings, scheme.plan)
    suppressed = shown.suppressed_groups(records, settings)
    compared = shown.suppressed_comparisons(records, suppressed, settings)
    defaults = default_thresholds(settings, scheme.plan.scheme)
    verdict = judge(
        records,
        suppressed,
        settings,
        champion.reason_against,
        champion.tasks,
        defaults,
        compared,
    )
    smallest = settings.smallest_group
    told = [
        *champion.notes(scheme.plan, smallest),
        *needed_notes(verdict, scheme.plan, smallest),
    ]
    told += new_subjects_notes(results.records_of_new(found, scheme.plan), smallest)
    folder = artifact_utils.get_single_uri(output_dict[VERDICT_KEY])
    metrics = shown.shown_metrics(
        records,
        suppressed,
        compared,
        settings,
        scheme.plan,
        scheme.references,
        scheme.tuning,
    )
    told += simpler_models(metrics, settings.reference_margin)
    risks = predicted_risks(scheme.censoring, metrics, settings.arm_slicing, suppressed)
    verdict = replace(verdict, notes=(*verdict.notes, *told))
    curves = shown.shown_curves(found, records, suppressed, compared, settings)
    optional: dict[str, Any] = {"looks": look.history} if look else {}
    if risks:
        optional["risks"] = risks
    document = VerdictDocument.model_validate({**verdict.to_json(), **optional})
    if release.is_held_back:
        logger.warning("%s", release.sentence)
        metrics = held_metrics(metrics, settings.tasks)
        curves = held_curves(curves)
        document = held_verdict(document, release)
    _write(folder, METRICS_FILE, metrics)
    _write(folder, CURVES_FILE, curves)
    _write(folder, VERDICT_FILE, document)
    subjects = {r.task: r.subjects for r in records if r.group == OVERALL}
    for task, count in subjects.items():
        logger.info(
            "rows",
            extra={"rows": {"split": scheme.plan.evaluated_split, "task": task, "subjects": count}},
        )
    # Of a run whose numbers are held back, the log that its owner reads has them alone.
    extra = {"held_back": True} if release.is_held_back else {}
    for task, judged in verdict.by_task.items():
        for reason in judged.reason_texts(NAMES):
            logger.warning("Task %s is %s: %s", task, WORDS[judged.verdict], reason, extra=extra)
    for note in document.note_texts(NAMES):
        logger.info("%s", note)
    return verdict


def _write(folder: str, name: str, content: Document) -> None:
    # Defaults of thresholds are omitted: a refusal repeats the threshold as in the study file.
    text = content.model_dump_json(indent=1, exclude_unset=True)
    io_utils.write_string_file(f"{folder}/{name}", text + "\n")


def _bless(
    verdict: Verdict,
    inputs: dict[str, list[Artifact]],
    compared: list[Artifact],
    output_dict: dict[str, list[Artifact]],
    exec_properties: dict[str, Any],
) -> None:
    """Writes the blessing as TFX's Evaluator does, for its Pusher and resolvers."""
    blessing = artifact_utils.get_single_instance(
        output_dict[standard_component_specs.BLESSING_KEY]
    )
    model = artifact_utils.get_single_instance(inputs[standard_component_specs.MODEL_KEY])
    blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri
    )
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
    for baseline in compared:
        blessing.set_string_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY, baseline.uri
        )
        blessing.set_int_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY, baseline.id
        )
    if "current_component_id" in exec_properties:
        blessing.set_string_custom_property("component_id", exec_properties["current_component_id"])
    name, value = (
        (constants.BLESSED_FILE_NAME, constants.BLESSED_VALUE)
        if verdict.blessed
        else (constants.NOT_BLESSED_FILE_NAME, constants.NOT_BLESSED_VALUE)
    )
    io_utils.write_string_file(f"{blessing.uri}/{name}", "")
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)
