"""A whole run under `internal_external`: every group of a slicing is predicted without it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from math import log, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import brier_score_loss, roc_auc_score

from pipeline.metrics import METRICS
from pipeline.names import SUBJECT_HASH, label_key, slice_key, weight_key
from pipeline.results.evaluation_plan import EvaluationPlan, read_plan
from pipeline.results.predictions import read_predictions
from pipeline.results.resolution import at_resolution, fewest_known
from tests.components.evaluator.test_between_groups import paule_and_mandel
from tests.each import each
from tests.html_reading import read_html
from tests.whole_runs import LENIENT, Run, small_run, study_copy

pytestmark = pytest.mark.slow

TASKS = ("worsening", "response", "hepatic_ae")
BY = "age_band"
BY_HAND = {"auc": roc_auc_score, "brier": brier_score_loss}
JACKKNIFE_DEGREES = 19


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("left_out")
    changes: dict[Any, Any] = {
        ("evaluation",): {"scheme": "internal_external", "by": BY, "default_thresholds": False},
        ("training",): {"reference_models": []},
    }
    found = small_run(folder / "runs", study_copy(folder / "study", LENIENT | changes))
    assert found.code == 0, found.terminal + found.errors
    return found


@pytest.fixture(scope="module")
def plan(run: Run) -> EvaluationPlan:
    return read_plan(str(run.output("TrialExampleGen", "rejects")))


@dataclass(frozen=True)
class Evaluated:
    """The subjects of the run's predictions, in their order.

    Attributes:
        left_out: Group that each subject's models did not see.
        own: Group that each subject is in.
        labels: Labels by task.
        weights: Weights by task, 0 where the label is unknown.
        scores: What the artifact of predictions has, by task.
    """

    left_out: NDArray[Any]
    own: NDArray[Any]
    labels: Mapping[str, NDArray[Any]]
    weights: Mapping[str, NDArray[Any]]
    scores: Mapping[str, NDArray[Any]]

    def known(self, task: str, group: str) -> NDArray[np.bool_]:
        """Subjects of a group whose label is known."""
        return np.asarray((self.left_out == group) & (self.weights[task] > 0))

    def has_unknown(self, task: str) -> bool:
        """Whether labels of a task are unknown, so that groups are not counted exactly."""
        return not (self.weights[task] > 0).all()

    def subjects(self, task: str, group: str) -> int:
        """Number of a group's subjects as it is shown."""
        counted = self.left_out == group if self.has_unknown(task) else self.known(task, group)
        return int(counted.sum())

    def is_coarse(self, task: str, metric: str) -> bool:
        """Whether a metric of a group is shown in steps."""
        return self.has_unknown(task) and METRICS[metric].is_counted

    def shown(self, task: str, metric: str, group: str) -> float:
        """A metric of a group as it is shown."""
        exact = self.by_hand(task, metric, group)
        share = float((self.weights[task] > 0).mean())
        fewest = fewest_known(self.subjects(task, group), share)
        return at_resolution(exact, fewest) if self.is_coarse(task, metric) else exact

    def by_hand(self, task: str, metric: str, group: str) -> float:
        """A metric of a group."""
        rows = self.known(task, group)
        return float(
            BY_HAND[metric](
                self.labels[task][rows],
                self.scores[task][rows].astype(np.float64),
                sample_weight=self.weights[task][rows],
            )
        )


@pytest.fixture(scope="module")
def evaluated(run: Run, plan: EvaluationPlan) -> Evaluated:
    import tensorflow as tf

    of_subject = {}
    for path in (run.output("TrialExampleGen", "examples") / "Split-train").glob("*"):
        for row in tf.data.TFRecordDataset([str(path)], compression_type="GZIP"):
            features = tf.train.Example.FromString(row.numpy()).features.feature
            of_subject[features[SUBJECT_HASH].bytes_list.value[0]] = features
    found = read_predictions(str(run.output("CrossFit", "predictions")))
    assert sorted(found.subjects) == sorted(of_subject)
    subjects = [of_subject[pseudonym] for pseudonym in found.subjects]

    def numbers(key: str) -> NDArray[Any]:
        return np.array([features[key].float_list.value[0] for features in subjects])

    return Evaluated(
        left_out=np.array([plan.groups[fold] for fold in found.fold]),
        own=np.array(
            [features[slice_key(BY)].bytes_list.value[0].decode() for features in subjects]
        ),
        labels={task: numbers(label_key(task)) for task in TASKS},
        weights={task: numbers(weight_key(task)) for task in TASKS},
        scores=found.of["challenger"],
    )


