"""The gate's rule on values that the study file names: arms, sites, parameters and codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from components.data_gate.settings import DataGateSettings
from pipeline.results.absent_levels import absence_text
from pipeline.results.counts import AbsentLevels, Counts
from pipeline.results.findings import Finding
from pipeline.study.features import feature_name
from pipeline.study.sections import Gate, Severity

_MOST_SHOWN = 10


def levels(counts: Counts, settings: DataGateSettings) -> Iterator[Finding]:
    """Values that the study file names and that no row of the data has.

    Where what the study file asks for can't be had without the value (the control, a parameter
    of `each`, a held-out site, the only values of a condition), the finding has the study's
    severity; a value among others, or one that rows must not have, is at most a warning.

    Args:
        counts: Counts of TrialExampleGen.
        settings: The severity, the control and the columns of the arm.
    """
    gate, control = settings.gate, settings.control
    arms = _arms(counts)
    if control is not None and arms and not arms.get(control):
        named = [arm for arm, size in arms.items() if size >= settings.smallest_group][:_MOST_SHOWN]
        shown = f": {', '.join(named)}" if named else ""
        more = ", and others" if named and len(named) < len(arms) else ""
        yield Finding(
            rule="levels",
            severity=gate.levels,
            message=(
                f"arm.control: no subject is in arm {control} (dataset {settings.subject_dataset}, "
                f"column {'/'.join(settings.arm_columns)}); {_arms_found(arms)}"
                f"{shown}{more}. Name one of the arms as it stands in the data."
            ),
            value=len(arms),
        )
    for absent in counts.absent_levels:
        yield _finding(absent, gate)


def features_without_rows(counts: Counts) -> set[str]:
    """Features that `each` makes of parameters which no row has."""
    places = ((absent.key.split("."), absent.levels) for absent in counts.absent_levels)
    return {
        feature_name(key[1], level)
        for key, names in places
        if key[0] == "features" and key[2] == "each"
        for level in names
    }


def _arms(counts: Counts) -> Counter[str]:
    """Subjects by arm; the labels of any task are those of all subjects."""
    arms: Counter[str] = Counter()
    for labels in next(iter(counts.tasks.values()), {}).values():
        for arm, part in labels.arms.items():
            arms[arm] += part.known + sum(part.masked.values())
    return arms


def _arms_found(arms: Counter[str]) -> str:
    return f"{len(arms)} arm was found" if len(arms) == 1 else f"{len(arms)} arms were found"


def _finding(absent: AbsentLevels, gate: Gate) -> Finding:
    severity: Severity = gate.levels
    if severity == "stop" and not absent.needed:
        severity = "warn"
    return Finding(
        rule="levels",
        severity=severity,
        message=absence_text(absent),
        dataset=absent.dataset,
        value=absent.found,
    )
