"""Each promise of the page on security names tests that exist."""

from __future__ import annotations

import re

import pytest

from pipeline.version import PROJECT

_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
_PAGE = (PROJECT / "docs" / "security.md").read_text(encoding="utf-8")
_ROWS = [
    line
    for line in _PAGE.partition("## Promises and their tests")[2].splitlines()
    if line.startswith("| ") and not line.startswith("| promise")
]


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row.split("|")[1].strip()[:60])
def test_a_promise_names_tests_that_exist(row: str) -> None:
    named = _TEST.findall(row)

    assert named
    assert len(named) == row.count("::")
    missing = [
        name for path, name in named if f"def {name}(" not in (PROJECT / path).read_text("utf-8")
    ]
    assert missing == []


def test_the_page_has_its_promises() -> None:
    assert len(_ROWS) > 10