def _shown(run: Run, task: str, metric: str) -> dict[str, dict[str, Any]]:
    """Records of the groups that are shown."""
    return {
        record["slice"][BY]: record
        for record in run.metrics
        if (record["task"], record["metric"], record["model"]) == (task, metric, "challenger")
        and list(record["slice"]) == [BY]
    }


def _summaries(run: Run) -> dict[tuple[str, str], dict[str, Any]]:
    metrics = run.file_of("TrialEvaluator", "verdict", "metrics.json")
    return {(item["task"], item["metric"]): item for item in metrics["between_groups"]}


def test_every_group_is_left_out_once_and_predicted_by_models_of_the_others(
    plan: EvaluationPlan, evaluated: Evaluated
) -> None:
    assert (plan.scheme, plan.by, plan.repeats) == ("internal_external", BY, 1)
    assert len(plan.groups) == plan.folds == 4
    assert evaluated.left_out.tolist() == evaluated.own.tolist()
    assert set(evaluated.own) == set(plan.groups)


@pytest.mark.parametrize("metric", list(BY_HAND))
@pytest.mark.parametrize("task", TASKS)
def test_each_groups_metrics_are_those_of_the_predictions(
    task: str, metric: str, run: Run, evaluated: Evaluated
) -> None:
    found = _shown(run, task, metric)
    assert len(found) >= 3
    for group, record in each(found.items()):
        assert record["value"] == pytest.approx(evaluated.shown(task, metric, group), abs=1e-6)
        assert record["subjects"] == evaluated.subjects(task, group)


@pytest.mark.parametrize("metric", list(BY_HAND))
@pytest.mark.parametrize("task", TASKS)
def test_spread_and_summary_are_those_of_the_groups_that_are_shown(
    task: str, metric: str, run: Run, plan: EvaluationPlan, evaluated: Evaluated
) -> None:
    def scale(value: float) -> float:
        return log(value / (1 - value)) if metric == "auc" else value

    shown = _shown(run, task, metric)
    values = [evaluated.by_hand(task, metric, group) for group in shown]
    student = stats.t.ppf(0.975, JACKKNIFE_DEGREES)
    errors = [
        (scale(record["upper"]) - scale(record["lower"])) / (2 * student)
        for record in shown.values()
    ]
    effects = [scale(value) for value in values]
    mean, between = paule_and_mandel(effects, errors)
    weights = 1 / (between + np.square(errors))
    count = len(shown)
    hartung_knapp = weights @ (np.array(effects) - mean) ** 2 / weights.sum() / (count - 1)
    error = sqrt(max(1 / weights.sum(), hartung_knapp))
    new = float(stats.t.ppf(0.975, count - 2)) * sqrt(between + error**2)

    found = _summaries(run)[task, metric]
    assert (found["groups"], found["left_out"]) == (count, plan.folds - count)
    singly = [evaluated.shown(task, metric, group) for group in shown]
    assert found["lowest"] == pytest.approx(min(singly), abs=1e-6)
    assert found["highest"] == pytest.approx(max(singly), abs=1e-6)
    # The summary is of the exact intervals, those shown are in steps where labels are unknown.
    nearly = 0.1 if evaluated.is_coarse(task, metric) else 1e-3
    assert scale(found["mean"]) == pytest.approx(mean, abs=nearly)
    assert scale(found["new_upper"]) == pytest.approx(mean + new, abs=5 * nearly)


def test_page_and_card_show_the_spread_between_the_groups(run: Run) -> None:
    auc = _summaries(run)["worsening", "auc"]
    spread = f"{auc['lowest']:.3f} to {auc['highest']:.3f}"
    new = f"{auc['new_lower']:.3f} to {auc['new_upper']:.3f}"
    pages = {
        "page": run.records / "page.html",
        "card": Path(run.output("ModelCard", "card")) / "card.html",
    }
    for name, path in each(pages.items()):
        rows = [row.text for row in read_html(path.read_text()).all("tr")]
        assert any(spread in text and new in text for text in rows), name


def test_the_store_has_the_groups_and_their_summary(run: Run) -> None:
    columns = ("groups", "left_out", "lowest", "highest", "mean", "new_lower", "new_upper")
    with closing(sqlite3.connect(run.root / "store.sqlite")) as store:
        rows = store.execute(
            f"SELECT task, metric, {', '.join(columns)} FROM between_groups WHERE run = ?",
            (run.id,),
        ).fetchall()
    found = {(task, metric): tuple(values) for task, metric, *values in rows}
    assert found == {
        key: tuple(item.get(column) for column in columns) for key, item in _summaries(run).items()
    }
