"""The mean prediction of each arm is its risk by the horizon, however unlike the arms are followed.

A simulated trial: landmark on study day 28, horizon on day 90. The risk depends on arm, sex and a
number; who leaves early depends on arm and sex.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from components.trial_example_gen.censoring import count_ends, fit_censoring
from components.trial_example_gen.ends import EndKind, Ends
from pipeline.results.censoring import CensoredArm
from pipeline.weights import weighted_mean
from tests.components.trial_example_gen.hand_made_trial import hand_made_study
from tests.components.trial_example_gen.test_informative_censoring import BY_SEX
from tests.each import each
from trainer.arrays import Arrays
from trainer.cross_fit import cross_fit
from trainer.model import Encoding, Hyperparameters

SUBJECTS, FOLDS = 2_400, 3
ARMS = ("A", "B")
EVENT_RATE = {("A", "F"): 0.008, ("A", "M"): 0.003, ("B", "F"): 0.005, ("B", "M"): 0.002}
LEAVING_RATE = {("A", "F"): 0.016, ("A", "M"): 0.002, ("B", "F"): 0.004, ("B", "M"): 0.008}
ENCODING = Encoding(numbers=1, categories=2, codes=4, tasks=("rash",))
HYPER = Hyperparameters(
    members=4, width=8, depth=1, batch_size=64, max_epochs=8, learning_rate=0.01
)


@dataclass(frozen=True)
class Simulated:
    """A trial with the weights and the risks that TrialExampleGen gives it.

    Attributes:
        arrays: The subjects as the trainer gets them.
        arms: Arm of each subject.
        risks: Follow-up by arm.
    """

    arrays: Arrays
    arms: NDArray[np.str_]
    risks: dict[str, CensoredArm]

    def mean_predictions(self, trained_with: NDArray[np.float32]) -> dict[str, float]:
        """Weighted mean out-of-fold prediction by arm of models trained with some weights."""
        folds = np.random.default_rng(5).permutation(np.arange(SUBJECTS) % FOLDS)[:, None]
        trained = replace(self.arrays, weights=trained_with)
        found = cross_fit(trained, folds, ENCODING, HYPER, seed=3).probabilities[:, 0, 0]
        weights = trained_with[:, 0]
        return {
            arm: weighted_mean(found[self.arms == arm], weights[self.arms == arm]) for arm in ARMS
        }

    def agrees(self, arm: str, mean: float) -> bool:
        """Whether a mean prediction lies in the interval of the arm's risk."""
        risk = self.risks[arm].risk
        assert risk.lower is not None
        assert risk.upper is not None
        return risk.lower <= mean <= risk.upper


@pytest.fixture(scope="module")
def simulated() -> Simulated:
    rng = np.random.default_rng(11)
    arms, sexes = rng.choice(ARMS, SUBJECTS), rng.choice(["F", "M"], SUBJECTS)
    number = rng.normal(size=SUBJECTS)
    strata = [(str(arm), str(sex)) for arm, sex in zip(arms, sexes, strict=True)]
    rate = np.array([EVENT_RATE[stratum] for stratum in strata]) * np.exp(0.7 * number)
    event = 28 + np.ceil(rng.exponential(1 / rate))
    last = 28 + np.ceil(rng.exponential(1 / np.array([LEAVING_RATE[s] for s in strata])))
    happens = (event <= last) & (event <= 90)
    ends = Ends.of(np.where(happens, event, np.inf), np.full(SUBJECTS, np.inf), last, 90.0)
    model = fit_censoring(hand_made_study(BY_SEX), count_ends("rash", strata, ends))
    codes = np.stack([arms == "B", 2 + (sexes == "M")], axis=1).astype(np.int32)
    arrays = Arrays(
        numbers=number[:, None].astype(np.float32),
        categories=codes,
        labels=(ends.kind == EndKind.EVENT)[:, None].astype(np.float32),
        weights=model.weights["rash"].of(strata, ends)[:, None].astype(np.float32),
    )
    return Simulated(arrays, arms, dict(model.documents["rash"].arms))


def test_out_of_fold_the_mean_prediction_of_each_arm_is_its_risk(simulated: Simulated) -> None:
    found = simulated.mean_predictions(simulated.arrays.weights)

    for arm, mean in each(found.items()):
        assert simulated.agrees(arm, mean), (arm, mean, simulated.risks[arm].risk)


def test_a_model_that_ignores_the_weights_predicts_too_much(simulated: Simulated) -> None:
    known = (simulated.arrays.weights > 0).astype(np.float32)

    found = simulated.mean_predictions(known)

    for arm, mean in each(found.items()):
        assert not simulated.agrees(arm, mean), (arm, mean, simulated.risks[arm].risk)
        assert mean > (simulated.risks[arm].risk.value or 0)
