"""Simulates blocks of subjects of the synthetic trial."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.synthetic.trial import (
    BLOCK,
    COEFFICIENTS,
    COUNTRIES,
    DROPOUT_EARLY,
    DROPOUT_LATE,
    ENROLMENT_DAYS,
    EVENT_TERMS,
    FIRST_RANDOMISATION,
    HEPATIC_CLASS,
    HEPATIC_EARLY,
    HEPATIC_TERMS,
    LANDMARK_DAY,
    LAST_DAY,
    NEVER_TREATED,
    OLDER_FROM,
    PERMUTED_BLOCKS,
    RACE_SHARES,
    RACES,
    STUDYID,
    TASKS,
    TRIAL_WIDE,
    VISIT_MISSED,
    VISITS,
    WORSENING_EARLY,
    Columns,
    SyntheticTrial,
    require,
)
from pipeline.synthetic.xpt_writer import Array


@dataclasses.dataclass(frozen=True)
class Block:
    """Up to 1,000 subjects, simulated.

    Attributes:
        datasets: Dataset name to columns: numbers float64 with NaN for missing, texts bytes
            (dtype S) with b"" for missing, dates in days since 1960-01-01.
        usubjid: (treated,) subjects of the safety population, dtype S20.
        terms: Term name to (treated,) float64.
        probabilities: Task to (treated,) float64.
    """

    datasets: Mapping[str, Columns]
    usubjid: Array
    terms: Mapping[str, Array]
    probabilities: Mapping[str, Array]


@dataclasses.dataclass(frozen=True)
class _Baseline:
    number: Array
    usubjid: Array
    site: Array
    country: Array
    active: Array
    male: Array
    age: Array
    race: Array
    height: Array
    weight: Array
    smoker: Array
    diabetes: Array
    severity: Array
    randomised: Array
    first_dose: Array
    treated: Array


@dataclasses.dataclass(frozen=True)
class _Course:
    """Measurements by visit (subjects, 4) and adverse events up to the landmark."""

    alt: Array
    crp: Array
    creatinine: Array
    score: Array
    early_events: Array


@dataclasses.dataclass(frozen=True)
class _FollowUp:
    """What follows from the landmark state; a day is 0 where there is none."""

    last_day: Array
    dropped_out: Array
    worsening_day: Array
    responder: Array
    hepatic_early_day: Array
    hepatic_late_day: Array


def _generator(trial: SyntheticTrial, *key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(trial.seed, spawn_key=key)))


def _expit(log_odds: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


def _log_odds(coefficients: Mapping[str, float], terms: Mapping[str, Array]) -> Array:
    return np.asarray(sum(weight * terms[term] for term, weight in coefficients.items()))


def _text(values: Sequence[bytes], codes: Array) -> Array:
    return np.asarray(values)[codes.astype(np.int64)]


def _draw(rng: np.random.Generator, probability: Array | float, size: int) -> Array:
    return np.asarray(rng.random(size) < probability)


def _baseline(trial: SyntheticTrial, block: int, rng: np.random.Generator) -> _Baseline:
    first = block * BLOCK
    n = min(BLOCK, trial.subjects - first)
    number = np.arange(first + 1, first + n + 1)
    site = _sites(trial, n, rng)
    country = site % len(COUNTRIES)
    active = _arms(site, trial.site_count, rng)
    race = (rng.random(n)[:, None] > np.cumsum(RACE_SHARES, axis=1)[country][:, :-1]).sum(axis=1)
    male = _draw(rng, 0.48, n)
    age = np.clip(np.rint(rng.normal(61.0, 11.0, n)), 18, 90)
    height = np.round(np.where(male, 176.0, 163.0) + rng.normal(0.0, 7.0, n), 1)
    bmi = np.clip(rng.normal(27.0, 4.5, n), 16.0, 50.0)
    randomised = FIRST_RANDOMISATION + rng.integers(ENROLMENT_DAYS, size=n)
    return _Baseline(
        number=number,
        usubjid=np.array(
            [f"{STUDYID}-{s + 1:03d}-{i:07d}" for s, i in zip(site, number, strict=True)], "S20"
        ),
        site=site,
        country=country,
        active=active,
        male=male,
        age=age,
        race=race,
        height=height,
        weight=np.round(bmi * (height / 100.0) ** 2, 1),
        smoker=_draw(rng, 0.24, n),
        diabetes=_draw(rng, _expit(-1.5 + 0.03 * (age - 60) + 0.08 * (bmi - 27)), n),
        severity=np.clip(np.rint(rng.normal(50.0, 11.0, n)), 20, 85),
        randomised=randomised,
        first_dose=randomised + rng.integers(0, 4, size=n),
        treated=~_draw(rng, NEVER_TREATED, n),
    )


def _sites(trial: SyntheticTrial, n: int, rng: np.random.Generator) -> Array:
    """Sites differ in how many subjects they enrol; the shares are the same in all blocks."""
    shares = _generator(trial, TRIAL_WIDE).uniform(0.5, 1.5, trial.site_count)
    return rng.choice(trial.site_count, size=n, p=shares / shares.sum())


def _arms(site: Array, sites: int, rng: np.random.Generator) -> Array:
    """Permuted blocks of four within each site, in the order of enrolment."""
    order = np.argsort(site, kind="stable")
    starts = np.searchsorted(site[order], np.arange(sites))
    rank = np.empty(len(site), np.int64)
    rank[order] = np.arange(len(site)) - starts[site[order]]
    patterns = rng.integers(len(PERMUTED_BLOCKS), size=(sites, BLOCK // 4))
    chosen = patterns[site, rank // 4]
    return np.asarray(PERMUTED_BLOCKS)[chosen, rank % 4].astype(bool)


def _course(base: _Baseline, rng: np.random.Generator) -> _Course:
    n = len(base.number)
    log_crp = np.log(5.0) + 0.02 * (base.severity - 50) + rng.normal(0.0, 0.75, n)
    log_alt = np.log(24.0) + 0.1 * base.male + rng.normal(0.0, 0.35, n)
    creatinine = 75.0 + 10.0 * base.male + 0.35 * (base.age - 60) + rng.normal(0.0, 11.0, n)
    on_drug = base.active[:, None] * np.array([0.0, 0.5, 1.0, 1.0])
    crp = log_crp[:, None] - 0.25 * on_drug + rng.normal(0.0, 0.25, (n, 4))
    alt = log_alt[:, None] + 0.12 * on_drug + rng.normal(0.0, 0.20, (n, 4))
    drift = rng.normal(-3.0, 8.0, n) - 3.0 * base.active
    score = np.empty((n, 4))
    score[:, 0] = base.severity
    score[:, 1:] = np.clip(np.rint(base.severity + drift), 0, 100)[:, None]
    return _Course(
        alt=np.maximum(np.rint(np.exp(alt)), 5.0),
        crp=np.maximum(np.round(np.exp(crp), 1), 0.1),
        creatinine=np.maximum(np.rint(creatinine[:, None] + rng.normal(0.0, 4.0, (n, 4))), 30.0),
        score=score,
        early_events=rng.poisson(0.7 * np.exp(0.3 * base.active)),
    )


def _terms(base: _Baseline, course: _Course) -> Columns:
    active = base.active.astype(float)
    age = (base.age - 60.0) / 10.0
    severity = (base.severity - 50.0) / 10.0
    log_crp = np.log(course.crp[:, 2] / 5.0)
    log_alt = np.log(course.alt[:, 2] / 25.0)
    diabetes = base.diabetes.astype(float)
    return {
        "intercept": np.ones(len(age)),
        "active": active,
        "male": base.male.astype(float),
        "smoker": base.smoker.astype(float),
        "diabetes": diabetes,
        "age": age,
        "severity": severity,
        "score_change": (course.score[:, 2] - base.severity) / 10.0,
        "log_crp": log_crp,
        "log_alt": log_alt,
        "creatinine": (course.creatinine[:, 2] - 80.0) / 15.0,
        "early_events": course.early_events.astype(float),
        "active_log_crp": active * log_crp,
        "active_diabetes": active * diabetes,
        "active_log_alt": active * log_alt,
        "age_squared": age**2,
        "severity_squared": severity**2,
        "over_70": np.maximum(0.0, base.age - 70.0) / 10.0,
    }


def _day(rng: np.random.Generator, first: int, last: int, n: int, shape: float = 1.0) -> Array:
    """Days first..last; a shape above 1 puts more of them early."""
    return np.asarray(first + np.floor((last - first + 1) * rng.beta(1.0, shape, n)))


def _follow_up(
    terms: Mapping[str, Array], probabilities: Mapping[str, Array], rng: np.random.Generator
) -> _FollowUp:
    n = len(terms["intercept"])
    early_dropout = _draw(rng, _expit(_log_odds(DROPOUT_EARLY, terms)), n)
    late_dropout = _draw(rng, _expit(_log_odds(DROPOUT_LATE, terms)), n) & ~early_dropout
    last_day = LAST_DAY + rng.integers(0, 8, size=n)
    last_day = np.where(late_dropout, _day(rng, LANDMARK_DAY + 1, LAST_DAY - 1, n), last_day)
    last_day = np.where(early_dropout, _day(rng, 2, LANDMARK_DAY, n), last_day)
    happened = {task: _draw(rng, probabilities[task], n) for task in TASKS}
    stayed = ~early_dropout & ~late_dropout

    worsened_early = _draw(rng, _expit(_log_odds(WORSENING_EARLY, terms)), n)
    early_day = _day(rng, 5, LANDMARK_DAY, n)
    late_day = _day(rng, LANDMARK_DAY + 1, LAST_DAY, n, shape=1.3)
    worsening = np.where(happened["worsening"] & stayed, late_day, 0)
    worsening = np.where(worsened_early, np.where(early_day <= last_day, early_day, 0), worsening)

    hepatic_early_day = _day(rng, 2, LANDMARK_DAY, n)
    hepatic_early = _draw(rng, HEPATIC_EARLY, n) & (hepatic_early_day <= last_day)
    hepatic_late_day = _day(rng, LANDMARK_DAY + 1, LAST_DAY, n, shape=1.5)
    return _FollowUp(
        last_day=last_day,
        dropped_out=~stayed,
        worsening_day=worsening,
        responder=happened["response"],
        hepatic_early_day=np.where(hepatic_early, hepatic_early_day, 0),
        hepatic_late_day=np.where(happened["hepatic_ae"] & stayed, hepatic_late_day, 0),
    )


def _with_final_score(
    base: _Baseline, course: _Course, responder: Array, rng: np.random.Generator
) -> _Course:
    """Scores of week 12: whole numbers on the drawn side of half of SEVBL."""
    n = len(responder)
    half = np.floor(base.severity / 2.0)
    low = np.minimum(np.floor(base.severity * rng.uniform(0.10, 0.50, n)), half)
    high = np.rint(course.score[:, 2] - 3.0 + rng.normal(0.0, 6.0, n))
    final = np.where(responder, low, np.clip(high, half + 1.0, 100.0))
    return dataclasses.replace(course, score=np.column_stack([course.score[:, :3], final]))


def _date_of(first_dose: Array, day: Array) -> Array:
    """Dates in days since 1960-01-01: study day 1 is the first dose, and there is no day 0."""
    return first_dose + day - (day > 0)


def _visit_days(n: int, rng: np.random.Generator) -> Array:
    """(n, 4) study days: baseline on 1 or up to three days before, a late week 4 is rare."""
    baseline = np.where(_draw(rng, 0.15, n), -rng.integers(1, 4, size=n), 1)
    week_2 = 14 + rng.integers(-2, 3, size=n)
    week_4 = LANDMARK_DAY - rng.integers(0, 5, size=n)
    week_4 = np.where(_draw(rng, 0.04, n), LANDMARK_DAY + rng.integers(1, 4, size=n), week_4)
    week_12 = 84 + rng.integers(-4, 5, size=n)
    return np.stack([baseline, week_2, week_4, week_12], axis=1)


def _findings(
    base: _Baseline,
    values: Mapping[bytes, tuple[tuple[int, ...], Array]],
    days: Array,
    attended: Array,
    missing: float,
    rng: np.random.Generator,
) -> Columns:
    """Rows in the order subject, parameter, visit.

    Args:
        base: n subjects.
        values: Parameter code to the visits it is measured at and (n, 4) values.
        days: (n, 4) study days of the visits.
        attended: (n, 4) whether the visit took place.
        missing: Share of rows that lack their value.
        rng: Source of the missing values.
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


