"""Files by address: on this machine and in an object store."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import storage
from pipeline.errors import UserError


@pytest.fixture(params=["local", "s3"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "local":
        return str(tmp_path / "folder")
    return f"s3://{request.getfixturevalue('bucket')}/folder"


def test_what_was_written_is_read(folder: str) -> None:
    storage.write_whole(f"{folder}/a.gz", b"no gzip at all")

    assert storage.exists(f"{folder}/a.gz")
    assert storage.read(f"{folder}/a.gz") == b"no gzip at all"


def test_a_file_is_replaced(folder: str) -> None:
    storage.write_whole(f"{folder}/a", b"old")
    storage.write_whole(f"{folder}/a", b"new")

    assert storage.read(f"{folder}/a") == b"new"
    assert storage.files_below(folder) == ["a"]


def test_there_is_nothing_to_read_where_no_file_is(folder: str) -> None:
    assert storage.read(f"{folder}/a") is None
    assert not storage.exists(f"{folder}/a")
    assert storage.files_below(folder) == []


def test_a_folder_is_copied_with_its_subfolders(folder: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "variables").mkdir(parents=True)
    (source / "saved_model.pb").write_bytes(b"graph")
    (source / "variables" / "index").write_bytes(b"weights")

    storage.copy_folder(str(source), folder)
    storage.copy_folder(folder, str(tmp_path / "back"))

    assert storage.files_below(folder) == ["saved_model.pb", "variables/index"]
    assert (tmp_path / "back" / "variables" / "index").read_bytes() == b"weights"


def test_a_folder_is_read_from_this_machine(folder: str) -> None:
    storage.write_whole(f"{folder}/sub/a", b"1")

    with storage.local_folder(folder) as found:
        assert (Path(found) / "sub" / "a").read_bytes() == b"1"

    assert (found == folder) == Path(found).exists()


def test_a_folder_is_removed_with_its_subfolders(folder: str) -> None:
    storage.write_whole(f"{folder}/sub/a", b"1")

    storage.remove_folder(folder)

    assert storage.files_below(folder) == []


def test_a_folder_that_is_not_there_is_removed_already(folder: str) -> None:
    storage.remove_folder(folder)

    assert storage.files_below(folder) == []


def test_a_copy_replaces_what_the_target_held(folder: str, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "new").write_bytes(b"1")
    storage.write_whole(f"{folder}/sub/old", b"0")

    storage.copy_folder(str(tmp_path / "source"), folder)

    assert storage.files_below(folder) == ["new"]


def test_a_name_with_wildcards_is_a_name(tmp_path: Path) -> None:
    source = tmp_path / "[1] * ?"
    source.mkdir()
    (source / "a").write_bytes(b"1")

    storage.copy_folder(str(source), str(tmp_path / "target [2]"))

    assert (tmp_path / "target [2]" / "a").read_bytes() == b"1"


def test_tensorflow_gets_a_copy_of_a_folder_whose_name_it_would_read_as_a_pattern(
    tmp_path: Path,
) -> None:
    storage.write_whole(str(tmp_path / "[x]" / "more" / "file"), b"content")

    with storage.local_folder(str(tmp_path / "[x]")) as copy:
        assert storage.special_character(copy) == ""
        assert (Path(copy) / "more" / "file").read_bytes() == b"content"


def test_what_is_removed_is_not_read_as_a_pattern(tmp_path: Path) -> None:
    """`[x]` as a pattern is `x`."""
    for name in ("[x]", "x"):
        storage.write_whole(str(tmp_path / name / "file"), b"content")
        storage.write_whole(str(tmp_path / f"{name}.json"), b"content")

    storage.remove_folder(str(tmp_path / "[x]"))
    storage.remove_file(str(tmp_path / "[x].json"))

    assert storage.files_below(str(tmp_path)) == ["x.json", "x/file"]


def test_an_address_without_a_server_is_reported() -> None:
    with pytest.raises(UserError, match=r"minio://bucket/a: there is no file system .* s3://"):
        storage.read("minio://bucket/a")


def test_a_store_that_refuses_is_reported(bucket: str) -> None:
    del bucket
    with pytest.raises(UserError, match=r"s3://nowhere/a: the file system refused access"):
        storage.write_whole("s3://nowhere/a", b"1")
