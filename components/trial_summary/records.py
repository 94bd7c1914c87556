"""Makes the records of the summary from sums; `disclosure` decides which may be shown."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from components.trial_summary.disclosure import (
    MOST_CELLS,
    at_least,
    margin,
    periods,
    share_present,
    shown_groups,
)
from components.trial_summary.event_disclosure import shown_events
from components.trial_summary.sums import ANY, UNKNOWN, Moments, Progress, Sums
from components.trial_summary.uses import enrolment_column
from pipeline.estimates import student_interval, wilson_interval
from pipeline.results.analysis import Absent
from pipeline.results.documents import OVERALL, Group
from pipeline.results.trial_progress import (
    ADVERSE_EVENTS,
    COMPLETED,
    COMPLETENESS,
    DISPOSITION,
    ENDPOINT,
    ENROLMENT,
    EXPOSURE,
    MEAN,
    RISK_DIFFERENCE,
    SHARE,
    SUBJECTS,
    ProgressRecord,
    TrialSummaryDocument,
)
from pipeline.study.study import Study


def summarise(study: Study, progress: Progress) -> TrialSummaryDocument:
    """Makes the summary.

    Args:
        study: The study.
        progress: Sums of all subjects.
    """
    smallest = study.slicing.smallest_group
    enrolled, treated = progress.enrolled, progress.treated or progress.enrolled
    both_shown = _may_show_both(enrolled, treated, smallest)
    if not both_shown:
        enrolled = treated
    groups = _enrolled_groups(enrolled, smallest)
    arms = _arms(study, groups)
    treated_arms = {arm: n for arm in arms if (n := treated.arms[arm]) >= smallest}
    arms_of_events = _arms_of_events(treated, treated_arms, smallest)
    records = (
        *_enrolment(groups, arms),
        *_disposition(enrolled, arms, smallest),
        *_exposure(study, treated, treated_arms, smallest),
        *_adverse_events(
            study, treated, _arms_of_events(treated, treated_arms, smallest), smallest
        ),
        *_endpoints(study, progress, enrolled, arms, smallest),
        *_completeness(enrolled, groups, smallest),
    )
    absent = [*_absent(study, records, smallest), *_absent_events(treated_arms, arms_of_events)]
    if not both_shown:
        reason = (
            f"fewer than {smallest} subjects were enrolled but not treated; they are excluded "
            "everywhere"
        )
        absent.append(Absent(section=ENROLMENT, reason=reason))
    return TrialSummaryDocument(smallest_group=smallest, records=records, absent=tuple(absent))


def _may_show_both(enrolled: Sums, treated: Sums, smallest: int) -> bool:
    """Whether numbers of both may be shown side by side: those not treated follow from them."""
    not_treated = [enrolled.subjects - treated.subjects]
    not_treated += [number - treated.arms[arm] for arm, number in enrolled.arms.items()]
    return not any(0 < number < smallest for number in not_treated)


def _absent(study: Study, records: tuple[ProgressRecord, ...], smallest: int) -> Iterator[Absent]:
    summary = study.summary
    if enrolment_column(study) is None:
        yield Absent(
            section=ENROLMENT, reason="no date (summary.enrolment): nothing is shown by month"
        )
    if study.site is None:
        yield Absent(
            section=ENROLMENT, reason="the study file names no site: nothing is shown by site"
        )
    described = {
        ENROLMENT: True,
        DISPOSITION: summary.disposition is not None,
        EXPOSURE: bool(summary.exposure),
        ADVERSE_EVENTS: summary.adverse_events is not None,
        ENDPOINT: bool(summary.endpoints),
        COMPLETENESS: True,
    }
    there = {record.section for record in records}
    by_arm = (EXPOSURE, ADVERSE_EVENTS, ENDPOINT)
    for section, is_described in described.items():
        if section in there:
            continue
        if not is_described:
            yield Absent(section=section, reason="the study file's `summary` does not describe it")
        elif study.arm is None and section in by_arm:
            yield Absent(
                section=section, reason="it is shown by arm, and the study file names none"
            )
        else:
            yield Absent(
                section=section,
                reason=f"no group has {smallest} subjects or more that may be shown",
            )


def _enrolled_groups(sums: Sums, smallest: int) -> dict[Group, int]:
    """All subjects, arms, sites, periods, and sites within periods, if they may be shown."""
    months = {month: n for month, n in margin(sums.enrolled, 1).items() if month != UNKNOWN}
    period = periods(months, smallest)
    sizes: dict[Group, int] = {OVERALL: sums.subjects}
    sizes |= {(("arm", arm),): number for arm, number in sums.arms.items()}
    sizes |= {(("site", site),): number for site, number in margin(sums.enrolled, 0).items()}
    cells: dict[Group, int] = {}
    for (site, month), number in sums.enrolled.items():
        name = ("period", period.get(month, UNKNOWN))
        sizes[(name,)] = sizes.get((name,), 0) + number
        cell: Group = (("site", site), name)
        cells[cell] = cells.get(cell, 0) + number
    if len(cells) <= MOST_CELLS:
        sizes |= cells
    shown = shown_groups(sizes, smallest)
    # A suppressed site is not shown by period either.
    return {group: n for group, n in shown.items() if all((part,) in shown for part in group)}


def _arms(study: Study, groups: Mapping[Group, int]) -> dict[str, int]:
    """Arms that may be shown with their subjects, the control first."""
    found = {group[0][1]: n for group, n in groups.items() if _by(group) == ("arm",)}
    control = study.arm.control if study.arm else None
    return {arm: found[arm] for arm in sorted(found, key=lambda arm: (arm != control, arm))}


def _by(group: Group) -> tuple[str, ...]:
    return tuple(name for name, _ in group)


def _enrolment(groups: Mapping[Group, int], arms: Mapping[str, int]) -> Iterator[ProgressRecord]:
    for arm, number in arms.items():
        yield ProgressRecord(
            section=ENROLMENT,
            measure=SUBJECTS,
            value=number,
            subjects=number,
            arm=arm,
        )
    for group, number in sorted(groups.items()):
        if _by(group) != ("arm",):
            of: dict[str, Any] = dict(group)
            yield ProgressRecord(
                section=ENROLMENT,
                measure=SUBJECTS,
                value=number,
                subjects=number,
                **of,
            )


def _disposition(sums: Sums, arms: Mapping[str, int], smallest: int) -> Iterator[ProgressRecord]:
    # Arms first: which reasons of all arms together are safe depends on the suppressed ones.
    groups: dict[Group, int] = {OVERALL: sums.subjects}
    cells: dict[Group, int] = {OVERALL: sums.subjects}
    cells |= {(("arm", arm),): number for arm, number in arms.items()}
    for arm, number in arms.items():
        reasons = {reason: n for (of, reason), n in sums.dispositions.items() if of == arm}
        of_arm: dict[Group, int] = {(("category", reason),): n for reason, n in reasons.items()}
        shown = shown_groups({OVERALL: number, **of_arm}, smallest, _kept(reasons, smallest))
        groups |= {(("arm", arm), *group): n for group, n in shown.items()}
        cells |= {(("arm", arm), *group): n for group, n in of_arm.items()}
    for reason, number in margin(sums.dispositions, 1).items():
        cells[(("category", reason),)] = number
    for group, number in sorted(shown_groups(cells, smallest, groups).items()):
        of: dict[str, Any] = dict(group)
        if "category" not in of or ("arm" in of and group not in groups):
            continue
        whole = arms[of["arm"]] if "arm" in of else sums.subjects
        yield ProgressRecord(
            section=DISPOSITION,
            measure=SUBJECTS,
            value=number,
            subjects=whole,
            **of,
        )
        yield _share(DISPOSITION, number, whole, **of)


def _kept(reasons: Mapping[str, int], smallest: int) -> tuple[Group, ...]:
    """Completion, if it is safe: another reason is suppressed in preference to it."""
    completed = reasons.get(COMPLETED, 0)
    safe = min(completed, sum(reasons.values()) - completed) >= smallest
    return ((("category", COMPLETED),),) if safe else ()


def _share(section: str, number: int, whole: int, **of: str | None) -> ProgressRecord:
    """Share with Wilson's interval."""
    lower, upper = wilson_interval(number, whole)
    return ProgressRecord(
        section=section,
        measure=SHARE,
        value=number / whole,
        subjects=whole,
        lower=lower,
        upper=upper,
        **of,
    )


