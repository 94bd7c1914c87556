"""Entry point of TFX's Tuner."""

from __future__ import annotations

from typing import Any

import keras_tuner
import tensorflow_transform as tft
from tfx.components.tuner.component import TunerFnResult

from pipeline.errors import UserError
from pipeline.study.tuning import NO_EVAL_SPLIT
from trainer.arrays import Arrays
from trainer.examples import TransformedExamples, read_encoding
from trainer.features import model_inputs
from trainer.fit import fit
from trainer.model import resolve
from trainer.transformation import Transformation

DEFAULT_TRIALS = 12
"""Default number of trials, unless `custom_config` has `trials`."""

OBJECTIVE = "eval_loss"


class TrialTuner(keras_tuner.RandomSearch):
    """Random search in which a trial is a complete `fit`, scored by its best eval loss."""

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Fits with the values of a trial.

        Args:
            trial: keras-tuner's trial.
            *args: Unused; keras-tuner passes the arguments of `search`.
            **kwargs: `train`, `evaluation`, `encoding`, `chosen` and `seed`, as
                `tuner_fn` gives them.

        Returns:
            The objective.
        """
        del args
        train: Arrays = kwargs["train"]
        hyperparameters = resolve(
            len(train), tuned=trial.hyperparameters.values, chosen=kwargs["chosen"]
        )
        fitted = fit(
            train, kwargs["evaluation"], kwargs["encoding"], hyperparameters, kwargs["seed"]
        )
        return {OBJECTIVE: fitted.history.score}


def tuner_fn(fn_args: Any) -> TunerFnResult:
    """Prepares the search; called by TFX's Tuner.

    `custom_config` is the Trainer's, and may name the number of `trials`. What it sets in
    `hyperparameters` is not searched.

    Args:
        fn_args: TFX's `FnArgs`.

    Returns:
        The tuner and the arguments of its `search`.

    Raises:
        UserError: A setting is wrong, or the run is evaluated out of fold.
    """
    config = fn_args.custom_config or {}
    inputs = model_inputs(config)
    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    transformation = Transformation(transform_output, inputs)
    encoding = read_encoding(transform_output, inputs)
    chosen = dict(config.get("hyperparameters") or {})
    seed = int(config.get("seed", 0))
    train, evaluation = (
        TransformedExamples(tuple(files), transformation, encoding)
        for files in (fn_args.train_files, fn_args.eval_files)
    )
    if evaluation.is_empty:
        raise UserError(NO_EVAL_SPLIT)
    tuner = TrialTuner(
        objective=keras_tuner.Objective(OBJECTIVE, "min"),
        hyperparameters=search_space(chosen),
        max_trials=int(config.get("trials", DEFAULT_TRIALS)),
        seed=seed,
        directory=fn_args.working_dir,
        project_name="tuning",
        overwrite=True,
    )
    return TunerFnResult(
        tuner=tuner,
        fit_kwargs={
            "train": next(iter(train)),
            "evaluation": evaluation.whole(),
            "encoding": encoding,
            "chosen": chosen,
            "seed": seed,
        },
    )


def search_space(chosen: dict[str, Any]) -> keras_tuner.HyperParameters:
    """The hyperparameters that matter, without those that are already chosen."""
    space = keras_tuner.HyperParameters()
    if "depth" not in chosen:
        space.Choice("depth", [0, 1, 2])
    if "width" not in chosen:
        space.Choice("width", [32, 64, 128])
    if "dropout" not in chosen:
        space.Choice("dropout", [0.0, 0.2, 0.4])
    if "learning_rate" not in chosen:
        space.Float("learning_rate", 3e-4, 1e-2, sampling="log")
    if "weight_decay" not in chosen:
        space.Float("weight_decay", 0.05, 2.0, sampling="log")
    if "penalty" not in chosen:
        space.Choice("penalty", [1.0, 10.0, 100.0])
    return space
