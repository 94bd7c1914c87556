"""Writes the synthetic trial's files with Beam."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import re
import uuid
from collections.abc import Sequence
from typing import IO, Any

import numpy as np

from pipeline.errors import UserError
from pipeline.patterns import matching
from pipeline.storage import make_folder, remove_folder
from pipeline.synthetic.simulate import Block, simulate
from pipeline.synthetic.trial import (
    BLOCK,
    DATASETS,
    DEFAULT_BEAM_ARGS,
    GENERATOR_VERSION,
    MANIFEST,
    TASKS,
    TRUTH_FOLDER,
    UNFINISHED,
    SyntheticTrial,
)
from pipeline.synthetic.xpt_writer import XptWriter

logger = logging.getLogger(__name__)

_OF_CALENDAR = ("changes", "enrolled_from", "enrolled_until")


def _shard_name(stem: str, shard: int, shards: int, suffix: str) -> str:
    return f"{stem}-{shard:05d}-of-{shards:05d}.{suffix}"


def write_shard(shard: int, trial: SyntheticTrial, folder: str) -> None:
    """Simulates one shard and writes its files; runs on a Beam worker.

    Each file is renamed when complete, so attempts can be repeated or interrupted.

    Args:
        shard: From 0 to `trial.shards - 1`.
        trial: Parameters of the trial.
        folder: Destination; any file system that Beam supports.
    """
    from apache_beam.io.filesystems import FileSystems

    attempt = FileSystems.join(folder, UNFINISHED, uuid.uuid4().hex)
    FileSystems.mkdirs(attempt)
    names = {d.name: _shard_name(d.name, shard, trial.shards, "xpt") for d in DATASETS}
    truth_name = _shard_name("truth", shard, trial.shards, "parquet")
    with contextlib.ExitStack() as stack:
        writers = {}
        for dataset in DATASETS:
            stream = _create(FileSystems.join(attempt, names[dataset.name]))
            writers[dataset.name] = XptWriter(stack.enter_context(stream), dataset)
        truth_stream = stack.enter_context(_create(FileSystems.join(attempt, truth_name)))
        truth = []
        for block in _blocks_of(trial, shard):
            simulated = simulate(trial, block)
            for name, writer in writers.items():
                writer.append(simulated.datasets[name])
            truth.append(simulated)
        for writer in writers.values():
            writer.finish()
        _write_truth(truth_stream, truth)
    finished = {name: name for name in names.values()}
    finished[truth_name] = FileSystems.join(TRUTH_FOLDER, truth_name)
    FileSystems.rename(
        [FileSystems.join(attempt, name) for name in finished],
        [FileSystems.join(folder, name) for name in finished.values()],
    )


def _blocks_of(trial: SyntheticTrial, shard: int) -> range:
    size = trial.subjects_per_shard // BLOCK
    return range(shard * size, min((shard + 1) * size, trial.blocks))


def _create(path: str) -> IO[bytes]:
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    stream: IO[bytes] = FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED)
    return stream


def _write_truth(stream: IO[bytes], blocks: Sequence[Block]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"USUBJID": pa.array(np.concatenate([b.usubjid for b in blocks]).astype(str))}
    for task in TASKS:
        columns[f"p_{task}"] = pa.array(np.concatenate([b.probabilities[task] for b in blocks]))
    pq.write_table(pa.table(columns), stream)


def write(trial: SyntheticTrial, folder: str, beam_args: Sequence[str] = ()) -> None:
    """Writes the trial with a Beam pipeline, a shard of subjects at a time.

    Writes `<dataset>-XXXXX-of-XXXXX.xpt`, `truth/truth-XXXXX-of-XXXXX.parquet` (USUBJID and
    p_<task>, safety subjects) and, last, `manifest.json`. A folder whose manifest names this
    same trial is left unchanged; without a manifest everything is rewritten.

    Args:
        trial: Parameters of the trial.
        folder: Destination; any file system that Beam supports.
        beam_args: Beam's pipeline options; the default runner is the in-memory one.

    Raises:
        UserError: The folder holds another trial, or shards of one.
    """
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    if _is_complete(trial, folder):
        logger.info("%s holds this trial already", folder)
        return
    _refuse_foreign_shards(trial, folder)
    _make_folders(folder)
    options = PipelineOptions([*DEFAULT_BEAM_ARGS, *beam_args])
    with beam.Pipeline(options=options) as pipeline:
        _ = (
            pipeline
            | "Shards" >> beam.Create(range(trial.shards))
            | "Spread" >> beam.Reshuffle()
            | "WriteShard" >> beam.Map(write_shard, trial=trial, folder=folder)
        )
    _finish(trial, folder)
    logger.info("%s: subjects %d, shards %d", folder, trial.subjects, trial.shards)


def _manifest(trial: SyntheticTrial) -> dict[str, Any]:
    parameters = dataclasses.asdict(trial) | {"sites": trial.site_count}
    for name in _OF_CALENDAR:
        if not parameters[name]:
            # So that a trial without them is the one that earlier releases have written.
            del parameters[name]
    parameters |= {"changes": [*parameters["changes"]]} if trial.changes else {}
    return {"generator": "pipeline.synthetic", "version": GENERATOR_VERSION, "trial": parameters}


def _is_complete(trial: SyntheticTrial, folder: str) -> bool:
    from apache_beam.io.filesystems import FileSystems

    path = FileSystems.join(folder, MANIFEST)
    if not FileSystems.exists(path):
        return False
    with FileSystems.open(path) as stream:
        content = stream.read()
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if found != _manifest(trial):
        raise UserError(
            f"{path} describes another trial, or another version of the generator. Choose an "
            "empty folder, or delete this one."
        )
    return True


def _refuse_foreign_shards(trial: SyntheticTrial, folder: str) -> None:
    from apache_beam.io.filesystems import FileSystems

    stems = "|".join(dataset.name for dataset in DATASETS)
    shard = re.compile(rf"(?:{stems})-\d{{5}}-of-(\d{{5}})\.xpt")
    for path in (match.path for match in matching(folder, "*")):
        found = shard.fullmatch(FileSystems.split(path)[1])
        if found and int(found[1]) != trial.shards:
            raise UserError(
                f"{path} is a shard of another trial (this one has {trial.shards} shards) and "
                "would be read with it. Choose an empty folder, or delete this one."
            )


def _make_folders(folder: str) -> None:
    from apache_beam.io.filesystems import FileSystems

    for path in (folder, FileSystems.join(folder, TRUTH_FOLDER)):
        make_folder(path)


def _finish(trial: SyntheticTrial, folder: str) -> None:
    from apache_beam.io.filesystems import FileSystems

    unfinished = FileSystems.join(folder, UNFINISHED)
    draft = FileSystems.join(unfinished, MANIFEST)
    with _create(draft) as stream:
        stream.write((json.dumps(_manifest(trial), indent=2) + "\n").encode())
    FileSystems.rename([draft], [FileSystems.join(folder, MANIFEST)])
    remove_folder(unfinished)
