"""What happens to the subjects of the synthetic trial follows the announced truth."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.synthetic.simulate import simulate
from pipeline.synthetic.trial import COEFFICIENTS, DATASETS, TASKS
from tests.each import each
from tests.pipeline.synthetic.written_trials import TWENTY_THOUSAND, read_truth


def z_score(observed: "pd.Series[Any]", probability: "pd.Series[Any]") -> float:
    variance = (probability * (1 - probability)).sum()
    return float((observed - probability).sum() / np.sqrt(variance))


@pytest.mark.parametrize("task", TASKS)
def test_outcomes_follow_their_true_probabilities(task: Any, labels: Any, truth: Any) -> None:
    observed = labels[task].dropna()
    assert abs(z_score(observed, truth[f"p_{task}"].loc[observed.index])) < 3


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("fifth", range(5))
def test_outcomes_follow_their_true_probabilities_in_every_fifth_of_risk(
    task: Any, fifth: Any, labels: Any, truth: Any
) -> None:
    observed = labels[task].dropna()
    probability = truth[f"p_{task}"].loc[observed.index]
    members = pd.qcut(probability, 5, labels=False) == fifth
    assert abs(z_score(observed[members], probability[members])) < 3.5


@pytest.mark.parametrize("task", TASKS)
def test_the_effect_of_the_arm_is_the_true_one_within_its_standard_error(
    task: Any, subjects: Any, labels: Any, truth: Any
) -> None:
    observed = labels[task].dropna()
    probability = truth[f"p_{task}"].loc[observed.index]
    active = subjects["TRT01P"].loc[observed.index].eq("Active").to_numpy()

    def difference(values: Any) -> Any:
        return values[active].mean() - values[~active].mean()

    variance = probability * (1 - probability)
    error = np.sqrt(
        variance[active].sum() / active.sum() ** 2 + variance[~active].sum() / (~active).sum() ** 2
    )
    assert abs(difference(observed) - difference(probability)) < 2 * error
    assert abs(difference(observed)) > 2 * error


@pytest.mark.parametrize("task", TASKS)
def test_logistic_regression_recovers_every_coefficient(task: Any, labels: Any) -> None:
    blocks = [simulate(TWENTY_THOUSAND, block) for block in range(TWENTY_THOUSAND.blocks)]
    subjects = np.concatenate([block.usubjid for block in blocks]).astype(str)
    names = list(COEFFICIENTS[task])
    terms = np.stack([np.concatenate([b.terms[name] for b in blocks]) for name in names], axis=1)
    observed = labels[task].dropna()
    design = pd.DataFrame(terms, subjects).loc[observed.index].to_numpy()

    estimate = np.zeros(len(names))
    for _ in range(12):
        fitted = 1 / (1 + np.exp(-design @ estimate))
        information = design.T @ (design * (fitted * (1 - fitted))[:, None])
        estimate = estimate + np.linalg.solve(information, design.T @ (observed - fitted))
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    true = np.array([COEFFICIENTS[task][name] for name in names])
    assert np.abs((estimate - true) / errors).max() < 3.5


@pytest.mark.parametrize(
    ("task", "share", "auc"),
    [("worsening", 0.25, 0.78), ("response", 0.40, 0.75), ("hepatic_ae", 0.08, 0.75)],
)
def test_prevalence_and_the_best_auc_are_as_announced(
    task: Any, share: Any, auc: Any, labels: Any, truth: Any
) -> None:
    observed = labels[task].dropna()
    rank = truth[f"p_{task}"].loc[observed.index].rank()
    events = observed.sum()
    area = (rank[observed == 1].sum() - events * (events + 1) / 2) / (
        events * (len(observed) - events)
    )
    assert observed.mean() == pytest.approx(share, abs=0.02)
    assert area == pytest.approx(auc, abs=0.02)


def test_the_truth_is_not_among_the_datasets(folder: Any) -> None:
    assert list(read_truth(folder).columns) == [f"p_{task}" for task in TASKS]
    names = {column.name for dataset in DATASETS for column in dataset.columns}
    assert not {name for name in each(names) if name.lower().startswith("p_")}
    assert not list(folder.glob("*.parquet"))


def test_every_safety_subject_and_no_other_has_a_truth(folder: Any, trial: Any) -> None:
    safety = trial["adsl"].query("SAFFL == 'Y'")
    assert list(read_truth(folder).index) == list(safety["USUBJID"])
