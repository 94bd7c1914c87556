"""Applies the gate's rules to the artifacts of a run."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2
from tfx.components.example_validator import executor as example_validator
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import io_utils

from components.data_gate import rules
from components.data_gate.anomalies import anomaly_findings
from components.data_gate.censoring import censoring
from components.data_gate.examples import MOST_SUBJECTS, read_train_columns
from components.data_gate.levels import features_without_rows, levels
from components.data_gate.missingness import missingness
from components.data_gate.sample_size import sample_size
from components.data_gate.settings import DataGateSettings
from components.data_gate.unknown_labels import unknown_labels
from pipeline.errors import UserError
from pipeline.results.counts import Counts
from pipeline.results.documents import read_result
from pipeline.results.evaluation_plan import EvaluationPlan, read_plan
from pipeline.results.findings import Finding, Findings, log_findings, stop_message
from pipeline.results.held_back import held_findings
from pipeline.results.release import read_release
from pipeline.skew.coarse_statistics import compared_with, read_described
from pipeline.skew.distances import drift_distances

logger = logging.getLogger(__name__)


class Executor(base_executor.BaseExecutor):
    """Executor of DataGate."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Applies the rules, writes `findings.json` and logs findings outside their limits.

        Args:
            input_dict: The inputs of the component, one artifact each.
            output_dict: `findings`: its folder gets `findings.json`.
            exec_properties: `settings`: `DataGateSettings` as JSON.

        Raises:
            UserError: There are findings of severity `stop`; the message holds all of them,
                since TFX removes the outputs of a failed execution.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        settings = DataGateSettings.from_json(exec_properties["settings"])
        inputs = {
            key: artifact_utils.get_single_instance(artifacts)
            for key, artifacts in input_dict.items()
            if artifacts
        }
        plan = read_plan(inputs["rejects"].uri)
        findings = list(_findings(inputs, settings, plan))
        if read_release(inputs["rejects"].uri).is_held_back:
            # The log, which is its owner's alone, has the numbers; the stage's record has not.
            log_findings(logger, findings, recorded=False)
            findings = list(held_findings(findings))
        output = artifact_utils.get_single_uri(output_dict["findings"])
        io_utils.write_string_file(
            f"{output}/findings.json", Findings(tuple(findings)).model_dump_json(indent=2)
        )
        log_findings(logger, findings)
        later = "the evaluation" if plan.scheme == "validate" else "training"
        message = stop_message(settings.study_name, findings, later)
        if message:
            raise UserError(message)


def _findings(
    inputs: dict[str, Artifact], settings: DataGateSettings, plan: EvaluationPlan
) -> Iterator[Finding]:
    gate = settings.gate
    counts = read_result(Counts, inputs["rejects"].uri)
    for split, subjects in counts.subjects.items():
        logger.info("rows", extra={"rows": {"split": split, "subjects": subjects}})
    explained = features_without_rows(counts)
    yield from levels(counts, settings)
    yield from rules.rejects(counts, gate)
    yield from unknown_labels(counts, gate, settings.smallest_group, settings.task_titles)
    yield from censoring(counts, gate, settings.smallest_group, settings.task_titles)
    if not plan.out_of_fold:
        yield from rules.too_few(counts, settings.tasks, gate, plan.splits, settings.task_titles)
    for finding in _anomalies(inputs, settings, plan):
        # The rule on levels reports these features without values.
        if finding.feature not in explained:
            yield finding
    yield from _drift(inputs, settings)
    if counts.subjects.get("train", 0):
        columns = read_train_columns(inputs["examples"], settings, out_of_fold=plan.out_of_fold)
        if plan.out_of_fold:
            groups = plan.scheme == "internal_external"
            yield from rules.too_few_in_folds(columns, gate, groups)
        yield from sample_size(columns, counts, gate, settings.smallest_group)
        yield from rules.leakage(columns, gate)
        yield from missingness(columns, gate, settings.smallest_group)


def _anomalies(
    inputs: dict[str, Artifact], settings: DataGateSettings, plan: EvaluationPlan
) -> Iterator[Finding]:
    schema = _schema(inputs["schema"])
    artifact = inputs["anomalies"]
    for split in artifact_utils.decode_split_names(artifact.split_names):
        if split not in plan.splits:
            continue
        folder = artifact_utils.get_split_uri([artifact], split)
        content = io_utils.read_bytes_file(f"{folder}/{example_validator.DEFAULT_FILE_NAME}")
        yield from anomaly_findings(
            anomalies_pb2.Anomalies.FromString(content),
            _statistics(inputs["statistics"], split),
            schema,
            split,
            settings.gate.anomalies,
            "the subjects" if plan.out_of_fold else None,
            settings.titles,
        )


def _drift(inputs: dict[str, Artifact], settings: DataGateSettings) -> Iterator[Finding]:
    baseline = inputs.get("champion_statistics")
    if baseline is None or not _is_present(baseline):
        return
    champion = _statistics(baseline, "train")
    described = champion.datasets[0]
    columns = read_described(
        inputs["examples"], "train", described, settings.features, MOST_SUBJECTS
    )
    current = _statistics(inputs["statistics"], "train")
    distances = drift_distances(
        compared_with(described, current, columns, settings.smallest_group),
        champion,
        settings.features,
        settings.gate.drift_limit,
    )
    yield from rules.drift(distances, settings.gate, settings.titles)


def _is_present(baseline: Artifact) -> bool:
    # The files decide as well: an orchestrator may have lost the property on the way.
    return bool(
        baseline.get_int_custom_property("present") == 1
        or fileio.exists(f"{baseline.uri}/Split-train/{stats_artifact_utils.BINARY_PB_BASENAME}")
    )


def _statistics(artifact: Artifact, split: str) -> statistics_pb2.DatasetFeatureStatisticsList:
    return stats_artifact_utils.load_statistics(artifact, split).proto()


def _schema(artifact: Artifact) -> schema_pb2.Schema:
    return io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(artifact.uri))
