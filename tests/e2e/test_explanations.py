"""Contributions of the served model of a whole run, whose truth is known."""

from __future__ import annotations

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
from pipeline.synthetic.trial import COEFFICIENTS
from tests.each import each
from tests.whole_runs import Run

STRONGEST = {"worsening": "score", "response": "score", "hepatic_ae": "alt"}
"""Part of the name of the source with the largest coefficient in the simulation, beside the arm."""

ARM = "arm"


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
