"""The gate's rule on follow-up that ended before the horizon: pure functions of exact counts.

Known labels are weighted for the subjects who are missing among them; see
`pipeline.study.sections.Censoring`. The finding has the risk by the horizon,
beside the share of known labels that are positive, and the effective sample size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.estimates import Estimate, fixed, interval_text
from pipeline.results.censoring import CensoredArm, CensoredTask
from pipeline.results.counts import Counts
from pipeline.results.findings import Finding
from pipeline.study.features import UNTITLED
from pipeline.study.sections import Gate
from pipeline.titles import called


def censoring(
    counts: Counts, gate: Gate, smallest_group: int, titles: Mapping[str, str] = UNTITLED
) -> Iterator[Finding]:
    """What the weights do, and whether too few subjects stand for too many others.

    Args:
        counts: Counts of all splits.
        gate: Severity and limit.
        smallest_group: Fewest subjects that a number is shown for.
        titles: Titles of the tasks that have one, by name.

    Yields:
        A finding for each task of which some subjects were not followed to the horizon.
    """
    for name, task in counts.censoring.items():
        if not task.is_complete:
            yield _finding(name, task, gate, smallest_group, titles)


def _finding(
    name: str, task: CensoredTask, gate: Gate, smallest_group: int, titles: Mapping[str, str]
) -> Finding:
    shares = [_effective_share(arm) for arm in task.arms.values()]
    truncated = sum(arm.truncated or 0 for arm in task.arms.values())
    is_found = min(shares) < gate.effective_limit or truncated > 0
    public = task.published(smallest_group)
    arms = [_of_arm(group, found) for group, found in public.by_group.items()]
    if public.suppressed:
        few = "few subjects are concerned"
        arms.append(f"{', '.join(filter(None, public.suppressed))}: {few}".removeprefix(": "))
    estimate = "Aalen-Johansen" if task.has_competing else "Kaplan-Meier"
    return Finding(
        rule="censoring",
        severity=gate.censoring if is_found else "ok",
        message=(
            f"task {called(name, titles)}: known labels are weighted for the follow-up that ended "
            f"before study day {task.horizon}; risk by then ({estimate}): {'; '.join(arms)}."
            f"{_groups(task)}{_advice(truncated > 0) if is_found else ''}"
        ),
        task=name,
        value=round(min(shares), 2) if not public.suppressed else None,
        limit=gate.effective_limit,
    )


def _of_arm(arm: str, found: CensoredArm) -> str:
    naive = "" if found.naive is None else f", {fixed(found.naive)} of the known labels"
    return (
        f"{f'{arm}: ' if arm else ''}{_text(found.risk)}{naive}, effective sample size "
        f"{found.effective:,.0f}, largest weight {found.largest_weight:.1f}"
    )


def _text(risk: Estimate) -> str:
    if risk.value is None:
        return "not known"
    return f"{fixed(risk.value)}{interval_text(risk)}"


def _effective_share(arm: CensoredArm) -> float:
    """Effective sample size as a share of the known labels."""
    known = (arm.events or 0) + (arm.competing or 0) + (arm.complete or 0)
    return arm.effective / known if known else 1.0


def _groups(task: CensoredTask) -> str:
    """Says where the probability of being observed is not that of the stratum itself."""
    pooled = [arm for arm, found in task.arms.items() if found.is_pooled]
    small = [arm for arm, found in task.arms.items() if found.small_strata]
    said = ""
    if pooled:
        said += f" Weighted as all arms together, since too small: {', '.join(pooled)}."
    if small:
        named = f" of {', '.join(filter(None, small))}" if any(small) else ""
        said += f" Small slices of {', '.join(task.by)}{named} are weighted together."
    return said


def _advice(is_truncated: bool) -> str:
    cut = "Some weights were cut to the largest. " if is_truncated else ""
    return (
        f" {cut}Few subjects stand for many others, so intervals are wide: choose an earlier "
        "horizon, or look for follow-up that the data lack."
    )
