"""Deals the subjects out to parts or folds that are alike in arm and in the rarest outcome.

A stratum is an arm and a level of the rarest outcome. Within a stratum subjects are in the order
of a hash, so that the deal depends on nothing but the trial's subjects, their labels, the seed and
what subjects were dealt in the champion's run: neither on the runner nor on the number of its
workers. Subjects of the champion's run keep their part or fold, only new ones are dealt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.trial_example_gen.dealing import deal_new, hashes_of_repeat, interleaved_pattern
from components.trial_example_gen.inherited import Kept
from pipeline.names import SPLITS
from pipeline.results.evaluation_plan import EvaluationPlan, SchemeChoice, TooFewEvents
from pipeline.study.sections import Evaluation, Scheme, Split

NEGATIVE, POSITIVE, UNKNOWN = 0, 1, 2
"""Levels of an outcome."""

_TEST = SPLITS.index("test")
_DEFAULT_FOLDS = 5
_REPEATS = ((500, 10), (2001, 5))
"""Repeats of trials with fewer subjects than a number; 1 for larger ones."""


class Kind(NamedTuple):
    """What the deal knows of a subject beside its hash.

    Attributes:
        arm: Its arm, or "" in a study without arms.
        held_out: Whether its site is held out for the test split.
        group: Its group of `evaluation.by`, or "".
        labels: Level of each task's outcome, in the order of the study's tasks.
    """

    arm: str
    held_out: bool
    group: str
    labels: tuple[int, ...]


Strata = Mapping[Kind, NDArray[np.uint64]]
"""Hashes of the subjects of each kind, in rising order."""


@dataclass(frozen=True)
class Deal:
    """Part or folds of every subject.

    Attributes:
        plan: How the run evaluates its model.
        hashes: Hashes of all subjects in rising order, uint64 `[subjects]`.
        dealt: Number of the split, int16 `[subjects, 1]`, or under an out-of-fold scheme the fold
            in each repeat, int16 `[subjects, repeats]`.
    """

    plan: EvaluationPlan
    hashes: NDArray[np.uint64]
    dealt: NDArray[np.int16]

    def of(self, hashes: NDArray[np.uint64]) -> NDArray[np.int16]:
        """Rows of `dealt` of some of the subjects."""
        return self.dealt[np.searchsorted(self.hashes, hashes)]


@dataclass(frozen=True)
class _Subjects:
    """All subjects, those of a kind beside each other.

    Attributes:
        kinds: The kinds.
        labels: Levels of the outcomes, int8 `[kinds, tasks]`.
        kind: Number of each subject's kind `[subjects]`.
        hashes: Hash of each subject, uint64 `[subjects]`.
    """

    kinds: Sequence[Kind]
    labels: NDArray[np.int8]
    kind: NDArray[np.int64]
    hashes: NDArray[np.uint64]

    @classmethod
    def of(cls, strata: Strata, tasks: int) -> _Subjects:
        kinds = sorted(strata)
        sizes = [len(strata[kind]) for kind in kinds]
        labels = np.array([kind.labels for kind in kinds], np.int8).reshape(len(kinds), tasks)
        empty = np.empty(0, np.uint64)
        hashes = np.concatenate([empty, *(strata[kind] for kind in kinds)])
        return cls(kinds, labels, np.repeat(np.arange(len(kinds)), sizes), hashes)

    def number(self, level: int, among: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Subjects with a level of each task's outcome, `[tasks]`."""
        sizes = np.bincount(self.kind[among], minlength=len(self.kinds))
        return sizes @ (self.labels == level).astype(np.int64)

    def strata(self) -> NDArray[np.int64]:
        """Number of each subject's stratum, `[subjects]`."""
        all_subjects = np.ones(len(self.hashes), bool)
        rarer = np.minimum(self.number(POSITIVE, all_subjects), self.number(NEGATIVE, all_subjects))
        names = [
            (kind.arm, *([kind.labels[int(np.argmin(rarer))]] if len(rarer) else ()))
            for kind in self.kinds
        ]
        number = {name: i for i, name in enumerate(sorted(set(names)))}
        return np.array([number[name] for name in names], np.int64)[self.kind]

    def is_held_out(self) -> NDArray[np.bool_]:
        """Whether each subject belongs to a site that is held out, `[subjects]`."""
        return np.array([kind.held_out for kind in self.kinds], bool)[self.kind]


