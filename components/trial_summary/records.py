"""From sums to what is shown: no small group, and none to be had by subtraction.

Subjects with an adverse event are a group of their own: where they, or those without, are fewer
than the smallest group but some, the rate is withheld. The worst severities of an arm add up to
it, so further ones are withheld until the small ones don't follow; see `pipeline.suppress`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from components.trial_summary.sums import Key, Moments, Sums
from pipeline.results import Group
from pipeline.study import Study
from pipeline.suppress import suppressed
from pipeline.trial_progress import (
    ADVERSE_EVENTS,
    COMPLETENESS,
    DISPOSITION,
    ENDPOINT,
    ENROLMENT,
    EXPOSURE,
    MEAN,
    RISK_DIFFERENCE,
    SHARE,
    SUBJECTS,
)

Record = dict[str, Any]

_COLUMNS = ("section", "arm", "site", "period", "category", "severity", "visit", "parameter")
_MOST_CELLS = 600
"""Sites by months beyond which only sites and months are shown: deciding what to withhold takes
time that grows with the square of the cells."""


@dataclass(frozen=True)
class Summary:
    """`summary.json`.

    Attributes:
        smallest_group: Fewest subjects that a group is shown for.
        records: The numbers; see `pipeline.trial_progress`.
        absent: What is not there, by section, and why.
    """

    smallest_group: int
    records: tuple[Record, ...]
    absent: dict[str, str]


def summarise(study: Study, sums: Sums) -> Summary:
    """Makes the summary.

    Args:
        study: The study.
        sums: Those of all subjects.
    """
    smallest = study.slices.smallest_group
    arms = _shown_arms(study, sums, smallest)
    records = [
        *_enrolment(sums, smallest),
        *_disposition(study, sums, smallest),
        *_exposure(study, sums, arms, smallest),
        *_adverse_events(study, sums, arms, smallest),
        *_endpoints(study, sums, arms, smallest),
        *_completeness(sums, smallest),
    ]
    return Summary(smallest, tuple(records), _absent(study, records, smallest))


def _absent(study: Study, records: list[Record], smallest: int) -> dict[str, str]:
    summary = study.summary
    described = {
        ENROLMENT: True,
        DISPOSITION: summary.disposition is not None,
        EXPOSURE: bool(summary.exposure),
        ADVERSE_EVENTS: summary.adverse_events is not None,
        ENDPOINT: bool(summary.endpoints),
        COMPLETENESS: True,
    }
    there = {record["section"] for record in records}
    return {
        section: (
            f"all its groups have fewer than {smallest} subjects, or would give one away"
            if is_described
            else f"the study file says nothing of it (summary.{section})"
        )
        for section, is_described in described.items()
        if section not in there
    }


def _record(section: str, measure: str, value: float, subjects: int, **of: str) -> Record:
    columns = {name: of.get(name) for name in _COLUMNS} | {"section": section}
    return columns | {
        "measure": measure,
        "value": float(value),
        "lower": None,
        "upper": None,
        "subjects": int(subjects),
    }


def _with_interval(record: Record, lower: float, upper: float) -> Record:
    if math.isfinite(lower) and math.isfinite(upper):
        record |= {"lower": float(lower), "upper": float(upper)}
    return record


def _sizes(sums: Sums, kinds: Mapping[str, tuple[str, ...]]) -> dict[Group, int]:
    """Sizes of groups by the names of what they are divided by."""
    sizes: dict[Group, int] = {(): sums.counts["subjects",]}
    for key, number in sums.counts.items():
        if key[0] in kinds:
            sizes[tuple(zip(kinds[key[0]], key[1:], strict=True))] = number
    return sizes


def _shown(sizes: Mapping[Group, int], smallest: int) -> dict[Group, int]:
    slicings = list(dict.fromkeys(tuple(name for name, _ in group) for group in sizes))
    withheld = suppressed(sizes, slicings, smallest)
    return {group: number for group, number in sizes.items() if group not in withheld}


def _shown_arms(study: Study, sums: Sums, smallest: int) -> dict[str, int]:
    """Arms that may be shown with their subjects, the control first."""
    sizes = _sizes(sums, {"arm": ("arm",)})
    found = {group[0][1]: n for group, n in _shown(sizes, smallest).items() if group}
    control = study.arm.control if study.arm else None
    names = sorted((arm for arm in found if arm), key=lambda arm: (arm != control, arm))
    return {arm: found[arm] for arm in names}


def _enrolment(sums: Sums, smallest: int) -> Iterator[Record]:
    kinds: dict[str, tuple[str, ...]] = {"site": ("site",), "month": ("period",)}
    if sum(key[0] == "site_month" for key in sums.counts) <= _MOST_CELLS:
        kinds["site_month"] = ("site", "period")
    for group, number in sorted(_shown(_sizes(sums, kinds), smallest).items()):
        of = dict(group)
        if all(of.values()):
            yield _record(ENROLMENT, SUBJECTS, number, number, **of)


def _disposition(study: Study, sums: Sums, smallest: int) -> Iterator[Record]:
    if not study.summary.disposition:
        return
    sizes = _sizes(sums, {"arm": ("arm",), "disposition": ("arm", "category")})
    for (_, _, category), number in _of(sums, "disposition").items():
        reason: Group = (("category", category),)
        sizes[reason] = sizes.get(reason, 0) + number
    shown = _shown(sizes, smallest)
    for group, number in sorted(shown.items()):
        of = dict(group)
        whole = shown.get((("arm", of["arm"]),)) if "arm" in of else shown.get(())
        if "category" not in of or not all(of.values()) or whole is None:
            continue
        yield _record(DISPOSITION, SUBJECTS, number, whole, **of)
        share = _record(DISPOSITION, SHARE, number / whole, whole, **of)
        yield _with_interval(share, *proportion_confint(number, whole, method="wilson"))


def _exposure(study: Study, sums: Sums, arms: Mapping[str, int], smallest: int) -> Iterator[Record]:
    for what in study.summary.exposure:
        for arm in arms:
            moments = sums.moments.get(("exposure", arm, what))
            if moments and moments.number >= smallest:
                record = _record(EXPOSURE, MEAN, 0.0, moments.number, arm=arm, parameter=what)
                yield _with_mean(record, moments)


def _with_mean(record: Record, moments: Moments) -> Record:
    """Mean with Student's interval."""
    n = moments.number
    mean = moments.total / n
    variance = max((moments.squares - n * mean * mean) / (n - 1), 0.0) if n > 1 else math.nan
    reach = stats.t.ppf(0.975, n - 1) * math.sqrt(variance / n) if n > 1 else math.nan
    return _with_interval(record | {"value": mean}, mean - reach, mean + reach)