def _with_change(findings: Columns) -> Columns:
    """Adds baseline value, change and percent change.

    Every parameter's first row of a subject is its baseline, which is never missing in `advs`;
    baseline rows have no change.
    """
    is_baseline = findings["AVISITN"] == 0
    base = findings["AVAL"][is_baseline][np.cumsum(is_baseline) - 1]
    change = np.where(is_baseline, np.nan, findings["AVAL"] - base)
    return findings | {"BASE": base, "CHG": change, "PCHG": 100.0 * change / base}


def _adverse_events(
    base: _Baseline, course: _Course, follow: _FollowUp, rng: np.random.Generator
) -> Columns:
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
    term = np.concatenate([_text(terms, kind), _text(HEPATIC_TERMS, hepatic_kind)])
    organ = np.concatenate([_text(classes, kind), np.full(len(hepatic_subject), HEPATIC_CLASS)])
    kept = base.treated[subject] & (day <= follow.last_day[subject])
    order = np.lexsort((day, subject))
    order = order[kept[order]]
    return _event_rows(base, follow, subject[order], day[order], term[order], organ[order], rng)


def _event_rows(
    base: _Baseline,
    follow: _FollowUp,
    subject: Array,
    day: Array,
    term: Array,
    organ: Array,
    rng: np.random.Generator,
) -> Columns:
    """Adds severity, seriousness and the end; an end after the last day is not yet known."""
    total = len(subject)
    severity = np.searchsorted([0.6, 0.9], rng.random(total), side="right")
    serious = _draw(rng, np.where(severity == 2, 0.30, 0.02), total)
    end = day + rng.geometric(0.12, size=total) - 1
    end = np.where((day < 0) & (end >= 0), end + 1, end)
    unknown = (end > follow.last_day[subject]) | _draw(rng, 0.05, total)
    first_dose = base.first_dose[subject]
    starts = np.searchsorted(subject, subject)
    return {
        "STUDYID": np.full(total, STUDYID.encode()),
        "USUBJID": base.usubjid[subject],
        "AESEQ": np.arange(total) - starts + 1.0,
        "AEDECOD": term,
        "AEBODSYS": organ,
        "AESEV": _text((b"MILD", b"MODERATE", b"SEVERE"), severity),
        "AESER": np.where(serious, b"Y", b"N"),
        "TRTEMFL": np.where(day > 0, b"Y", b""),
        "ASTDY": day,
        "AENDY": np.where(unknown, np.nan, end),
        "ASTDT": _date_of(first_dose, day),
        "AENDT": np.where(unknown, np.nan, _date_of(first_dose, end)),
    }


