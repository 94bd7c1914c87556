"""ReferenceModels on hand-made subjects: out of fold, on the test split, and turned off."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.artifact import Artifact

from components.artifact_types import Predictions, TrialRejects
from components.reference_models.executor import Executor
from components.reference_models.settings import ReferenceModelsSettings
from pipeline.names import ARM, BASE_RATE, FOLDS, SPLITS, SUBJECT_HASH, label_key, weight_key
from pipeline.results.evaluation_plan import PLAN_FILE, SPLIT_PLAN, EvaluationPlan
from pipeline.results.predictions import Predictions as Table
from pipeline.results.predictions import read_predictions
from pipeline.results.reference_models import RIDGE, TITLES, read_reference_models
from tests.each import each
from tests.trainer.trainer_study import INPUTS, example, subjects, transform
from trainer import reference
from trainer.examples import read_encoding
from trainer.reference import fit_predict
from trainer.subjects import read_subjects
from trainer.transformation import Transformation

COUNT, REPEATS = 120, 3
PLAN = EvaluationPlan(scheme="cross_fit", requested="auto", folds=4, repeats=REPEATS)
ARMS = (b"Placebo", b"Active", b"Active")
ALL = tuple(sorted(set(TITLES) - {BASE_RATE}))


def pseudonym(subject: int) -> bytes:
    return f"{subject:032x}".encode()


def folds_of(subject: int) -> list[int]:
    return [subject % 4, subject // 4 % 4, subject // 3 % 4]


def split_of(subject: int) -> str:
    return "test" if subject % 4 == 0 else "eval" if subject % 4 == 1 else "train"


@dataclasses.dataclass(frozen=True)
class Trial:
    """The same subjects dealt into splits, and all in one split with folds."""

    rows: list[dict[str, Any]]
    folder: Path

    def write(self, name: str, subjects_of: dict[str, list[int]]) -> None:
        for split in SPLITS:
            path = self.folder / name / f"Split-{split}" / "data_tfrecord-00000-of-00001.gz"
            path.parent.mkdir(parents=True)
            with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions("GZIP")) as writer:
                for number in subjects_of.get(split, []):
                    writer.write(self._example(number))

    def _example(self, number: int) -> bytes:
        found = tf.train.Example.FromString(example(self.rows[number]))
        features = found.features.feature
        features[SUBJECT_HASH].bytes_list.value.append(pseudonym(number))
        features[ARM].bytes_list.value.append(ARMS[number % 3])
        features[FOLDS].int64_list.value.extend(folds_of(number))
        return bytes(found.SerializeToString())

    def base_rate(self, task: str, arm: bytes, among: list[int]) -> float:
        """Share of the subjects of an arm with the outcome, of those whose label is known."""
        known = [
            self.rows[n] for n in among if ARMS[n % 3] == arm and self.rows[n][weight_key(task)][0]
        ]
        return float(np.mean([row[label_key(task)][0] for row in known]))


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    folder = tmp_path_factory.mktemp("reference_models")
    found = Trial(subjects(COUNT), folder)
    found.write("all", {"train": list(range(COUNT))})
    found.write(
        "dealt", {split: [n for n in range(COUNT) if split_of(n) == split] for split in SPLITS}
    )
    transform(found.rows, INPUTS, folder / "graph")
    return found


def artifact(made: Artifact, folder: Path) -> Artifact:
    made.uri = str(folder)
    return made


def execute(trial: Trial, folder: Path, plan: EvaluationPlan, models: tuple[str, ...]) -> Table:
    (folder / "rejects").mkdir(parents=True)
    (folder / "rejects" / PLAN_FILE).write_text(plan.model_dump_json())
    name = "all" if plan.out_of_fold else "dealt"
    examples = artifact(standard_artifacts.Examples(), trial.folder / name)
    examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
    settings = ReferenceModelsSettings(
        numeric=INPUTS.numeric, categorical=INPUTS.categorical, tasks=INPUTS.tasks, models=models
    )
    inputs = {
        "examples": examples,
        "transform_graph": artifact(standard_artifacts.TransformGraph(), trial.folder / "graph"),
        "rejects": artifact(TrialRejects(), folder / "rejects"),
    }
    Executor().Do(
        {key: [value] for key, value in inputs.items()},
        {"predictions": [artifact(Predictions(), folder / "predictions")]},
        {"settings": settings.to_json(), "seed": 1},
    )
    return read_predictions(str(folder / "predictions"))


def predicted(found: Table, model: str, task: str) -> dict[tuple[bytes, int], float]:
    return {
        (bytes(subject), int(repeat)): float(value)
        for subject, repeat, value in zip(
            found.subjects, found.repeat, found.of[model][task], strict=True
        )
    }


def test_out_of_fold_every_subject_has_the_base_rate_of_its_arm_in_the_other_folds(
    trial: Trial, tmp_path: Path
) -> None:
    found = execute(trial, tmp_path, PLAN, ())

    rates = predicted(found, BASE_RATE, "death")
    assert len(rates) == COUNT * REPEATS
    for subject, repeat in each(((0, 0), (7, 1), (119, 2))):
        fold = folds_of(subject)[repeat]
        others = [n for n in range(COUNT) if folds_of(n)[repeat] != fold]
        expected = trial.base_rate("death", ARMS[subject % 3], others)
        assert rates[pseudonym(subject), repeat] == pytest.approx(expected, abs=1e-6)


def test_turned_off_nothing_but_the_base_rate_is_fitted(trial: Trial, tmp_path: Path) -> None:
    of_splits = execute(trial, tmp_path / "split", SPLIT_PLAN, ())
    out_of_fold = execute(trial, tmp_path / "cross_fit", PLAN, ())

    assert (list(of_splits.of), list(out_of_fold.of)) == ([BASE_RATE], [BASE_RATE])
    record = read_reference_models(str(tmp_path / "cross_fit" / "predictions"))
    assert list(record.models) == [BASE_RATE]


def test_under_split_the_test_split_is_predicted_by_models_of_the_others(
    trial: Trial, tmp_path: Path
) -> None:
    found = execute(trial, tmp_path, SPLIT_PLAN, (RIDGE,))

    test = [n for n in range(COUNT) if split_of(n) == "test"]
    others = [n for n in range(COUNT) if split_of(n) != "test"]
    rates = predicted(found, BASE_RATE, "ae")
    assert sorted(rates) == [(pseudonym(n), 0) for n in test]
    expected = trial.base_rate("ae", ARMS[test[1] % 3], others)
    assert rates[pseudonym(test[1]), 0] == pytest.approx(expected, abs=1e-6)
    assert read_reference_models(str(tmp_path / "predictions")).models[RIDGE].most_subjects == 90


def test_ridge_reads_the_transformed_features_of_train_and_eval(
    trial: Trial, tmp_path: Path
) -> None:
    found = execute(trial, tmp_path, SPLIT_PLAN, (RIDGE,))

    graph = tft.TFTransformOutput(str(trial.folder / "graph"))
    transformation = Transformation(graph, INPUTS)
    train, test = (
        read_subjects(
            [f"{trial.folder}/dealt/Split-{it}/*" for it in names], transformation, INPUTS, 0
        )
        for names in (("train", "eval"), ("test",))
    )
    order = np.argsort(train.hashes.astype(bytes))
    by_hand = fit_predict(
        RIDGE, train.arrays.take(order), test.arrays, read_encoding(graph, INPUTS), seed=1
    )
    of_death = predicted(found, RIDGE, "death")
    assert [of_death[bytes(subject), 0] for subject in test.hashes] == pytest.approx(
        by_hand[:, 0].tolist(), abs=1e-6
    )


@pytest.mark.slow
def test_one_thread_and_two_give_the_same_predictions(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "_FEW", 0)
    found = {}
    for threads in ("1", "2"):
        monkeypatch.setenv("LOKY_MAX_CPU_COUNT", threads)
        found[threads] = execute(trial, tmp_path / threads, SPLIT_PLAN, ALL)

    one, two = found["1"].of, found["2"].of
    assert set(one) == set(TITLES)
    for model in each(TITLES):
        for task in each(INPUTS.tasks):
            assert np.array_equal(one[model][task], two[model][task])
