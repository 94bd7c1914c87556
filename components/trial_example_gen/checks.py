"""Checks of what was counted while examples were made: no subject or no label is refused."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping

from pipeline.errors import UserError
from pipeline.names import SPLITS
from pipeline.reading.plan import ReadingPlan
from pipeline.reading.qualifiers import unknown_qualifiers
from pipeline.reading.rejects import RejectReason
from pipeline.results.counts import Counts
from pipeline.results.documents import read_result
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.study.study import Study

logger = logging.getLogger(__name__)


def check_counts(plan: ReadingPlan, counts: Counts, evaluation: EvaluationPlan) -> None:
    """Checks everything.

    Args:
        plan: What was read.
        counts: What was counted.
        evaluation: How the run evaluates its model: out of fold only `train` has subjects.

    Raises:
        UserError: The data can't be used; the message says what to change.
    """
    _check_problems(plan, counts)
    for name, rows in counts.datasets.items():
        logger.info("rows", extra={"rows": {"dataset": name, **rows.model_dump()}})
    check_subjects(plan.study, counts, evaluation.splits)
    _check_labels(counts)
    check_follow_up(plan.study, counts)


def check_cut(plan: ReadingPlan, counts: Counts) -> None:
    """Checks what recording outcomes needs: subjects; of few of them nothing may be known yet.

    Args:
        plan: What was read.
        counts: What was counted.

    Raises:
        UserError: The data can't be used; the message says what to change.
    """
    _check_problems(plan, counts)
    check_subjects(plan.study, counts, ())


def check_for_schema(plan: ReadingPlan, folder: str) -> None:
    """Checks what the draft of a schema needs: subjects in the train split.

    Args:
        plan: What was read.
        folder: Folder of `counts.json`.

    Raises:
        UserError: The data can't be used; the message says what to change.
    """
    counts = read_result(Counts, folder)
    _check_problems(plan, counts)
    check_subjects(plan.study, counts, ("train",))


def _check_problems(plan: ReadingPlan, counts: Counts) -> None:
    """Refuses columns that neither the file nor its supplemental qualifiers have, among others."""
    found = {("qualifiers", *name.split(".", 1)): n for name, n in counts.qualifiers.items()}
    problems = counts.problems or tuple(unknown_qualifiers(plan, found))
    if problems:
        raise UserError("\n".join(problems))


def check_subjects(study: Study, counts: Counts, splits: Iterable[str] = SPLITS) -> None:
    """Refuses data that leave no subject, or none in a split.

    Args:
        study: The study.
        counts: What was counted.
        splits: The splits that are needed.

    Raises:
        UserError: No subject is left; the message has the numbers of rejected and excluded rows.
    """
    for split in (None, *splits):
        subjects = sum(counts.subjects.values()) if split is None else counts.subjects.get(split)
        if not subjects:
            raise UserError(_no_subject(study, counts, split))


def _check_labels(counts: Counts) -> None:
    for task, splits in counts.tasks.items():
        known = sum(split.known for split in splits.values())
        positives = sum(split.positives for split in splits.values())
        if positives in (0, known):
            missing = "positive" if positives == 0 else "negative"
            masked = sum((Counter(split.masked) for split in splits.values()), Counter[str]())
            unknown = f" (unknown: {_listed(masked)})" if masked else ""
            raise UserError(
                f"Task {task}: no subject is {missing}: of {sum(counts.subjects.values())} "
                f"subjects the label is known for {known}{unknown}. Check the condition, the codes "
                f"it compares with and the horizon of tasks.{task}."
            )


def check_follow_up(study: Study, counts: Counts) -> None:
    """Refuses a horizon up to which no subject of an arm is observed, or hardly any.

    Args:
        study: The study.
        counts: What was counted.

    Raises:
        UserError: Known labels can't stand for the others of their arm.
    """
    for name, task in counts.censoring.items():
        least = study.tasks[name].censoring.least_observed
        for arm, found in task.arms.items():
            of_arm = f" of arm {arm}" if arm else ""
            until = f"the horizon (tasks.{name}.horizon: study day {task.horizon})"
            if not found.says_risk:
                raise UserError(
                    f"Task {name}: no subject{of_arm} is observed up to {until}: nothing is known "
                    "of the risk by then. Choose an earlier horizon, or check `event.follow_up`."
                )
            if found.observed < least:
                raise UserError(
                    f"Task {name}: the estimated probability of being observed up to {until} is "
                    f"{found.observed:.3f}{of_arm}, at least {least:g} is needed: the few known "
                    "labels would stand for too many others. Choose an earlier horizon, or change "
                    f"tasks.{name}.censoring (least_observed, by)."
                )


def _no_subject(study: Study, counts: Counts, split: str | None) -> str:
    """The message that a split, or the whole, has no subjects, with the reasons."""
    rows = counts.datasets[study.subject.dataset]
    subjects = sum(counts.subjects.values())
    left = f"No subject is in split {split}: {subjects} are left" if split else "No subject is left"
    message = (
        f"{left}: of {rows.rows_in} rows of {study.subject.dataset}, {rows.rejected} were rejected"
    )
    if rows.rejected:
        message += f" ({_listed(rows.reasons)})"
    message += f" and {rows.excluded} excluded by `population` and `window`. "
    advice = list(dict.fromkeys(_ADVICE[r] for r in rows.reasons if r in _ADVICE))
    if rows.excluded:
        advice.append("check `population` and `window`")
    if split:
        advice.append("enlarge its share in `split`, or add subjects")
    advised = "; ".join(advice) or "check the file of the dataset"
    return f"{message}{advised[0].upper()}{advised[1:]}."


def _listed(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{reason}: {n}" for reason, n in reasons.items())


_RANGES = "check the type, range and codes of missing values of the columns (`datasets`)"
_ADVICE = {
    str(RejectReason.NO_SUBJECT): "check the subject key (`subject.column`)",
    str(RejectReason.SECOND_ROW): (
        "a subject has several rows: check the subject key (`subject.column`), name a dataset with "
        "one row per subject, or say `collapse: true` where the rows only repeat each other"
    ),
    str(RejectReason.NOT_A_NUMBER): _RANGES,
    str(RejectReason.NOT_FINITE): _RANGES,
    str(RejectReason.OUT_OF_RANGE): _RANGES,
    str(RejectReason.NOT_A_DATE): _RANGES,
    str(RejectReason.BEFORE_BIRTH): "check the column of the birth date (`subject.birth_date`)",
}
