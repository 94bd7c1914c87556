"""The deal: who is in which split or fold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from components.trial_example_gen.deal import (
    NEGATIVE,
    POSITIVE,
    UNKNOWN,
    Deal,
    Kind,
    Strata,
    deal_subjects,
)
from components.trial_example_gen.dealing import interleaved_pattern
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.study.sections import Evaluation, Split
from pipeline.titles import Titles
from tests.each import each

TRAIN, EVAL, TEST = range(3)
CROSS_FIT = Evaluation(scheme="cross_fit")
SPLIT = Evaluation(scheme="split")
AUTO = Evaluation(scheme="auto")


def hashes(n: int, seed: int = 1) -> NDArray[np.uint64]:
    draws = np.random.default_rng(seed).integers(0, 2**64, n, np.uint64, endpoint=False)
    return np.sort(draws)


def a_trial(sizes: Sequence[int], seed: int = 1) -> dict[Kind, NDArray[np.uint64]]:
    """Subjects of two arms with two tasks, by arm and levels of their outcomes."""
    kinds = [
        Kind(arm, held_out=False, group="", labels=labels)
        for arm in "AB"
        for labels in product((NEGATIVE, POSITIVE, UNKNOWN), repeat=2)
    ]
    return {
        kind: hashes(n, 100 * seed + i)
        for i, (kind, n) in enumerate(zip(kinds, sizes, strict=True))
        if n
    }


SIZES = st.lists(st.integers(0, 40), min_size=18, max_size=18).filter(any)
SHARES = st.tuples(*[st.integers(1, 20)] * 3).map(
    lambda parts: Split(
        train=parts[0] / sum(parts),
        eval=parts[1] / sum(parts),
        test=1 - parts[0] / sum(parts) - parts[1] / sum(parts),
    )
)


def rarest_task(trial: Strata) -> int:
    """The task of which the rarer of the two outcomes has the fewest subjects."""
    sizes = [
        min(
            sum(len(of_kind) for kind, of_kind in trial.items() if kind.labels[task] == level)
            for level in (POSITIVE, NEGATIVE)
        )
        for task in (0, 1)
    ]
    return sizes.index(min(sizes))


def strata_of(trial: Strata) -> Iterator[NDArray[np.uint64]]:
    task = rarest_task(trial)
    names = {(kind.arm, kind.labels[task]) for kind in trial}
    for arm, level in sorted(names):
        yield np.concatenate(
            [
                of_kind
                for kind, of_kind in trial.items()
                if (kind.arm, kind.labels[task]) == (arm, level)
            ]
        )


def deal(trial: Strata, evaluation: Evaluation = SPLIT, split: Split | None = None) -> Deal:
    return deal_subjects(evaluation, split or Split(), ["death", "relapse"], trial, 20)


@given(SIZES, SHARES)
def test_in_every_stratum_the_splits_have_their_shares(sizes: list[int], split: Split) -> None:
    trial = a_trial(sizes)
    dealt = deal(trial, split=split)
    for stratum in each(strata_of(trial)):
        parts = np.bincount(dealt.of(stratum)[:, 0], minlength=3)
        wanted = np.array([split.train, split.eval, split.test]) * len(stratum)
        assert np.abs(parts - wanted).max() < 2


@given(SIZES, st.integers(2, 8))
def test_in_every_stratum_the_folds_differ_by_one_subject_at_most(
    sizes: list[int], folds: int
) -> None:
    trial = a_trial(sizes)
    evaluation = Evaluation(scheme="cross_fit", folds=folds, repeats=3)
    dealt = deal(trial, evaluation)
    for subjects in (*each(strata_of(trial)), dealt.hashes):
        for repeat in range(3):
            fold_sizes = np.bincount(dealt.of(subjects)[:, repeat], minlength=folds)
            assert len(fold_sizes) == folds
            assert np.ptp(fold_sizes) <= 1


@given(SIZES, st.randoms(use_true_random=False), st.sampled_from([SPLIT, CROSS_FIT, AUTO]))
def test_the_deal_does_not_depend_on_the_order_of_the_kinds(
    sizes: list[int], random: object, evaluation: Evaluation
) -> None:
    trial = a_trial(sizes)
    kinds = list(trial)
    random.shuffle(kinds)  # type: ignore[attr-defined]
    one, other = deal(trial, evaluation), deal({kind: trial[kind] for kind in kinds}, evaluation)
    assert one.plan == other.plan
    assert np.array_equal(one.hashes, other.hashes)
    assert np.array_equal(one.dealt, other.dealt)


def test_other_hashes_are_another_deal() -> None:
    sizes = [30] * 18
    parts = [deal(a_trial(sizes, seed)).dealt[:, 0].tolist() for seed in (1, 2)]
    assert Counter(parts[0]) == Counter(parts[1]) == {TRAIN: 324, EVAL: 108, TEST: 108}
    assert parts[0] != parts[1]


def test_each_repeat_has_other_folds() -> None:
    dealt = deal(a_trial([30] * 18), Evaluation(scheme="cross_fit", folds=5, repeats=4)).dealt
    same = [
        float((dealt[:, one] == dealt[:, other]).mean()) for one in range(4) for other in range(one)
    ]
    # Two independent deals put a fifth of the 540 subjects in equal folds, by chance.
    assert len(same) == 6
    assert max(abs(share - 0.2) for share in same) < 0.09


def test_all_subjects_of_a_held_out_site_are_in_the_test_split_and_no_others() -> None:
    held = {kind._replace(held_out=True): of for kind, of in a_trial([3] * 18, seed=2).items()}
    trial = a_trial([8] * 18)
    dealt = deal({**trial, **held}, split=Split(holdout_sites=("07",)))
    assert set(dealt.of(np.concatenate(list(held.values())))[:, 0].tolist()) == {TEST}
    others = Counter(dealt.of(np.concatenate(list(trial.values())))[:, 0].tolist())
    assert others == {TRAIN: 108, EVAL: 36}


def test_every_group_is_a_fold_of_internal_external() -> None:
    kinds = a_trial([4] * 18)
    trial = {
        kind._replace(group=group): of_kind
        for group, (kind, of_kind) in zip("ca" * 9, kinds.items(), strict=True)
    }
    dealt = deal(trial, Evaluation(scheme="internal_external", by="site"))
    assert dealt.plan.groups == ("a", "c")
    assert (dealt.plan.folds, dealt.plan.repeats) == (2, 1)
    for kind, of_kind in each(trial.items()):
        assert set(dealt.of(of_kind)[:, 0].tolist()) == {"ac".index(kind.group)}


@pytest.mark.parametrize(
    ("subjects", "repeats"), [(499, 10), (500, 5), (2000, 5), (2001, 1)], ids=str
)
def test_small_trials_have_more_repeats(subjects: int, repeats: int) -> None:
    plan = deal(a_trial([subjects, *[0] * 17]), CROSS_FIT).plan
    assert (plan.folds, plan.repeats) == (5, repeats)


def reason(plan: EvaluationPlan) -> str:
    """Why `auto` took its scheme, as people read it; one title has the name of the other task."""
    assert plan.choice is not None
    return plan.choice.text(Titles({"death": "Death without relapse"}))


def test_auto_takes_a_split_if_every_task_has_enough_of_both_outcomes_in_it() -> None:
    # Of each task 60 subjects of each arm have every level: 120 in all, about 24 in the test split.
    trial = a_trial([20] * 18)
    enough = deal(trial, Evaluation(scheme="auto", least_events=20)).plan
    assert (enough.scheme, enough.requested) == ("split", "auto")
    assert reason(enough) == (
        "Every task has at least 20 subjects with and 20 without the outcome in the test split."
    )


def test_auto_cross_fits_the_whole_study_if_a_task_has_too_few_of_one_outcome() -> None:
    trial = {
        kind: of_kind for kind, of_kind in a_trial([20] * 18).items() if kind.labels[1] != POSITIVE
    }
    plan = deal(trial, Evaluation(scheme="auto", least_events=10)).plan
    assert (plan.scheme, plan.requested) == ("cross_fit", "auto")
    assert reason(plan) == (
        "A test split would need 10 subjects with and 10 without the outcome; of the fewer of the "
        "two it would have fewer than 20 for relapse."
    )


def test_auto_tells_the_numbers_that_decided_it_where_they_may_be_shown() -> None:
    plan = deal(a_trial([20] * 18), Evaluation(scheme="auto", least_events=100)).plan
    assert reason(plan) == (
        "A test split would need 100 subjects with and 100 without the outcome; of the fewer of "
        "the two it would have 24 for Death without relapse, 23 for relapse."
    )


def test_auto_keeps_the_split_of_a_study_that_holds_sites_out() -> None:
    plan = deal(a_trial([1] * 18), AUTO, Split(holdout_sites=("07",))).plan
    assert plan.scheme == "split"


def test_a_trial_without_subjects_can_be_dealt() -> None:
    for evaluation in (SPLIT, CROSS_FIT, AUTO):
        assert len(deal({}, evaluation).hashes) == 0


@given(SHARES)
def test_every_beginning_of_the_pattern_has_about_the_shares(split: Split) -> None:
    shares = np.array([split.train, split.eval, split.test])
    pattern = interleaved_pattern(shares.tolist())
    dealt = np.cumsum(pattern[:, np.newaxis] == np.arange(3), axis=0)
    positions = np.arange(1, len(pattern) + 1)[:, np.newaxis]
    assert np.abs(dealt - positions * shares).max() < 1
    assert np.abs(dealt[-1] - len(pattern) * shares).max() < 1e-3
