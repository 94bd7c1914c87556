"""What the page of a scoring says of intervals and prediction sets."""

from __future__ import annotations

from html import unescape

import pytest

from pipeline.html.page import render
from pipeline.pages.scoring import scoring_page
from pipeline.pages.uncertainty import OF_SCORED, OF_SHIFTED
from pipeline.results.findings import Finding
from pipeline.results.scoring import ScoredTask, Scoring
from pipeline.results.validation import ValidatedModel


def page(*outputs: str, warned: bool = False) -> str:
    """The page of 70 subjects, with these outputs of the model for its one task."""
    scoring = Scoring(
        model=ValidatedModel(
            id="m1", study="first", registered_at="2026-01-01", fingerprint="f0", model_digest="d0"
        ),
        study="first",
        fingerprint="f1",
        subjects=70,
        smallest_group=10,
        tasks=(ScoredTask(task="death", title="Death", outputs=outputs, mean=0.2),),
        skew=(
            Finding(
                rule="shifted",
                severity="warn" if warned else "ok",
                message="AGE: distance 0.3",
                feature="AGE",
                value=0.3,
            ),
        ),
    )
    return unescape(render(scoring_page(scoring, "A trial", "0.2.0")))


def test_a_model_with_sets_says_what_they_hold_of_subjects_whose_outcome_is_not_known() -> None:
    assert OF_SCORED in page("death", "death/lower", "death/set_positive")
    assert OF_SCORED not in page("death")


@pytest.mark.parametrize("warned", [True, False])
def test_where_features_differ_the_page_says_not_to_rely_on_the_sets(warned: bool) -> None:
    found = page("death", "death/lower", "death/set_positive", warned=warned)

    # The command has an element of its own.
    assert (OF_SHIFTED.partition("(")[0] in found) == warned
