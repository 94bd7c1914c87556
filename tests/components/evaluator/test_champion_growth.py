"""A trial grows while champions follow each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from components.evaluator.champion_scores import ChampionScores, score_subjects
from components.trial_example_gen.deal import Deal, Kind, deal_subjects
from components.trial_example_gen.inherited import Kept
from pipeline.results.division import Division
from pipeline.results.outcomes import LEAST_EVENTS
from pipeline.results.predictions import Predictions, write_predictions
from pipeline.study.sections import Evaluation, Split
from tests.components.evaluator.conftest import write_examples, write_model

TEST = 2
SIZES = (150, 165, 182, 200)


def kinds(size: int) -> dict[Kind, NDArray[np.uint64]]:
    """The first subjects of a trial; the hash of a subject is its number, scrambled."""
    numbers = (np.arange(size, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    return {
        Kind(arm, held_out=False, group="", labels=(label,)): np.sort(numbers[which::6])
        for which, (arm, label) in enumerate((arm, label) for arm in "AB" for label in range(3))
    }


def pseudonym(number: int) -> bytes:
    return b"%016x" % number


def evaluated(deal: Deal) -> list[bytes]:
    part = deal.dealt[:, 0]
    chosen = deal.hashes if deal.plan.out_of_fold else deal.hashes[part == TEST]
    return [pseudonym(number) for number in chosen.tolist()]


def division_of(deal: Deal) -> Division:
    repeats = deal.dealt.shape[1]
    subjects = np.array([pseudonym(number) for number in deal.hashes.tolist()], object)
    predicted = np.full(len(subjects) * repeats, 0.25, np.float32)
    rows = Predictions(
        np.tile(subjects, repeats),
        np.repeat(np.arange(repeats), len(subjects)).astype(np.int16),
        deal.dealt.T.ravel(),
        {"champion": {"response": predicted}} if deal.plan.out_of_fold else {},
    )
    return Division(deal.plan, rows)


def compare(folder: Path, challenger: Deal, champion: Division) -> ChampionScores:
    """The challenger's run, in which the champion's own model always predicts .75."""
    split = "train" if challenger.plan.out_of_fold else "test"
    write_model(folder / "model", ["response"], "q_")
    subjects = evaluated(challenger)
    write_examples(
        folder, [{"subject_hash": subject, "q_response": 0.75} for subject in subjects], split
    )
    rows = division_of(challenger).rows
    own = Predictions(
        rows.subjects, rows.repeat, rows.fold, {"challenger": dict(rows.of.get("champion", {}))}
    )
    write_predictions(str(folder / "own"), own)
    return score_subjects(
        str(folder / "model" / "Format-Serving"),
        str(folder / f"Split-{split}"),
        champion,
        challenger.plan,
        str(folder / "own") if challenger.plan.out_of_fold else None,
        ["response"],
    )


@pytest.mark.parametrize("scheme", ["split", "cross_fit"])
def test_no_subject_that_trained_the_champion_is_compared_while_a_trial_grows(
    scheme: Any, tmp_path: Path
) -> None:
    """Out of fold no model predicts a subject that it saw: its fold's does, or as new the final."""
    champion: Deal | None = None
    for size in SIZES:
        kept = Kept(champion.plan, champion.hashes, champion.dealt) if champion else None
        run = deal_subjects(Evaluation(scheme=scheme), Split(), ["response"], kinds(size), 20, kept)
        if champion is not None:
            known = {pseudonym(number) for number in champion.hashes.tolist()}
            found = compare(tmp_path / str(size), run, division_of(champion))
            rows = found.predictions
            if scheme == "split":
                of_champion = zip(champion.hashes.tolist(), champion.dealt[:, 0], strict=True)
                seen = {pseudonym(number) for number, part in of_champion if part != TEST}
                assert not seen & set(rows.subjects.tolist())
                assert found.compared == len(evaluated(run)) > len(evaluated(champion))
                assert found.left_out == 0
            else:
                of_model = rows.of["champion_of_new"]["response"] == np.float32(0.75)
                assert set(rows.subjects[of_model].tolist()) == set(evaluated(run)) - known
                by_folds = rows.of["champion"]["response"] == np.float32(0.25)
                assert set(rows.subjects[by_folds].tolist()) == known
                assert (found.compared, found.left_out) == (len(known), 0)
        champion = run


def test_a_trial_that_grows_enough_is_judged_again() -> None:
    """Of 60 subjects too few with the outcome are compared; each growth by a half adds some."""
    champion: Deal | None = None
    events = []
    for size in (60, 90, 135, 202):
        kept = Kept(champion.plan, champion.hashes, champion.dealt) if champion else None
        found = kinds(size)
        run = deal_subjects(Evaluation(scheme="split"), Split(), ["response"], found, 20, kept)
        if champion is not None:
            seen = champion.hashes[champion.dealt[:, 0] != TEST]
            tested = run.hashes[run.dealt[:, 0] == TEST]
            compared = np.setdiff1d(tested, seen)
            positive = [hashes for kind, hashes in found.items() if kind.labels == (2,)]
            events.append(int(np.isin(compared, np.concatenate(positive)).sum()))
        champion = run
    assert events[0] < LEAST_EVENTS <= events[-1]
    assert events == sorted(events)
