"""Internal-external evaluation of the ridge reference model on IST by country.

Against the same by hand: scikit-learn fits the models and scores each country, statsmodels fits the
calibration slopes, and the equation of Paule & Mandel is solved by bisection.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import stats
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from components.evaluator.settings import EvaluatorSettings
from pipeline.results.predictions import Predictions
from tests.components.evaluator.test_between_groups import paule_and_mandel
from tests.each import each
from trainer import reference
from trainer.arrays import Arrays
from trainer.model import Encoding
from trainer.reference_folds import ReferenceSubjects, predict_out_of_fold

pytestmark = pytest.mark.slow

TASK = "dead_or_dependent"
NUMBERS, CATEGORIES = ["AGE", "RSBP", "RDELAY"], ["SEX", "RCONSC", "STYPE"]
PENALTY = 10.0
SMALLEST_GROUP = 100
JACKKNIFE_DEGREES = 19


@dataclass(frozen=True)
class Evaluated:
    """IST as it was evaluated.

    Attributes:
        subjects: Features, country and outcome.
        ours: Predictions of the pipeline's ridge model for each subject.
        metrics: Content of metrics.json.
    """

    subjects: pd.DataFrame
    ours: NDArray[Any]
    metrics: Mapping[str, Any]

    def records(self, metric: str) -> dict[str, Mapping[str, Any]]:
        """A metric's record of each country that is shown."""
        return {
            record["slice"]["country"]: record
            for record in self.metrics["records"]
            if record["metric"] == metric and list(record["slice"]) == ["country"]
        }

    def summary(self, metric: str) -> Mapping[str, Any]:
        """The summary of a metric over countries."""
        (found,) = (item for item in self.metrics["between_groups"] if item["metric"] == metric)
        return dict(found)


def read_subjects(folder: Path) -> pd.DataFrame:
    """Every second subject: half the time, and as many countries that are large enough."""
    frame = pd.read_csv(folder / "ist" / "IST.csv", low_memory=False)
    frame = frame[frame.OCCODE.isin([1, 2, 3, 4])].iloc[::2].reset_index(drop=True)
    known = frame[[*NUMBERS, *CATEGORIES, "COUNTRY"]]
    return known.assign(bad=frame.OCCODE.isin([1, 2]).astype(float))


def predict(subjects: pd.DataFrame, folds: NDArray[Any]) -> NDArray[Any]:
    """What the reference model predicts for each subject in the other countries' models."""
    numbers = subjects[NUMBERS]
    codes = np.empty((len(subjects), len(CATEGORIES)), np.int32)
    used = 0
    for place, name in enumerate(CATEGORIES):
        values, found = np.unique(subjects[name].astype(str), return_inverse=True)
        codes[:, place] = found + used
        used += len(values)
    arrays = Arrays(
        ((numbers - numbers.mean()) / numbers.std(ddof=0)).to_numpy(np.float32),
        codes,
        subjects[["bad"]].to_numpy(np.float32),
        np.ones((len(subjects), 1), np.float32),
    )
    rows = ReferenceSubjects(
        arrays, np.full(len(subjects), b"", object), hashes(len(subjects)).astype(object)
    )
    encoding = Encoding(len(NUMBERS), len(CATEGORIES), used, (TASK,))
    models = predict_out_of_fold(rows, folds[:, None], encoding, ["ridge"], seed=1)
    return models["ridge"].probabilities[:, 0, 0]


def hashes(count: int) -> NDArray[Any]:
    return np.array([f"{number * 7919:032x}".encode() for number in range(count)])


@pytest.fixture(scope="module")
def evaluated(
    trial_data_dir: Path,
    run_evaluator: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Evaluated:
    subjects = read_subjects(trial_data_dir)
    countries = sorted(subjects.COUNTRY.unique())
    folds = subjects.COUNTRY.map({name: fold for fold, name in enumerate(countries)}).to_numpy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "PENALTIES", (PENALTY,))
        ours = predict(subjects, folds)
    rows = [
        {
            "subject_hash": bytes(name),
            "slice_country": country.encode(),
            f"label_{TASK}": outcome,
            f"weight_{TASK}": 1.0,
            f"p_{TASK}": float(probability),
        }
        for name, country, outcome, probability in zip(
            hashes(len(subjects)), subjects.COUNTRY, subjects.bad, ours, strict=True
        )
    ]
    settings = EvaluatorSettings(
        tasks={TASK: ()},
        slicings=("country",),
        pairs=(),
        smallest_group=SMALLEST_GROUP,
        thresholds=(),
        split_seed=3,
        label_digest="digest",
    )
    table = Predictions(
        subjects=hashes(len(subjects)).astype(object),
        repeat=np.zeros(len(subjects), np.int16),
        fold=folds.astype(np.int16),
        of={"challenger": {TASK: ours}},
    )
    plan = {
        **{"scheme": "internal_external", "requested": "internal_external", "by": "country"},
        **{"folds": len(countries), "repeats": 1, "groups": countries},
    }
    folder = tmp_path_factory.mktemp("ist")
    found = run_evaluator(folder, settings, rows, predictions=table, plan=plan)
    return Evaluated(subjects, ours, found.metrics)


