"""What a server of TensorFlow models finds in its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import storage
from pipeline.errors import UserError
from pipeline.runs.changes import retire, roll_back
from pipeline.runs.publish import publish
from pipeline.runs.registry import Registry
from tests.each import each
from tests.pipeline.runs.governed import STUDY, decision, registered


@pytest.fixture
def root(tmp_path: Path) -> str:
    return str(tmp_path / "registry")


@pytest.fixture(params=["folder", "object store"])
def serving(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "serving")
    return f"s3://{request.getfixturevalue('bucket')}/serving"


def served(serving: str) -> str:
    """Content of the model with the highest version."""
    versions = {int(name.partition("/")[0]) for name in each(storage.files_below(serving))}
    return (storage.read(f"{serving}/{max(versions)}/saved_model.pb") or b"").decode()


def test_the_champion_is_the_highest_version(root: str, serving: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        registered(root, tmp_path, name)
        publish(root, STUDY, serving)

        assert served(serving) == name


def test_a_rollback_is_a_higher_version_with_the_earlier_model(
    root: str, serving: str, tmp_path: Path
) -> None:
    registered(root, tmp_path, "a", "b")
    publish(root, STUDY, serving)

    roll_back(root, decision())
    publish(root, STUDY, serving)

    assert served(serving) == "a"


def test_without_a_champion_no_version_is_left(root: str, serving: str, tmp_path: Path) -> None:
    (only,) = registered(root, tmp_path, "a")
    publish(root, STUDY, serving)

    retire(root, decision(), only.id)

    assert publish(root, STUDY, serving) is None
    assert storage.files_below(serving) == []


def test_versions_rise_beyond_those_of_an_earlier_release(root: str, tmp_path: Path) -> None:
    """Earlier releases named a folder for the time of the push."""
    import time

    old = tmp_path / "serving" / str(int(time.time()))
    old.mkdir(parents=True)
    (old / "saved_model.pb").write_text("pushed by 0.1.0")
    registered(root, tmp_path, "a", "b")

    publish(root, STUDY, str(tmp_path / "serving"))

    assert served(str(tmp_path / "serving")) == "b"


def test_what_a_dead_writer_left_is_published_by_the_next(root: str, tmp_path: Path) -> None:
    registered(root, tmp_path, "a", "b")
    serving = tmp_path / "serving"

    publish(root, STUDY, str(serving))
    publish(root, STUDY, str(serving))

    version = Registry(root).book(STUDY).pointer.champion
    assert version is not None
    assert [path.name for path in serving.iterdir()] == [str(version.version)]


def test_a_corrupt_model_is_not_published(root: str, tmp_path: Path) -> None:
    (only,) = registered(root, tmp_path, "a")
    Path(only.model_uri, "saved_model.pb").write_text("other")

    with pytest.raises(UserError, match="are not those that were registered"):
        publish(root, STUDY, str(tmp_path / "serving"))

    assert not (tmp_path / "serving").exists()
