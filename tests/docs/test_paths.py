"""Files and folders that the docs name exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import PurePosixPath

import pytest

from pipeline.version import PROJECT

PAGES = [
    *PROJECT.glob("docs/*.md"),
    *(PROJECT / f"{name}.md" for name in ("README", "CONTRIBUTING")),
]
_PATH = re.compile(r"`([A-Za-z_][\w./-]*)`")


def tracked() -> list[PurePosixPath]:
    """Every tracked file."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=True, encoding="utf-8"
    ).stdout.split("\0")
    return [PurePosixPath(name) for name in listed if name]


def ends_of_paths(files: list[PurePosixPath]) -> set[str]:
    """Every file and folder by every end of its path: `rules.py`, `study/rules.py`."""
    places = {place for file in files for place in (file, *file.parents)}
    return {
        str(PurePosixPath(*place.parts[first:]))
        for place in places
        for first in range(len(place.parts))
    }


def named(text: str, folders: set[str]) -> set[str]:
    """Names of modules, and paths that start in a folder of the project."""
    found = {match.group(1).rstrip("/") for match in _PATH.finditer(text)}
    return {
        name
        for name in found
        if name.endswith(".py") or ("/" in name and name.partition("/")[0] in folders)
    }


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (
            "`pipeline/study/load.py` reads, `rules.py` checks",
            {"pipeline/study/load.py", "rules.py"},
        ),
        ("`pipeline/store/`", {"pipeline/store"}),
        ("`runs/store.sqlite`, `docs/*`, `components/<name>/`", set()),
    ],
)
def test_paths_are_found_in_text(text: str, paths: set[str]) -> None:
    assert named(text, {"pipeline", "docs", "components"}) == paths


def test_every_file_and_folder_that_the_docs_name_exists() -> None:
    files = tracked()
    known = ends_of_paths(files)
    # Not `runs/` of a checkout that has run, though the project has folders of that name.
    folders = {file.parts[0] for file in files if len(file.parts) > 1}
    found = {
        (page.name, name) for page in PAGES for name in named(page.read_text("utf-8"), folders)
    }

    assert len(found) > 50
    assert sorted(item for item in found if item[1] not in known) == []
