"""Subjects keep the part or fold that they had in the champion's run; only new ones are dealt."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from components.trial_example_gen.deal import Deal, Kind, deal_subjects
from components.trial_example_gen.inherited import Kept
from pipeline.study.sections import Evaluation, Split
from tests.components.trial_example_gen.test_deal import CROSS_FIT, SPLIT, a_trial, strata_of
from tests.each import each

TEST = 2
Trial = Mapping[Kind, NDArray[np.uint64]]


def deal(
    trial: Trial,
    evaluation: Evaluation = SPLIT,
    champion: Deal | None = None,
    split: Split | None = None,
) -> Deal:
    kept = Kept(champion.plan, champion.hashes, champion.dealt) if champion else None
    return deal_subjects(evaluation, split or Split(), ["death", "relapse"], trial, 20, kept)


def grown(trial: Trial, seed: int, share: float = 0.1) -> dict[Kind, NDArray[np.uint64]]:
    """The trial with new subjects: a share of each kind, one at least."""
    added = a_trial([1 + int(share * len(of_kind)) for of_kind in trial.values()], seed)
    return {
        kind: np.sort(np.concatenate([of_kind, new]))
        for (kind, of_kind), new in zip(trial.items(), added.values(), strict=True)
    }


@pytest.mark.parametrize("evaluation", [SPLIT, CROSS_FIT], ids=["split", "cross_fit"])
@given(st.lists(st.integers(1, 40), min_size=18, max_size=18), st.integers(0, 1000))
def test_a_trial_that_grows_three_times_by_a_tenth_keeps_every_part_and_fold(
    evaluation: Evaluation, sizes: list[int], seed: int
) -> None:
    trial = a_trial(sizes, 1)
    champion = deal(trial, evaluation)
    for growth in range(3):
        trial = grown(trial, 2 + 3 * seed + growth)
        again = deal(trial, evaluation, champion)
        repeats = min(again.dealt.shape[1], champion.dealt.shape[1])
        kept = again.of(champion.hashes)[:, :repeats]
        assert np.array_equal(kept, champion.dealt[:, :repeats])
        assert again.plan.inherited == len(champion.hashes) < len(again.hashes)
        champion = again


@given(st.lists(st.integers(1, 40), min_size=18, max_size=18))
def test_every_stratum_keeps_its_shares_while_the_trial_grows(sizes: list[int]) -> None:
    trial = a_trial(sizes)
    champion = deal(trial)
    for growth in range(3):
        trial = grown(trial, 2 + growth)
        champion = deal(trial, champion=champion)
    whole = np.bincount(champion.dealt[:, 0], minlength=3)
    wanted = np.array([0.6, 0.2, 0.2]) * len(champion.hashes)
    # Another outcome can become the rarest one: then the first deal was by other strata. Of 30,000
    # random trials none was off by more than 7.4; without quotas the new subjects alone are by 30.
    assert np.abs(whole - wanted).max() < 15
    for stratum in each(strata_of(trial)):
        parts = np.bincount(champion.of(stratum)[:, 0], minlength=3)
        assert np.abs(parts - np.array([0.6, 0.2, 0.2]) * len(stratum)).max() < 15


@given(st.lists(st.integers(1, 40), min_size=18, max_size=18), st.integers(2, 6))
def test_new_subjects_make_the_folds_of_a_stratum_no_less_even(
    sizes: list[int], folds: int
) -> None:
    evaluation = Evaluation(scheme="cross_fit", folds=folds, repeats=2)
    champion = deal(a_trial(sizes), evaluation)
    trial = grown(a_trial(sizes), 2)
    again = deal(trial, evaluation, champion)
    for stratum in each(strata_of(trial)):
        old = np.intersect1d(stratum, champion.hashes)
        for repeat in range(2):
            before, after = (
                np.bincount(again.of(hashes)[:, repeat], minlength=folds)
                for hashes in (old, stratum)
            )
            assert np.ptp(after) <= max(1, np.ptp(before))


def test_subjects_who_left_change_nothing_for_the_others() -> None:
    trial = a_trial([20] * 18)
    champion = deal(trial, CROSS_FIT)
    fewer = {kind: of_kind[::2] for kind, of_kind in trial.items()}
    again = deal(fewer, CROSS_FIT, champion)
    assert np.array_equal(again.dealt, champion.of(again.hashes)[:, : again.plan.repeats])
    assert again.plan.inherited == len(again.hashes) == 180


def test_a_trial_that_outgrows_its_repeats_keeps_the_folds_of_the_first_ones() -> None:
    champion = deal(a_trial([27] * 18), CROSS_FIT)
    again = deal(grown(a_trial([27] * 18), 2), CROSS_FIT, champion)
    assert (champion.plan.repeats, again.plan.repeats) == (10, 5)
    assert np.array_equal(again.of(champion.hashes), champion.dealt[:, :5])


def test_repeats_that_the_champion_lacks_are_dealt_as_in_a_first_run() -> None:
    trial = a_trial([20] * 18)
    two, four = (Evaluation(scheme="cross_fit", folds=5, repeats=n) for n in (2, 4))
    again = deal(trial, four, deal(trial, two))
    assert np.array_equal(again.dealt, deal(trial, four).dealt)


@pytest.mark.parametrize(
    ("champion", "now"),
    [
        (CROSS_FIT, SPLIT),
        (SPLIT, CROSS_FIT),
        (Evaluation(scheme="cross_fit", folds=4), CROSS_FIT),
    ],
    ids=["parts of folds", "folds of parts", "other folds"],
)
def test_another_scheme_deals_everyone_again(champion: Evaluation, now: Evaluation) -> None:
    trial = a_trial([20] * 18)
    again = deal(trial, now, deal(trial, champion))
    assert np.array_equal(again.dealt, deal(trial, now).dealt)
    assert again.plan.inherited == 0


def test_a_site_that_is_held_out_is_in_the_test_split_whatever_its_subjects_were_dealt() -> None:
    split = Split(holdout_sites=("07",))
    trial = a_trial([8] * 18)
    champion = deal(trial, split=split)
    moved = {kind._replace(held_out=i < 3): of for i, (kind, of) in enumerate(trial.items())}
    again = deal(moved, champion=champion, split=split)
    for kind, of_kind in each(moved.items()):
        assert {bool(part == TEST) for part in again.of(of_kind)[:, 0]} == {kind.held_out}
