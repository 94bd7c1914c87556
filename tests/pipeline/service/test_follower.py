"""The service follows the registry: verified, swapped at once, and the old model stays on doubt."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from pipeline import storage
from pipeline.errors import UserError
from pipeline.results.registration import RegisteredModel
from pipeline.results.trail import Actor
from pipeline.runs.changes import Change, retire, roll_back
from pipeline.runs.registry import Registry
from pipeline.service.answers import predict
from pipeline.service.app import create_app
from pipeline.service.champion import champion_of_book
from pipeline.service.follower import Follower
from pipeline.service.given import columns_of_rows
from tests.each import each
from tests.pipeline.service.hand_made import STUDY, SUBJECT, log_odds, register, risk
from tests.pipeline.service.running import problem, running

OLD = risk(log_odds(60, 30, "F", "Active"))
NEW = risk(log_odds(60, 30, "F", "Active", offset=1.0))
CHANGE = Change(study=STUDY, actor=Actor(account="tester"), reason="a test")


@pytest.fixture
def registry(tmp_path: Path, saved_model: Path) -> Registry:
    register(tmp_path / "registry", saved_model, tmp_path)
    return Registry(str(tmp_path / "registry"))


def promote(folder: Path, model: Path) -> RegisteredModel:
    """Registers a second model, which becomes the champion."""
    return register(folder / "registry", model, folder, run="run-2")


def death(follower: Follower) -> float:
    """What is predicted for the subject now."""
    champion = follower.served.champion
    assert champion is not None
    return float(predict(champion, columns_of_rows([SUBJECT])).outputs["death"][0])


def spoil(path: str) -> None:
    """Changes a byte of a file."""
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def test_a_new_champion_takes_the_place_of_the_old_one(
    registry: Registry, tmp_path: Path, other_model: Path
) -> None:
    follower = Follower(registry, STUDY)
    assert death(follower) == pytest.approx(OLD, abs=1e-6)

    entry = promote(tmp_path, other_model)
    follower.look()

    champion = follower.served.champion
    assert champion is not None
    assert champion.entry.id == entry.id
    assert death(follower) == pytest.approx(NEW, abs=1e-6)
    assert (follower.served.swaps, follower.served.refused) == (1, "")


def test_a_rollback_reaches_the_service(
    registry: Registry, tmp_path: Path, other_model: Path
) -> None:
    promote(tmp_path, other_model)
    follower = Follower(registry, STUDY)
    newer = follower.served.champion

    roll_back(str(tmp_path / "registry"), CHANGE)
    follower.look()

    older = follower.served.champion
    assert older is not None
    assert newer is not None
    assert older.version > newer.version
    assert death(follower) == pytest.approx(OLD, abs=1e-6)


def test_a_look_without_a_change_loads_nothing(registry: Registry) -> None:
    follower = Follower(registry, STUDY)
    served = follower.served.champion
    follower.look()
    assert follower.served.champion is served


@pytest.mark.parametrize("file", ["saved_model.pb", "assets.extra/contributions.json"])
def test_a_new_champion_with_a_changed_file_is_refused_and_the_old_one_stays(
    registry: Registry, tmp_path: Path, other_model: Path, file: str
) -> None:
    follower = Follower(registry, STUDY)
    entry = promote(tmp_path, other_model)
    spoil(f"{entry.model_uri}/{file}")

    follower.look()

    assert death(follower) == pytest.approx(OLD, abs=1e-6)
    assert f"the champion {entry.id} is not served" in follower.served.refused
    assert "other digest" in follower.served.refused
    assert follower.served.refusals == 1
    # Prometheus compares both.
    assert follower.served.champion is not None
    assert follower.served.wanted > follower.served.champion.version


def test_a_refused_champion_is_served_when_it_was_restored(
    registry: Registry, tmp_path: Path, other_model: Path
) -> None:
    follower = Follower(registry, STUDY)
    entry = promote(tmp_path, other_model)
    spoil(f"{entry.model_uri}/saved_model.pb")
    follower.look()
    spoil(f"{entry.model_uri}/saved_model.pb")

    follower.look()

    assert death(follower) == pytest.approx(NEW, abs=1e-6)
    assert follower.served.refused == ""


def test_a_refused_champion_is_tried_less_and_less_often(
    registry: Registry, tmp_path: Path, other_model: Path
) -> None:
    follower = Follower(registry, STUDY)
    entry = promote(tmp_path, other_model)
    spoil(f"{entry.model_uri}/saved_model.pb")

    tried = []
    for _ in range(16):
        follower.look()
        tried.append(follower.served.refusals)

    # At looks 1, 2, 4, 8 and 16.
    assert tried == [1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5]


def test_a_registry_that_is_gone_changes_nothing_but_is_shown(
    registry: Registry, tmp_path: Path
) -> None:
    follower = Follower(registry, STUDY)
    pointer = tmp_path / "registry" / STUDY / "champion.json"
    kept = pointer.read_bytes()
    pointer.unlink()

    follower.look()
    assert not follower.served.registry_answers
    assert death(follower) == pytest.approx(OLD, abs=1e-6)

    pointer.write_bytes(kept)
    follower.look()
    assert follower.served.registry_answers


def test_a_registry_whose_folder_is_away_changes_nothing_but_is_shown(
    registry: Registry, tmp_path: Path
) -> None:
    follower = Follower(registry, STUDY)
    shutil.move(tmp_path / "registry", tmp_path / "away")

    follower.look()
    assert not follower.served.registry_answers
    assert death(follower) == pytest.approx(OLD, abs=1e-6)

    shutil.move(tmp_path / "away", tmp_path / "registry")
    follower.look()
    assert follower.served.registry_answers


def test_a_champion_that_can_not_be_copied_is_refused_until_it_can(
    registry: Registry, tmp_path: Path, other_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(registry, STUDY)
    promote(tmp_path, other_model)

    with monkeypatch.context() as changed:
        changed.setattr(tempfile, "tempdir", str(tmp_path / "no-such-folder"))
        follower.look()
    assert "Make room there" in follower.served.refused
    assert death(follower) == pytest.approx(OLD, abs=1e-6)

    follower.look()
    assert death(follower) == pytest.approx(NEW, abs=1e-6)


def test_without_a_champion_any_more_no_request_is_answered(
    registry: Registry, tmp_path: Path
) -> None:
    follower = Follower(registry, STUDY)
    [entry] = registry.history(STUDY)
    retire(str(tmp_path / "registry"), CHANGE, entry.id)
    with running(create_app(follower)) as client:
        assert client.get("/v2/health/ready").status_code == 200

        follower.look()

        for path in ("/v2/health/ready", "/"):
            problem(client.get(path), 503)
        problem(client.post("/predict", json={"subject": SUBJECT}), 503)
        # A restart would not help.
        assert client.get("/v2/health/live").status_code == 200


def test_no_request_fails_while_a_champion_is_swapped(
    registry: Registry, tmp_path: Path, other_model: Path
) -> None:
    follower = Follower(registry, STUDY)
    old = follower.served.champion
    assert old is not None
    entry = promote(tmp_path, other_model)
    answers: list[tuple[int, str, float]] = []
    begun, seen = threading.Barrier(5), [threading.Event() for _ in range(4)]

    with running(create_app(follower)) as client:

        def ask(place: int) -> None:
            begun.wait()
            while not seen[place].is_set():
                answer = client.post("/predict", json={"subject": SUBJECT})
                content = answer.json()
                version = content["model"]["id"]
                found = content["predictions"]["death"]["probability"]
                answers.append((answer.status_code, version, found))
                if version == entry.id:
                    seen[place].set()

        threads = [threading.Thread(target=ask, args=(place,)) for place in range(4)]
        for thread in threads:
            thread.start()
        begun.wait()
        follower.look()
        for thread in threads:
            thread.join(60)

    expected = {old.entry.id: OLD, entry.id: NEW}
    assert {version for _, version, _ in answers} == set(expected)
    for status, version, found in each(answers):
        assert status == 200
        assert found == pytest.approx(expected[version], abs=1e-6)


class TestAtStart:
    def test_a_registry_without_a_champion_is_one_message(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="has no champion of the study stroke"):
            Follower(Registry(str(tmp_path)), STUDY)

    def test_a_changed_model_is_refused(self, registry: Registry) -> None:
        [entry] = registry.history(STUDY)
        spoil(f"{entry.model_uri}/saved_model.pb")
        with pytest.raises(UserError, match=r"not those that were registered \(other digest\)"):
            champion_of_book(registry.book(STUDY))

    def test_a_model_without_its_card_is_refused(self, registry: Registry) -> None:
        [entry] = registry.history(STUDY)
        shutil.rmtree(entry.documents_uri)
        with pytest.raises(UserError, match=r"holds no card\.json"):
            champion_of_book(registry.book(STUDY))

    def test_a_model_of_an_object_store_is_loaded_without_beam(
        self,
        tmp_path: Path,
        saved_model: Path,
        bucket: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The service's own lock and image have none."""
        root = f"s3://{bucket}/registry"
        register(root, saved_model, tmp_path)
        monkeypatch.setitem(sys.modules, "apache_beam", None)
        monkeypatch.setattr(storage, "file_systems", storage.file_systems.__wrapped__)
        follower = Follower(Registry(root), STUDY)
        follower.look()
        assert follower.served.registry_answers
        assert death(follower) == pytest.approx(OLD, abs=1e-6)

    def test_nothing_of_a_loaded_model_is_read_from_the_registry_again(
        self, registry: Registry, tmp_path: Path
    ) -> None:
        follower = Follower(registry, STUDY)
        shutil.rmtree(tmp_path / "registry")
        assert death(follower) == pytest.approx(OLD, abs=1e-6)
