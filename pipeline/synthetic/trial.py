"""The synthetic trial: its size, its datasets and its known truth."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pipeline.errors import UserError
from pipeline.synthetic.changes import Change, first_day
from pipeline.synthetic.xpt_writer import Array, Column, Dataset

Columns = dict[str, Array]
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
"""Log-odds per unit of each term, by task; the package's docstring defines the terms."""

DROPOUT_EARLY: Final = {"intercept": -3.70, "active": 0.20, "age": 0.20}
DROPOUT_LATE: Final = {"intercept": -2.30, "active": 0.25, "age": 0.20, "early_events": 0.20}
WORSENING_EARLY: Final = {"intercept": -4.00, "severity": 0.40}
HEPATIC_EARLY: Final = 0.01
NEVER_TREATED: Final = 0.005
VISIT_MISSED: Final = 0.03
OLDER_FROM: Final = 65
COUNTRIES: Final = (b"USA", b"DEU", b"POL", b"JPN", b"BRA")
RACES: Final = (b"WHITE", b"BLACK OR AFRICAN AMERICAN", b"ASIAN", b"OTHER")

RACE_SHARES: Final = (
    (0.70, 0.18, 0.07, 0.05),
    (0.92, 0.03, 0.03, 0.02),
    (0.97, 0.01, 0.01, 0.01),
    (0.01, 0.00, 0.98, 0.01),
    (0.52, 0.20, 0.02, 0.26),
)

PERMUTED_BLOCKS: Final = (
    (0, 0, 1, 1),
    (0, 1, 0, 1),
    (0, 1, 1, 0),
    (1, 0, 0, 1),
    (1, 0, 1, 0),
    (1, 1, 0, 0),
)

VISITS: Final = ((b"Baseline", 0), (b"Week 2", 2), (b"Week 4", 4), (b"Week 12", 12))
HEPATIC_TERMS: Final = (b"Cholestasis", b"Hepatic steatosis", b"Hepatitis", b"Hyperbilirubinaemia")
HEPATIC_CLASS: Final = b"Hepatobiliary disorders"

EVENT_TERMS: Final = (
    (b"Headache", b"Nervous system disorders", 0.20),
    (b"Dizziness", b"Nervous system disorders", 0.11),
    (b"Nausea", b"Gastrointestinal disorders", 0.17),
    (b"Diarrhoea", b"Gastrointestinal disorders", 0.13),
    (b"Rash", b"Skin and subcutaneous tissue disorders", 0.10),
    (b"Pruritus", b"Skin and subcutaneous tissue disorders", 0.07),
    (b"Nasopharyngitis", b"Infections and infestations", 0.12),
    (b"Arthralgia", b"Musculoskeletal and connective tissue disorders", 0.10),
)

FIRST_RANDOMISATION: Final = (datetime.date(2023, 1, 2) - datetime.date(1960, 1, 1)).days
ENROLMENT_DAYS: Final = 540
TRIAL_WIDE: Final = LARGEST  # no block has this number


@dataclasses.dataclass(frozen=True)
class SyntheticTrial:
    """Parameters of a synthetic trial; equal parameters give equal bytes.

    Attributes:
        subjects: Number of randomised subjects, 100 to 1,000,000.
        seed: Seed of every draw, not negative.
        sites: Number of sites, 1 to 999; without it one per 50 subjects, between 5 and 200.
        subjects_per_shard: Most subjects in a file, a multiple of 1,000.
        lab_missing: Share of laboratory rows without a value.
        smoking_missing: Share of subjects without SMOKFL, completely at random.
        weight_missing: Share without WEIGHTBL (and so without BMIBL) up to 64 years.
        weight_missing_older: The same share from 65 years.
        changes: What changes over calendar time; nothing by default.
        enrolled_from: Only subjects who were randomised in this month or later are written, such as
            `2024-01`; all by default.
        enrolled_until: Only subjects who were randomised before this month.

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
    changes: tuple[Change, ...] = ()
    enrolled_from: str | None = None
    enrolled_until: str | None = None

    def __post_init__(self) -> None:
        require(SMALLEST <= self.subjects <= LARGEST, "subjects", self.subjects, "100 to 1,000,000")
        require(self.seed >= 0, "seed", self.seed, "a whole number from 0")
        require(1 <= self.site_count <= 999, "sites", self.sites, "1 to 999")
        require(
            self.subjects_per_shard > 0 and self.subjects_per_shard % BLOCK == 0,
            "subjects_per_shard",
            self.subjects_per_shard,
            "a positive multiple of 1,000",
        )
        for name in ("lab_missing", "smoking_missing", "weight_missing", "weight_missing_older"):
            share = getattr(self, name)
            require(0.0 <= share < 1.0, name, share, "a share from 0 to below 1")
        first, end = self.enrolled
        require(first < end, "enrolled_from", self.enrolled_from, "a month before enrolled_until")

    @property
    def enrolled(self) -> tuple[float, float]:
        """First day of randomisation of those who are written, and the first day after the last.

        In days since 1960-01-01; unlimited where no month is given.
        """
        return (
            first_day(self.enrolled_from) if self.enrolled_from else -math.inf,
            first_day(self.enrolled_until) if self.enrolled_until else math.inf,
        )

    @property
    def site_count(self) -> int:
        """Number of sites, but for one that opens later."""
        return self.sites if self.sites is not None else min(200, max(5, self.subjects // 50))

    @property
    def blocks(self) -> int:
        """Number of blocks of 1,000 subjects; the last one may be smaller."""
        return math.ceil(self.subjects / BLOCK)

    @property
    def shards(self) -> int:
        """Number of files of each dataset."""
        return math.ceil(self.subjects / self.subjects_per_shard)


def require(holds: bool, name: str, found: object, expected: str) -> None:
    """Raises a `UserError` if a parameter of the trial is out of its range."""
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
