import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.executor import write_best_hyperparameters
from tfx.types import standard_artifacts

from pipeline.study.sections import check_hyperparameters
from pipeline.study.tuning import SEARCHED
from tests.each import each
from tests.trainer.trainer_study import INPUTS
from trainer.run import tuned_values
from trainer.tuning import search_space, tuner_fn

QUICK = {"members": 2, "max_epochs": 2, "width": 8, "batch_size": 128}


def search(study: Any, folder: Any, seed: Any) -> Any:
    result = tuner_fn(
        FnArgs(
            train_files=[study.train_files],
            eval_files=[study.eval_files],
            transform_graph_path=str(study.graph),
            working_dir=str(folder),
            custom_config={
                "inputs": INPUTS.to_config(),
                "seed": seed,
                "trials": 2,
                "hyperparameters": QUICK,
            },
        )
    )
    result.tuner.search(**result.fit_kwargs)
    return result.tuner


@pytest.fixture(scope="module")
def tuner(study: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return search(study, tmp_path_factory.mktemp("tuning"), seed=1)


def test_without_an_eval_split_the_tuner_leaves_the_choice_to_the_folds(
    study: Any, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.gz"
    with tf.io.TFRecordWriter(str(empty), tf.io.TFRecordOptions("GZIP")):
        pass
    out_of_fold = dataclasses.replace(study, eval_files=str(empty))

    found = search(out_of_fold, tmp_path, seed=1)

    artifacts = {}
    for key, kind in (
        ("best_hyperparameters", standard_artifacts.HyperParameters),
        ("tuner_results", standard_artifacts.TunerResults),
    ):
        artifacts[key] = [kind()]
        artifacts[key][0].uri = str(tmp_path / key)
    write_best_hyperparameters(found, artifacts)
    best = json.loads((tmp_path / "best_hyperparameters/best_hyperparameters.txt").read_text())
    assert tuned_values(best) == {}
    assert json.loads((tmp_path / "tuner_results/tuner_results.json").read_text()) == []


def test_the_best_trial_has_the_lowest_eval_loss(tuner: Any) -> None:
    trials = tuner.oracle.trials.values()

    assert len(trials) == 2
    best = tuner.get_best_hyperparameters()[0].values
    assert best == min(trials, key=lambda trial: trial.score).hyperparameters.values


def test_the_best_values_are_what_the_trainer_reads(tuner: Any) -> None:
    config = tuner.get_best_hyperparameters()[0].get_config()

    assert set(tuned_values(config)) == {
        "depth",
        "dropout",
        "learning_rate",
        "weight_decay",
        "penalty",
    }


def test_the_same_seed_finds_the_same_values(study: Any, tuner: Any, tmp_path: Path) -> None:
    again = search(study, tmp_path, seed=1)

    one, other = (each.get_best_hyperparameters()[0].values for each in (tuner, again))
    assert one == other


def test_what_the_user_chose_is_not_searched() -> None:
    space = search_space({"depth": 1, "learning_rate": 1e-3})

    assert set(space.values) == {"width", "dropout", "weight_decay", "penalty"}


def test_the_search_stays_within_what_a_study_file_may_choose() -> None:
    for values in each(search_space({}).get_config()["space"]):
        settings = values["config"]
        ends = settings.get("values") or [settings["min_value"], settings["max_value"]]
        for value in each(ends):
            assert check_hyperparameters({settings["name"]: value}) == {settings["name"]: value}


def test_the_search_is_over_what_the_check_of_a_study_file_names() -> None:
    assert tuple(search_space({}).values) == SEARCHED
