"""Files that a pattern names, below folders whose own names look like patterns."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from apache_beam.io.filesystem import BeamIOError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.patterns import check_no_pattern, matching, newest_change
from pipeline.storage import file_systems

FILES = ("dm.csv", "lb-1.csv", "lb-2.csv", ".hidden.csv", "more/lb-3.csv", "more/deep/lb-4.csv")
NAMES = ("plain", "[x]", "a*b", "what?", "[", "a [1-2]")


def trial(folder: Path) -> Path:
    for place, name in enumerate(FILES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x" * place)
    return folder


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("dm.csv", ["dm.csv"]),
        ("lb-*.csv", ["lb-1.csv", "lb-2.csv"]),
        ("lb-[2-9].csv", ["lb-2.csv"]),
        ("lb-?.csv", ["lb-1.csv", "lb-2.csv"]),
        ("more/lb-*.csv", ["more/lb-3.csv"]),
        ("**lb-*.csv", ["lb-1.csv", "lb-2.csv", "more/deep/lb-4.csv", "more/lb-3.csv"]),
        ("../other.csv", ["../other.csv"]),
        ("more", []),
        ("none-*.csv", []),
    ],
)
def test_the_folder_is_no_part_of_the_pattern(
    name: str, pattern: str, expected: list[str], tmp_path: Path
) -> None:
    folder = trial(tmp_path / name)
    (tmp_path / "other.csv").write_text("x")

    found = matching(str(folder), pattern)

    assert [match.path for match in found] == [f"{folder}/{path}" for path in expected]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trial(tmp_path_factory.mktemp("plain"))


@settings(max_examples=60, deadline=None)
@example(pattern="[2-1]")
@given(pattern=st.text("dmlb-.csv/*?[]12", min_size=1, max_size=9))
def test_in_a_plain_folder_files_are_those_that_beam_finds(plain: Path, pattern: str) -> None:
    # An empty set of characters is an error of Beam, an absolute path its own, a folder all files.
    if (
        "[]" in pattern
        or pattern.startswith("/")
        or "//" in pattern
        or "/." in pattern
        or pattern[-1] == "/"
    ):
        return
    try:
        [theirs] = file_systems().match([f"{plain}/{pattern}"])
    except BeamIOError:
        with pytest.raises(UserError, match="a range that ends before it begins"):
            matching(str(plain), pattern)
        return
    expected = {item.path for item in theirs.metadata_list if Path(item.path).is_file()}

    assert {match.path for match in matching(str(plain), pattern)} == expected


def test_the_newest_of_the_files_decides(tmp_path: Path) -> None:
    folder = trial(tmp_path / "[x]")
    for place, name in enumerate(FILES):
        os.utime(folder / name, (0, 1000 + place))

    found = newest_change(str(folder), ["dm.csv", "lb-*.csv"])

    assert found is not None
    assert (FILES[2], found.timestamp()) == ("lb-2.csv", 1002)
    assert newest_change(str(folder), ["none.csv"]) is None


@pytest.mark.parametrize("character", ["*", "?", "["])
def test_a_path_that_tfx_would_read_as_a_pattern_is_refused(character: str) -> None:
    with pytest.raises(UserError, match="The root /runs/") as caught:
        check_no_pattern(f"/runs/a{character}b", "The root")

    assert f"has the character {character} in its name" in str(caught.value)
    check_no_pattern("/runs/a b]", "The root")


def test_an_address_of_an_object_store_with_such_a_character_is_refused() -> None:
    with pytest.raises(UserError, match=r"The address s3://bucket/\[x\] has the character \["):
        matching("s3://bucket/[x]", "dm.csv")
