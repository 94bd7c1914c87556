"""Entry point of TFX's Tuner."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

import keras_tuner
import tensorflow_transform as tft
from tfx.components.tuner.component import TunerFnResult

from trainer.arrays import Arrays
from trainer.examples import TransformedExamples, read_encoding
from trainer.features import model_inputs
from trainer.fit import fit
from trainer.model import resolve
from trainer.search_space import SPACE, Range
from trainer.transformation import Transformation

logger = logging.getLogger(__name__)

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


class NothingToTune(TrialTuner):
    """Finds no values: out of fold each procedure chooses on its own inner parts.

    What is tuned on all subjects would be evaluated on the same subjects.
    """

    def search(self, *args: Any, **kwargs: Any) -> None:
        """Says who tunes; keras-tuner's arguments are not used."""
        del args, kwargs
        logger.info("Hyperparameters are chosen inside the training folds, by Trainer and CrossFit")

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[keras_tuner.HyperParameters]:
        """No values, so that none of the defaults is replaced."""
        del num_trials
        return [keras_tuner.HyperParameters()]


def tuner_fn(fn_args: Any) -> TunerFnResult:
    """Prepares the search; called by TFX's Tuner.

    `custom_config` is the Trainer's, and may name the number of `trials`. What it sets in
    `hyperparameters` is not searched. Out of fold, where there is no eval split, nothing is:
    Trainer and CrossFit tune inside their training subjects.

    Args:
        fn_args: TFX's `FnArgs`.

    Returns:
        The tuner and the arguments of its `search`.

    Raises:
        UserError: A setting is wrong.
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
    # TrialExampleGen stops a run under `scheme: split` whose eval split is empty.
    out_of_fold = evaluation.is_empty
    tuner = (NothingToTune if out_of_fold else TrialTuner)(
        objective=keras_tuner.Objective(OBJECTIVE, "min"),
        hyperparameters=search_space(chosen),
        max_trials=int(config.get("trials", DEFAULT_TRIALS)),
        seed=seed,
        directory=fn_args.working_dir,
        project_name="tuning",
        overwrite=True,
    )
    if out_of_fold:
        return TunerFnResult(tuner=tuner, fit_kwargs={})
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


def search_space(chosen: Collection[str]) -> keras_tuner.HyperParameters:
    """The hyperparameters that matter, without those that are already chosen."""
    space = keras_tuner.HyperParameters()
    for name, values in SPACE.items():
        if name in chosen:
            continue
        if isinstance(values, Range):
            space.Float(name, values.low, values.high, sampling="log")
        else:
            space.Choice(name, list(values))
    return space
