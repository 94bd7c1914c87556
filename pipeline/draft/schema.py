"""Drafts the schema of a study's examples."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.names import (
    ARM,
    SITE,
    SPLITS,
    in_statistics,
    label_key,
    slice_key,
    weight_key,
)
from pipeline.study.study import Study

if TYPE_CHECKING:
    import pyarrow as pa
    from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2


_LEVELS = 20
"""Most levels of a category whose levels the drafted schema lists."""

_LISTED_MASS = 0.95
"""Share of a category's subjects that must have a listed level: a rare new one is no error."""


def draft_schema(study: Study, data: Path) -> str:
    """Drafts a curated schema from the train split of a study.

    Args:
        study: The study.
        data: Folder of its data.

    Returns:
        A TFMD Schema as protobuf text.

    Raises:
        UserError: The data can't be used, or leave no subject in the train split.
    """
    from google.protobuf import text_format

    with tempfile.TemporaryDirectory() as folder:
        make_examples(study, data, Path(folder))
        statistics = statistics_of(Path(folder) / "Split-train")
    schema = tolerant_schema(study, statistics)
    return (
        f"# Curated schema of the examples of {study.study}. Drafted from the train split: look\n"
        "# through presences, ranges and levels before it judges other data.\n"
        f"{text_format.MessageToString(schema, as_utf8=True)}"
    )


def make_examples(study: Study, data: Path, folder: Path) -> None:
    """Runs TrialExampleGen's Beam graph in this process.

    Args:
        study: The study.
        data: Folder of its data.
        folder: An empty folder; gets `Split-train`, `Split-eval`, `Split-test` with the
            examples and `rejects` with `counts.json`.

    Raises:
        UserError: The data can't be used, or leave no subject in the train split.
    """
    import apache_beam as beam
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    from components.trial_example_gen.checks import check_for_schema
    from components.trial_example_gen.graph import ExampleJob, write_examples
    from pipeline.reading.plan import plan_examples
    from pipeline.reading.repeated_keys import check_rows_are_subjects
    from pipeline.subject_key import ensure_local_key

    splits = {split: folder / f"Split-{split}" for split in SPLITS}
    unfinished = folder / "unfinished"
    for needed in (*splits.values(), unfinished):
        needed.mkdir()
    key = ensure_local_key(folder / "subject_key")
    plan = plan_examples(study, str(data))
    check_rows_are_subjects(plan)
    job = ExampleJob(plan, key)
    with beam.Pipeline(runner=FnApiRunner()) as root:
        write_examples(
            root,
            job,
            split_folders={split: str(path) for split, path in splits.items()},
            unfinished_folder=str(unfinished),
            rejects_folder=str(folder / "rejects"),
        )
    check_for_schema(plan, str(folder / "rejects"))


