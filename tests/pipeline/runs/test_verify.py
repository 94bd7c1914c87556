"""What is found by a check of the registry, and how a lost pointer is made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline import storage
from pipeline.errors import UserError
from pipeline.results.trail import Actor
from pipeline.runs.changes import Rules, promote, roll_back
from pipeline.runs.register import NONE, Decision
from pipeline.runs.registry import Registry
from pipeline.runs.verify import recover, verify
from tests.each import each
from tests.pipeline.runs.governed import ADA, STUDY, add, champion_id, decision, registered, rewrite


@pytest.fixture
def root(registry_root: str, tmp_path: Path) -> str:
    """A registry with two champions and a rollback: five entries of the trail."""
    registered(registry_root, tmp_path, "a", "b")
    roll_back(registry_root, decision())
    return registry_root


def trail(root: str) -> list[str]:
    folder = f"{root}/{STUDY}/trail"
    return [f"{folder}/{name}" for name in sorted(storage.files_below(folder))]


def content_of(path: str) -> bytes:
    content = storage.read(path)
    assert content is not None
    return content


def test_a_whole_registry_has_no_problem(root: str) -> None:
    found = verify(root, STUDY)

    assert (found.problems, found.notes) == ((), ())
    assert (found.entries, found.models) == (5, 2)


@pytest.mark.parametrize("number", range(5))
def test_an_entry_that_was_changed_is_found(root: str, number: int) -> None:
    path = trail(root)[number]
    rewrite(path, "run of", "no run of")
    rewrite(path, "audit", "weather")

    (problem,) = verify(root, STUDY).problems

    assert f"entry {number + 1} of the audit trail was changed" in problem


@pytest.mark.parametrize("number", range(5))
def test_an_entry_that_was_removed_is_found(root: str, number: int) -> None:
    storage.remove_file(trail(root)[number])

    (problem,) = verify(root, STUDY).problems

    assert f"entry {number + 1} of the audit trail is missing" in problem


def test_entries_that_changed_places_are_found(root: str) -> None:
    second, third = trail(root)[1:3]
    content = content_of(second)
    storage.write_whole(second, content_of(third))
    storage.write_whole(third, content)

    (problem,) = verify(root, STUDY).problems

    assert "of the audit trail was changed" in problem


def test_an_entry_that_was_put_between_others_is_found(root: str) -> None:
    path = trail(root)[2]
    content = json.loads(content_of(path))
    content["number"] = 6
    sixth = f"{root}/{STUDY}/trail/00000006-{'0' * 16}.json"
    storage.write_whole(sixth, json.dumps(content).encode())

    (problem,) = verify(root, STUDY).problems

    assert "the pointer does not name this entry" in problem


def test_a_pointer_that_was_set_back_is_found(registry_root: str, tmp_path: Path) -> None:
    root = registry_root
    registered(root, tmp_path, "a", "b")
    pointer = f"{root}/{STUDY}/champion.json"
    before = content_of(pointer)
    roll_back(root, decision())
    storage.write_whole(pointer, before)

    (problem,) = verify(root, STUDY).problems

    assert "or the pointer was set back" in problem


def test_a_trail_whose_end_was_removed_is_found_by_a_noted_digest(
    registry_root: str, tmp_path: Path
) -> None:
    root = registry_root
    registered(root, tmp_path, "a", "b")
    pointer = f"{root}/{STUDY}/champion.json"
    before = content_of(pointer)
    earlier = verify(root, STUDY).end
    roll_back(root, decision())
    noted = verify(root, STUDY).end
    assert verify(root, STUDY, earlier).problems == ()
    storage.remove_file(trail(root)[-1])
    storage.write_whole(pointer, before)

    assert verify(root, STUDY).problems == ()
    assert "that was noted: the trail was set back" in verify(root, STUDY, noted).problems[0]


def test_a_pointer_to_another_model_is_found(root: str) -> None:
    pointer = f"{root}/{STUDY}/champion.json"
    content = json.loads(content_of(pointer))
    content["standing"]["suspended"] = False
    storage.write_whole(pointer, json.dumps(content).encode())

    (problem,) = verify(root, STUDY).problems

    assert "does not follow from the audit trail" in problem


@pytest.mark.parametrize(
    "file", ["models/{id}/saved_model.pb", "statistics/{id}/Split-train/FeatureStats.pb"]
)
def test_a_models_file_with_another_digest_is_found(root: str, file: str) -> None:
    champion = Registry(root).champion(STUDY)
    assert champion is not None
    storage.write_whole(f"{root}/{STUDY}/{file.format(id=champion.id)}", b"other")

    (problem,) = verify(root, STUDY).problems

    assert "are not those that were registered" in problem
    with pytest.raises(UserError, match="are not those that were registered"):
        Registry(root).check_files(champion)


def test_a_registration_that_was_changed_is_found_and_not_served(root: str) -> None:
    folder = f"{root}/{STUDY}/history"
    for name in each(storage.files_below(folder)):
        rewrite(f"{folder}/{name}", '"data"', '"dada"')

    assert "was changed" in " ".join(verify(root, STUDY).problems)
    with pytest.raises(UserError, match="not the file that was registered"):
        Registry(root).champion(STUDY)


def test_two_names_from_one_account_are_noted(registry_root: str, tmp_path: Path) -> None:
    root = registry_root
    model = add(root, tmp_path, "a", Decision(NONE, "two_persons")).entry
    for name in ("Ada", "Grace"):
        by = decision(Actor(account="ci@runner", name=name))
        promote(root, by, model.id, Rules("two_persons"))

    (note,) = verify(root, STUDY).notes

    assert "approved under several names from one account (ci@runner)" in note


def test_a_lost_pointer_is_made_again_from_the_trail(root: str) -> None:
    champion = champion_id(root)
    storage.remove_file(f"{root}/{STUDY}/champion.json")

    recover(root, STUDY, ADA, "the disk was full")

    assert champion_id(root) == champion
    assert verify(root, STUDY).problems == ()
    assert Registry(root).book(STUDY).standing.suspended


def test_a_pointer_that_is_there_is_not_made_again(root: str) -> None:
    with pytest.raises(UserError, match="the pointer is there"):
        recover(root, STUDY, ADA, "no reason")


def test_without_a_registry_there_is_nothing_to_find(tmp_path: Path) -> None:
    found: Any = verify(str(tmp_path), STUDY)

    assert (found.entries, found.models, found.problems) == (0, 0, ())
