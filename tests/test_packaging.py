"""What is installed: ranges that the lock satisfies, and what Beam ships to its workers."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import venv
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from pipeline.version import PROJECT, code_version

CONTENT = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
OPTIONAL = CONTENT["optional-dependencies"]
LOCKS = ("tfx116", "tfx121")
LOCK_FILES = ("bootstrap", "runtime", "dev")
NEEDED_BY_ONE = {"pyarrow-hotfix": "tfx116"}


def locked(lock: str, name: str) -> dict[str, str]:
    """Version of each distribution; of several for different Pythons the last."""
    text = (PROJECT / "requirements" / lock / f"{name}.txt").read_text()
    return dict(re.findall(r"(?m)^([a-z0-9._-]+)(?:\[[^\]]*\])?==([^ \\]+)", text))


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("text", [*CONTENT["dependencies"], *OPTIONAL["tfx"]])
def test_each_lock_satisfies_a_dependency(text: str, lock: str) -> None:
    wanted = Requirement(text)
    if NEEDED_BY_ONE.get(wanted.name, lock) != lock:
        assert wanted.name not in locked(lock, "runtime")
        return
    assert wanted.specifier.contains(locked(lock, "runtime")[wanted.name])


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize(
    "text", [*OPTIONAL["boards"], *OPTIONAL["notebooks"], *OPTIONAL["service"]]
)
def test_each_lock_of_developers_satisfies_an_extra(text: str, lock: str) -> None:
    wanted = Requirement(text)
    assert wanted.specifier.contains(locked(lock, "dev")[wanted.name])


@pytest.mark.parametrize(
    "name",
    [
        *("serve", "airflow", "delivery", "mlflow"),
        *(f"{lock}/{name}" for lock in LOCKS for name in LOCK_FILES),
    ],
)
def test_every_locked_distribution_has_hashes(name: str) -> None:
    text = (PROJECT / "requirements" / f"{name}.txt").read_text()
    entries = re.findall(r"(?m)^[a-z0-9._-]+(?:\[[^\]]*\])?==.*(?:\n    .*)*", text)
    assert len(entries) > 1
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_of_the_service_has_neither_tfx_nor_beam_and_the_versions_of_the_pipeline() -> (
    None
):
    serve, pipeline = locked(".", "serve"), locked("tfx121", "dev")

    assert "tensorflow-cpu" in serve
    assert {"tfx", "apache-beam", "tensorflow", "tensorflow-transform", "tfx-bsl"} & set(
        serve
    ) == set()
    assert serve["tensorflow-cpu"] == pipeline["tensorflow"]
    assert {name: serve[name] for name in serve.keys() & pipeline.keys()} == {
        name: pipeline[name] for name in serve.keys() & pipeline.keys()
    }


def test_the_version_is_written_in_one_place() -> None:
    assert CONTENT["dynamic"] == ["version"]
    citation = (PROJECT / "CITATION.cff").read_text()
    assert f"version: {code_version()}\n" in citation
    assert f"## {code_version()}" in (PROJECT / "CHANGELOG.md").read_text()


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution as Beam makes it of `--setup_file`."""
    folder = tmp_path_factory.mktemp("sdist")
    subprocess.run(
        [sys.executable, "setup.py", "-q", "sdist", "--dist-dir", str(folder)],
        cwd=PROJECT,
        check=True,
        capture_output=True,
    )
    (found,) = folder.glob("*.tar.gz")
    return found


@pytest.mark.slow
def test_it_holds_what_is_read_at_run_time(distribution: Path) -> None:
    with tarfile.open(distribution) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "setup.py",
        "pyproject.toml",
        "LICENSE",
        "pipeline/VERSION",
        "pipeline/py.typed",
        "pipeline/html/templates/page.html",
        "pipeline/service/page/templates/service.html",
        "pipeline/store/migrations/versions/0001_tables_and_roles.py",
        "notebooks/fairness.ipynb",
        "trainer/run.py",
        "components/evaluator/judge.py",
    } <= names
    assert not [name for name in names if name.startswith(("tests/", "runs/", ".secrets"))]


@pytest.mark.slow
def test_it_installs_without_an_index_where_the_lock_is(distribution: Path, tmp_path: Path) -> None:
    """As on a worker: an environment that has the lock, and nothing to download from."""
    home = tmp_path / "environment"
    venv.create(home, with_pip=True)
    (packages,) = (home / "lib").glob("python*/site-packages")
    locked = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    (packages / "locked.pth").write_text(f"{locked}\n")
    python = home / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--no-index", "--no-build-isolation", str(distribution)],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    code = "import pipeline.version as v; print(v.__file__, v.code_version())"
    told = subprocess.run(
        [python, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout.split()
    assert told == [str(packages / "pipeline" / "version.py"), code_version()]
    assert (home / "bin" / "trial").exists()