@dataclass(frozen=True)
class ByHand:
    """Metrics of one country, predicted by a model of the others."""

    auc: float
    brier: float
    calibration_in_the_large: float
    calibration_slope: float


def by_hand(subjects: pd.DataFrame, country: str) -> ByHand:
    scaler = StandardScaler().fit(subjects[NUMBERS])
    scaled = subjects.assign(
        **dict(zip(NUMBERS, scaler.transform(subjects[NUMBERS]).T, strict=True))
    )
    inside = country == subjects.COUNTRY
    model = make_pipeline(
        make_column_transformer(
            ("passthrough", NUMBERS),
            (OneHotEncoder(handle_unknown="ignore"), CATEGORIES),
        ),
        LogisticRegression(C=1 / PENALTY, max_iter=1000, solver="newton-cholesky"),
    ).fit(scaled[~inside], subjects.bad[~inside])
    p = model.predict_proba(scaled[inside])[:, 1]
    outcome = subjects.bad[inside]
    slope = sm.Logit(outcome.to_numpy(), sm.add_constant(np.log(p / (1 - p)))).fit(disp=0)
    return ByHand(
        float(roc_auc_score(outcome, p)),
        float(brier_score_loss(outcome, p)),
        float(p.mean() - outcome.mean()),
        float(slope.params[1]),
    )


def test_each_country_has_the_metrics_of_a_model_that_did_not_see_it(evaluated: Evaluated) -> None:
    shown = evaluated.records("auc")
    assert len(shown) >= 10
    for country in shown:
        expected = by_hand(evaluated.subjects, country)
        for metric, value in each(vars(expected).items()):
            found = evaluated.records(metric)[country]["value"]
            # Both solvers stop near the maximum of the likelihood.
            assert found == pytest.approx(value, rel=1e-3, abs=2e-4), (country, metric)


def test_countries_that_are_too_small_are_in_no_number(evaluated: Evaluated) -> None:
    sizes = evaluated.subjects.COUNTRY.value_counts()
    small = set(sizes.index[sizes < SMALLEST_GROUP])
    assert small
    assert not small & set(evaluated.records("auc"))
    summary = evaluated.summary("auc")
    assert summary["groups"] + summary["left_out"] == len(sizes)
    assert summary["left_out"] >= len(small)


@pytest.mark.parametrize("metric", ["auc", "brier", "calibration_in_the_large"])
def test_the_summary_is_that_of_a_random_effects_model(evaluated: Evaluated, metric: str) -> None:
    def scale(value: float) -> float:
        return math.log(value / (1 - value)) if metric == "auc" else value

    records = [
        record for record in evaluated.records(metric).values() if record["lower"] is not None
    ]
    student = stats.t.ppf(0.975, JACKKNIFE_DEGREES)
    effects = [scale(record["value"]) for record in records]
    errors = [
        (scale(record["upper"]) - scale(record["lower"])) / (2 * student) for record in records
    ]
    mean, between = paule_and_mandel(effects, errors)
    weights = 1 / (between + np.square(errors))
    fixed = 1 / weights.sum()
    k = len(records)
    hartung_knapp = (weights * (np.array(effects) - mean) ** 2).sum() / weights.sum() / (k - 1)
    error = math.sqrt(max(fixed, hartung_knapp))
    reach = stats.t.ppf(0.975, k - 1) * error
    new = stats.t.ppf(0.975, k - 2) * math.sqrt(between + error**2)

    found = evaluated.summary(metric)
    assert found["groups"] == k
    assert scale(found["mean"]) == pytest.approx(mean, abs=1e-4)
    assert scale(found["lower"]) == pytest.approx(mean - reach, abs=1e-4)
    assert scale(found["new_lower"]) == pytest.approx(mean - new, abs=1e-4)
    assert scale(found["new_upper"]) == pytest.approx(mean + new, abs=1e-4)