def _exposure(
    study: Study, sums: Sums, arms: Mapping[str, int], smallest: int
) -> Iterator[ProgressRecord]:
    for what in study.summary.exposure:
        for arm, whole in arms.items():
            moments = sums.exposure.get((arm, what), Moments())
            if moments.number >= smallest:
                subjects = at_least(moments.number, whole, smallest)
                yield _mean(EXPOSURE, moments, subjects, arm=arm, parameter=what)


def _mean(section: str, moments: Moments, subjects: int, **of: str | None) -> ProgressRecord:
    """Mean with Student's interval."""
    free = moments.number - 1
    error = math.sqrt(moments.squares / free / moments.number)
    lower, upper = student_interval(moments.mean, error, free)
    return ProgressRecord(
        section=section,
        measure=MEAN,
        value=_digits(moments.mean),
        subjects=subjects,
        lower=_digits(lower),
        upper=_digits(upper),
        **of,
    )


def _digits(value: float) -> float:
    """Six significant digits: further ones depend on the order of summation by the workers."""
    return float(f"{value:.6g}")


def _arms_of_events(sums: Sums, arms: Mapping[str, int], smallest: int) -> dict[str, int]:
    """Arms with the subjects of whom it is known whether they had an adverse event.

    An arm of which that is unknown of few is not shown: they would follow from the arm's number.
    """
    known = {arm: number - sums.events_unknown[arm] for arm, number in arms.items()}
    return {
        arm: known[arm]
        for arm, number in arms.items()
        if known[arm] >= smallest and not 0 < number - known[arm] < smallest
    }


