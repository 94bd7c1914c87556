"""The root of unblinded runs: who is let in, and a log that only grows."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.permissions import ACCESS_LOG, account_name, is_unblinded, unblinded_root_of
from pipeline.runs.unblinded import check_access, open_root, read_accesses
from pipeline.study.load import load_study, parse_study
from pipeline.study.shipped import find_study_file
from pipeline.study.study import Study
from tests.each import each

ME = account_name()


def ongoing(*readers: str, name: str = "synthetic") -> Study:
    content = load_study(find_study_file("synthetic")).to_content()
    changes = {"study": name, "conduct": "ongoing", "unblinded_readers": list(readers)}
    return parse_study({**content, **changes}, "study.yaml")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The unblinded root after one run."""
    return open_root(tmp_path / "runs", ongoing(ME), "study.yaml", "trial run")


def readers_are(place: Path, *readers: str) -> None:
    log = json.loads((place / ACCESS_LOG).read_text())
    log["readers"] = {"synthetic": list(readers)}
    (place / ACCESS_LOG).write_text(json.dumps(log))


def test_a_named_reader_gets_a_root_of_its_own_that_is_the_owners_alone(
    place: Path, tmp_path: Path
) -> None:
    assert place == tmp_path / "runs" / "unblinded"
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert is_unblinded(place / "synthetic" / "records")
    assert not is_unblinded(tmp_path / "runs")
    assert unblinded_root_of(Path("\0")) is None


@pytest.mark.parametrize("readers", [(), ("another",)])
def test_no_other_account_makes_an_unblinded_run(readers: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="for named readers alone") as refused:
        open_root(tmp_path, ongoing(*readers), "study.yaml", "trial run")
    assert len(str(refused.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_locked_trial_needs_no_unblinded_run(tmp_path: Path) -> None:
    locked = ongoing(ME).model_copy(update={"conduct": "locked"})
    with pytest.raises(UserError, match="run it without --unblinded"):
        open_root(tmp_path, locked, "study.yaml", "trial run")


def test_each_access_is_recorded_with_account_time_command_and_run(place: Path) -> None:
    check_access(place, "trial report", "20260101T000000")
    first, second = read_accesses(place)
    assert (first.command, first.readers, first.allowed) == ("trial run", (ME,), True)
    assert (second.command, second.run, second.readers) == ("trial report", "20260101T000000", ())
    for entry in (first, second):
        assert entry.account.partition("@")[0] == ME
        assert entry.at.endswith("+00:00")


def test_who_is_not_named_is_refused_and_that_is_recorded(place: Path) -> None:
    readers_are(place, "another")
    with pytest.raises(UserError, match="does not name you"):
        check_access(place, "trial report")
    assert [entry.allowed for entry in read_accesses(place)] == [True, False]


def test_a_root_of_two_studies_is_for_readers_of_both(place: Path) -> None:
    readers_are(place, "another")
    with pytest.raises(UserError, match="does not name you"):
        open_root(place, ongoing(ME, name="other"), "other.yaml", "trial run")


def test_readers_are_those_of_the_newest_run(place: Path) -> None:
    readers_are(place, "another")
    assert open_root(place, ongoing(ME), "study.yaml", "trial run") == place
    check_access(place, "trial report")


def test_a_run_of_who_is_not_named_any_more_is_recorded_as_refused(place: Path) -> None:
    with pytest.raises(UserError, match="does not name you"):
        open_root(place.parent, ongoing("another"), "study.yaml", "trial run")
    assert [entry.allowed for entry in read_accesses(place)] == [True, False]
    assert is_unblinded(place)


def test_a_first_opening_that_was_interrupted_is_made_up_for(place: Path, tmp_path: Path) -> None:
    """It was ended after it wrote the first entry, and before the end of the log; twice even."""
    (place / ACCESS_LOG).unlink()
    (place / "access" / ".00000001-0.json.draft").write_text("{")
    for _ in range(2):
        open_root(tmp_path / "runs", ongoing(ME), "study.yaml", "trial run")
        assert len(read_accesses(place)) == 1
        (place / ACCESS_LOG).unlink()


@pytest.mark.parametrize("damage", ["changed", "removed", "end removed"])
def test_an_entry_that_is_changed_or_removed_is_found(place: Path, damage: str) -> None:
    check_access(place, "trial report")
    first = sorted((place / "access").iterdir())[0]
    if damage == "changed":
        first.write_text(first.read_text().replace(ME, "another"))
    elif damage == "removed":
        first.unlink()
    else:
        (place / ACCESS_LOG).unlink()
    with pytest.raises(UserError, match="access log"):
        read_accesses(place)


def test_accesses_at_the_same_time_are_all_recorded(place: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: check_access(place, f"trial {number}"), range(12)))
    numbers = [entry.number for entry in each(read_accesses(place))]
    assert numbers == list(range(1, 14))
