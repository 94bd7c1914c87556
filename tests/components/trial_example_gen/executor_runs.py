"""Runs TrialExampleGen's executor for real and reads what it wrote with TensorFlow's reader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import apache_beam as beam
import tensorflow as tf
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import standard_artifacts
from tfx.types.artifact import Artifact

from components.artifact_types import TrialRejects
from components.trial_example_gen.executor import TrialExampleGenExecutor
from components.trial_example_gen.settings import TrialExampleGenSettings
from pipeline.reading.fingerprint import content_fingerprint
from pipeline.study.study import Study

KEY = "a key that is long enough"
SPLITS = ("train", "eval", "test")

Example = dict[str, float | str | None]


@dataclass(frozen=True)
class Outputs:
    """Artifacts of one execution."""

    folder: Path
    artifact: Artifact

    def examples(self, split: str) -> list[Example]:
        """Examples of a split; a feature without value is None."""
        return list(self._read(split))

    def an_example(self, split: str) -> Example:
        """The first example of a split."""
        return next(self._read(split))

    def _read(self, split: str) -> Iterator[Example]:
        files = sorted(str(p) for p in (self.folder / "examples" / f"Split-{split}").iterdir())
        records = tf.data.TFRecordDataset(files, compression_type="GZIP")
        return (_values(record) for record in records.as_numpy_iterator())

    @cached_property
    def by_subject(self) -> dict[str, tuple[str, Example]]:
        """Split and example of each pseudonym; every pseudonym has one example."""
        found = [(split, example) for split in SPLITS for example in self.examples(split)]
        by_subject = {str(example["subject_hash"]): (split, example) for split, example in found}
        assert len(by_subject) == len(found)
        return by_subject

    @cached_property
    def counts(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "rejects" / "counts.json").read_text())
        return document

    @cached_property
    def rejects(self) -> list[dict[str, Any]]:
        lines = [
            json.loads(line)
            for path in (self.folder / "rejects").glob("rejects-*.jsonl")
            for line in path.read_text().splitlines()
        ]
        return sorted(lines, key=lambda line: (line["dataset"], line["row"]))

    @cached_property
    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())


def _values(record: bytes) -> Example:
    example: Example = {}
    for name, feature in tf.train.Example.FromString(record).features.feature.items():
        values = [
            *feature.bytes_list.value,
            *feature.float_list.value,
            *feature.int64_list.value,
        ]
        assert len(values) <= 1
        value = values[0] if values else None
        example[name] = value.decode() if isinstance(value, bytes) else value
    return example


def execute(
    study: Study,
    data_root: Path | str,
    folder: Path,
    key: str = KEY,
    workers: int = 1,
    **inherited: str,
) -> Outputs:
    """Runs the executor on Beam's in-memory runner, its workers as threads.

    The runner is handed over ready made: from Beam arguments TFX would first build a package.
    `inherited` are the parameters of a run with a champion: `registry_root` and
    `inherited_division`.
    """
    options = PipelineOptions(direct_num_workers=workers, direct_running_mode="multi_threading")
    folder.mkdir(exist_ok=True)
    secret = folder.parent / f"{folder.name}.key"
    secret.write_text(key)
    examples, rejects = standard_artifacts.Examples(), TrialRejects()
    examples.uri, rejects.uri = str(folder / "examples"), str(folder / "rejects")
    context = BaseBeamExecutor.Context(
        make_beam_pipeline_fn=lambda: beam.Pipeline(runner=FnApiRunner(), options=options),
        tmp_dir=str(folder),
        unique_id="1",
    )
    TrialExampleGenExecutor(context).Do(
        {},
        {"examples": [examples], "rejects": [rejects]},
        {
            "settings": TrialExampleGenSettings.of(study).to_json(),
            "data_root": str(data_root),
            "fingerprint": content_fingerprint(study, str(data_root)),
            "subject_key": f"file:{secret}",
            "subject_key_id": "1",
            **inherited,
        },
    )
    return Outputs(folder, examples)
