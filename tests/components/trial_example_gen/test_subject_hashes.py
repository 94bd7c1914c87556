"""Hashes of subjects: those that order the deal, and pseudonyms."""

from __future__ import annotations

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from components.trial_example_gen.subject_hashes import deal_hashes, subject_hash, subject_hashes

KEY = b"0123456789abcdef"


def test_the_hash_of_the_deal_is_the_same_on_every_machine() -> None:
    # The first 8 bytes of SHA-256 of study, seed and subject, divided by the unit separator.
    found = deal_hashes("hand", ["01-001", "Größe"], 1)
    assert found.tolist() == [17787246833475698307, 7677243653450107568]


def test_the_hash_of_the_deal_depends_on_study_subject_and_seed() -> None:
    parts = [deal_hashes(study, "12", seed) for study in "ab" for seed in (1, 2)]
    found = {number for part in parts for number in part.tolist()}
    assert len(found) == 8


def test_a_pseudonym_depends_on_the_key() -> None:
    assert subject_hash("hand", "01-001", KEY) != subject_hash("hand", "01-001", b"other" * 4)


def test_a_pseudonym_depends_on_subject_and_study() -> None:
    found = {subject_hash(study, subject, KEY) for study in ("a", "b") for subject in ("1", "2")}
    assert len(found) == 4


def test_a_pseudonym_is_the_same_for_the_same_key() -> None:
    # HMAC-SHA-256 of study and subject, divided by the unit separator.
    assert subject_hash("hand", "01-001", KEY) == b"2e766f9154d45695386ab1fa8afe8d79"


@given(st.text(max_size=20), st.lists(st.text(max_size=40)), st.binary(min_size=16, max_size=200))
def test_pseudonyms_are_those_of_the_standard_library(
    study: str, subjects: list[str], key: bytes
) -> None:
    expected = [
        hmac.new(key, f"{study}\x1f{subject}".encode(), hashlib.sha256).hexdigest()[:32].encode()
        for subject in subjects
    ]
    assert subject_hashes(study, subjects, key) == expected


def test_a_pseudonym_does_not_hold_the_identifier() -> None:
    assert b"4711" not in subject_hash("hand", "4711" * 3, KEY)
    assert len(subject_hash("hand", "4711" * 3, KEY)) == 32
