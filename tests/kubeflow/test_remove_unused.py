"""What is left out of the images, by a list that must be true."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from pipeline.version import PROJECT
from tests.each import each

SCRIPT = PROJECT / "kubeflow" / "remove_unused.py"
LOCK = PROJECT / "requirements" / "tfx121" / "runtime.txt"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("remove_unused", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    for name in ("a/__init__.py", "a/tests/test_a.py", "a/inner/tests/test_b.py", "b/header.h"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_folders_and_files_that_match_are_removed(script: ModuleType, packages: Path) -> None:
    script.remove("files", "**/tests", packages)
    script.remove("files", "b/*.h", packages)
    assert files(packages) == {"a/__init__.py"}


@pytest.mark.parametrize("kind", ["files", "symbols", "distribution"])
def test_an_entry_that_matches_nothing_is_an_error(
    script: ModuleType, packages: Path, kind: str
) -> None:
    with pytest.raises(SystemExit, match=f"{kind} no-such-thing: "):
        script.remove(kind, "no-such-thing", packages)


def test_a_distribution_goes_and_its_neighbour_in_the_same_folder_stays(
    script: ModuleType, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, module in (("one", "google/one.py"), ("two", "google/two.py")):
        info = packages / f"{name}-1.dist-info"
        info.mkdir()
        (packages / module).parent.mkdir(exist_ok=True)
        (packages / module).touch()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (info / "RECORD").write_text(
            f"{module},,\n{name}-1.dist-info/METADATA,,\n{name}-1.dist-info/RECORD,,\n"
        )
    monkeypatch.syspath_prepend(str(packages))
    script.remove("distribution", "one", packages)
    assert not (packages / "one-1.dist-info").exists()
    assert {"google/two.py", "two-1.dist-info/METADATA"} <= files(packages)
    assert "google/one.py" not in files(packages)


@pytest.mark.parametrize("line", ["folder a", "files", "files a b"])
def test_a_line_that_is_no_entry_is_an_error(script: ModuleType, line: str) -> None:
    with pytest.raises(SystemExit, match="line 2: expected one of distribution, files, symbols"):
        script.entries(f"# a comment\n{line}\n")


def test_the_list_names_distributions_of_the_lock(script: ModuleType) -> None:
    listed = script.entries((PROJECT / "kubeflow" / "unused.txt").read_text())
    lock = LOCK.read_text()
    for name in each([what for kind, what in listed if kind == "distribution"]):
        assert f"\n{name}==" in lock
