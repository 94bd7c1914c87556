"""What `analysis.json` tells."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from components.trial_analysis.proportions import Observed
from components.trial_analysis.subgroups import _coarse, _subgroup
from pipeline.results.analysis import Analysis, Subgroup, Subgroups, TaskAnalysis
from pipeline.results.baseline import Characteristic
from pipeline.results.resolution import COUNT_BASE
from tests.attacker.statements import (
    KNOWN_LABELS,
    MISSING,
    POSITIVE,
    UNKNOWN,
    Box,
    Form,
    Statement,
    count,
    label_of,
    share,
)

PRESENT = "known"
"""Value of the attribute of a number that a subject has."""

_ROUNDING = COUNT_BASE // 2
"""How far a rounded number of subjects may lie from the true one."""


def of_analysis(document: Analysis, domains: Mapping[str, Sequence[str]]) -> Iterator[Statement]:
    """Statements of an analysis.

    Args:
        domains: Values of each characteristic.
        document: What people read; of a design in which the arm is one factor.
    """
    if document.subjects is not None:
        yield count(Box(), document.subjects, "subjects")
    for factor in document.factors:
        for level in factor.levels:
            if level.subjects is not None:
                box = Box.of({factor.name: level.name})
                yield count(box, level.subjects, f"factors: {level.name}")
    for characteristic in document.characteristics:
        yield from _of_characteristic(characteristic)
    for task in document.tasks:
        yield from _of_task(task)
    for block in document.subgroups:
        unknown = unknown_of(document, block.task)
        yield from _of_subgroups(block, unknown, known_share_of(document, block.task))
    for pair in document.screening.pairs:
        if pair.subjects is not None:
            present = frozenset(domains[pair.characteristic]) - {MISSING}
            known = Box.of({label_of(pair.task): KNOWN_LABELS})
            box = known.and_(pair.characteristic, present)
            yield count(box, pair.subjects, f"screening: {pair.characteristic}, {pair.task}")


def unknown_of(document: Analysis, task: str) -> int:
    """Most labels of a task that an arm may lack: what the flow chart tells, or all."""
    rates = next(found.rates for found in document.tasks if found.task == task)
    found = [rate.unknown for rate in rates if rate.unknown is not None]
    return max(found) if len(found) == len(rates) else int(document.subjects or 0)


def known_share_of(document: Analysis, task: str) -> float:
    """Share of all subjects whose label is known, by the flow chart of the first factor."""
    rates = next(found.rates for found in document.tasks if found.task == task)
    own = [rate for rate in rates if rate.factor == document.factors[0].name]
    unknown = sum(rate.unknown or 0 for rate in own)
    return 1 - unknown / document.subjects if document.subjects else 1.0


def _of_characteristic(found: Characteristic) -> Iterator[Statement]:
    source = f"characteristics: {found.name}"
    for number in found.numbers:
        level = Box.of({found.factor: number.level})
        for value, subjects in ((PRESENT, number.subjects), (MISSING, number.missing)):
            if subjects is not None:
                yield count(level.and_(found.name, value), subjects, source)
    for cell in found.counts:
        level = Box.of({found.factor: cell.level})
        box = level.and_(found.name, cell.value)
        if cell.subjects is not None:
            yield count(box, cell.subjects, source)
        if cell.share is not None:
            yield from share(box, level, cell.share, source)


def _of_task(task: TaskAnalysis) -> Iterator[Statement]:
    label = label_of(task.task)
    for rate in task.rates:
        level = Box.of({rate.factor: rate.level})
        known, source = level.and_(label, KNOWN_LABELS), f"rates: {task.task}"
        for values, number in (
            (KNOWN_LABELS, rate.subjects),
            (frozenset({POSITIVE}), rate.events),
            (frozenset({UNKNOWN}), rate.unknown),
        ):
            if number is not None:
                yield count(level.and_(label, values), number, source)
        if rate.rate.value is not None:
            yield from share(level.and_(label, POSITIVE), known, rate.rate.value, source)


def _of_subgroups(block: Subgroups, largest: int, known_share: float) -> Iterator[Statement]:
    """Statements of subgroups.

    Args:
        block: A comparison by the groups of a slicing.
        largest: Most labels that may be unknown. If none can, counts are exact; else a group is
            counted with all its subjects, and events are rounded.
        known_share: Share of all subjects whose label is known.
    """
    label, compared = label_of(block.task), block.comparison
    for group in block.groups:
        source = f"subgroups: {block.slicing} {group.value}"
        levels = compared.level, compared.control
        boxes = [Box.of({compared.factor: level, block.slicing: group.value}) for level in levels]
        sizes, events = (
            (group.subjects, group.control_subjects),
            (group.events, group.control_events),
        )
        for box, size, number in zip(boxes, sizes, events, strict=True):
            known, positive = box.and_(label, KNOWN_LABELS), box.and_(label, POSITIVE)
            if not largest:
                yield count(known, size, source)
                yield count(positive, number, source)
            else:
                yield count(box, size, source)
                yield Statement(
                    Form.size(positive), number - _ROUNDING, min(number + _ROUNDING, size), source
                )
        if largest:
            yield from _of_effects(block, group, boxes, largest, known_share)


def _of_effects(
    block: Subgroups, group: Subgroup, boxes: Sequence[Box], largest: int, known_share: float
) -> Iterator[Statement]:
    """What the digits of an effect tell: numbers for which it would be shown as it is.

    The attacker has the code, and computes what would be shown of each possible pair of groups.
    """
    sizes, events = (
        (group.subjects, group.control_subjects),
        (group.events, group.control_events),
    )
    possible = []
    sides = [
        [
            Observed(known, happened)
            for known in range(max(size - largest, 1), size + 1)
            for happened in range(max(number - _ROUNDING, 0), min(number + _ROUNDING, known) + 1)
        ]
        for size, number in zip(sizes, events, strict=True)
    ]
    for one, other in itertools.product(*sides):
        if shown_subgroup(group.value, one, other, sizes, known_share) == group:
            possible.append((one, other))
    assert possible, f"{group}: nothing would be shown like this"
    label, source = label_of(block.task), f"effect: {block.slicing} {group.value}"
    for place, box in enumerate(boxes):
        known = [pair[place].subjects for pair in possible]
        yield Statement(Form.size(box.and_(label, KNOWN_LABELS)), min(known), max(known), source)
        happened = [pair[place].events for pair in possible]
        yield Statement(Form.size(box.and_(label, POSITIVE)), min(happened), max(happened), source)


def shown_subgroup(
    value: str, group: Observed, control: Observed, sizes: tuple[int, int], known_share: float
) -> Subgroup:
    """What would be shown of a group and its control in which labels are unknown."""
    return _coarse(_subgroup(value, group, control), sizes[0], sizes[1], known_share)
