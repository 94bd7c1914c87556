"""The gate's rules on labels that are unknown: pure functions of exact counts.

A label may be unknown by design (the subject left before the landmark, was not followed to the
horizon): that is only shown. It may be unknown because something in the data can't be used: that is
judged, since the subjects concerned are rarely like the others.

The exact counts decide; what a message shows of them follows the disclosure rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pipeline.estimates import difference_of_shares
from pipeline.results.counts import ArmLabelCounts, Counts, LabelCounts, MaskReason
from pipeline.results.documents import OVERALL, Group
from pipeline.results.findings import Finding
from pipeline.results.suppress import SuppressionReason, suppressed
from pipeline.study.features import UNTITLED
from pipeline.study.sections import Gate, Severity
from pipeline.titles import called

_DATA_REASONS = (MaskReason.UNDATED, MaskReason.UNCERTAIN_DAY, MaskReason.MISSING_VALUE)
"""Reasons that lie in single values, not in the study's design."""

_ADVICE = {
    MaskReason.REJECTED_ROW: (
        " Look the rows up in the rejects of TrialExampleGen and correct the data or the columns' "
        "description in the study file (range, missing, type)."
    ),
    MaskReason.ON_LANDMARK: (
        " What happens after randomisation on its day is the outcome: say in the task's "
        "`event.landmark_day` how times are distinguished on that day (`after`, `before`, a "
        "condition, or a time of day or sequence to compare). If the data count days from 0, say "
        "`first_day: 0`."
    ),
}


@dataclass(frozen=True)
class _TaskLabels:
    """Labels of one task, all splits together.

    Attributes:
        name: Name of the task.
        called: The task in messages.
        reasons: Subjects whose label is unknown, by reason.
        known: Subjects whose label is known.
        arms: The labels of each arm; empty without arms.
    """

    name: str
    called: str
    reasons: Mapping[str, int]
    known: int
    arms: Mapping[str, _TaskLabels]

    @property
    def subjects(self) -> int:
        """All subjects, with a known label or without."""
        return self.known + sum(self.reasons.values())


@dataclass(frozen=True)
class _Limits:
    rule: Literal["lost_labels", "landmark_labels", "unknown_labels"]
    severity: Severity
    warn: float
    stop: float | None = None


def unknown_labels(
    counts: Counts, gate: Gate, smallest_group: int, titles: Mapping[str, str] = UNTITLED
) -> Iterator[Finding]:
    """How many labels of each task are unknown, for each reason, and whether that is too many.

    Labels that are unknown because of a rejected row are also compared between arms (each with
    all others), by Newcombe's interval of the difference.

    Args:
        counts: Counts of all splits, with exact numbers by arm.
        gate: Severities and limits.
        smallest_group: Fewest subjects that a number is shown for.
        titles: Titles of the tasks that have one, by name.

    Yields:
        A finding for each task and reason that occurs, and one for each task whose arms differ.
    """
    tasks = [
        _task_labels(name, called(name, titles), splits.values())
        for name, splits in counts.tasks.items()
    ]
    all_shown = [_Shown(task, smallest_group) for task in tasks]
    # Who left before the landmark is unknown for every task: a number by arm that one task
    # suppresses must not stand with another.
    hidden = set[Group]().union(*(shown.hidden_by_arm() for shown in all_shown))
    for task, shown in zip(tasks, all_shown, strict=True):
        shown.hide(hidden)
        for reason in MaskReason:
            if task.reasons.get(reason):
                yield _finding(task, reason, _limits(reason, gate), shown)
        yield from _between_arms(task, gate)


def _task_labels(name: str, title: str, parts: Collection[LabelCounts]) -> _TaskLabels:
    by_arm: dict[str, list[ArmLabelCounts]] = {}
    for part in parts:
        for arm, labels in part.arms.items():
            by_arm.setdefault(arm, []).append(labels)
    arms = {arm: _summed(arm, arm, labels, {}) for arm, labels in sorted(by_arm.items())}
    return _summed(name, title, parts, arms)


def _summed(
    name: str, title: str, parts: Collection[ArmLabelCounts], arms: Mapping[str, _TaskLabels]
) -> _TaskLabels:
    reasons: Counter[str] = Counter()
    for part in parts:
        reasons.update(part.masked)
    return _TaskLabels(name, title, reasons, sum(part.known for part in parts), arms)


def _limits(reason: MaskReason, gate: Gate) -> _Limits | None:
    if reason == MaskReason.REJECTED_ROW:
        return _Limits(
            "lost_labels", gate.lost_labels, gate.lost_labels_warn, gate.lost_labels_limit
        )
    if reason == MaskReason.ON_LANDMARK:
        return _Limits(
            "landmark_labels",
            gate.landmark_labels,
            gate.landmark_labels_warn,
            gate.landmark_labels_limit,
        )
    if reason in _DATA_REASONS:
        return _Limits("unknown_labels", gate.unknown_labels, gate.unknown_labels_limit)
    return None


def _severity(share: float, limits: _Limits) -> Severity | Literal["ok"]:
    if limits.stop is not None and share >= limits.stop:
        return limits.severity
    if share < limits.warn:
        return "ok"
    return "warn" if limits.stop is not None and limits.severity == "stop" else limits.severity


