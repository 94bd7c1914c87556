"""Contributions of the served model of a whole run, whose truth is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from notebooks.results.attributions import attribute
from notebooks.results.importance import permutation_importance
from notebooks.results.scored_subjects import ScoredSubjects, read_scored_subjects
from pipeline.results.importance import Importance
from pipeline.study.load import load_study
from pipeline.study.shipped import find_study_file
from pipeline.synthetic.simulate import simulate
from pipeline.synthetic.trial import COEFFICIENTS, SyntheticTrial
from tests.each import each
from tests.whole_runs import SUBJECTS, Run

pytestmark = pytest.mark.slow

STRONGEST = {"worsening": "score", "response": "score", "hepatic_ae": "alt"}
"""Part of the name of the source with the largest coefficient in the simulation, beside the arm."""

ARM = "arm"

TERMS = {
    ARM: ("active",),
    "Sex": ("male",),
    "Current smoker": ("smoker",),
    "Diabetes": ("diabetes",),
    "Age (years)": ("age", "age_squared", "over_70"),
    "SCORE": ("severity", "score_change", "severity_squared"),
    "CRP": ("log_crp",),
    "ALT": ("log_alt",),
    "CREAT": ("creatinine",),
    "adae rows": ("early_events",),
}
"""Terms of the simulation's log odds that belong to a source alone."""

SHARED = {
    "active_log_crp": (ARM, "CRP"),
    "active_diabetes": (ARM, "Diabetes"),
    "active_log_alt": (ARM, "ALT"),
}
"""Products: each of the two sources has half of it, as Shapley values give it."""

TOGETHER = {"SCORE": ("SCORE", "Symptom score at baseline (0 to 100)")}
"""The score at the landmark is that of the baseline and the change: three columns of one term."""


@pytest.fixture(scope="module")
def subjects(first_run: Run) -> ScoredSubjects:
    return read_scored_subjects(
        load_study(find_study_file("synthetic")),
        str(first_run.output("TrialExampleGen", "examples")),
        str(first_run.output("Trainer", "model")),
    )


@pytest.fixture(scope="module")
def contributions(subjects: ScoredSubjects) -> NDArray[np.float64]:
    """Of every subject and source, shape [subjects, sources, tasks]."""
    model = subjects.mixed.model
    features = model.contribution_features
    found = model.contributions(subjects.mixed.of_subjects(np.arange(subjects.count)))
    none = np.zeros((1, len(features), len(features), len(subjects.tasks)))
    return attribute(found, none, features, subjects.sources).values


def strongest_beside_the_arm(names: list[str], sizes: NDArray[np.float64]) -> str:
    """The feature that moves predictions most: all of them are shrunk, the arm hardly."""
    ranked = [names[place] for place in np.argsort(-sizes)]
    return next(name for name in ranked if name != ARM)


def test_their_order_is_that_of_permutation_importance(
    subjects: ScoredSubjects, contributions: NDArray[np.float64]
) -> None:
    names = [source.name for source in subjects.sources]
    lost = permutation_importance(
        subjects.mixed, subjects.labels, subjects.known, names, subjects.tasks, repeats=4, seed=0
    )
    for place, task in enumerate(each(subjects.tasks)):
        sizes = np.abs(contributions[:, :, place]).mean(axis=0)
        losses = {item.source: item.brier.value for item in lost if item.task == task}
        order = spearmanr(sizes, [losses[name] for name in names])
        assert order.statistic > 0.6, task
        strongest = sorted(losses, key=losses.__getitem__)[-3:]
        assert strongest_beside_the_arm(names, sizes) in strongest, task


def test_the_strongest_source_is_the_simulations(
    subjects: ScoredSubjects, contributions: NDArray[np.float64]
) -> None:
    names = [source.name for source in subjects.sources]
    for place, task in enumerate(each(subjects.tasks)):
        sizes = np.abs(contributions[:, :, place]).mean(axis=0)
        assert STRONGEST[task] in strongest_beside_the_arm(names, sizes).lower(), task


@pytest.fixture(scope="module")
def true_sizes() -> dict[str, dict[str, float]]:
    """By task and source: mean size of what it adds to the log odds in the simulation."""
    trial = SyntheticTrial(SUBJECTS)
    blocks = [simulate(trial, block).terms for block in range(trial.blocks)]
    terms = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    sizes: dict[str, dict[str, float]] = {}
    for task, coefficients in COEFFICIENTS.items():
        moved = {
            name: coefficients.get(name, 0.0) * (values - values.mean())
            for name, values in terms.items()
        }
        sizes[task] = {
            source: float(
                np.abs(
                    sum(moved[name] for name in own)
                    + sum(0.5 * moved[name] for name, pair in SHARED.items() if source in pair)
                ).mean()
            )
            for source, own in TERMS.items()
        }
    return sizes


def test_their_order_is_that_of_the_simulations_terms(
    subjects: ScoredSubjects,
    contributions: NDArray[np.float64],
    true_sizes: dict[str, dict[str, float]],
) -> None:
    names = [source.name for source in subjects.sources]
    for place, task in enumerate(each(subjects.tasks)):
        true = true_sizes[task]
        found = {}
        for source in true:
            of_source = [names.index(name) for name in TOGETHER.get(source, (source,))]
            found[source] = np.abs(contributions[:, of_source, place].sum(axis=1)).mean()
        order = spearmanr(list(true.values()), list(found.values()))
        assert order.statistic > 0.75, task
        apart = [
            (more, less)
            for more, less in itertools.permutations(true, 2)
            if true[more] > 0.1 and true[more] > 2 * true[less]
        ]
        for more, less in each(apart):
            assert found[more] > found[less], (task, more, less)


def test_the_arms_contribution_is_the_simulations(
    subjects: ScoredSubjects, contributions: NDArray[np.float64]
) -> None:
    of_arm = [source.name for source in subjects.sources].index(ARM)
    for place, task in enumerate(each(subjects.tasks)):
        found = contributions[:, of_arm, place]
        # Half of the subjects are in each arm; the interactions of the arm are smaller than .2.
        between = found.max() - found.min()
        assert between == pytest.approx(abs(COEFFICIENTS[task]["active"]), abs=0.25), task


def test_page_and_card_have_the_features_in_this_order(
    first_run: Run, subjects: ScoredSubjects, contributions: NDArray[np.float64]
) -> None:
    training = first_run.file_of("Trainer", "model_run", "training.json")
    importance = Importance.model_validate(training["importance"])
    for place, task in enumerate(each(subjects.tasks)):
        features = importance.tasks[task].features
        shown = [sum(features[name] for name in source.columns) for source in subjects.sources]
        order = spearmanr(shown, np.abs(contributions[:, :, place]).mean(axis=0))
        assert order.statistic > 0.9, task
        names = [source.name for source in subjects.sources]
        assert STRONGEST[task] in strongest_beside_the_arm(names, np.array(shown)).lower(), task
        page = first_run.records.joinpath("page.html").read_text()
        card = first_run.output("ModelCard", "card").joinpath("card.html").read_text()
        for text in (page, card):
            assert text.count("Which features move the predictions") == len(subjects.tasks)