def _adverse_events(
    study: Study, sums: Sums, arms: Mapping[str, int], smallest: int
) -> Iterator[Record]:
    events = study.summary.adverse_events
    if not events or study.arm is None:
        return
    any_event = {arm: sums.counts["event", arm] for arm in arms}
    yield from _rates(study.arm.control, arms, any_event, smallest, {})
    categories = sorted({key[2] for key in _of(sums, "event_category")})
    for category in categories:
        found = {arm: sums.counts["event_category", arm, category] for arm in arms}
        yield from _rates(study.arm.control, arms, found, smallest, {"category": category})
    by_arm = {arm: _severities(sums, arm, subjects, smallest) for arm, subjects in arms.items()}
    for severity in events.severities:
        found = {arm: of_arm[severity] for arm, of_arm in by_arm.items() if severity in of_arm}
        yield from _rates(study.arm.control, arms, found, smallest, {"severity": severity})


def _severities(sums: Sums, arm: str, subjects: int, smallest: int) -> dict[str, int]:
    """Subjects of an arm by their worst event, as far as they may be shown."""
    found = {key[2]: n for key, n in _of(sums, "event_severity").items() if key[1] == arm}
    sizes: dict[Group, int] = {(): subjects}
    sizes |= {(("severity", name),): number for name, number in found.items()}
    sizes[(("severity", ""),)] = subjects - sum(found.values())
    shown = _shown({group: n for group, n in sizes.items() if n}, smallest)
    return {name: number for name, number in found.items() if (("severity", name),) in shown}


def _rates(
    control: str,
    arms: Mapping[str, int],
    found: Mapping[str, int],
    smallest: int,
    of: Mapping[str, str],
) -> Iterator[Record]:
    """Shares of subjects with an event, and differences to the control."""
    shown = {
        arm: number
        for arm, number in found.items()
        if not 0 < number < smallest and not 0 < arms[arm] - number < smallest
    }
    for arm, number in shown.items():
        record = _record(ADVERSE_EVENTS, SHARE, number / arms[arm], arms[arm], arm=arm, **of)
        yield _with_interval(record, *proportion_confint(number, arms[arm], method="wilson"))
    if control not in shown:
        return
    for arm, number in shown.items():
        if arm == control:
            continue
        # Newcombe's hybrid score interval (Stat Med 1998;17:873-90).
        lower, upper = confint_proportions_2indep(
            number, arms[arm], shown[control], arms[control], compare="diff", method="newcomb"
        )
        difference = number / arms[arm] - shown[control] / arms[control]
        subjects = arms[arm] + arms[control]
        record = _record(ADVERSE_EVENTS, RISK_DIFFERENCE, difference, subjects, arm=arm, **of)
        yield _with_interval(record, lower, upper)


def _endpoints(
    study: Study, sums: Sums, arms: Mapping[str, int], smallest: int
) -> Iterator[Record]:
    for name, visits in study.summary.endpoints.items():
        found = {key[3] for key in sums.moments if key[:2] == ("endpoint", name)}
        ordered = sorted(found, key=lambda v: (sums.orders.get(("endpoint", name, v), math.inf), v))
        for visit in ordered:
            for arm in arms:
                moments = sums.moments.get(("endpoint", name, arm, visit))
                if moments and moments.number >= smallest:
                    of = {"arm": arm, "visit": visit, "parameter": visits.title}
                    yield _with_mean(_record(ENDPOINT, MEAN, 0.0, moments.number, **of), moments)


def _completeness(sums: Sums, smallest: int) -> Iterator[Record]:
    values: dict[str, list[int]] = {}
    sites = {
        group[0][1]: number
        for group, number in _shown(_sizes(sums, {"site": ("site",)}), smallest).items()
        if group
    }
    total = [0, 0]
    for key, expected in _of(sums, "values").items():
        present = sums.counts["present", key[1], key[2]]
        values[key[1]] = [present, expected]
        total = [total[0] + present, total[1] + expected]
    if total[1] and sums.counts["subjects",] >= smallest:
        yield _record(COMPLETENESS, SHARE, total[0] / total[1], sums.counts["subjects",])
    for site, (present, expected) in sorted(values.items()):
        if site and expected and site in sites:
            yield _record(COMPLETENESS, SHARE, present / expected, sites[site], site=site)


def _of(sums: Sums, kind: str) -> dict[Key, int]:
    return {key: number for key, number in sums.counts.items() if key[0] == kind}
