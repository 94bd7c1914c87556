"""Simulates the subjects of the synthetic trial: baseline, course and follow-up."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from pipeline.synthetic.changes import amount
from pipeline.synthetic.trial import (
    BLOCK,
    COEFFICIENTS,
    COUNTRIES,
    DROPOUT_EARLY,
    DROPOUT_LATE,
    ENROLMENT_DAYS,
    FIRST_RANDOMISATION,
    HEPATIC_EARLY,
    LANDMARK_DAY,
    LAST_DAY,
    NEVER_TREATED,
    PERMUTED_BLOCKS,
    RACE_SHARES,
    STUDYID,
    TASKS,
    TRIAL_WIDE,
    WORSENING_EARLY,
    Columns,
    SyntheticTrial,
)
from pipeline.synthetic.xpt_writer import Array

_SPREAD: Final = 11.0
"""Standard deviation of AGE, in years, and of SEVBL."""

_NEW_SITE: Final = 1
"""Key of the draws of who comes from a new site."""


@dataclasses.dataclass(frozen=True)
class Baseline:
    """State of n subjects at baseline; each (n,)."""

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
class Course:
    """Measurements by visit (subjects, 4) and adverse events up to the landmark."""

    alt: Array
    crp: Array
    creatinine: Array
    score: Array
    early_events: Array


@dataclasses.dataclass(frozen=True)
class FollowUp:
    """Events and dropout after the landmark; a day is 0 if there is none."""

    last_day: Array
    dropped_out: Array
    worsening_day: Array
    responder: Array
    hepatic_early_day: Array
    hepatic_late_day: Array


def generator(trial: SyntheticTrial, *key: int) -> np.random.Generator:
    """Random generator that depends only on the trial's seed and a key."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(trial.seed, spawn_key=key)))


def expit(log_odds: Array) -> Array:
    """Converts log odds to a probability."""
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


def log_odds(coefficients: Mapping[str, float], terms: Mapping[str, Array]) -> Array:
    """Weighted sum of terms; (n,)."""
    return np.asarray(sum(weight * terms[term] for term, weight in coefficients.items()))


def pick_text(values: Sequence[bytes], codes: Array) -> Array:
    """Text of each code; (n,), dtype S."""
    return np.asarray(values)[codes.astype(np.int64)]


def draw(rng: np.random.Generator, probability: Array | float, size: int) -> Array:
    """Whether each of `size` independent events happens."""
    return np.asarray(rng.random(size) < probability)


def draw_baseline(trial: SyntheticTrial, block: int, rng: np.random.Generator) -> Baseline:
    """Baseline of the subjects of a block."""
    first = block * BLOCK
    n = min(BLOCK, trial.subjects - first)
    number = np.arange(first + 1, first + n + 1)
    site = _sites(trial, n, rng)
    country = site % len(COUNTRIES)
    active = _arms(site, trial.site_count, rng)
    race = (rng.random(n)[:, None] > np.cumsum(RACE_SHARES, axis=1)[country][:, :-1]).sum(axis=1)
    male = draw(rng, 0.48, n)
    age = rng.normal(61.0, _SPREAD, n)
    height = np.round(np.where(male, 176.0, 163.0) + rng.normal(0.0, 7.0, n), 1)
    bmi = np.clip(rng.normal(27.0, 4.5, n), 16.0, 50.0)
    randomised = FIRST_RANDOMISATION + rng.integers(ENROLMENT_DAYS, size=n)
    site = _with_new_site(trial, block, site, randomised)
    shift = _SPREAD * amount(trial.changes, "population", randomised)
    age = np.clip(np.rint(age + shift), 18, 90)
    return Baseline(
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
        smoker=draw(rng, 0.24, n),
        diabetes=draw(rng, expit(-1.5 + 0.03 * (age - 60) + 0.08 * (bmi - 27)), n),
        severity=np.clip(np.rint(rng.normal(50.0, _SPREAD, n) + shift), 20, 85),
        randomised=randomised,
        first_dose=randomised + rng.integers(0, 4, size=n),
        treated=~draw(rng, NEVER_TREATED, n),
    )


def _sites(trial: SyntheticTrial, n: int, rng: np.random.Generator) -> Array:
    """Site of each subject; sites differ in size, with the same shares in all blocks."""
    shares = generator(trial, TRIAL_WIDE).uniform(0.5, 1.5, trial.site_count)
    return rng.choice(trial.site_count, size=n, p=shares / shares.sum())


def _with_new_site(trial: SyntheticTrial, block: int, site: Array, randomised: Array) -> Array:
    """Site of each subject, where one opens later; arms stay as they were drawn."""
    opened = [c.holds(randomised) for c in trial.changes if c.kind == "site"]
    if not opened:
        return site
    half = draw(generator(trial, block, _NEW_SITE), 0.5, len(site))
    return np.where(np.any(opened, axis=0) & half, trial.site_count, site)


