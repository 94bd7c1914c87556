"""The ledger of releases: which runs may show their numbers."""

from __future__ import annotations

import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.names import ARM
from pipeline.reading.contributions import PART, Contributions
from pipeline.runs.releases import Cut, claim, differences, releases_folder
from tests.each import each

N = 10
STUDY = "ist"


def cut(subjects: int, first: int = 0, key_id: str = "one", **columns: int) -> Cut:
    """Subjects by number; a column's first values are changed where its name has a number."""
    numbers = np.arange(first, first + subjects)
    values = {
        "AGE": numbers + 1,
        ARM: 1 + numbers % 2,
        PART: 1 + (numbers % 4 == 0),
    }
    for name, changed in columns.items():
        values[name] = values.get(name, numbers + 1).copy()
        values[name][:changed] += 7
    found = {name: column.astype(np.uint32) for name, column in values.items()}
    return Cut(Contributions(numbers.astype(np.uint64), found), key_id, "3fa9c1d2e4b5" + "0" * 52)


def is_shown(root: Path, made: Cut) -> bool:
    return not claim(f"{root}/registry", STUDY, made, N).is_held_back


def ledger(root: Path) -> list[Path]:
    return sorted(Path(releases_folder(f"{root}/registry", STUDY)).glob("*.parquet"))


def test_the_first_run_is_shown(tmp_path: Path) -> None:
    assert is_shown(tmp_path, cut(100))


def test_the_same_cut_is_the_same_release(tmp_path: Path) -> None:
    assert is_shown(tmp_path, cut(100))
    assert is_shown(tmp_path, cut(100))
    assert len(ledger(tmp_path)) == 1


@pytest.mark.parametrize("more", range(1, N))
def test_a_run_with_few_more_subjects_is_held_back(tmp_path: Path, more: int) -> None:
    assert is_shown(tmp_path, cut(100))
    assert not is_shown(tmp_path, cut(100 + more))
    assert len(ledger(tmp_path)) == 1


@pytest.mark.parametrize("fewer", [1, N - 1])
def test_a_run_without_few_subjects_is_held_back(tmp_path: Path, fewer: int) -> None:
    assert is_shown(tmp_path, cut(100))
    assert not is_shown(tmp_path, cut(100 - fewer))


@pytest.mark.parametrize("changed", [1, N - 1])
def test_a_run_with_few_changed_values_is_held_back(tmp_path: Path, changed: int) -> None:
    assert is_shown(tmp_path, cut(100))
    assert not is_shown(tmp_path, cut(100, AGE=changed))
    # Others of another column do not hide them.
    assert not is_shown(tmp_path, cut(100, AGE=changed, WEIGHT=50))


def test_subjects_who_are_replaced_count_twice(tmp_path: Path) -> None:
    assert is_shown(tmp_path, cut(100))
    assert not is_shown(tmp_path, cut(100, first=4))
    assert is_shown(tmp_path, cut(100, first=40))


def test_a_new_column_does_not_hide_a_new_subject(tmp_path: Path) -> None:
    assert is_shown(tmp_path, cut(100))
    assert not is_shown(tmp_path, cut(101, WEIGHT=0))
    assert is_shown(tmp_path, cut(100, WEIGHT=0))


def test_few_new_subjects_of_an_arm_or_a_split_are_held_back(tmp_path: Path) -> None:
    """Of 24 who are new, 12 are in each arm, but only 6 in the smaller split."""
    assert is_shown(tmp_path, cut(100))
    assert not is_shown(tmp_path, cut(124))
    assert is_shown(tmp_path, cut(140))
    found = differences(cut(100).found, cut(124).found)
    assert sorted(found.values()) == [6, 12, 12, 18, 24, 24, 24, 24]


def test_a_run_is_compared_with_all_earlier_releases(tmp_path: Path) -> None:
    assert is_shown(tmp_path, cut(100))
    assert is_shown(tmp_path, cut(200))
    assert not is_shown(tmp_path, cut(101))
    assert is_shown(tmp_path, cut(100))


def test_nightly_cuts_are_shown_when_enough_subjects_are_new(tmp_path: Path) -> None:
    """What was held back is no release: subjects who are new add up from night to night."""
    sizes = np.cumsum([100, *([1, 3, 2, 0] * 30)]).tolist()
    shown = [size for size in sizes if is_shown(tmp_path, cut(size))]
    distinct = sorted(set(shown))
    assert len(distinct) == len(ledger(tmp_path)) > 2
    between = np.diff(distinct)
    assert min(between) >= 4 * N - 4
    assert max(between) <= 4 * N + 4


def test_another_subject_key_is_held_back_with_its_reason(tmp_path: Path) -> None:
    assert is_shown(tmp_path, cut(100))
    release = claim(f"{tmp_path}/registry", STUDY, cut(100, key_id="two"), N)
    assert release.earlier is not None
    assert release.earlier.reason == "other_key"
    assert "another subject key" in release.sentence


def test_the_sentence_names_the_earlier_release_and_no_number_of_subjects(tmp_path: Path) -> None:
    assert is_shown(tmp_path, cut(100))
    sentences = {
        claim(f"{tmp_path}/registry", STUDY, cut(100 + more), N).sentence for more in (1, 7)
    }
    assert len(sentences) == 1
    (sentence,) = sentences
    assert "(data 3fa9c1d2e4b5) by fewer than 10 subjects" in sentence


def test_files_of_the_ledger_are_their_owners_alone(tmp_path: Path) -> None:
    assert is_shown(tmp_path, cut(100))
    folder = Path(releases_folder(f"{tmp_path}/registry", STUDY))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in each(list(folder.iterdir())):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_a_dead_writer_left_is_no_release(tmp_path: Path) -> None:
    assert is_shown(tmp_path, cut(100))
    (release,) = ledger(tmp_path)
    draft = release.with_name(f".{release.name}.0123456789abcdef0123456789abcdef")
    draft.write_bytes(release.read_bytes()[:100])
    assert is_shown(tmp_path, cut(100))
    assert not is_shown(tmp_path, cut(101))


def test_a_damaged_release_stops_the_run(tmp_path: Path) -> None:
    assert is_shown(tmp_path, cut(100))
    (release,) = ledger(tmp_path)
    release.write_bytes(release.read_bytes()[:200])
    with pytest.raises(UserError, match="this file of the ledger of releases is damaged"):
        is_shown(tmp_path, cut(100))


def test_no_changed_byte_of_a_release_lets_a_near_run_be_shown(tmp_path: Path) -> None:
    assert is_shown(tmp_path, cut(100))
    (release,) = ledger(tmp_path)
    whole = release.read_bytes()
    refused = 0
    for place in each(range(0, len(whole), 5)):
        changed = bytearray(whole)
        changed[place] ^= 0x41
        release.write_bytes(bytes(changed))
        try:
            assert not is_shown(tmp_path, cut(101)), place
        except UserError:
            refused += 1
    assert refused > 100
    assert len(ledger(tmp_path)) == 1


def test_of_runs_at_once_that_differ_by_few_subjects_one_is_shown(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        shown = list(pool.map(is_shown, [tmp_path] * 4, map(cut, (100, 101, 102, 103))))
    assert sum(shown) == 1
    assert len(ledger(tmp_path)) == 1
