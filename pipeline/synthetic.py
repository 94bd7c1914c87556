"""A seeded synthetic trial whose truth is known, written by Beam as SAS transport files.

The trial compares `Active` with `Placebo`, randomised 1:1 in permuted blocks of four within
site. Every safety subject is observed from study day 1 to study day 180 unless he or she drops
out. The datasets are ADaM-like: `adsl` (a row per subject), `adae`, `adlb`, `advs` and `adtte`.
Beside them lies `truth/`, with the probabilities that generated the outcomes; nothing of it is
among the datasets.

Three outcomes depend on the subject's state at the landmark, study day 28, and on nothing else
that can be known (no site or country effect, no hidden covariate): each is a Bernoulli draw whose
log-odds are the sum over `COEFFICIENTS[task]` of coefficient times term, where

| term | value |
|---|---|
| `intercept` | 1 |
| `active` | 1 in the active arm, otherwise 0 |
| `male`, `smoker`, `diabetes` | 1 or 0, known to the model even where the dataset lost it |
| `age` | (AGE - 60 years) / 10 |
| `severity` | (SEVBL - 50) / 10 |
| `score_change` | (symptom score at week 4 - SEVBL) / 10 |
| `log_crp` | ln(CRP at week 4 / 5 mg/L) |
| `log_alt` | ln(ALT at week 4 / 25 U/L) |
| `creatinine` | (CREAT at week 4 - 80 umol/L) / 15 |
| `early_events` | treatment-emergent adverse events that began on days 1 to 28 |
| `active_log_crp`, `active_diabetes`, `active_log_alt` | interactions with the arm |
| `age_squared`, `severity_squared` | squares of `age` and `severity` |
| `over_70` | max(0, AGE - 70 years) / 10 |

The tasks:

* `worsening`: the first event WORSEN of `adtte` falls on days 29 to 180;
* `response`: the symptom score of week 12 is at most half of SEVBL;
* `hepatic_ae`: an event of "Hepatobiliary disorders" begins on days 29 to 180.

About 25 %, 40 % and 8 % of the subjects whose outcome is known are positive. The probabilities
themselves reach an AUC of about .77, .755 and .75, which no model can beat but by chance.

The event's day is drawn after the event, the score of week 12 after the response. Dropout depends
on what is known at day 28 alone, and an event of somebody who drops out after day 28 would have
come after the dropout: it is never recorded. Whether an outcome is known is therefore independent
of the outcome given the landmark state, and the probabilities are calibrated among the subjects
whose outcome is known. A first WORSEN event up to day 28 is a draw of its own; such subjects are
not at risk of `worsening` after the landmark.

Some rows are there to be traps: a week 4 visit may fall after day 28, ALT of week 12 is raised
after a hepatic event, some adverse events began before treatment, and a few randomised subjects
were never treated (SAFFL is N: no dates of treatment, no events, no truth).

Draws come from Philox generators keyed by (seed, block of 1,000 subjects), so the records do not
depend on shards, runners or workers. The transport format is that of SAS Technical Note TS-140
(version 5), with fixed dates in the headers.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime
import json
import logging
import math
import re
import sys
import uuid
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import IO, Any, Final

import numpy as np

from pipeline.errors import UserError
from pipeline.xpt_writer import Array, Column, Dataset, XptWriter

Columns = dict[str, Array]

_LOG = logging.getLogger("pipeline.synthetic")

GENERATOR_VERSION: Final = 1
STUDYID: Final = "SYN01"
SMALLEST: Final = 100
LARGEST: Final = 1_000_000
BLOCK: Final = 1_000
LANDMARK_DAY: Final = 28
LAST_DAY: Final = 180
MANIFEST: Final = "manifest.json"
TRUTH_FOLDER: Final = "truth"
UNFINISHED: Final = "unfinished"
TASKS: Final = ("worsening", "response", "hepatic_ae")
DEFAULT_BEAM_ARGS: Final = ("--runner=FnApiRunner",)

COEFFICIENTS: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {
        "worsening": MappingProxyType(
            {
                "intercept": -1.20,
                "active": -0.60,
                "age": 0.45,
                "severity": 0.40,
                "score_change": 0.60,
                "log_crp": 0.60,
                "diabetes": 0.70,
                "smoker": 0.50,
                "active_log_crp": -0.40,
                "age_squared": 0.12,
            }
        ),
        "response": MappingProxyType(
            {
                "intercept": -0.90,
                "active": 0.90,
                "age": -0.25,
                "severity": -0.35,
                "score_change": -0.80,
                "log_crp": -0.30,
                "smoker": -0.45,
                "early_events": -0.15,
                "active_diabetes": -0.60,
                "severity_squared": -0.10,
            }
        ),
        "hepatic_ae": MappingProxyType(
            {
                "intercept": -3.45,
                "active": 0.60,
                "log_alt": 1.40,
                "early_events": 0.35,
                "creatinine": 0.25,
                "male": -0.30,
                "active_log_alt": 0.60,
                "over_70": 0.60,
            }
        ),
    }
)
"""Log-odds per unit of each term, by task; the terms are defined in the module's docstring."""

