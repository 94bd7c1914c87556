"""Entry point of TFX's Trainer."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from pipeline.results.held_back import held_training
from pipeline.results.importance import Importance
from pipeline.results.release import read_release
from pipeline.results.training import Recalibration, Training
from trainer.arrays import Arrays
from trainer.examples import TransformedExamples, read_encoding
from trainer.features import model_inputs
from trainer.final_fit import fit_on_all
from trainer.fit import Fitted, Progress, fit
from trainer.model import Hyperparameters, resolve
from trainer.search_space import other_sets
from trainer.serving import save
from trainer.transformation import Transformation

logger = logging.getLogger(__name__)

TRAINING_FILE = "training.json"
"""File name of the training's record in `fn_args.model_run_dir`."""

_SECONDS_BETWEEN_REPORTS = 0.5


def run_fn(fn_args: Any) -> None:
    """Trains, calibrates and saves the model; called by TFX's Trainer.

    `custom_config` holds `inputs` (`ModelInputs.to_config()`), `seed`, `contributions` (whether the
    model explains its predictions), and in `hyperparameters` values that replace the defaults. The
    Tuner's values take precedence over the defaults, and `custom_config` over both. Out of fold the
    Tuner finds none: with `tune` the model's own inner parts choose among sets of values.

    Args:
        fn_args: TFX's `FnArgs`.

    Raises:
        UserError: A setting is wrong, or a split has no subject.
    """
    config = fn_args.custom_config or {}
    inputs = model_inputs(config)
    seed = int(config.get("seed", 0))
    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    transformation = Transformation(transform_output, inputs)
    encoding = read_encoding(transform_output, inputs)
    train, evaluation = (
        TransformedExamples(tuple(files), transformation, encoding)
        for files in (fn_args.train_files, fn_args.eval_files)
    )
    # TrialExampleGen stops a run under `scheme: split` whose eval split is empty.
    out_of_fold = evaluation.is_empty
    subjects = (train if out_of_fold else evaluation).whole()
    fitted = (
        _fit_on_all(subjects, train, fn_args, seed)
        if out_of_fold
        else _fit_on_splits(train, subjects, fn_args, seed)
    )
    explains = bool(config.get("contributions", True))
    served = save(fitted, transformation, fn_args.serving_model_dir, explains)
    importance = served.importance(subjects) if explains else None
    record = training_record(fitted, seed, importance)
    # Files of a split lie below the folder of the examples.
    if read_release(fn_args.train_files[0].rpartition("/Split-")[0]).is_held_back:
        record = held_training(record)
    write_record(record, fn_args.model_run_dir)


def _fit_on_splits(train: TransformedExamples, held_out: Arrays, fn_args: Any, seed: int) -> Fitted:
    blocks = train.held()
    held = sum(map(len, blocks)) if isinstance(blocks, tuple) else None
    for split, rows in (("train", held), ("eval", len(held_out))):
        logger.info("rows", extra={"rows": {"split": split, "subjects": rows}})
    return fit(
        blocks,
        held_out,
        train.encoding,
        _hyperparameters(
            len(blocks[0]) if isinstance(blocks, tuple) else train.block_rows, fn_args
        ),
        seed,
        steps=fn_args.train_steps,
        progress=throttled_progress(),
    )


def _fit_on_all(everyone: Arrays, train: TransformedExamples, fn_args: Any, seed: int) -> Fitted:
    """The procedure that CrossFit evaluates, on all subjects."""
    logger.info("rows", extra={"rows": {"split": "train", "subjects": len(everyone)}})
    config = fn_args.custom_config or {}
    hyperparameters = _hyperparameters(len(everyone), fn_args)
    chosen = config.get("hyperparameters") or {}
    return fit_on_all(
        everyone,
        train.encoding,
        hyperparameters,
        seed,
        steps=fn_args.train_steps,
        progress=throttled_progress(),
        others=other_sets(hyperparameters, chosen, seed) if config.get("tune") else (),
    )


def _hyperparameters(rows: int, fn_args: Any) -> Hyperparameters:
    return resolve(
        rows,
        tuned=tuned_values(fn_args.hyperparameters),
        chosen=(fn_args.custom_config or {}).get("hyperparameters"),
    )


def tuned_values(found: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Values of the best trial in the configuration that TFX's Tuner writes."""
    return (found or {}).get("values", {})


def throttled_progress() -> Progress:
    """Logs the progress of training, at most twice a second and always at its end."""
    last = -_SECONDS_BETWEEN_REPORTS

    def report(epoch: int, total: int, detail: str) -> None:
        nonlocal last
        now = time.monotonic()
        if epoch < total and now - last < _SECONDS_BETWEEN_REPORTS:
            return
        last = now
        logger.info("training", extra={"progress": (epoch, total), "detail": detail})

    return report


def training_record(fitted: Fitted, seed: int, importance: Importance | None) -> Training:
    """The record of a training, without data of single subjects."""
    calibration = fitted.calibration
    return Training(
        **dataclasses.asdict(fitted.history),
        seed=seed,
        hyperparameters=dataclasses.asdict(fitted.hyperparameters),
        calibration={
            task: Recalibration(slope=slope, intercept=intercept)
            for task, slope, intercept in zip(
                fitted.encoding.tasks, calibration.slopes, calibration.intercepts, strict=True
            )
        },
        weights=fitted.model.count_params(),
        importance=importance,
    )


def write_record(record: Training, folder: str) -> None:
    """Writes the record of a training to a folder, a local path or a URI."""
    tf.io.gfile.makedirs(folder)
    with tf.io.gfile.GFile(f"{folder}/{TRAINING_FILE}", "w") as file:
        file.write(record.model_dump_json(indent=2))
