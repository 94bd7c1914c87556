"""The page of a run and Kubeflow's summary under each scheme of evaluation."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from components.run_page.kubeflow_outputs import summary_markdown
from pipeline.html.page import render
from pipeline.pages.evaluation.page import run_page
from pipeline.results.between_groups import BetweenGroups
from pipeline.results.evaluation_plan import SPLIT_PLAN, EvaluationPlan
from pipeline.results.tuning import TunedSet, Tuning
from tests.components.run_page.hand_made_run import BY_SITE, CROSS_FIT, result
from tests.split_words import names_a_split

OUT_OF_FOLD = [CROSS_FIT, BY_SITE]


@cache
def page(plan: EvaluationPlan) -> str:
    """The page under a scheme; its charts are drawn once."""
    return render(run_page(result(evaluation=plan)))


@pytest.mark.parametrize("plan", OUT_OF_FOLD, ids=lambda plan: plan.scheme)
def test_out_of_fold_neither_page_nor_summary_names_a_split(plan: EvaluationPlan) -> None:
    found = result(evaluation=plan)
    for text in (page(plan), summary_markdown(found)):
        assert "models that never saw" in text
        assert not names_a_split(text)


def test_under_split_the_page_names_the_test_split() -> None:
    assert names_a_split(page(SPLIT_PLAN))


def test_the_page_says_who_was_predicted_by_whom_and_what_is_pushed() -> None:
    shown = run_page(result(evaluation=CROSS_FIT))
    assert "Each of the 2,000 subjects was predicted by models that never saw that subject (5 " in (
        shown.lead
    )
    assert "is trained on all subjects by the same procedure" in shown.lead


def test_the_page_tells_what_auto_chose_and_why() -> None:
    html = page(CROSS_FIT)
    assert "cross_fit. Too few for death." in html
    assert "chosen by" not in page(BY_SITE)


def test_only_cross_fitting_says_that_the_mean_prediction_proves_nothing() -> None:
    says = "near 0 by construction"
    assert says in page(CROSS_FIT)
    assert says not in page(BY_SITE)
    assert says not in page(SPLIT_PLAN)


def test_page_and_summary_say_which_share_of_the_procedures_chose_which_hyperparameters() -> None:
    found = result(evaluation=CROSS_FIT)
    untuned, flat = (
        TunedSet(hyperparameters={"depth": depth, "dropout": 0.2}, procedures=count)
        for depth, count in ((2, 3), (0, 7))
    )
    metrics = found.metrics.model_copy(update={"tuning": Tuning(sets=(untuned, flat))})
    tuned = replace(found, metrics=metrics)
    sentence = "70 % set 2 (depth 0, dropout 0.2); 30 % set 1, the untuned one."
    for text in (render(run_page(tuned)), summary_markdown(tuned)):
        assert sentence in text
        assert "never on those that it predicts" in text
    assert "sets of hyperparameters" not in page(CROSS_FIT)


def test_internal_external_shows_where_a_new_group_would_lie() -> None:
    found = result(evaluation=BY_SITE)
    between = BetweenGroups(
        task="death",
        metric="auc",
        groups=4,
        left_out=0,
        lowest=0.61,
        highest=0.78,
        mean=0.7,
        lower=0.65,
        upper=0.75,
        new_lower=0.52,
        new_upper=0.84,
    )
    metrics = found.metrics.model_copy(update={"between_groups": (between,)})
    html = render(run_page(replace(found, metrics=metrics)))
    assert "In groups by site that the models never saw" in html
    for shown in ("0.610 to 0.780", "0.650 to 0.750", "0.520 to 0.840"):
        assert shown in html


def test_out_of_fold_subjects_are_counted_in_one_column() -> None:
    html = page(CROSS_FIT)
    assert "Subjects by split" not in html
    assert "2\N{NARROW NO-BREAK SPACE}000" in html


def test_what_stands_between_backticks_is_code_on_the_page() -> None:
    found = result(evaluation=CROSS_FIT, notes=["Fixed by `trial freeze`, <not> by hand."])
    html = render(run_page(found))
    assert "Fixed by <code>trial freeze</code>, &lt;not&gt; by hand." in html
    assert "chosen by <code>auto</code>" in html
    assert "`" not in html.partition("<main")[2]


def test_the_page_says_that_intervals_out_of_fold_allow_for_the_training() -> None:
    says = "if other subjects had trained them"
    assert says in page(CROSS_FIT)
    assert says not in page(SPLIT_PLAN)


def test_with_too_few_repeats_the_page_says_why_stability_is_not_shown() -> None:
    says = "measured where there are 3 repeats or more; this run has 1. Set"
    assert says in page(CROSS_FIT.model_copy(update={"repeats": 1}))
    assert says not in page(CROSS_FIT)


def test_under_other_schemes_the_page_says_that_they_do_not_show_stability() -> None:
    assert "another training sample: one split does not show it" in page(SPLIT_PLAN)
    assert "here each subject was predicted once" in page(BY_SITE)


def test_out_of_fold_the_roc_curve_says_that_it_pools_what_the_auc_keeps_apart() -> None:
    assert "The curve pools the folds of one repeat" in page(CROSS_FIT)
    assert "The curve pools the groups" in page(BY_SITE)
    assert "The curve pools" not in page(SPLIT_PLAN)