_DROPOUT_EARLY: Final = {"intercept": -3.70, "active": 0.20, "age": 0.20}
_DROPOUT_LATE: Final = {"intercept": -2.30, "active": 0.25, "age": 0.20, "early_events": 0.20}
_WORSENING_EARLY: Final = {"intercept": -4.00, "severity": 0.40}
_HEPATIC_EARLY: Final = 0.01
_NEVER_TREATED: Final = 0.005
_VISIT_MISSED: Final = 0.03
_OLDER_FROM: Final = 65

_COUNTRIES: Final = (b"USA", b"DEU", b"POL", b"JPN", b"BRA")
_RACES: Final = (b"WHITE", b"BLACK OR AFRICAN AMERICAN", b"ASIAN", b"OTHER")
_RACE_SHARES: Final = (
    (0.70, 0.18, 0.07, 0.05),
    (0.92, 0.03, 0.03, 0.02),
    (0.97, 0.01, 0.01, 0.01),
    (0.01, 0.00, 0.98, 0.01),
    (0.52, 0.20, 0.02, 0.26),
)
_PERMUTED_BLOCKS: Final = (
    (0, 0, 1, 1),
    (0, 1, 0, 1),
    (0, 1, 1, 0),
    (1, 0, 0, 1),
    (1, 0, 1, 0),
    (1, 1, 0, 0),
)
_VISITS: Final = ((b"Baseline", 0), (b"Week 2", 2), (b"Week 4", 4), (b"Week 12", 12))
_HEPATIC_TERMS: Final = (b"Cholestasis", b"Hepatic steatosis", b"Hepatitis", b"Hyperbilirubinaemia")
_HEPATIC_CLASS: Final = b"Hepatobiliary disorders"
_EVENT_TERMS: Final = (
    (b"Headache", b"Nervous system disorders", 0.20),
    (b"Dizziness", b"Nervous system disorders", 0.11),
    (b"Nausea", b"Gastrointestinal disorders", 0.17),
    (b"Diarrhoea", b"Gastrointestinal disorders", 0.13),
    (b"Rash", b"Skin and subcutaneous tissue disorders", 0.10),
    (b"Pruritus", b"Skin and subcutaneous tissue disorders", 0.07),
    (b"Nasopharyngitis", b"Infections and infestations", 0.12),
    (b"Arthralgia", b"Musculoskeletal and connective tissue disorders", 0.10),
)
_FIRST_RANDOMISATION: Final = (datetime.date(2023, 1, 2) - datetime.date(1960, 1, 1)).days
_ENROLMENT_DAYS: Final = 540
_TRIAL_WIDE: Final = LARGEST  # no block has this number


