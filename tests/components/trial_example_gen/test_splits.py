"""Splits of subjects, and the pseudonyms that stand for their identifiers."""

from __future__ import annotations

import csv
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.trial_example_gen.examples import build_examples
from components.trial_example_gen.features import derive_features
from components.trial_example_gen.splits import split_of, subject_hash
from pipeline.study.sections import Split
from tests.components.trial_example_gen.hand_made_trial import Trial, hand_made_study
from tests.each import each

DEFAULT = Split()
HELD_OUT = Split(holdout_sites=("07",))
SUBJECTS = [f"01-{number:04d}" for number in range(4000)]
KEY = b"0123456789abcdef"


def divide(split: Split, site: str | None = None, study: str = "hand") -> list[str]:
    return [split_of(study, subject, site, split) for subject in SUBJECTS]


def assert_share(n: int, share: float) -> None:
    # Five standard errors of a binomial share.
    assert abs(n - share * len(SUBJECTS)) < 5 * math.sqrt(len(SUBJECTS) * share * (1 - share))


def test_the_shares_are_those_of_the_study_file() -> None:
    counts = Counter(divide(Split(train=0.5, eval=0.2, test=0.3)))
    assert_share(counts["train"], 0.5)
    assert_share(counts["eval"], 0.2)
    assert_share(counts["test"], 0.3)


def test_a_subject_is_in_the_same_split_on_every_machine() -> None:
    expected = {
        "01-001": "test",
        "01-002": "test",
        "01-003": "train",
        "01-005": "train",
        "01-006": "train",
        "01-008": "eval",
        "01-012": "eval",
        "Größe": "train",
    }
    assert {subject: split_of("hand", subject, None, DEFAULT) for subject in expected} == expected


def test_another_seed_is_another_division() -> None:
    same = sum(a == b for a, b in zip(divide(Split(seed=1)), divide(Split(seed=2)), strict=True))
    # Two independent divisions agree by chance in 0.6² + 0.2² + 0.2² of the subjects.
    assert_share(same, 0.44)


def test_another_study_is_another_division() -> None:
    pairs = zip(divide(DEFAULT, study="one"), divide(DEFAULT, study="two"), strict=True)
    assert_share(sum(a == b for a, b in pairs), 0.44)


def test_all_subjects_of_a_held_out_site_are_in_the_test_split() -> None:
    assert set(divide(HELD_OUT, site="07")) == {"test"}


@pytest.mark.parametrize("site", ["08", None])
def test_subjects_of_other_sites_are_divided_between_train_and_eval(site: str | None) -> None:
    counts = Counter(divide(HELD_OUT, site=site))
    assert set(counts) == {"train", "eval"}
    assert_share(counts["train"], 0.75)


@given(
    subject=st.text(),
    site=st.none() | st.text(),
    seed=st.integers(),
    shares=st.tuples(*[st.integers(1, 50)] * 3),
)
def test_a_subject_has_one_split_and_its_site_does_not_matter(
    subject: str, site: str | None, seed: int, shares: tuple[int, ...]
) -> None:
    train, eval_, _ = (share / sum(shares) for share in shares)
    split = Split(train=train, eval=eval_, test=1 - train - eval_, seed=seed)
    found = split_of("hand", subject, site, split)
    assert found in ("train", "eval", "test")
    assert split_of("hand", subject, None, split) == found


@given(
    subject=st.text(),
    small=st.floats(0.05, 0.4),
    more=st.floats(0.05, 0.4),
)
def test_a_larger_train_split_keeps_its_subjects(subject: str, small: float, more: float) -> None:
    first = Split(train=small, eval=0.1, test=1 - small - 0.1)
    second = Split(train=small + more, eval=0.1, test=1 - small - more - 0.1)
    if split_of("hand", subject, None, first) == "train":
        assert split_of("hand", subject, None, second) == "train"


KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=6)
ENTERED_KEYS = KEYS.filter(lambda key: key == key.strip())


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    keys=st.lists(
        KEYS.filter(lambda key: key == key.strip()), min_size=1, max_size=20, unique=True
    ),
    visits=st.lists(st.integers(0, 19), max_size=60),
    seed=st.integers(0, 99),
    buckets=st.integers(1, 7),
)
def test_rows_of_one_subject_never_straddle_splits(
    tmp_path: Path, keys: list[str], visits: list[int], seed: int, buckets: int
) -> None:
    """Each subject is one example, made of all its rows, in the split of its key.

    Whatever the keys are, however the rows of the file are mixed, and in however many buckets.
    """
    files: dict[str, list[tuple[Any, ...]]] = {
        "dm": [("USUBJID", "AGE", "DIED"), *((key, 50, "Y") for key in keys)],
        "lb": [
            ("USUBJID", "LBTESTCD", "LBDY", "LBSTRESN"),
            *((keys[i % len(keys)], "ALT", 1, i) for i in visits),
        ],
    }
    for name, rows in files.items():
        with (tmp_path / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    study = hand_made_study({"split": {"seed": seed}, "features.alt.aggregate": "count"})
    found: dict[bytes, list[str]] = {}
    for subjects in each(Trial(study, tmp_path).reading.joined_in(buckets)):
        built = build_examples(study, subjects, KEY)
        for split, examples in each(built.by_split.items()):
            for record in examples:  # may be empty
                [key] = [key for key in keys if subject_hash("hand", key, KEY) in record]
                found.setdefault(key.encode(), []).append(split)
                counted = dict(
                    zip(subjects.keys, derive_features(study, subjects).values["alt"], strict=True)
                )
                of_key = sum(keys[i % len(keys)] == key for i in visits)
                assert counted[key].as_py() == of_key
    assert found == {key.encode(): [split_of("hand", key, None, study.split)] for key in keys}


def test_a_pseudonym_depends_on_the_key() -> None:
    assert subject_hash("hand", "01-001", KEY) != subject_hash("hand", "01-001", b"other" * 4)


def test_a_pseudonym_depends_on_subject_and_study() -> None:
    found = {subject_hash(study, subject, KEY) for study in ("a", "b") for subject in ("1", "2")}
    assert len(found) == 4


def test_a_pseudonym_is_the_same_for_the_same_key() -> None:
    # HMAC-SHA-256 of study and subject, divided by the unit separator.
    assert subject_hash("hand", "01-001", KEY) == b"2e766f9154d45695386ab1fa8afe8d79"


def test_a_pseudonym_does_not_hold_the_identifier() -> None:
    assert b"4711" not in subject_hash("hand", "4711" * 3, KEY)
    assert len(subject_hash("hand", "4711" * 3, KEY)) == 32