def _arms(site: Array, sites: int, rng: np.random.Generator) -> Array:
    """Permuted blocks of four within each site, in the order of enrolment."""
    order = np.argsort(site, kind="stable")
    starts = np.searchsorted(site[order], np.arange(sites))
    rank = np.empty(len(site), np.int64)
    rank[order] = np.arange(len(site)) - starts[site[order]]
    patterns = rng.integers(len(PERMUTED_BLOCKS), size=(sites, BLOCK // 4))
    chosen = patterns[site, rank // 4]
    return np.asarray(PERMUTED_BLOCKS)[chosen, rank % 4].astype(bool)


def draw_course(base: Baseline, rng: np.random.Generator) -> Course:
    """Measurements at the four visits; the score of week 12 is still that of week 4."""
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
    return Course(
        alt=np.maximum(np.rint(np.exp(alt)), 5.0),
        crp=np.maximum(np.round(np.exp(crp), 1), 0.1),
        creatinine=np.maximum(np.rint(creatinine[:, None] + rng.normal(0.0, 4.0, (n, 4))), 30.0),
        score=score,
        early_events=rng.poisson(0.7 * np.exp(0.3 * base.active)),
    )


def make_terms(base: Baseline, course: Course) -> Columns:
    """Terms of the outcome models, from the state at the landmark."""
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


def true_probabilities(
    trial: SyntheticTrial, base: Baseline, terms: Mapping[str, Array]
) -> Columns:
    """Probability of the outcome of each task; (n,) each."""
    lost = amount(trial.changes, "signal", base.randomised)
    added = amount(trial.changes, "concept", base.randomised)
    at_new_site = amount(trial.changes, "site", base.randomised) * (base.site == trial.site_count)
    found = {}
    for task, coefficients in COEFFICIENTS.items():
        odds = log_odds(coefficients, terms)
        odds = odds - lost * (odds - coefficients["intercept"])
        found[task] = expit(odds + added + at_new_site)
    return found


def _day(rng: np.random.Generator, first: int, last: int, n: int, shape: float = 1.0) -> Array:
    """Days first..last; with a shape above 1 early days are more frequent."""
    return np.asarray(first + np.floor((last - first + 1) * rng.beta(1.0, shape, n)))


def draw_follow_up(
    terms: Mapping[str, Array], probabilities: Mapping[str, Array], rng: np.random.Generator
) -> FollowUp:
    """Dropout and events, from the state at the landmark."""
    n = len(terms["intercept"])
    early_dropout = draw(rng, expit(log_odds(DROPOUT_EARLY, terms)), n)
    late_dropout = draw(rng, expit(log_odds(DROPOUT_LATE, terms)), n) & ~early_dropout
    last_day = LAST_DAY + rng.integers(0, 8, size=n)
    last_day = np.where(late_dropout, _day(rng, LANDMARK_DAY + 1, LAST_DAY - 1, n), last_day)
    last_day = np.where(early_dropout, _day(rng, 2, LANDMARK_DAY, n), last_day)
    happened = {task: draw(rng, probabilities[task], n) for task in TASKS}
    stayed = ~early_dropout & ~late_dropout

    worsened_early = draw(rng, expit(log_odds(WORSENING_EARLY, terms)), n)
    early_day = _day(rng, 5, LANDMARK_DAY, n)
    late_day = _day(rng, LANDMARK_DAY + 1, LAST_DAY, n, shape=1.3)
    worsening = np.where(happened["worsening"] & stayed, late_day, 0)
    worsening = np.where(worsened_early, np.where(early_day <= last_day, early_day, 0), worsening)

    hepatic_early_day = _day(rng, 2, LANDMARK_DAY, n)
    hepatic_early = draw(rng, HEPATIC_EARLY, n) & (hepatic_early_day <= last_day)
    hepatic_late_day = _day(rng, LANDMARK_DAY + 1, LAST_DAY, n, shape=1.5)
    return FollowUp(
        last_day=last_day,
        dropped_out=~stayed,
        worsening_day=worsening,
        responder=happened["response"],
        hepatic_early_day=np.where(hepatic_early, hepatic_early_day, 0),
        hepatic_late_day=np.where(happened["hepatic_ae"] & stayed, hepatic_late_day, 0),
    )


def with_final_score(
    base: Baseline, course: Course, responder: Array, rng: np.random.Generator
) -> Course:
    """Scores of week 12: whole numbers on the drawn side of half of SEVBL."""
    n = len(responder)
    half = np.floor(base.severity / 2.0)
    low = np.minimum(np.floor(base.severity * rng.uniform(0.10, 0.50, n)), half)
    high = np.rint(course.score[:, 2] - 3.0 + rng.normal(0.0, 6.0, n))
    final = np.where(responder, low, np.clip(high, half + 1.0, 100.0))
    return dataclasses.replace(course, score=np.column_stack([course.score[:, :3], final]))
