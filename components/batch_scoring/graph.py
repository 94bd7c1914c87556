"""The Beam graph: examples to predictions, in Parquet files that only their owner can read.

Of tfx_bsl's and Beam's RunInference it is Beam's. tfx_bsl's takes single examples and makes a
PredictionLog of each, with a copy of the example and a TensorProto for each output; building these
takes longer than the model does. Beam's takes what its handler takes: here whole blocks of
serialized examples in, arrays out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.ml.inference.base import ModelHandler, RunInference
from numpy.typing import NDArray

from pipeline import storage
from pipeline.names import EXAMPLES_SIGNATURE, SUBJECT_HASH, flag_key
from pipeline.reading.examples import ExampleDecoder
from pipeline.results.scored_file import ScoredRows, content_of_part
from pipeline.results.scoring import LEFT_BY_LANDMARK, OUTSIDE_POPULATION
from pipeline.skew.bins import InputBins, binned_inputs
from pipeline.skew.flags import Flag, flags_of_values
from pipeline.skew.training_values import SeenValues
from pipeline.study.sections import Reaction
from trainer.served_model import KeywordModel

_BLOCK_ROWS = 8192
_OF_SUBJECTS = (OUTSIDE_POPULATION, LEFT_BY_LANDMARK)


@dataclass(frozen=True)
class ScoringJob:
    """Parameters of the workers.

    Attributes:
        model: Folder of the SavedModel.
        version: Id of its registration.
        numbers: Features that are numbers.
        categories: Features that are categories.
        seen: What the training subjects had of each feature.
        reactions: What happens to a subject with a flag, by kind of flag.
        folder: Folder of the predictions; it exists.
        bins: Bins of the features for the prediction log; None without one.
    """

    model: str
    version: str
    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    seen: Mapping[str, SeenValues]
    reactions: Mapping[str, Reaction]
    folder: str
    bins: InputBins | None = None


@dataclass(frozen=True)
class Block:
    """Consecutive examples of one file.

    Attributes:
        part: Name of the file with their predictions.
        serialized: tf.Examples, bytes `[rows]`.
    """

    part: str
    serialized: NDArray[np.object_]


@dataclass(frozen=True)
class PredictedBlock:
    """A block with what the model predicts.

    Attributes:
        block: The examples.
        outputs: Outputs of the model's signature by name, `[rows, ...]`.
    """

    block: Block
    outputs: Mapping[str, NDArray[Any]]


class BlockHandler(ModelHandler[Block, PredictedBlock, KeywordModel]):
    """Calls the signature of a SavedModel on whole blocks.

    The signature is called with a constant number of rows: a prediction depends neither on the
    block nor on the runner that a subject is in.

    Args:
        folder: Folder of the SavedModel.
    """

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder

    def load_model(self) -> KeywordModel:
        """Loads the model, once a worker."""
        return KeywordModel.load(self._folder)

    def run_inference(
        self,
        batch: Sequence[Block],
        model: KeywordModel,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterable[PredictedBlock]:
        """Predicts blocks one by one."""
        del inference_args
        signature = model.signatures[EXAMPLES_SIGNATURE]
        for block in batch:
            outputs = signature(block.serialized)
            yield PredictedBlock(block, {name: v.numpy() for name, v in outputs.items()})

    def get_num_bytes(self, batch: Sequence[Block]) -> int:
        """Size of the blocks."""
        return sum(len(row) for block in batch for row in block.serialized)

    def batch_elements_kwargs(self) -> dict[str, int]:
        """A block is a batch already."""
        return {"min_batch_size": 1, "max_batch_size": 1}


class _ReadBlocks(beam.DoFn):
    """Reads a file of examples."""

    def process(self, numbered: tuple[int, str]) -> Iterator[Block]:
        # TensorFlow takes seconds to import.
        import tensorflow as tf

        number, path = numbered
        records = tf.data.TFRecordDataset(path, compression_type="GZIP").batch(_BLOCK_ROWS)
        for place, serialized in enumerate(records.as_numpy_iterator()):
            yield Block(f"part-{number:05d}-{place:05d}.parquet", serialized)


class _WriteRows(beam.DoFn):
    """Flags the subjects of a block and writes their predictions."""

    def __init__(self, job: ScoringJob) -> None:
        self._job = job

    @cached_property
    def _decoder(self) -> ExampleDecoder:
        flags = [flag_key(flag) for flag in _OF_SUBJECTS]
        return ExampleDecoder([*self._job.numbers, *flags], [*self._job.categories, SUBJECT_HASH])

    def process(self, predicted: PredictedBlock) -> Iterator[int]:
        job = self._job
        columns = self._decoder.decode(predicted.block.serialized)
        subjects = columns.categories[SUBJECT_HASH]
        flags: dict[Flag, NDArray[np.bool_]] = {
            (flag, None): columns.numbers[flag_key(flag)] > 0 for flag in _OF_SUBJECTS
        }
        flags |= dict(flags_of_values(columns, job.seen))
        rows = ScoredRows(
            subjects=np.array(subjects.values, object)[subjects.codes],
            outputs=predicted.outputs,
            flags={flag: who for flag, who in flags.items() if job.reactions[flag[0]] != "ignore"},
            refused=_any(
                [who for flag, who in flags.items() if job.reactions[flag[0]] == "refuse"],
                columns.subjects,
            ),
            model=job.version,
            inputs=binned_inputs(columns, job.bins) if job.bins else None,
        )
        storage.write_private(f"{job.folder}/{predicted.block.part}", content_of_part(rows))
        yield columns.subjects


def _any(flags: Sequence[NDArray[np.bool_]], subjects: int) -> NDArray[np.bool_]:
    return np.logical_or.reduce(flags) if flags else np.zeros(subjects, bool)


def score(root: beam.Pipeline, job: ScoringJob, files: Sequence[str]) -> None:
    """Adds the steps from examples to written predictions to a Beam pipeline.

    Args:
        root: The Beam pipeline.
        job: What predicts, and what is flagged.
        files: Files of the examples, gzipped TFRecords.
    """
    _ = (
        root
        | "Files" >> beam.Create(list(enumerate(files)))
        | "Spread" >> beam.Reshuffle()
        | "ReadBlocks" >> beam.ParDo(_ReadBlocks())
        | "Predict" >> RunInference(BlockHandler(job.model))
        | "WriteRows" >> beam.ParDo(_WriteRows(job))
    )
