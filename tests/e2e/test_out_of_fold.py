"""A whole run under `scheme: auto` whose data decide for cross-fitting."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.names import FOLDS, SUBJECT_HASH, label_key, weight_key
from pipeline.outputs.register import unregistered
from pipeline.results.division import read_division
from pipeline.results.evaluation_plan import EvaluationPlan, read_plan
from pipeline.results.final_fit import FINAL_FIT_FILE, FinalFit
from pipeline.results.predictions import Predictions, read_predictions
from pipeline.results.tuning import read_tuning
from pipeline.runs.divisions import subjects_root
from pipeline.runs.registry import Registry
from tests.each import each
from tests.html_reading import read_html
from tests.output_contents import TUNED_OUT_OF_FOLD, produced
from tests.predicted_risks import departures
from tests.whole_runs import LENIENT, Run, small_run, study_copy
from trainer.search_space import MOST_SETS

pytestmark = pytest.mark.slow

TASKS = ("worsening", "response", "hepatic_ae")
REPEATS = 2


@pytest.fixture(scope="module")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    changes: dict[Any, Any] = {
        ("evaluation",): {"scheme": "auto", "repeats": REPEATS, "default_thresholds": False},
        ("training",): {"reference_models": ["ridge"]},
    }
    return study_copy(tmp_path_factory.mktemp("out_of_fold") / "study", LENIENT | changes)


@pytest.fixture(scope="module")
def run(study_file: Path) -> Run:
    return small_run(study_file.parents[1] / "runs", study_file)


@pytest.fixture(scope="module")
def plan(run: Run) -> EvaluationPlan:
    return read_plan(str(run.output("TrialExampleGen", "rejects")))


@pytest.fixture(scope="module")
def predictions(run: Run) -> Predictions:
    return read_predictions(str(run.output("CrossFit", "predictions")))


@pytest.fixture(scope="module")
def subjects(run: Run) -> dict[bytes, dict[str, Any]]:
    """Labels, weights and folds of each subject of the examples, by pseudonym."""
    import tensorflow as tf

    found = {}
    for path in (run.output("TrialExampleGen", "examples") / "Split-train").glob("*"):
        for row in tf.data.TFRecordDataset([str(path)], compression_type="GZIP"):
            features = tf.train.Example.FromString(row.numpy()).features.feature
            (pseudonym,) = features[SUBJECT_HASH].bytes_list.value
            found[pseudonym] = {
                FOLDS: list(features[FOLDS].int64_list.value),
                **{
                    key: features[key].float_list.value[0]
                    for task in TASKS
                    for key in (label_key(task), weight_key(task))
                },
            }
    return found


def test_too_few_events_for_a_test_split_are_cross_fitted(run: Run, plan: EvaluationPlan) -> None:
    assert run.code == 0, run.terminal + run.errors
    assert (plan.scheme, plan.requested) == ("cross_fit", "auto")
    assert (plan.folds, plan.repeats) == (5, REPEATS)
    assert run.counts["subjects"]["train"] == sum(run.counts["subjects"].values())


def test_out_of_fold_the_mean_prediction_of_each_arm_is_its_risk_by_the_horizon(run: Run) -> None:
    compared, departing = departures(run)
    assert compared == len(TASKS) * 3
    assert not departing


def test_every_subject_of_the_examples_is_predicted_once_in_each_repeat_as_it_was_dealt(
    predictions: Predictions, subjects: dict[bytes, dict[str, Any]]
) -> None:
    found = sorted(zip(predictions.subjects, predictions.repeat, predictions.fold, strict=True))
    assert found == sorted(
        (pseudonym, repeat, fold)
        for pseudonym, values in subjects.items()
        for repeat, fold in enumerate(values[FOLDS])
    )


def _auc_within_folds(
    labels: NDArray[Any], scores: NDArray[Any], weights: NDArray[Any], folds: NDArray[Any]
) -> float:
    """AUC in which a pair of subjects of one fold counts for the product of their weights."""
    wins = pairs = 0.0
    for fold in np.unique(folds):
        positive, negative = (folds == fold) & (labels == 1), (folds == fold) & (labels == 0)
        above = np.sign(scores[positive][:, None] - scores[negative])
        weight = weights[positive][:, None] * weights[negative]
        wins += float(np.sum(weight * (0.5 + 0.5 * above)))
        pairs += float(weight.sum())
    return wins / pairs


def test_the_metrics_are_those_of_the_out_of_fold_predictions(
    run: Run, predictions: Predictions, subjects: dict[bytes, dict[str, Any]]
) -> None:
    for task in TASKS:
        of_subject = [subjects[pseudonym] for pseudonym in predictions.subjects]
        weights = np.array([values[weight_key(task)] for values in of_subject])
        known = weights > 0
        labels = np.array([values[label_key(task)] for values in of_subject])
        scores = predictions.of["challenger"][task].astype(np.float64)
        aucs = [
            _auc_within_folds(labels[rows], scores[rows], weights[rows], predictions.fold[rows])
            for rows in (known & (predictions.repeat == repeat) for repeat in range(REPEATS))
        ]
        records = {
            record["metric"]: record
            for record in run.metrics
            if (record["task"], record["slice"], record["model"]) == (task, {}, "challenger")
        }
        assert records["auc"]["value"] == pytest.approx(np.mean(aucs), abs=1e-9)
        squares = np.average((scores - labels) ** 2, weights=weights)
        assert records["brier"]["value"] == pytest.approx(squares, abs=1e-9)
        assert records["auc"]["subjects"] == known.sum() / REPEATS


def test_the_pushed_model_agrees_with_the_out_of_fold_predictions(run: Run) -> None:
    path = run.output("CrossFit", "predictions") / FINAL_FIT_FILE
    found = FinalFit.model_validate_json(path.read_text())
    assert set(found.tasks) == set(TASKS)
    trained = {row["split"]: row["subjects"] for row in run.stages["Trainer"]["rows"]}
    assert trained == {"train": run.counts["subjects"]["train"]}


def _files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            yield path, gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def test_pseudonyms_are_in_examples_and_predictions_alone(
    run: Run, subjects: dict[bytes, dict[str, Any]]
) -> None:
    artifacts = run.root / run.study / "artifacts"
    allowed = [artifacts / stage for stage in ("TrialExampleGen", "CrossFit", "ReferenceModels")]
    allowed.append(Path(subjects_root(str(run.root / "registry"))))
    holders = {
        path
        for path, content in each(_files(run.root))
        if any(pseudonym in content for pseudonym in list(subjects)[:50])
        and not any(path.is_relative_to(folder) for folder in allowed)
    }
    assert holders == set()


def test_the_registry_keeps_the_champions_predictions_apart_from_the_model(
    run: Run, plan: EvaluationPlan, predictions: Predictions
) -> None:
    registry = Registry(str(run.root / "registry"))
    champion = registry.champion(run.study)
    assert champion is not None
    kept = read_division(registry.division_folder(champion))
    assert kept.plan == plan
    assert champion.division == kept.digest
    assert kept.rows.subjects.tolist() == predictions.subjects.tolist()
    assert kept.rows.fold.tolist() == predictions.fold.tolist()
    assert kept.rows.of.keys() == {"champion"}
    for task, scores in each(kept.rows.of["champion"].items()):
        assert scores.tolist() == predictions.of["challenger"][task].tolist()


@pytest.fixture(scope="module")
def second(run: Run, study_file: Path) -> Run:
    """The next night: the same subjects, a model that is tuned and trained longer."""
    return small_run(run.root, study_file, "--steps", "60", "--tune")


def test_what_a_tuned_run_leaves_is_in_the_register_of_outputs(second: Run) -> None:
    assert [str(path) for path in unregistered(second.root)] == []
    assert produced(second.root) >= TUNED_OUT_OF_FOLD


def test_out_of_fold_every_procedure_and_the_final_model_choose_their_hyperparameters(
    second: Run, predictions: Predictions, plan: EvaluationPlan
) -> None:
    assert second.code == 0, second.terminal + second.errors
    folder = str(second.output("CrossFit", "predictions"))
    found = read_tuning(folder)
    assert found is not None
    assert len(found.sets) == MOST_SETS
    assert found.procedures == plan.folds * REPEATS
    tuned = read_predictions(folder)
    assert tuned.fold.tolist() == predictions.fold.tolist()
    assert any(
        tuned.of["challenger"][task].tolist() != predictions.of["challenger"][task].tolist()
        for task in TASKS
    )
    training = second.file_of("Trainer", "model_run", "training.json")["hyperparameters"]
    searched = found.sets[0].hyperparameters
    assert {name: training[name] for name in searched} in [
        item.hyperparameters for item in found.sets
    ]
    pages = (
        second.records / "page.html",
        second.output("ModelCard", "card") / "card.html",
    )
    for page in each(pages):
        assert found.sentence in read_html(page.read_text()).text
    # The terminal breaks lines.
    assert found.sentence in " ".join(second.terminal.split())


def test_the_next_night_is_compared_with_the_champions_own_out_of_fold_predictions(
    run: Run, second: Run
) -> None:
    assert second.code == 0, second.terminal + second.errors
    before, now = (
        {
            (record["task"], record["model"], record["metric"]): record
            for record in night.metrics
            if not record["slice"] and record["metric"] in ("auc", "brier")
        }
        for night in (run, second)
    )
    for task in TASKS:
        for metric in ("auc", "brier"):
            first, champion = before[task, "challenger", metric], now[task, "champion", metric]
            assert champion["subjects"] == first["subjects"]
            assert champion["value"] == pytest.approx(first["value"], abs=1e-9)
            change = now[task, "challenger", metric]["value"] - champion["value"]
            difference = now[task, "difference", metric]
            assert difference["value"] == pytest.approx(change, abs=1e-9)
