"""The examples in docstrings run, and say what comes out."""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys

import pytest

from pipeline.version import PROJECT

PACKAGES = ("pipeline", "components", "trainer", "grafana", "notebooks")
_SHOWN = re.compile(r"^::: (pipeline\S+)$", re.MULTILINE)


def with_examples() -> list[str]:
    """Modules that have an example in a docstring."""
    files = [path for package in PACKAGES for path in (PROJECT / package).rglob("*.py")]
    found = [path for path in files if re.search(r"^ +>>> ", path.read_text("utf-8"), re.MULTILINE)]
    return sorted(".".join(path.relative_to(PROJECT).with_suffix("").parts) for path in found)


def shown() -> list[str]:
    """Modules of the site's API, but for the interfaces of components."""
    pages = sorted((PROJECT / "docs" / "api").glob("*.md"))
    return [name for page in pages for name in _SHOWN.findall(page.read_text("utf-8"))]


@pytest.mark.parametrize("name", with_examples())
def test_the_examples_of_a_module_run(name: str) -> None:
    module = importlib.import_module(name)
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("name", shown())
def test_a_module_that_the_site_shows_has_an_example(name: str) -> None:
    assert name in with_examples()


def test_no_example_needs_tensorflow() -> None:
    program = f"import doctest, importlib, sys\nfor name in {with_examples()}:\n"
    program += "    doctest.testmod(importlib.import_module(name))\n"
    program += "sys.exit('tensorflow' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stdout.decode()
