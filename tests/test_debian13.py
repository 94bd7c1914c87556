"""A fresh clone on a fresh Debian 13: Python 3.13 and TFX 1.21, beside the lock of this machine."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.lock_differences import differences, read_examples, read_records
from pipeline.names import SPLITS
from pipeline.tfx_release import installed_lock
from pipeline.version import PROJECT
from tests.conftest import NO_SKIPS_VARIABLE
from tests.each import each
from tests.grafana.grafana_files import REFERENCE
from tests.other_root import in_root, make_root, run
from tests.two_locks import MOST_MOVED, bound
from tests.whole_runs import Run, run_pipeline

pytestmark = pytest.mark.slow

KEY = "0123456789abcdef0123456789abcdef"
SIZE = {"SUBJECTS": 1_000, "SEED": 7, "STEPS": 200}


@dataclass(frozen=True)
class Debian13:
    """A root with a clone in `/src`, installed and run.

    Attributes:
        root: The root.
        terminal: What `make run` wrote.
    """

    root: Path
    terminal: str

    @property
    def study(self) -> Path:
        """What its run wrote."""
        return self.root / "root" / "runs" / "synthetic"


def packages_named_in_the_docs() -> list[str]:
    install = (PROJECT / "docs" / "install.md").read_text("utf-8")
    named = re.search(r"^\| Debian 13 \| `apt install ([^`]*)` \|$", install, flags=re.MULTILINE)
    assert named
    return named[1].split()


@pytest.fixture(scope="module")
def debian13(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Debian13]:
    root = tmp_path_factory.mktemp("debian13") / "root"
    make_root(root, "trixie", packages_named_in_the_docs())
    run("git", "clone", "-q", "--no-hardlinks", str(PROJECT), str(root / "src"))
    options = " ".join(f"{name}={value}" for name, value in SIZE.items())
    terminal = in_root(root, f"make run ROOT=/root/runs {options}", TRIAL_SUBJECT_KEY=KEY)
    yield Debian13(root, terminal)
    # 6 GB.
    run("rm", "-rf", "--one-file-system", str(root))


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same run with this machine's lock."""
    options = [word for name, value in SIZE.items() for word in (f"--{name.lower()}", str(value))]
    root = tmp_path_factory.mktemp("here") / "runs"
    done = run_pipeline(root, *options, TRIAL_SUBJECT_KEY=KEY)
    assert done.code == 0, done.terminal + done.errors
    return done


def test_make_takes_the_newer_lock_and_says_why(debian13: Debian13) -> None:
    assert "requirements/tfx121 with Python 3.13" in debian13.terminal
    assert installed_lock() != "tfx121", "this machine shows nothing that the root does not"


def test_make_run_reaches_a_verdict(debian13: Debian13) -> None:
    assert "AUC with 95 % interval" in debian13.terminal
    assert list(debian13.study.glob("artifacts/MetricsExporter/export/*"))


def test_subjects_and_splits_are_the_same_byte_for_byte(debian13: Debian13, here: Run) -> None:
    ours = read_examples(here.root / "synthetic")

    assert len(ours) == len(SPLITS)
    assert read_examples(debian13.study) == ours


def test_metrics_differ_by_no_more_than_the_docs_say(debian13: Debian13, here: Run) -> None:
    found = differences(read_records(here.root / "synthetic"), read_records(debian13.study))

    assert sum(apart.numbers for apart in found.values()) > 500
    for metric, apart in each(found.items()):
        assert apart.alone == 0, metric
        assert apart.largest <= bound(metric), metric
    stepped = sum(apart.stepped for apart in found.values())
    assert stepped > 100
    assert sum(apart.moved for apart in found.values()) <= MOST_MOVED * stepped


def test_the_tests_of_make_test_pass(debian13: Debian13, trial_data_dir: Path) -> None:
    # Beside the clone, where the tests look for them.
    for folder in (trial_data_dir, REFERENCE):
        if folder.is_dir():
            shutil.copytree(folder, debian13.root / "shared" / folder.name)
    strict = {name: os.environ[name] for name in [NO_SKIPS_VARIABLE] if name in os.environ}

    # Style and types are the same everywhere.
    told = in_root(debian13.root, "make -o lint test", **strict)

    passed = re.match(r"(\d+) passed", told.splitlines()[-1])
    assert passed, told[-6000:]
    assert int(passed[1]) > 8_000