def _absent_events(arms: Iterable[str], shown: Collection[str]) -> Iterator[Absent]:
    for arm in arms:
        if arm not in shown:
            yield Absent(
                section=ADVERSE_EVENTS,
                reason=f"arm {arm}: rows of adverse events were rejected, so that of some subjects "
                "it is unknown whether they had one; fix these rows",
            )


def _adverse_events(
    study: Study, sums: Sums, arms: Mapping[str, int], smallest: int
) -> Iterator[ProgressRecord]:
    described = study.summary.adverse_events
    if described is None or study.arm is None:
        return
    found: dict[str, dict[str, dict[str, int]]] = {arm: {} for arm in arms}
    for (arm, category, severity), number in sums.events.items():
        if arm in found:
            found[arm].setdefault(category, {})[severity] = number
    events = {
        arm: shown_events(number, described.severities, found[arm], smallest)
        for arm, number in arms.items()
    }
    worsts: tuple[str | None, ...] = (None, *described.severities)
    for category in dict.fromkeys([ANY, *sorted(c for of_arm in found.values() for c in of_arm)]):
        for worst in worsts:
            shown = {
                arm: of_arm[category].shown[worst] if category in of_arm else 0
                for arm, of_arm in events.items()
                if category not in of_arm or worst in of_arm[category].shown
            }
            # Zeros alone would only disclose that the class occurred where it is suppressed.
            if category == ANY or any(shown.values()):
                yield from _rates(
                    study.arm.control, arms, shown, category=category or None, severity=worst
                )


def _rates(
    control: str, arms: Mapping[str, int], shown: Mapping[str, int], **of: str | None
) -> Iterator[ProgressRecord]:
    """Shares of subjects with an event, and their differences to the control.

    The interval of a difference is Newcombe's hybrid score interval (Stat Med 1998;17:873-90,
    method 10).
    """
    from statsmodels.stats.proportion import confint_proportions_2indep

    for arm, number in shown.items():
        yield _share(ADVERSE_EVENTS, number, arms[arm], arm=arm, **of)
    if control not in shown:
        return
    events, subjects = shown[control], arms[control]
    for arm, number in shown.items():
        if arm == control:
            continue
        lower, upper = confint_proportions_2indep(
            number, arms[arm], events, subjects, compare="diff", method="newcomb"
        )
        yield ProgressRecord(
            section=ADVERSE_EVENTS,
            measure=RISK_DIFFERENCE,
            value=number / arms[arm] - events / subjects,
            subjects=arms[arm] + subjects,
            arm=arm,
            lower=float(lower),
            upper=float(upper),
            **of,
        )


def _endpoints(
    study: Study, progress: Progress, sums: Sums, arms: Mapping[str, int], smallest: int
) -> Iterator[ProgressRecord]:
    for name, visits in study.summary.endpoints.items():
        order = progress.visit_order
        found = {visit for _, endpoint, visit in sums.visits if endpoint == name}
        for visit in sorted(found, key=lambda v: (order.get((name, v), math.inf), v)):
            for arm, whole in arms.items():
                moments = sums.visits.get((arm, name, visit), Moments())
                if moments.number >= smallest:
                    subjects = at_least(moments.number, whole, smallest)
                    of = {"arm": arm, "visit": visit, "parameter": visits.title}
                    yield _mean(ENDPOINT, moments, subjects, **of)


def _completeness(
    sums: Sums, groups: Mapping[Group, int], smallest: int
) -> Iterator[ProgressRecord]:
    """Shares of values that are present: overall, by site, and by dataset."""
    for group, subjects in sorted(groups.items()):
        if _by(group) in ((), ("site",)):
            of: dict[str, Any] = dict(group)
            of_site = [key for key in sums.expected if of.get("site", key[1]) == key[1]]
            yield from _present(sums, of_site, subjects, smallest, **of)
    for dataset, number in sums.with_rows.items():
        if OVERALL in groups and number >= smallest:
            of_dataset = [key for key in sums.expected if key[0] == dataset]
            subjects = at_least(number, sums.subjects, smallest)
            yield from _present(sums, of_dataset, subjects, smallest, category=dataset)


def _present(
    sums: Sums, keys: list[tuple[str, str]], subjects: int, smallest: int, **of: str
) -> Iterator[ProgressRecord]:
    expected = sum(sums.expected[key] for key in keys)
    if expected:
        present = sum(sums.present[key] for key in keys)
        share = share_present(present, expected, smallest)
        yield ProgressRecord(
            section=COMPLETENESS,
            measure=SHARE,
            value=share,
            subjects=subjects,
            **dict[str, Any](of),
        )