@dataclasses.dataclass(frozen=True)
class SyntheticTrial:
    """What is to be generated; equal parameters mean equal bytes.

    Attributes:
        subjects: Number of randomised subjects, 100 to 1,000,000.
        seed: Seed of every draw, not negative.
        sites: Number of sites, 1 to 999; without it one per 50 subjects, between 5 and 200.
        subjects_per_shard: Most subjects in a file, a multiple of 1,000.
        lab_missing: Share of laboratory rows without a value.
        smoking_missing: Share of subjects without SMOKFL, completely at random.
        weight_missing: Share without WEIGHTBL (and so without BMIBL) up to 64 years.
        weight_missing_older: The same share from 65 years.

    Raises:
        UserError: A parameter is out of its range.
    """

    subjects: int
    seed: int = 20261
    sites: int | None = None
    subjects_per_shard: int = 20_000
    lab_missing: float = 0.06
    smoking_missing: float = 0.05
    weight_missing: float = 0.03
    weight_missing_older: float = 0.15

    def __post_init__(self) -> None:
        _require(
            SMALLEST <= self.subjects <= LARGEST, "subjects", self.subjects, "100 to 1,000,000"
        )
        _require(self.seed >= 0, "seed", self.seed, "a whole number from 0")
        _require(1 <= self.site_count <= 999, "sites", self.sites, "1 to 999")
        _require(
            self.subjects_per_shard > 0 and self.subjects_per_shard % BLOCK == 0,
            "subjects_per_shard",
            self.subjects_per_shard,
            "a positive multiple of 1,000",
        )
        for name in ("lab_missing", "smoking_missing", "weight_missing", "weight_missing_older"):
            share = getattr(self, name)
            _require(0.0 <= share < 1.0, name, share, "a share from 0 to below 1")

    @property
    def site_count(self) -> int:
        """Number of sites."""
        return self.sites if self.sites is not None else min(200, max(5, self.subjects // 50))

    @property
    def blocks(self) -> int:
        """Number of blocks of 1,000 subjects, the last one perhaps smaller."""
        return math.ceil(self.subjects / BLOCK)

    @property
    def shards(self) -> int:
        """Number of files of each dataset."""
        return math.ceil(self.subjects / self.subjects_per_shard)


def _require(holds: bool, name: str, found: object, expected: str) -> None:
    if not holds:
        raise UserError(f"Synthetic trial: {name} is {found}; expected {expected}.")


def _date(name: str, label: str) -> Column:
    return Column(name, label, display="DATE")


_KEYS: Final = (
    Column("STUDYID", "Study Identifier", 8),
    Column("USUBJID", "Unique Subject Identifier", 20),
)
_FINDING: Final = (
    Column("PARAMCD", "Parameter Code", 8),
    Column("AVAL", "Analysis Value"),
    Column("ADY", "Analysis Relative Day"),
    _date("ADT", "Analysis Date"),
    Column("AVISIT", "Analysis Visit", 8),
    Column("AVISITN", "Analysis Visit (N)"),
    Column("ABLFL", "Baseline Record Flag", 1),
)
DATASETS: Final = (
    Dataset(
        "adsl",
        "Subject-Level Analysis Dataset",
        (
            *_KEYS,
            Column("SUBJID", "Subject Identifier for the Study", 8),
            Column("SITEID", "Study Site Identifier", 4),
            Column("COUNTRY", "Country", 3),
            Column("TRT01P", "Planned Treatment for Period 01", 8),
            Column("TRT01A", "Actual Treatment for Period 01", 8),
            Column("AGE", "Age (years)"),
            Column("SEX", "Sex", 1),
            Column("RACE", "Race", 25),
            Column("HEIGHTBL", "Baseline Height (cm)"),
            Column("WEIGHTBL", "Baseline Weight (kg)"),
            Column("BMIBL", "Baseline Body Mass Index (kg/m2)"),
            Column("SMOKFL", "Current Smoker Flag", 1),
            Column("DIABFL", "Diabetes Flag", 1),
            Column("SEVBL", "Baseline Symptom Score (0-100)"),
            _date("RANDDT", "Date of Randomization"),
            _date("TRTSDT", "Date of First Exposure to Treatment"),
            _date("TRTEDT", "Date of Last Exposure to Treatment"),
            Column("EOSDY", "End of Study Relative Day"),
            Column("EOSSTT", "End of Study Status", 12),
            Column("DCSREAS", "Reason for Discontinuation from Study", 24),
            Column("SAFFL", "Safety Population Flag", 1),
            Column("ITTFL", "Intent-To-Treat Population Flag", 1),
        ),
    ),
    Dataset(
        "adae",
        "Adverse Events Analysis Dataset",
        (
            *_KEYS,
            Column("AESEQ", "Sequence Number"),
            Column("AEDECOD", "Dictionary-Derived Term", 20),
            Column("AEBODSYS", "Body System or Organ Class", 48),
            Column("AESEV", "Severity/Intensity", 8),
            Column("AESER", "Serious Event", 1),
            Column("TRTEMFL", "Treatment Emergent Analysis Flag", 1),
            Column("ASTDY", "Analysis Start Relative Day"),
            Column("AENDY", "Analysis End Relative Day"),
            _date("ASTDT", "Analysis Start Date"),
            _date("AENDT", "Analysis End Date"),
        ),
    ),
    Dataset("adlb", "Laboratory Test Results Analysis Dataset", (*_KEYS, *_FINDING)),
    Dataset(
        "advs",
        "Vital Signs and Symptom Score Analysis",
        (
            *_KEYS,
            *_FINDING,
            Column("BASE", "Baseline Value"),
            Column("CHG", "Change from Baseline"),
            Column("PCHG", "Percent Change from Baseline"),
        ),
    ),
    Dataset(
        "adtte",
        "Time-to-Event Analysis Dataset",
        (
            *_KEYS,
            Column("PARAMCD", "Parameter Code", 8),
            Column("AVAL", "Days to Worsening or Censoring"),
            Column("CNSR", "Censor"),
            _date("ADT", "Analysis Date"),
        ),
    ),
)


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
    country = site % len(_COUNTRIES)
    active = _arms(site, trial.site_count, rng)
    race = (rng.random(n)[:, None] > np.cumsum(_RACE_SHARES, axis=1)[country][:, :-1]).sum(axis=1)
    male = _draw(rng, 0.48, n)
    age = np.clip(np.rint(rng.normal(61.0, 11.0, n)), 18, 90)
    height = np.round(np.where(male, 176.0, 163.0) + rng.normal(0.0, 7.0, n), 1)
    bmi = np.clip(rng.normal(27.0, 4.5, n), 16.0, 50.0)
    randomised = _FIRST_RANDOMISATION + rng.integers(_ENROLMENT_DAYS, size=n)
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
        treated=~_draw(rng, _NEVER_TREATED, n),
    )


def _sites(trial: SyntheticTrial, n: int, rng: np.random.Generator) -> Array:
    """Sites differ in how many subjects they enrol; the shares are the same in all blocks."""
    shares = _generator(trial, _TRIAL_WIDE).uniform(0.5, 1.5, trial.site_count)
    return rng.choice(trial.site_count, size=n, p=shares / shares.sum())


def _arms(site: Array, sites: int, rng: np.random.Generator) -> Array:
    """Permuted blocks of four within each site, in the order of enrolment."""
    order = np.argsort(site, kind="stable")
    starts = np.searchsorted(site[order], np.arange(sites))
    rank = np.empty(len(site), np.int64)
    rank[order] = np.arange(len(site)) - starts[site[order]]
    patterns = rng.integers(len(_PERMUTED_BLOCKS), size=(sites, BLOCK // 4))
    chosen = patterns[site, rank // 4]
    return np.asarray(_PERMUTED_BLOCKS)[chosen, rank % 4].astype(bool)


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
    early_dropout = _draw(rng, _expit(_log_odds(_DROPOUT_EARLY, terms)), n)
    late_dropout = _draw(rng, _expit(_log_odds(_DROPOUT_LATE, terms)), n) & ~early_dropout
    last_day = LAST_DAY + rng.integers(0, 8, size=n)
    last_day = np.where(late_dropout, _day(rng, LANDMARK_DAY + 1, LAST_DAY - 1, n), last_day)
    last_day = np.where(early_dropout, _day(rng, 2, LANDMARK_DAY, n), last_day)
    happened = {task: _draw(rng, probabilities[task], n) for task in TASKS}
    stayed = ~early_dropout & ~late_dropout

    worsened_early = _draw(rng, _expit(_log_odds(_WORSENING_EARLY, terms)), n)
    early_day = _day(rng, 5, LANDMARK_DAY, n)
    late_day = _day(rng, LANDMARK_DAY + 1, LAST_DAY, n, shape=1.3)
    worsening = np.where(happened["worsening"] & stayed, late_day, 0)
    worsening = np.where(worsened_early, np.where(early_day <= last_day, early_day, 0), worsening)

    hepatic_early_day = _day(rng, 2, LANDMARK_DAY, n)
    hepatic_early = _draw(rng, _HEPATIC_EARLY, n) & (hepatic_early_day <= last_day)
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
    names, numbers = zip(*_VISITS, strict=True)
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
    kind = rng.choice(len(_EVENT_TERMS), size=total, p=[share for _, _, share in _EVENT_TERMS])
    terms, classes, _ = zip(*_EVENT_TERMS, strict=True)
    hepatic = [np.flatnonzero(follow.hepatic_early_day), np.flatnonzero(follow.hepatic_late_day)]
    hepatic_subject = np.concatenate(hepatic)
    hepatic_kind = rng.integers(len(_HEPATIC_TERMS), size=len(hepatic_subject))
    subject = np.concatenate([subject, hepatic_subject])
    day = np.concatenate(
        [day, follow.hepatic_early_day[hepatic[0]], follow.hepatic_late_day[hepatic[1]]]
    )
    term = np.concatenate([_text(terms, kind), _text(_HEPATIC_TERMS, hepatic_kind)])
    organ = np.concatenate([_text(classes, kind), np.full(len(hepatic_subject), _HEPATIC_CLASS)])
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
    older = base.age >= _OLDER_FROM
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
        "COUNTRY": _text(_COUNTRIES, base.country),
        "TRT01P": arm,
        "TRT01A": np.where(base.treated, arm, b""),
        "AGE": base.age,
        "SEX": np.where(base.male, b"M", b"F"),
        "RACE": _text(_RACES, base.race),
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
    _require(0 <= block < trial.blocks, "block", block, f"0 to {trial.blocks - 1}")
    rng = _generator(trial, block)
    base = _baseline(trial, block, rng)
    course = _course(base, rng)
    terms = _terms(base, course)
    probabilities = {task: _expit(_log_odds(COEFFICIENTS[task], terms)) for task in TASKS}
    follow = _follow_up(terms, probabilities, rng)
    course = _with_final_score(base, course, follow.responder, rng)
    days = _visit_days(len(base.number), rng)
    missed = rng.random(days.shape) < np.array([0.0, *[_VISIT_MISSED] * 3])
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


def _shard_name(stem: str, shard: int, shards: int, suffix: str) -> str:
    return f"{stem}-{shard:05d}-of-{shards:05d}.{suffix}"


def write_shard(shard: int, trial: SyntheticTrial, folder: str) -> None:
    """Simulates one shard and writes its files; this is what a Beam worker runs.

    Each file gets its name only when it is whole, so a repeated or interrupted attempt does no
    harm.

    Args:
        shard: From 0 to `trial.shards - 1`.
        trial: What is to be generated.
        folder: Where to; any file system that Beam knows.
    """
    from apache_beam.io.filesystems import FileSystems

    attempt = FileSystems.join(folder, UNFINISHED, uuid.uuid4().hex)
    FileSystems.mkdirs(attempt)
    names = {d.name: _shard_name(d.name, shard, trial.shards, "xpt") for d in DATASETS}
    truth_name = _shard_name("truth", shard, trial.shards, "parquet")
    with contextlib.ExitStack() as stack:
        writers = {}
        for dataset in DATASETS:
            stream = _create(FileSystems.join(attempt, names[dataset.name]))
            writers[dataset.name] = XptWriter(stack.enter_context(stream), dataset)
        truth_stream = stack.enter_context(_create(FileSystems.join(attempt, truth_name)))
        truth = []
        for block in _blocks_of(trial, shard):
            simulated = simulate(trial, block)
            for name, writer in writers.items():
                writer.append(simulated.datasets[name])
            truth.append(simulated)
        for writer in writers.values():
            writer.finish()
        _write_truth(truth_stream, truth)
    finished = {name: name for name in names.values()}
    finished[truth_name] = FileSystems.join(TRUTH_FOLDER, truth_name)
    FileSystems.rename(
        [FileSystems.join(attempt, name) for name in finished],
        [FileSystems.join(folder, name) for name in finished.values()],
    )


def _blocks_of(trial: SyntheticTrial, shard: int) -> range:
    size = trial.subjects_per_shard // BLOCK
    return range(shard * size, min((shard + 1) * size, trial.blocks))


def _create(path: str) -> IO[bytes]:
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    stream: IO[bytes] = FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED)
    return stream


def _write_truth(stream: IO[bytes], blocks: Sequence[Block]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"USUBJID": pa.array(np.concatenate([b.usubjid for b in blocks]).astype(str))}
    for task in TASKS:
        columns[f"p_{task}"] = pa.array(np.concatenate([b.probabilities[task] for b in blocks]))
    pq.write_table(pa.table(columns), stream)


def write(trial: SyntheticTrial, folder: str, beam_args: Sequence[str] = ()) -> None:
    """Writes the trial with a Beam pipeline, a shard of subjects at a time.

    Writes `<dataset>-XXXXX-of-XXXXX.xpt`, `truth/truth-XXXXX-of-XXXXX.parquet` (USUBJID and
    p_<task>, safety subjects) and, last, `manifest.json`. A folder whose manifest names this
    very trial is left as it is; without a manifest everything is written anew.

    Args:
        trial: What is to be generated.
        folder: Where to; any file system that Beam knows.
        beam_args: Beam's pipeline options; without a runner among them the in-memory one runs.

    Raises:
        UserError: The folder holds another trial, or shards of one.
    """
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    if _is_complete(trial, folder):
        _LOG.info("%s holds this trial already", folder)
        return
    _refuse_foreign_shards(trial, folder)
    _make_folders(folder)
    options = PipelineOptions([*DEFAULT_BEAM_ARGS, *beam_args])
    with beam.Pipeline(options=options) as pipeline:
        _ = (
            pipeline
            | "Shards" >> beam.Create(range(trial.shards))
            | "Spread" >> beam.Reshuffle()
            | "WriteShard" >> beam.Map(write_shard, trial=trial, folder=folder)
        )
    _finish(trial, folder)
    _LOG.info("%s: subjects %d, shards %d", folder, trial.subjects, trial.shards)


def _manifest(trial: SyntheticTrial) -> dict[str, Any]:
    parameters = dataclasses.asdict(trial) | {"sites": trial.site_count}
    return {"generator": "pipeline.synthetic", "version": GENERATOR_VERSION, "trial": parameters}


def _is_complete(trial: SyntheticTrial, folder: str) -> bool:
    from apache_beam.io.filesystems import FileSystems

    path = FileSystems.join(folder, MANIFEST)
    if not FileSystems.exists(path):
        return False
    with FileSystems.open(path) as stream:
        content = stream.read()
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if found != _manifest(trial):
        raise UserError(
            f"{path} describes another trial, or another version of the generator. Choose an "
            "empty folder, or delete this one."
        )
    return True


def _refuse_foreign_shards(trial: SyntheticTrial, folder: str) -> None:
    from apache_beam.io.filesystems import FileSystems

    stems = "|".join(dataset.name for dataset in DATASETS)
    shard = re.compile(rf"(?:{stems})-\d{{5}}-of-(\d{{5}})\.xpt")
    matches = FileSystems.match([FileSystems.join(folder, "*")])
    for path in (metadata.path for match in matches for metadata in match.metadata_list):
        found = shard.fullmatch(FileSystems.split(path)[1])
        if found and int(found[1]) != trial.shards:
            raise UserError(
                f"{path} is a shard of another trial (this one has {trial.shards} shards) and "
                "would be read with it. Choose an empty folder, or delete this one."
            )


def _make_folders(folder: str) -> None:
    from apache_beam.io.filesystems import FileSystems

    for path in (folder, FileSystems.join(folder, TRUTH_FOLDER)):
        if not FileSystems.exists(path):
            FileSystems.mkdirs(path)


def _finish(trial: SyntheticTrial, folder: str) -> None:
    from apache_beam.io.filesystems import FileSystems

    unfinished = FileSystems.join(folder, UNFINISHED)
    draft = FileSystems.join(unfinished, MANIFEST)
    with _create(draft) as stream:
        stream.write((json.dumps(_manifest(trial), indent=2) + "\n").encode())
    FileSystems.rename([draft], [FileSystems.join(folder, MANIFEST)])
    FileSystems.delete([unfinished])


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        argv: Arguments without the program's name; those of the process where not given.

    Returns:
        0, or 2 where the user has to put something right.
    """
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.synthetic",
        description="Writes a seeded synthetic trial as SAS transport files.",
    )
    parser.add_argument("--subjects", type=int, required=True, help="100 to 1,000,000")
    parser.add_argument("--seed", type=int, default=SyntheticTrial.seed, help="default %(default)s")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="where to write")
    parser.add_argument(
        "beam_args",
        nargs="*",
        metavar="-- BEAM_OPTION",
        help="Beam's pipeline options, for example -- --direct_num_workers=2",
    )
    arguments = parser.parse_args(argv)
    logging.basicConfig(format="%(message)s")
    _LOG.setLevel(logging.INFO)
    try:
        trial = SyntheticTrial(subjects=arguments.subjects, seed=arguments.seed)
        write(trial, arguments.out, arguments.beam_args)
    except UserError as error:
        _LOG.error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    # Workers must find the functions by their module's name, which is not `__main__`.
    from pipeline.synthetic import main as run

    sys.exit(run())
