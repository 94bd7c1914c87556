"""Compare-and-swap on a file: on this machine and in an object store."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from pipeline import storage, swap
from pipeline.errors import UserError
from pipeline.swap import LOCK, replace_seen, see


@pytest.fixture(params=["local", "s3"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "local":
        return str(tmp_path / "folder" / "file")
    return f"s3://{request.getfixturevalue('bucket')}/folder/file"


def test_a_file_that_is_not_there_is_made(path: str) -> None:
    assert replace_seen(path, b"new", see(path))

    assert storage.read(path) == b"new"


def test_a_file_that_another_writer_has_made_is_left_alone(path: str) -> None:
    seen = see(path)
    storage.write_whole(path, b"of another")

    assert not replace_seen(path, b"new", seen)
    assert storage.read(path) == b"of another"


def test_a_file_is_replaced_that_is_as_it_was_read(path: str) -> None:
    storage.write_whole(path, b"old")

    assert replace_seen(path, b"new", see(path))
    assert storage.read(path) == b"new"


def test_a_file_that_has_changed_is_left_alone(path: str) -> None:
    storage.write_whole(path, b"old")
    seen = see(path)
    storage.write_whole(path, b"of another")

    assert not replace_seen(path, b"new", seen)
    assert storage.read(path) == b"of another"


def test_a_file_that_was_removed_is_not_made_again(path: str) -> None:
    storage.write_whole(path, b"old")
    seen = see(path)
    storage.remove_file(path)

    assert not replace_seen(path, b"new", seen)
    assert storage.read(path) is None


def test_a_write_whose_answer_was_lost_has_succeeded(bucket: str) -> None:
    path = f"s3://{bucket}/file"
    seen = see(path)
    storage.write_whole(path, b"new")

    assert replace_seen(path, b"new", seen)


def test_the_try_of_the_stores_conditions_leaves_nothing(bucket: str) -> None:
    path = f"s3://{bucket}/folder/file"
    replace_seen(path, b"new", see(path))

    assert storage.files_below(f"s3://{bucket}") == ["folder/file"]


def test_a_store_that_ignores_conditions_is_refused(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    client = boto3.client("s3")
    # What a store does that knows no conditions: it does not see them.
    client.meta.events.register(
        "before-sign.s3.PutObject",
        lambda request, **_: [
            request.headers.__delitem__(name)
            for name in ("If-Match", "If-None-Match")
            if name in request.headers
        ],
    )
    monkeypatch.setattr("pipeline.swap.s3_client", lambda: client)
    path = f"s3://{bucket}/file"

    with pytest.raises(UserError, match=r"ignores the conditions of writes \(IfNoneMatch, IfMatch"):
        replace_seen(path, b"new", see(path))
    assert storage.files_below(f"s3://{bucket}") == []


def test_a_place_without_a_tested_swap_is_refused() -> None:
    with pytest.raises(UserError, match=r"can't be changed there: .*s3://bucket"):
        see("gs://bucket/registry/ist/champion.json")


def test_a_store_that_does_not_answer_is_reported(bucket: str) -> None:
    del bucket
    with pytest.raises(UserError, match=r"s3://nowhere/file: the object store refused access"):
        see("s3://nowhere/file")


def test_a_lock_that_another_process_holds_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    monkeypatch.setattr(swap, "_LONGEST_SECONDS", 0.1)
    with Path(f"{path}{LOCK}").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(UserError, match=r"file\.lock: another process has held this lock for"):
            replace_seen(str(path), b"new", see(str(path)))
    assert not path.exists()
    assert replace_seen(str(path), b"new", see(str(path)))