def _subject_level(
    trial: SyntheticTrial, base: _Baseline, follow: _FollowUp, rng: np.random.Generator
) -> Columns:
    n = len(base.number)
    arm = np.where(base.active, b"Active", b"Placebo")
    older = base.age >= OLDER_FROM
    no_weight = _draw(rng, np.where(older, trial.weight_missing_older, trial.weight_missing), n)
    weight = np.where(no_weight, np.nan, base.weight)
    reasons = (b"ADVERSE EVENT", b"WITHDRAWAL BY SUBJECT", b"LOST TO FOLLOW-UP")
    shares = np.where(base.active[:, None], (0.5, 0.8, 1.0), (0.3, 0.7, 1.0))
    reason = _text(reasons, (rng.random(n)[:, None] > shares[:, :-1]).sum(axis=1))
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
        "COUNTRY": _text(COUNTRIES, base.country),
        "TRT01P": arm,
        "TRT01A": np.where(base.treated, arm, b""),
        "AGE": base.age,
        "SEX": np.where(base.male, b"M", b"F"),
        "RACE": _text(RACES, base.race),
        "HEIGHTBL": base.height,
        "WEIGHTBL": weight,
        "BMIBL": np.round(weight / (base.height / 100.0) ** 2, 1),
        "SMOKFL": np.where(
            _draw(rng, trial.smoking_missing, n), b"", np.where(base.smoker, b"Y", b"N")
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


def _time_to_event(base: _Baseline, follow: _FollowUp) -> Columns:
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


def _laboratory(course: _Course, follow: _FollowUp, days: Array) -> dict[bytes, Any]:
    alt = course.alt.copy()
    hepatic = (follow.hepatic_late_day > 0) & (follow.hepatic_late_day <= days[:, 3])
    alt[:, 3] = np.where(hepatic, np.rint(alt[:, 3] * 3.0), alt[:, 3])
    every = (0, 1, 2, 3)
    return {b"ALT": (every, alt), b"CREAT": (every, course.creatinine), b"CRP": (every, course.crp)}


def _vital_signs(base: _Baseline, course: _Course, rng: np.random.Generator) -> dict[bytes, Any]:
    n = len(base.number)
    pressure = 118.0 + 0.4 * (base.age - 40) + rng.normal(0.0, 12.0, n)
    pulse = 72.0 + rng.normal(0.0, 8.0, n)
    visits = (0, 2, 3)
    return {
        b"SYSBP": (visits, np.rint(pressure[:, None] + rng.normal(0.0, 7.0, (n, 4)))),
        b"PULSE": (visits, np.rint(pulse[:, None] + rng.normal(0.0, 5.0, (n, 4)))),
        b"SCORE": (visits, course.score),
    }


def simulate(trial: SyntheticTrial, block: int) -> Block:
    """Simulates one block of up to 1,000 subjects, the same for the same trial and block.

    Args:
        trial: What is to be generated.
        block: Number of the block, from 0 to `trial.blocks - 1`.

    Returns:
        The block's datasets and the truth behind them.

    Raises:
        UserError: The trial has no such block.
    """
    require(0 <= block < trial.blocks, "block", block, f"0 to {trial.blocks - 1}")
    rng = _generator(trial, block)
    base = _baseline(trial, block, rng)
    course = _course(base, rng)
    terms = _terms(base, course)
    probabilities = {task: _expit(_log_odds(COEFFICIENTS[task], terms)) for task in TASKS}
    follow = _follow_up(terms, probabilities, rng)
    course = _with_final_score(base, course, follow.responder, rng)
    days = _visit_days(len(base.number), rng)
    missed = rng.random(days.shape) < np.array([0.0, *[VISIT_MISSED] * 3])
    attended = ~missed & (days <= follow.last_day[:, None])
    vital_signs = _vital_signs(base, course, rng)
    laboratory = _laboratory(course, follow, days)
    return Block(
        datasets={
            "adsl": _subject_level(trial, base, follow, rng),
            "adae": _adverse_events(base, course, follow, rng),
            "adlb": _findings(base, laboratory, days, attended, trial.lab_missing, rng),
            "advs": _with_change(_findings(base, vital_signs, days, attended, 0.0, rng)),
            "adtte": _time_to_event(base, follow),
        },
        usubjid=base.usubjid[base.treated],
        terms={name: values[base.treated] for name, values in terms.items()},
        probabilities={task: values[base.treated] for task, values in probabilities.items()},
    )
