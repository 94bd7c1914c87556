"""What is found by a check of the registry, and how a lost pointer is made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.results.trail import Actor
from pipeline.runs.changes import Rules, promote, roll_back
from pipeline.runs.register import NONE, Decision
from pipeline.runs.registry import Registry
from pipeline.runs.verify import recover, verify
from tests.each import each
from tests.pipeline.runs.governed import ADA, STUDY, add, champion_id, decision, registered


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A registry with two champions and a rollback: five entries of the trail."""
    root = str(tmp_path / "registry")
    registered(root, tmp_path, "a", "b")
    roll_back(root, decision())
    return root


def trail(root: str) -> list[Path]:
    return sorted((Path(root) / STUDY / "trail").iterdir())


def test_a_whole_registry_has_no_problem(root: str) -> None:
    found = verify(root, STUDY)

    assert (found.problems, found.notes) == ((), ())
    assert (found.entries, found.models) == (5, 2)


@pytest.mark.parametrize("number", range(5))
def test_an_entry_that_was_changed_is_found(root: str, number: int) -> None:
    path = trail(root)[number]
    path.write_text(path.read_text().replace("run of", "no run of").replace("audit", "weather"))

    (problem,) = verify(root, STUDY).problems

    assert f"entry {number + 1} of the audit trail was changed" in problem


@pytest.mark.parametrize("number", range(5))
def test_an_entry_that_was_removed_is_found(root: str, number: int) -> None:
    trail(root)[number].unlink()

    (problem,) = verify(root, STUDY).problems

    assert f"entry {number + 1} of the audit trail is missing" in problem


def test_entries_that_changed_places_are_found(root: str) -> None:
    second, third = trail(root)[1:3]
    content = second.read_bytes()
    second.write_bytes(third.read_bytes())
    third.write_bytes(content)

    (problem,) = verify(root, STUDY).problems

    assert "of the audit trail was changed" in problem


def test_an_entry_that_was_put_between_others_is_found(root: str) -> None:
    path = trail(root)[2]
    content = json.loads(path.read_text())
    content["number"] = 6
    (path.parent / f"00000006-{'0' * 16}.json").write_text(json.dumps(content))

    (problem,) = verify(root, STUDY).problems

    assert "the pointer does not name this entry" in problem


def test_a_pointer_that_was_set_back_is_found(tmp_path: Path) -> None:
    root = str(tmp_path / "registry")
    registered(root, tmp_path, "a", "b")
    pointer = Path(root) / STUDY / "champion.json"
    before = pointer.read_bytes()
    roll_back(root, decision())
    pointer.write_bytes(before)

    (problem,) = verify(root, STUDY).problems

    assert "or the pointer was set back" in problem


def test_a_trail_whose_end_was_removed_is_found_by_a_noted_digest(tmp_path: Path) -> None:
    root = str(tmp_path / "registry")
    registered(root, tmp_path, "a", "b")
    pointer = Path(root) / STUDY / "champion.json"
    before = pointer.read_bytes()
    earlier = verify(root, STUDY).end
    roll_back(root, decision())
    noted = verify(root, STUDY).end
    assert verify(root, STUDY, earlier).problems == ()
    trail(root)[-1].unlink()
    pointer.write_bytes(before)

    assert verify(root, STUDY).problems == ()
    assert "that was noted: the trail was set back" in verify(root, STUDY, noted).problems[0]


def test_a_pointer_to_another_model_is_found(root: str) -> None:
    pointer = Path(root) / STUDY / "champion.json"
    content = json.loads(pointer.read_text())
    content["standing"]["suspended"] = False
    pointer.write_text(json.dumps(content))

    (problem,) = verify(root, STUDY).problems

    assert "does not follow from the audit trail" in problem


@pytest.mark.parametrize(
    "file", ["models/{id}/saved_model.pb", "statistics/{id}/Split-train/FeatureStats.pb"]
)
def test_a_models_file_with_another_digest_is_found(root: str, file: str) -> None:
    champion = Registry(root).champion(STUDY)
    assert champion is not None
    (Path(root) / STUDY / file.format(id=champion.id)).write_text("other")

    (problem,) = verify(root, STUDY).problems

    assert "are not those that were registered" in problem
    with pytest.raises(UserError, match="are not those that were registered"):
        Registry(root).check_files(champion)


def test_a_registration_that_was_changed_is_found_and_not_served(root: str) -> None:
    for path in each((Path(root) / STUDY / "history").iterdir()):
        path.write_text(path.read_text().replace('"data"', '"dada"'))

    assert "was changed" in " ".join(verify(root, STUDY).problems)
    with pytest.raises(UserError, match="not the file that was registered"):
        Registry(root).champion(STUDY)


def test_two_names_from_one_account_are_noted(tmp_path: Path) -> None:
    root = str(tmp_path / "registry")
    model = add(root, tmp_path, "a", Decision(NONE, "two_persons")).entry
    for name in ("Ada", "Grace"):
        by = decision(Actor(account="ci@runner", name=name))
        promote(root, by, model.id, Rules("two_persons"))

    (note,) = verify(root, STUDY).notes

    assert "approved under several names from one account (ci@runner)" in note


def test_a_lost_pointer_is_made_again_from_the_trail(root: str) -> None:
    champion = champion_id(root)
    (Path(root) / STUDY / "champion.json").unlink()

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
