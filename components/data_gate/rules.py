"""The gate's rules on counts, distances and columns: pure functions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from components.data_gate.auc import auc_of_category, auc_of_number, standard_error_of_chance
from pipeline.names import SPLITS
from pipeline.results.counts import Counts, DatasetCounts
from pipeline.results.findings import Finding
from pipeline.skew.distance import Distance
from pipeline.study.features import UNTITLED
from pipeline.study.sections import Gate, Severity
from pipeline.titles import called
from pipeline.weights import effective_number

_REASONS_SHOWN = 3
_STANDARD_ERRORS_FROM_CHANCE = 4.0


@dataclass(frozen=True)
class Columns:
    """Columns of the split `train`, one element per subject: out of fold of all subjects.

    Attributes:
        numbers: float64, NaN where missing.
        categories: int64 codes of levels from 0 on; a missing value is a level too.
        labels: By task, bool.
        known: By task, bool: whether the label is known.
        missing: By feature, bool: whether it has no value.
        arms: By arm, bool: its subjects; empty without arms.
        fold: int64, the subject's fold in the first repeat; None under `split`.
        weights: By task, float64, 0 where the label is unknown; none of tasks whose weights are 0
            and 1 alone.
        titles: Titles of the features that have one, by name.
        task_titles: Titles of the tasks that have one, by name.
    """

    numbers: Mapping[str, NDArray[np.float64]]
    categories: Mapping[str, NDArray[np.int64]]
    labels: Mapping[str, NDArray[np.bool_]]
    known: Mapping[str, NDArray[np.bool_]]
    missing: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    arms: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    fold: NDArray[np.int64] | None = None
    weights: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    task_titles: Mapping[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """Which subjects the columns are of, for messages."""
        return "on train" if self.fold is None else "over all subjects"


def too_few(
    counts: Counts,
    tasks: Iterable[str],
    gate: Gate,
    splits: Collection[str] = SPLITS,
    titles: Mapping[str, str] = UNTITLED,
) -> Iterator[Finding]:
    """Tasks that have too few subjects, or too few of one outcome, in a split.

    A task or a split that was not counted has none.

    Args:
        counts: Labels of each task and split.
        tasks: Names of the tasks.
        gate: Severity and limits.
        splits: The splits that have subjects by the scheme of evaluation.
        titles: Titles of the tasks that have one, by name.
    """
    minimums = {split: of for split, of in gate.minimum.by_split().items() if split in splits}
    divided = len(minimums) > 1
    share = "the split's share or " if divided else ""
    for task in tasks:
        for split, minimum in minimums.items():
            labels = counts.tasks.get(task, {}).get(split)
            known = labels.known if labels else 0
            positives = labels.positives if labels else 0
            yield from (
                Finding(
                    rule="too_few",
                    severity=gate.too_few,
                    message=(
                        f"task {called(task, titles)}: the "
                        f"{f'{split} split' if divided else 'trial'} has {count} "
                        f"{kind}, at least {limit} are needed. Add data, change {share}the task's "
                        f"definition (horizon, condition), or lower gate.minimum.{split}.{key}."
                    ),
                    task=task,
                    split=split,
                    value=count,
                    limit=limit,
                )
                for count, kind, key, limit in (
                    (known, "subjects with a known label", "subjects", minimum.subjects),
                    (positives, "subjects with a positive label", "events", minimum.events),
                    (known - positives, "subjects with a negative label", "events", minimum.events),
                )
                if count < limit
            )


def too_few_in_folds(columns: Columns, gate: Gate, groups: bool) -> Iterator[Finding]:
    """Tasks for which a model of the folds has too few subjects, or all folds together have.

    Every model is trained without its fold: the smallest training set is judged by the minimum of
    `train`. All subjects are predicted once in a repeat: together they are judged by the minimum
    of `test`.

    Args:
        columns: Labels and folds of all subjects.
        gate: Severity and limits.
        groups: Whether the folds are groups of `internal_external`.
    """
    folds = np.unique(columns.fold) if columns.fold is not None else np.zeros(0)
    part = "group" if groups else "fold"
    for task, label in columns.labels.items():
        known = columns.known[task]
        kinds = (
            ("subjects with a known label", "subjects", known),
            ("subjects with a positive label", "events", known & label),
            ("subjects with a negative label", "events", known & ~label),
        )
        for kind, key, counted in kinds:
            trained = min((int((counted & (columns.fold != f)).sum()) for f in folds), default=0)
            evaluated = int(counted.sum())
            for text, count, use in (
                (f"a model that predicts a {part} is trained on", trained, "train"),
                ("all subjects together have", evaluated, "test"),
            ):
                limit = getattr(gate.minimum.by_split()[use], key)
                if count < limit:
                    yield Finding(
                        rule="too_few",
                        severity=gate.too_few,
                        message=(
                            f"task {called(task, columns.task_titles)}: {text} {count} {kind}, at "
                            f"least {limit} are needed. Add data, change the task's definition "
                            "(horizon, condition), or "
                            f"lower gate.minimum.{use}.{key}."
                        ),
                        task=task,
                        value=count,
                        limit=limit,
                    )


def rejects(counts: Counts, gate: Gate) -> Iterator[Finding]:
    """The share of each dataset's rows that were rejected, and whether it is too large.

    Args:
        counts: Counts of all splits.
        gate: Severity and limit.
    """
    for name, dataset in counts.datasets.items():
        if dataset.rows_in == 0:
            continue
        share = dataset.rejected / dataset.rows_in
        text = (
            f"dataset {name}: {dataset.rejected} of {dataset.rows_in} rows ({share:.1%}) were "
            f"rejected{_reasons(dataset)}; at most {gate.rejects_limit:.1%} may be"
        )
        exceeded = share > gate.rejects_limit
        advice = (
            " Look them up in the rejects of TrialExampleGen and correct the data or the columns' "
            "description in the study file (range, missing, type)."
        )
        yield Finding(
            rule="rejects",
            severity=gate.rejects if exceeded else "ok",
            message=f"{text}.{advice if exceeded else ''}",
            dataset=name,
            value=share,
            limit=gate.rejects_limit,
        )


def drift(
    distances: Iterable[Distance], gate: Gate, titles: Mapping[str, str] = UNTITLED
) -> Iterator[Finding]:
    """The distances of the features from the champion's train data.

    Args:
        distances: The distances.
        gate: Severity and limit.
        titles: Titles of the features that have one, by name.
    """
    for distance in distances:
        exceeded = distance.exceeds(gate.drift_limit)
        yield Finding(
            rule="drift",
            severity=gate.drift if exceeded else "ok",
            message=_drift_message(distance, gate, exceeded, called(distance.feature, titles)),
            feature=distance.feature,
            title=titles.get(distance.feature),
            split="train",
            value=distance.value,
            limit=gate.drift_limit,
        )


def leakage(columns: Columns, gate: Gate) -> Iterator[Finding]:
    """Features that alone nearly determine a label, and each task's strongest one.

    An AUC above the limit that so few events could reach by chance (within four standard
    errors of 0.5) is at most a warning.
    """
    for task, label in columns.labels.items():
        known = columns.known[task]
        outcome = label[known]
        positives = int(outcome.sum())
        negatives = int(outcome.size) - positives
        if not positives or not negatives:
            continue
        weight = columns.weights[task][known] if task in columns.weights else None
        error = standard_error_of_chance(
            positives if weight is None else effective_number(weight[outcome]),
            negatives if weight is None else effective_number(weight[~outcome]),
        )
        chance = 0.5 + _STANDARD_ERRORS_FROM_CHANCE * error
        aucs = _aucs(columns, known, outcome, weight)
        exceeding = {feature: auc for feature, auc in aucs.items() if auc > gate.leakage_auc}
        for feature, auc in exceeding.items():
            severity = gate.leakage
            doubt = ""
            if auc <= chance:
                severity = "warn" if severity == "stop" else severity
                doubt = (
                    f" With {positives} positive and {negatives} negative labels this may be "
                    "chance."
                )
            yield _leak(task, feature, auc, gate, severity, doubt, columns)
        if aucs and not exceeding:
            strongest = max(aucs, key=lambda feature: aucs[feature])
            yield _strongest(task, strongest, aucs[strongest], gate, columns)


def _drift_message(distance: Distance, gate: Gate, exceeded: bool, feature: str) -> str:
    if distance.value is None:
        return (
            f"feature {feature} was not compared with the champion's train data: one "
            "side has no value of it."
        )
    advice = (
        " Check units, coding and the newly enrolled subjects. If the change is real, retraining "
        "is "
        "right: raise gate.drift_limit, or set gate.drift to warn."
    )
    return (
        f"feature {feature} differs from the champion's train data: {distance.measure} "
        f"{distance.value:.3f} (limit {gate.drift_limit:g}).{advice if exceeded else ''}"
    )


def _reasons(dataset: DatasetCounts) -> str:
    frequent = sorted(dataset.reasons.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"{reason}: {count}" for reason, count in frequent[:_REASONS_SHOWN])
    return f" ({shown})" if shown else ""


def _aucs(
    columns: Columns,
    known: NDArray[np.bool_],
    outcome: NDArray[np.bool_],
    weight: NDArray[np.float64] | None,
) -> dict[str, float]:
    numbers = {
        name: auc_of_number(values[known], outcome, weight)
        for name, values in columns.numbers.items()
    }
    categories = {
        name: auc_of_category(codes[known], outcome, weight)
        for name, codes in columns.categories.items()
    }
    return numbers | categories


def _leak(
    task: str,
    feature: str,
    auc: float,
    gate: Gate,
    severity: Severity,
    doubt: str,
    columns: Columns,
) -> Finding:
    return Finding(
        rule="leakage",
        severity=severity,
        message=(
            f"feature {called(feature, columns.titles)} alone predicts task "
            f"{called(task, columns.task_titles)} {columns.where} with an AUC of {auc:.3f} "
            f"(limit {gate.leakage_auc:g}).{doubt} It is probably measured after the landmark or "
            "made from what the label is made of: check when it becomes known and remove it from "
            "the features, or raise gate.leakage_auc if it is a legitimate predictor."
        ),
        feature=feature,
        title=columns.titles.get(feature),
        task=task,
        split="train",
        value=auc,
        limit=gate.leakage_auc,
    )


def _strongest(task: str, feature: str, auc: float, gate: Gate, columns: Columns) -> Finding:
    return Finding(
        rule="leakage",
        severity="ok",
        message=(
            f"feature {called(feature, columns.titles)} is the strongest single predictor of task "
            f"{called(task, columns.task_titles)} {columns.where}, with an AUC of "
            f"{auc:.3f} (limit {gate.leakage_auc:g})."
        ),
        feature=feature,
        title=columns.titles.get(feature),
        task=task,
        split="train",
        value=auc,
        limit=gate.leakage_auc,
    )
