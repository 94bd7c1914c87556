"""Makes the datasets of the synthetic trial from its simulated subjects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.synthetic.subjects import (
    Baseline,
    Course,
    FollowUp,
    draw,
    pick_text,
)
from pipeline.synthetic.trial import (
    COUNTRIES,
    EVENT_TERMS,
    HEPATIC_CLASS,
    HEPATIC_TERMS,
    LANDMARK_DAY,
    LAST_DAY,
    OLDER_FROM,
    RACES,
    STUDYID,
    VISITS,
    Columns,
    SyntheticTrial,
)
from pipeline.synthetic.xpt_writer import Array


def _date_of(first_dose: Array, day: Array) -> Array:
    """Dates in days since 1960-01-01: study day 1 is the first dose, and there is no day 0."""
    return first_dose + day - (day > 0)


def draw_visit_days(n: int, rng: np.random.Generator) -> Array:
    """(n, 4) study days: baseline on day 1 or up to three days before; a late week 4 is rare."""
    baseline = np.where(draw(rng, 0.15, n), -rng.integers(1, 4, size=n), 1)
    week_2 = 14 + rng.integers(-2, 3, size=n)
    week_4 = LANDMARK_DAY - rng.integers(0, 5, size=n)
    week_4 = np.where(draw(rng, 0.04, n), LANDMARK_DAY + rng.integers(1, 4, size=n), week_4)
    week_12 = 84 + rng.integers(-4, 5, size=n)
    return np.stack([baseline, week_2, week_4, week_12], axis=1)


def make_findings(
    base: Baseline,
    values: Mapping[bytes, tuple[tuple[int, ...], Array]],
    days: Array,
    attended: Array,
    missing: Array | float,
    rng: np.random.Generator,
) -> Columns:
    """Rows in the order subject, parameter, visit.

    Args:
        base: n subjects.
        values: Parameter code to its visits and (n, 4) values.
        days: (n, 4) study days of the visits.
        attended: (n, 4), whether the visit took place.
        missing: Share of rows that lack their value, of all subjects or (n, 1) of each.
        rng: Random generator of the missing values.
    """
    layout = [(code, visit) for code, (visits, _) in values.items() for visit in visits]
    codes, visits = zip(*layout, strict=True)
    visit_index = np.asarray(visits)
    aval = np.stack([values[code][1][:, visit] for code, visit in layout], axis=1)
    aval = np.where(rng.random(aval.shape) < missing, np.nan, aval)
    kept = attended[:, visit_index] & base.treated[:, None]
    subject, column = np.nonzero(kept)
    visit = visit_index[column]
    day = days[subject, visit]
    names, numbers = zip(*VISITS, strict=True)
    return {
        "STUDYID": np.full(len(subject), STUDYID.encode()),
        "USUBJID": base.usubjid[subject],
        "PARAMCD": np.asarray(codes)[column],
        "AVAL": aval[subject, column],
        "ADY": day.astype(float),
        "ADT": _date_of(base.first_dose[subject], day).astype(float),
        "AVISIT": np.asarray(names)[visit],
        "AVISITN": np.asarray(numbers, float)[visit],
        "ABLFL": np.where(visit == 0, b"Y", b""),
    }


def with_change(findings: Columns) -> Columns:
    """Adds baseline value, change and percent change.

    Every parameter's first row of a subject is its baseline, which is never missing in `advs`;
    baseline rows have no change.
    """
    is_baseline = findings["AVISITN"] == 0
    base = findings["AVAL"][is_baseline][np.cumsum(is_baseline) - 1]
    change = np.where(is_baseline, np.nan, findings["AVAL"] - base)
    return findings | {"BASE": base, "CHG": change, "PCHG": 100.0 * change / base}


def draw_adverse_events(
    base: Baseline, course: Course, follow: FollowUp, rng: np.random.Generator
) -> Columns:
    """`adae`, in the order subject, day."""
    n = len(base.number)
    before = rng.poisson(0.10, n)
    later = rng.poisson(1.2 * np.exp(0.2 * base.active))
    counts = np.stack([before, course.early_events, later], axis=1)
    subject = np.repeat(np.arange(n), counts.sum(axis=1))
    period = np.repeat(np.tile(np.arange(3), n), counts.ravel())
    total = len(subject)
    first = np.array([-14, 1, LANDMARK_DAY + 1])[period]
    last = np.array([-1, LANDMARK_DAY, LAST_DAY])[period]
    day = first + np.floor(rng.random(total) * (last - first + 1))
    kind = rng.choice(len(EVENT_TERMS), size=total, p=[share for _, _, share in EVENT_TERMS])
    terms, classes, _ = zip(*EVENT_TERMS, strict=True)
    hepatic = [np.flatnonzero(follow.hepatic_early_day), np.flatnonzero(follow.hepatic_late_day)]
    hepatic_subject = np.concatenate(hepatic)
    hepatic_kind = rng.integers(len(HEPATIC_TERMS), size=len(hepatic_subject))
    subject = np.concatenate([subject, hepatic_subject])
    day = np.concatenate(
        [day, follow.hepatic_early_day[hepatic[0]], follow.hepatic_late_day[hepatic[1]]]
    )
    term = np.concatenate([pick_text(terms, kind), pick_text(HEPATIC_TERMS, hepatic_kind)])
    organ = np.concatenate([pick_text(classes, kind), np.full(len(hepatic_subject), HEPATIC_CLASS)])
    kept = base.treated[subject] & (day <= follow.last_day[subject])
    order = np.lexsort((day, subject))
    order = order[kept[order]]
    return _event_rows(base, follow, subject[order], day[order], term[order], organ[order], rng)


def _event_rows(
    base: Baseline,
    follow: FollowUp,
    subject: Array,
    day: Array,
    term: Array,
    organ: Array,
    rng: np.random.Generator,
) -> Columns:
    """Adds severity, seriousness and the end; an end after the last day is missing."""
    total = len(subject)
    severity = np.searchsorted([0.6, 0.9], rng.random(total), side="right")
    serious = draw(rng, np.where(severity == 2, 0.30, 0.02), total)
    end = day + rng.geometric(0.12, size=total) - 1
    end = np.where((day < 0) & (end >= 0), end + 1, end)
    unknown = (end > follow.last_day[subject]) | draw(rng, 0.05, total)
    first_dose = base.first_dose[subject]
    starts = np.searchsorted(subject, subject)
    return {
        "STUDYID": np.full(total, STUDYID.encode()),
        "USUBJID": base.usubjid[subject],
        "AESEQ": np.arange(total) - starts + 1.0,
        "AEDECOD": term,
        "AEBODSYS": organ,
        "AESEV": pick_text((b"MILD", b"MODERATE", b"SEVERE"), severity),
        "AESER": np.where(serious, b"Y", b"N"),
        "TRTEMFL": np.where(day > 0, b"Y", b""),
        "ASTDY": day,
        "AENDY": np.where(unknown, np.nan, end),
        "ASTDT": _date_of(first_dose, day),
        "AENDT": np.where(unknown, np.nan, _date_of(first_dose, end)),
    }


def make_subject_level(
    trial: SyntheticTrial, base: Baseline, follow: FollowUp, rng: np.random.Generator
) -> Columns:
    """`adsl`, a row for each subject."""
    n = len(base.number)
    arm = np.where(base.active, b"Active", b"Placebo")
    older = base.age >= OLDER_FROM
    no_weight = draw(rng, np.where(older, trial.weight_missing_older, trial.weight_missing), n)
    weight = np.where(no_weight, np.nan, base.weight)
    reasons = (b"ADVERSE EVENT", b"WITHDRAWAL BY SUBJECT", b"LOST TO FOLLOW-UP")
    shares = np.where(base.active[:, None], (0.5, 0.8, 1.0), (0.3, 0.7, 1.0))
    reason = pick_text(reasons, (rng.random(n)[:, None] > shares[:, :-1]).sum(axis=1))
    reason = np.where(base.treated, reason, b"WITHDRAWAL BY SUBJECT")
    discontinued = follow.dropped_out | ~base.treated
    last_dose = _date_of(base.first_dose, np.minimum(follow.last_day, LAST_DAY))

    def when_treated(values: Array) -> Array:
        return np.where(base.treated, values, np.nan)

    return {
        "STUDYID": np.full(n, STUDYID.encode()),
        "USUBJID": base.usubjid,
        "SUBJID": np.array([f"{i:07d}" for i in base.number], "S8"),
        "SITEID": np.array([f"{s + 1:03d}" for s in base.site], "S4"),
        "COUNTRY": pick_text(COUNTRIES, base.country),
        "TRT01P": arm,
        "TRT01A": np.where(base.treated, arm, b""),
        "AGE": base.age,
        "SEX": np.where(base.male, b"M", b"F"),
        "RACE": pick_text(RACES, base.race),
        "HEIGHTBL": base.height,
        "WEIGHTBL": weight,
        "BMIBL": np.round(weight / (base.height / 100.0) ** 2, 1),
        "SMOKFL": np.where(
            draw(rng, trial.smoking_missing, n), b"", np.where(base.smoker, b"Y", b"N")
        ),
        "DIABFL": np.where(base.diabetes, b"Y", b"N"),
        "SEVBL": base.severity,
        "RANDDT": base.randomised.astype(float),
        "TRTSDT": when_treated(base.first_dose),
        "TRTEDT": when_treated(last_dose),
        "EOSDY": when_treated(follow.last_day),
        "EOSSTT": np.where(discontinued, b"DISCONTINUED", b"COMPLETED"),
        "DCSREAS": np.where(discontinued, reason, b""),
        "SAFFL": np.where(base.treated, b"Y", b"N"),
        "ITTFL": np.full(n, b"Y"),
    }


def make_time_to_event(base: Baseline, follow: FollowUp) -> Columns:
    """`adtte`: time to worsening, censored at the end of follow-up."""
    event = follow.worsening_day > 0
    day = np.where(event, follow.worsening_day, np.minimum(follow.last_day, LAST_DAY))
    kept = base.treated
    return {
        "STUDYID": np.full(int(kept.sum()), STUDYID.encode()),
        "USUBJID": base.usubjid[kept],
        "PARAMCD": np.full(int(kept.sum()), b"WORSEN"),
        "AVAL": day[kept].astype(float),
        "CNSR": (~event)[kept].astype(float),
        "ADT": _date_of(base.first_dose, day)[kept].astype(float),
    }


def make_laboratory(
    course: Course, follow: FollowUp, days: Array, assay: Array
) -> dict[bytes, Any]:
    """Parameters of `adlb`; a late hepatic event raises ALT at week 12.

    Args:
        course: True values of n subjects.
        follow: Their events.
        days: (n, 4) study days of the visits.
        assay: (n,) logarithm of what CRP is multiplied by when it is measured.
    """
    alt = course.alt.copy()
    hepatic = (follow.hepatic_late_day > 0) & (follow.hepatic_late_day <= days[:, 3])
    alt[:, 3] = np.where(hepatic, np.rint(alt[:, 3] * 3.0), alt[:, 3])
    crp = np.maximum(np.round(course.crp * np.exp(assay)[:, np.newaxis], 1), 0.1)
    every = (0, 1, 2, 3)
    return {b"ALT": (every, alt), b"CREAT": (every, course.creatinine), b"CRP": (every, crp)}


def draw_vital_signs(base: Baseline, course: Course, rng: np.random.Generator) -> dict[bytes, Any]:
    """Parameters of `advs`."""
    n = len(base.number)
    pressure = 118.0 + 0.4 * (base.age - 40) + rng.normal(0.0, 12.0, n)
    pulse = 72.0 + rng.normal(0.0, 8.0, n)
    visits = (0, 2, 3)
    return {
        b"SYSBP": (visits, np.rint(pressure[:, None] + rng.normal(0.0, 7.0, (n, 4)))),
        b"PULSE": (visits, np.rint(pulse[:, None] + rng.normal(0.0, 5.0, (n, 4)))),
        b"SCORE": (visits, course.score),
    }
