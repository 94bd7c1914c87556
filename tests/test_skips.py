"""In CI a test that is skipped has failed: real data must be there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.version import PROJECT
from tests.conftest import NO_SKIPS_VARIABLE

BARE = {
    **{k: v for k, v in os.environ.items() if k != NO_SKIPS_VARIABLE},
    # No plugins, which take longer to load than the tests.
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
}
SKIPPED = """
import pytest


@pytest.mark.skipif(True, reason="no data")
def test_marked():
    pass


def test_at_run_time():
    pytest.skip("no data")


@pytest.fixture
def data():
    pytest.skip("no data")


def test_in_a_fixture(data):
    pass
"""


def outcome(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_skipped.py").write_text(SKIPPED)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", str(folder)],
        cwd=PROJECT,
        env={**BARE, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_user_without_the_data_may_skip(tmp_path: Path) -> None:
    found = outcome(tmp_path)
    assert found.returncode == 0, found.stdout
    assert "3 skipped" in found.stdout


def test_where_nothing_may_be_skipped_each_skip_fails(tmp_path: Path) -> None:
    found = outcome(tmp_path, **{NO_SKIPS_VARIABLE: "1"})
    assert found.returncode == 1
    for name in ("test_marked", "test_at_run_time", "test_in_a_fixture"):
        assert name in found.stdout
    assert "passed" not in found.stdout


def test_ci_allows_no_skip() -> None:
    assert f"export {NO_SKIPS_VARIABLE}=1" in (PROJECT / ".ci" / "run").read_text()


@pytest.mark.parametrize("kind", ["DeprecationWarning", "PendingDeprecationWarning"])
def test_what_is_deprecated_fails_in_the_projects_own_code(kind: str) -> None:
    import warnings

    code = f"import warnings; warnings.warn('old', {kind})"
    with pytest.raises(DeprecationWarning if kind == "DeprecationWarning" else Warning):
        exec(compile(code, "x.py", "exec"), {"__name__": "pipeline.something"})
    with warnings.catch_warnings():
        exec(compile(code, "x.py", "exec"), {"__name__": "a_library.something"})


def test_a_test_without_parameters_fails_everywhere(tmp_path: Path) -> None:
    file = tmp_path / "test_nothing.py"
    file.write_text(
        "import pytest\n\n\n"
        '@pytest.mark.parametrize("name", [])\n'
        "def test_each(name):\n    assert name\n"
    )
    options = ["-q", "-c", str(PROJECT / "pyproject.toml"), "-p", "no:cacheprovider"]
    found = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(file)],
        cwd=PROJECT,
        env=BARE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == pytest.ExitCode.INTERRUPTED, found.stdout
    assert "Empty parameter set in 'test_each'" in found.stdout