def deal_subjects(
    evaluation: Evaluation,
    split: Split,
    tasks: Sequence[str],
    strata: Strata,
    smallest_group: int,
    kept: Kept | None = None,
) -> Deal:
    """Decides how the run evaluates its model and deals its subjects out.

    Args:
        evaluation: What the study file asks for.
        split: Shares of the splits, and sites held out.
        tasks: Names of the tasks.
        strata: The subjects.
        smallest_group: Fewest subjects that a number is shown for.
        kept: What subjects were dealt in the champion's run.

    Returns:
        The deal; it does not depend on the order of `strata`.
    """
    subjects = _Subjects.of(strata, len(tasks))
    parts, inherited = _deal_parts(subjects, split, kept)
    choice: SchemeChoice | None = None
    scheme: Scheme
    if evaluation.scheme == "auto":
        lacking = _lacking(subjects, parts == _TEST, tasks, evaluation.least_events)
        scheme, choice = _choose(lacking, split, evaluation.least_events, smallest_group)
    else:
        scheme = evaluation.scheme
    if scheme == "split":
        plan = EvaluationPlan(
            scheme="split", requested=evaluation.scheme, choice=choice, inherited=inherited
        )
        return _sorted(plan, subjects, parts[:, np.newaxis])
    inherited = 0
    if scheme == "internal_external":
        # The groups are the folds: there is nothing to keep.
        groups = tuple(sorted({kind.group for kind in subjects.kinds}))
        of_kind = np.array([groups.index(kind.group) for kind in subjects.kinds], np.int64)
        folds, number = of_kind[subjects.kind][:, np.newaxis], len(groups)
    else:
        groups = ()
        number = evaluation.folds or _DEFAULT_FOLDS
        repeats = evaluation.repeats or _default_repeats(len(subjects.hashes))
        folds, inherited = _deal_folds(subjects, number, repeats, kept)
    plan = EvaluationPlan(
        scheme=scheme,
        requested=evaluation.scheme,
        choice=choice,
        folds=number,
        repeats=folds.shape[1],
        by=evaluation.by or "",
        groups=groups,
        inherited=inherited,
    )
    return _sorted(plan, subjects, folds)


def deal_all_to_test(strata: Strata, scheme: Literal["validate", "score"]) -> Deal:
    """Deals all subjects to the test split: a registered model predicts them.

    Args:
        strata: The subjects.
        scheme: What it predicts them for.
    """
    hashes = np.sort(np.concatenate([np.empty(0, np.uint64), *strata.values()]))
    plan = EvaluationPlan(scheme=scheme, requested=scheme)
    return Deal(plan, hashes, np.full((len(hashes), 1), _TEST, np.int16))


def _deal_parts(
    subjects: _Subjects, split: Split, kept: Kept | None
) -> tuple[NDArray[np.int64], int]:
    """Number of each subject's split, `[subjects]`, and how many subjects keep theirs."""
    shares = [split.train, split.eval, split.test]
    parts = np.full(len(subjects.hashes), _TEST, np.int64)
    dealt = np.arange(len(parts))
    if split.holdout_sites:
        shares = [share / (split.train + split.eval) for share in shares[:_TEST]]
        dealt = np.flatnonzero(~subjects.is_held_out())
    hashes, strata = subjects.hashes[dealt], subjects.strata()[dealt]
    if kept is None or kept.plan.scheme != "split":
        order = np.lexsort((hashes, strata))
        parts[dealt[order]] = np.resize(interleaved_pattern(shares), len(order))
        return parts, 0
    own = kept.of(hashes, 0)
    # A site that is held out decides, whatever part its subjects had when it had another name.
    own[own >= len(shares)] = -1
    parts[dealt] = deal_new(strata, hashes, own, shares)
    return parts, int((own >= 0).sum())


def _deal_folds(
    subjects: _Subjects, folds: int, repeats: int, kept: Kept | None
) -> tuple[NDArray[np.int64], int]:
    """Fold of each subject in each repeat, `[subjects, repeats]`, and how many keep theirs."""
    strata = subjects.strata()
    dealt = np.empty((len(strata), repeats), np.int64)
    inherits = kept is not None and kept.inherits_folds(folds)
    inherited = 0
    for repeat in range(repeats):
        hashes = hashes_of_repeat(subjects.hashes, repeat)
        if kept is not None and inherits and repeat < kept.plan.repeats:
            own = kept.of(subjects.hashes, repeat)
            dealt[:, repeat] = deal_new(strata, hashes, own, [1 / folds] * folds)
            inherited = max(inherited, int((own >= 0).sum()))
            continue
        # Dealing goes on from stratum to stratum: many small ones would enlarge the first fold.
        order = np.lexsort((hashes, strata))
        dealt[order, repeat] = np.arange(len(order)) % folds
    return dealt, inherited


def _default_repeats(subjects: int) -> int:
    return next((repeats for fewer, repeats in _REPEATS if subjects < fewer), 1)


def _lacking(
    subjects: _Subjects, test: NDArray[np.bool_], tasks: Sequence[str], least: int
) -> dict[str, int]:
    """Tasks with too few subjects with or without the outcome in the test part: the fewer."""
    fewer = np.minimum(subjects.number(POSITIVE, test), subjects.number(NEGATIVE, test))
    return {task: n for task, n in zip(tasks, fewer.tolist(), strict=True) if n < least}


def _choose(
    lacking: Mapping[str, int], split: Split, least: int, smallest_group: int
) -> tuple[Scheme, SchemeChoice]:
    """Scheme that `auto` takes, and why; small numbers are not told: the plan is published."""
    if split.holdout_sites:
        return "split", SchemeChoice(
            reason="sites_held_out", least=least, smallest_group=smallest_group
        )
    if not lacking:
        return "split", SchemeChoice(
            reason="enough_events", least=least, smallest_group=smallest_group
        )
    return "cross_fit", SchemeChoice(
        reason="too_few_events",
        least=least,
        tasks=tuple(
            TooFewEvents(task=task, subjects=n if n >= smallest_group else None)
            for task, n in lacking.items()
        ),
        smallest_group=smallest_group,
    )


def _sorted(plan: EvaluationPlan, subjects: _Subjects, dealt: NDArray[np.int64]) -> Deal:
    order = np.argsort(subjects.hashes, kind="stable")
    return Deal(plan, subjects.hashes[order], dealt[order].astype(np.int16))
