"""What the stages of two runs wrote, in forms that can be held against each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SPLITS = ("train", "eval", "test")

Statistics = dict[str, dict[str, Any]]


def examples(folder: Path) -> dict[str, list[bytes]]:
    """Serialized examples of each split, sorted."""
    import tensorflow as tf

    def records(split: str) -> list[bytes]:
        files = sorted(map(str, (folder / f"Split-{split}").iterdir()))
        return sorted(tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator())

    return {split: records(split) for split in SPLITS}


def rejects(folder: Path) -> tuple[list[str], str]:
    """Lines of the rejects, sorted, and the counts."""
    lines = [line for path in folder.glob("rejects*") for line in path.read_text().splitlines()]
    return sorted(lines), (folder / "counts.json").read_text()


def counts_of_statistics(folder: Path) -> Statistics:
    """What is counted, not computed, of each column of each split."""
    found = {}
    for split, content in _statistics(folder):
        for column in content.features:
            common = (
                column.num_stats.common_stats
                if column.HasField("num_stats")
                else column.string_stats.common_stats
            )
            text = column.string_stats
            found[f"{split}/{'.'.join(column.path.step) or column.name}"] = {
                "examples": content.num_examples,
                "missing": common.num_missing,
                "present": common.num_non_missing,
                "values": common.tot_num_values,
                "unique": text.unique,
                "top": sorted((top.value, top.frequency) for top in text.top_values),
                "zeros": column.num_stats.num_zeros,
            }
    return found


def moments_of_statistics(folder: Path) -> dict[str, tuple[float, ...]]:
    """Mean, deviation, smallest and largest value of each number of each split."""
    return {
        f"{split}/{'.'.join(column.path.step) or column.name}": (
            column.num_stats.mean,
            column.num_stats.std_dev,
            column.num_stats.min,
            column.num_stats.max,
        )
        for split, content in _statistics(folder)
        for column in content.features
        if column.HasField("num_stats")
    }


def _statistics(folder: Path) -> Iterator[tuple[str, Any]]:
    import tensorflow_data_validation as tfdv

    for split in SPLITS:
        (file,) = (folder / f"Split-{split}").iterdir()
        for content in tfdv.load_stats_binary(str(file)).datasets:
            yield split, content


@dataclass(frozen=True)
class Analyzed:
    """What Transform's analyzers found.

    Attributes:
        numbers: By node of the graph.
        vocabularies: By file.
    """

    numbers: dict[str, list[float]]
    vocabularies: dict[str, bytes]


def analyzed(transform_graph: Path) -> Analyzed:
    """Reads what Transform's analyzers found."""
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    folder = transform_graph / "transform_fn"
    model = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    numbers = {
        node.name: tf.make_ndarray(node.attr["value"].tensor).ravel().tolist()
        for node in model.meta_graphs[0].graph_def.node
        if node.op == "Const" and tf.as_dtype(node.attr["dtype"].type).is_floating
    }
    vocabularies = {path.name: path.read_bytes() for path in (folder / "assets").iterdir()}
    return Analyzed(numbers, vocabularies)