def statistics_of(examples: Path) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Statistics of every column of one split that may have them.

    Args:
        examples: Folder of the split.

    Returns:
        TFDV's statistics.
    """
    import apache_beam as beam
    import tensorflow_data_validation as tfdv
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner
    from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

    def decoded(records: Iterable[bytes]) -> pa.RecordBatch:
        batch = ExamplesToRecordBatchDecoder().DecodeBatch(list(records))
        names = [name for name in batch.schema.names if in_statistics(name)]
        return type(batch).from_arrays([batch.column(name) for name in names], names)

    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/statistics"
        with beam.Pipeline(runner=FnApiRunner()) as root:
            _ = (
                root
                | beam.io.ReadFromTFRecord(f"{examples}/*.gz")
                | beam.BatchElements(min_batch_size=1000, max_batch_size=1000)
                | "Decode" >> beam.Map(decoded)
                | tfdv.GenerateStatistics()
                | tfdv.WriteStatisticsToBinaryFile(file)
            )
        return tfdv.load_stats_binary(file)


def tolerant_schema(
    study: Study, statistics: statistics_pb2.DatasetFeatureStatisticsList
) -> schema_pb2.Schema:
    """Makes a schema that allows what other data of the same trial may show.

    No feature gets a shape, so that TensorFlow Transform sees missing values as such. Ranges
    come from the study file, never from the data's own extremes.

    Args:
        study: The study.
        statistics: Statistics of one split.

    Returns:
        The schema: features in the order of the study file, then arm, site, slices, and each
        task's label and weight.
    """
    from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

    [split] = statistics.datasets
    described = {feature.path.step[0]: feature for feature in split.features}
    groups = study.slicing.by.items()
    sites = {
        SITE,
        *(slice_key(name) for name, group in groups if group.of == "site" or group.date),
    }
    numbers = _numbers(study)
    schema = schema_pb2.Schema()
    for name in _columns(study, described):
        found = described.get(name, statistics_pb2.FeatureNameStatistics())
        is_number = name in numbers
        feature = schema.feature.add(
            name=name, type=schema_pb2.FLOAT if is_number else schema_pb2.BYTES
        )
        present = _present(found)
        # A column without any value must not be an anomaly in these data.
        feature.presence.min_count = min(present, 1)
        feature.presence.min_fraction = _least_share(name, present / split.num_examples)
        feature.value_count.min = feature.value_count.max = 1
        if is_number:
            _limit(feature, *_range_of(study, name))
        elif present and name not in sites and found.string_stats.unique <= _LEVELS:
            levels = {bucket.label for bucket in found.string_stats.rank_histogram.buckets}
            _list_levels(feature, levels)
    return schema


def _numbers(study: Study) -> set[str]:
    """Columns that hold numbers: what a column without any value holds, only the study says."""
    features = {item.name for item in study.resolved_features if item.kind == "number"}
    return features | {key(task) for task in study.tasks for key in (label_key, weight_key)}


def _columns(study: Study, described: Iterable[str]) -> list[str]:
    """Columns of the schema, in its order; a feature is included even without any value."""
    features = [feature.name for feature in study.resolved_features]
    others = [ARM, SITE, *(slice_key(name) for name in study.slicing.by)]
    others += [key(task) for task in study.tasks for key in (label_key, weight_key)]
    found = set(described)
    return features + [name for name in others if name in found]


def _present(found: statistics_pb2.FeatureNameStatistics) -> int:
    """Examples with a value of a column."""
    kind = found.WhichOneof("stats")
    return int(getattr(found, kind).common_stats.num_non_missing) if kind else 0


def _list_levels(feature: schema_pb2.Feature, levels: set[str]) -> None:
    if feature.name.startswith("slice_"):
        levels = levels | {"missing"}
    feature.string_domain.name = feature.name
    feature.string_domain.value.extend(sorted(levels))
    mass = 1.0 if feature.name == ARM else _LISTED_MASS
    feature.distribution_constraints.min_domain_mass = mass


def _least_share(name: str, share: float) -> float:
    if name == ARM or name.startswith(("label_", "weight_", "slice_")):
        return 1.0
    if share == 1:
        return 0.95
    # A small split, or another delivery, may have more missing values.
    return max(math.floor((share - 0.15) * 20) / 20, 0.0)


def _range_of(study: Study, name: str) -> tuple[float | None, float | None]:
    """Smallest and largest value that a number can have; None where there is no limit."""
    if name in {weight_key(task) for task, of in study.tasks.items() if of.has_follow_up}:
        # Labels of a follow-up that may end early are weighted.
        return 0.0, None
    if name.startswith(("label_", "weight_")):
        return 0.0, 1.0
    [feature] = [item for item in study.resolved_features if item.name == name]
    if feature.aggregate == "any":
        return 0.0, 1.0
    if feature.aggregate == "count":
        return 0.0, None
    columns = study.datasets[feature.dataset].columns
    declared = columns[feature.column].range if feature.column in columns else None
    if declared is None or feature.aggregate == "change":
        return None, None
    return declared


def _limit(feature: schema_pb2.Feature, low: float | None, high: float | None) -> None:
    if low is not None:
        feature.float_domain.min = low
    if high is not None:
        feature.float_domain.max = high
