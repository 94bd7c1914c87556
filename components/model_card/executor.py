"""Reads the documents of the run's stages and writes the card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import io_utils

from components.model_card.settings import ModelCardSettings
from pipeline.html.page import render
from pipeline.names import SITE, SPLITS
from pipeline.pages.card import card_page
from pipeline.results.card import Evidence, Lineage, make_card
from pipeline.results.documents import Curves, Metrics, Verdict, read_result
from pipeline.results.findings import Findings
from pipeline.results.held_back import read_counts
from pipeline.results.release import read_release
from pipeline.results.training import Training, TrainingFacts
from pipeline.runs.run_record import versions
from pipeline.study.study import Study

CARD_JSON = "card.json"
CARD_HTML = "card.html"


class Executor(base_executor.BaseExecutor):
    """Executor of ModelCard."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the card.

        Args:
            input_dict: The inputs of the component, one artifact each.
            output_dict: `card`: its folder gets `card.json` and `card.html`.
            exec_properties: The parameters of the component.

        Raises:
            UserError: A document of another stage is missing or damaged.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        inputs = {
            key: artifact_utils.get_single_instance(found) for key, found in input_dict.items()
        }
        study = ModelCardSettings.from_json(exec_properties["settings"]).study
        card = make_card(study, _evidence(study, inputs, exec_properties))
        folder = artifact_utils.get_single_uri(output_dict["card"])
        io_utils.write_string_file(f"{folder}/{CARD_JSON}", card.model_dump_json() + "\n")
        io_utils.write_string_file(f"{folder}/{CARD_HTML}", render(card_page(card)))


def _evidence(
    study: Study, inputs: Mapping[str, Artifact], exec_properties: Mapping[str, Any]
) -> Evidence:
    metrics = read_result(Metrics, inputs["verdict"].uri)
    is_held = read_release(inputs["rejects"].uri).is_held_back
    statistics = {split: _statistics(inputs["statistics"], split) for split in SPLITS}
    return Evidence(
        metrics=metrics,
        verdict=read_result(Verdict, inputs["verdict"].uri),
        curves=read_result(Curves, inputs["verdict"].uri),
        findings=read_result(Findings, inputs["findings"].uri),
        counts=read_counts(inputs["rejects"].uri).published(metrics.smallest_group),
        training=_training(inputs["model_run"].uri, metrics.smallest_group),
        missing={} if is_held else _missing(statistics["train"], metrics.smallest_group),
        sites=_sites(statistics) if study.site and not is_held else None,
        champion=_champion(inputs["champion_model"], metrics),
        lineage=Lineage(
            code_version=exec_properties["code_version"],
            dependency_lock=exec_properties["dependency_lock"],
            versions=versions(exec_properties["code_version"]),
            study_digest=study.digest(),
            fingerprint=inputs["examples"].get_string_custom_property("fingerprint"),
            artifacts={key: _address(artifact) for key, artifact in sorted(inputs.items())},
        ),
    )


def _training(folder: str, smallest_group: int) -> TrainingFacts:
    return read_result(Training, folder).facts.published(smallest_group)


def _statistics(artifact: Artifact, split: str) -> statistics_pb2.DatasetFeatureStatistics:
    return stats_artifact_utils.load_statistics(artifact, split).proto().datasets[0]


def _missing(
    statistics: statistics_pb2.DatasetFeatureStatistics, smallest_group: int
) -> dict[str, int | None]:
    """Subjects without a value by column; None for 1 or more, but fewer than the smallest group."""
    found: dict[str, int | None] = {}
    for feature in statistics.features:
        common = feature.num_stats.common_stats
        if feature.WhichOneof("stats") == "string_stats":
            common = feature.string_stats.common_stats
        missing = int(statistics.num_examples - common.num_non_missing)
        found[feature.path.step[0]] = None if 0 < missing < smallest_group else missing
    return found


def _sites(statistics: Mapping[str, statistics_pb2.DatasetFeatureStatistics]) -> int:
    found = [
        feature.string_stats
        for split in statistics.values()
        for feature in split.features
        if feature.path.step[0] == SITE
    ]
    names = {bucket.label for sites in found for bucket in sites.rank_histogram.buckets}
    different = [sites.unique for sites in found]
    # TFDV's list of values is limited: beyond it only counts of each split are known.
    return max([len(names), *different])


def _champion(baseline: Artifact, metrics: Metrics) -> str | None:
    """Id of the champion if it was scored on the same subjects."""
    if not metrics.has_champion:
        return None
    return str(baseline.get_string_custom_property("champion_id"))


def _address(artifact: Artifact) -> str:
    return f"{artifact.type_name} {artifact.id or ''}".strip() + f", {artifact.uri}"