class _Shown:
    """What may be shown of a task's counts by reason and arm."""

    def __init__(self, task: _TaskLabels, smallest: int) -> None:
        self._smallest = smallest
        rows = {"known": task.known, **task.reasons}
        sizes: dict[Group, int] = {OVERALL: task.subjects}
        sizes |= {(("label", label),): n for label, n in rows.items()}
        # The page shows the number of known labels.
        elsewhere: list[Group] = [(("label", "known"),)]
        self._sizes = sizes
        self._hidden: dict[Group, SuppressionReason] = suppressed(
            sizes, [(), ("label",)], smallest, elsewhere
        )
        if task.arms:
            # Numbers of the whole task come first, those by arm as far as they allow.
            elsewhere = [group for group in sizes if group not in self._hidden]
            self._add_arms(task, elsewhere)

    def _add_arms(self, task: _TaskLabels, elsewhere: list[Group]) -> None:
        for arm, labels in task.arms.items():
            self._sizes[("arm", arm),] = labels.subjects
            self._sizes[("arm", arm), ("label", "known")] = labels.known
            for label in task.reasons:
                self._sizes[("arm", arm), ("label", label)] = labels.reasons.get(label, 0)
            if labels.subjects >= self._smallest:
                # The analysis shows how large the arms are.
                elsewhere.append((("arm", arm),))
        slicings: list[tuple[str, ...]] = [(), ("label",), ("arm",), ("arm", "label")]
        self._hidden = suppressed(self._sizes, slicings, self._smallest, elsewhere)

    def hidden_by_arm(self) -> set[Group]:
        """Arms with labels whose numbers are not shown."""
        return {group for group in self._hidden if len(group) > 1}

    def hide(self, groups: set[Group]) -> None:
        """Suppresses further groups."""
        for group in groups & self._sizes.keys():
            self._hidden.setdefault(group, "complementary")

    def share(self, label: tuple[str, str]) -> str:
        """How many of all subjects have a label, as far as it may be shown."""
        of_all = f"of {self.number()} subjects"
        if not self.is_shown(label):
            if self._hidden[(label,)] == "too_small":
                return f"{self.number(label)} {of_all}"
            return f"some {of_all} (number suppressed)"
        return f"{self.number(label)} {of_all} ({self._sizes[(label,)] / self._sizes[()]:.1%})"

    def number(self, *group: tuple[str, str]) -> str:
        """A count of subjects, or why it is not shown."""
        reason = self._hidden.get(group)
        if reason == "too_small":
            return f"fewer than {self._smallest}"
        return f"{self._sizes[group]:,}" if reason is None else "suppressed"

    def is_shown(self, *group: tuple[str, str]) -> bool:
        """Whether a group's number is shown."""
        return group not in self._hidden


def _finding(
    task: _TaskLabels, reason: MaskReason, limits: _Limits | None, shown: _Shown
) -> Finding:
    share = task.reasons[reason] / task.subjects
    label = ("label", str(reason))
    severity = _severity(share, limits) if limits else "ok"
    limit = _exceeded(share, limits) if limits else None
    return Finding(
        rule=limits.rule if limits else "unknown_labels",
        severity=severity,
        message=(
            f"task {task.called}: {shown.share(label)} have no known label: {reason}"
            f"{_by_arm(task, label, shown)}."
            + (f" {_demand(limits)}." if limits else "")
            + (_ADVICE.get(reason, "") if severity != "ok" else "")
        ),
        task=task.name,
        value=round(share, 3) if shown.is_shown(label) else None,
        limit=limit,
    )


def _by_arm(task: _TaskLabels, label: tuple[str, str], shown: _Shown) -> str:
    """A label's numbers of the arms that may be named: those that are not small."""
    named = [arm for arm in task.arms if shown.is_shown(("arm", arm))]
    if not named:
        return ""
    if not any(shown.is_shown(("arm", arm), label) for arm in named):
        return " (numbers by arm are suppressed)"
    numbers = (f"{arm}: {shown.number(('arm', arm), label)}" for arm in named)
    return f" ({', '.join(numbers)})"


def _demand(limits: _Limits) -> str:
    stop = "" if limits.stop is None else f", a stop from {limits.stop:.1%}"
    return f"It is a warning from {limits.warn:.1%} of the subjects on{stop}"


def _exceeded(share: float, limits: _Limits) -> float:
    return limits.stop if limits.stop is not None and share >= limits.stop else limits.warn


def _between_arms(task: _TaskLabels, gate: Gate) -> Iterator[Finding]:
    """Arms whose share of labels lost by rejected rows differs from the others'."""
    reason = MaskReason.REJECTED_ROW
    arms = list(task.arms.items())
    # Of two arms the difference is the same from either side.
    for arm, labels in arms[:1] if len(arms) == 2 else arms:
        others = [other for name, other in arms if name != arm]
        found = difference_of_shares(
            labels.reasons.get(reason, 0),
            labels.subjects,
            sum(other.reasons.get(reason, 0) for other in others),
            sum(other.subjects for other in others),
        )
        if found.value is None or found.lower is None or found.upper is None:
            continue
        limit = gate.lost_labels_difference
        if abs(found.value) < limit or found.lower <= 0 <= found.upper:
            continue
        yield Finding(
            rule="lost_labels",
            severity=gate.lost_labels,
            message=(
                f"task {task.called}: the share of subjects whose label is unknown because of a "
                f"rejected row differs between arms by {limit * 100:g} percentage points or more, "
                f"and by more than chance.{_ADVICE[reason]}"
            ),
            task=task.name,
            limit=limit,
        )
        return
