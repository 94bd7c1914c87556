"""Source, tests, notebooks, studies and docs are in plain English and the glossary's words."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import PurePosixPath

import pytest

from pipeline.version import PROJECT

WRITE_INSTEAD = {
    r"withh(o|e)ld(s|ing)?": "suppress (a group), mask (a label)",
    r"set aside": "reject",
    r"whoever": "the role: the user, the owner of the data, a client",
    r"(no|every|some)body('s)?": "no subject, all subjects, a user",
    r"those who hold": "the owners of the data",
    r"anew": "again",
    r"foresaw": "Unexpected {X}; see the run's log",
    r"put (it|these|them) right": "fix the problem and rerun",
    r"g(i|a)ve[ns]? (it|them|one|another|others|the outcome|the label) away": "disclose; leak",
    r"what (comes|came|becomes|became) of": "outcome, result",
    r"t(ells?|old) (the groups |keys |subjects )?apart": "distinguish",
    r"can('t| not) be told": "is unknown",
    r"tells? (of|who)": "describe, show, separate",
    r"chance (alone )?decided": "assigned at random",
    r"(is|are) told": "report, log, show",
    r"come to lie": "is written to",
    r"brings? the (last|latest|current|blessed|champion)": "load",
    r"last blessed model": "current champion",
    r"names? that \w+ goe?s? by": "names of ...",
    r"c(o|a)mes? to (its|their|an) end": "finish, end",
    r"header knows": "the header states",
    r"whatever happens to": "so that a failure loses nothing",
    r"(and|or) its relatives": "and the like",
    r"next to nothing": "not informative",
    r"new model minus": "challenger minus champion",
    r"precision[- ]recall": "positive predictive value by sensitivity",
    r"(receiver operating|ROC) characteristic": "ROC curve",
}
"""Patterns of what is not written, upper and lower case alike, and what to write instead."""

FORMER_IDENTIFIERS = {"slice_feature": "slicing"}
"""Names that are not used any more anywhere, generated boards and alerts included."""

VERB_AND_OBJECT = r"def _?(told|said|gone|spoken|found)\("
"""Functions whose name does not say what they do; a verb and its object does."""

ALLOWED = {
    ("pipeline/results/analysis.py", "withheld"),  # A key of `analysis.json`,
    ("components/trial_analysis/subgroups.py", "withheld"),  # its writer
    ("tests/components/trial_analysis/test_subgroups.py", "withheld"),  # and its test.
    ("schema/ist/study.yaml", "withholding"),  # Of a treatment.
}

_NOT_READ = ("tests/test_wording.py", "docs/schemas/", "grafana/dashboards/", "CHANGELOG.md")


@cache
def texts() -> dict[str, str]:
    """Text of each file that people write and read, by its path."""
    listed = subprocess.run(
        ["git", "ls-files", "--", "*.py", "*.ipynb", "*.md", "*.yaml", "Makefile"],
        cwd=PROJECT,
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout.splitlines()
    return {
        name: (PROJECT / name).read_text("utf-8")
        for name in listed
        if not name.startswith(_NOT_READ)
    }


@cache
def joined_texts() -> dict[str, str]:
    """The texts without their line ends: a phrase is found across lines and literals."""
    return {name: joined(text) for name, text in texts().items()}


def joined(text: str) -> str:
    """The text without its line ends; names are read like sentences."""
    text = re.sub(r"\"\s*\n\s*f?\"", "", text)
    return re.sub(r"(?:\s|_)+(?:#\s+)?", " ", text)


def test_files_are_read() -> None:
    suffixes = {PurePosixPath(name).suffix for name in texts()}

    assert suffixes >= {".py", ".ipynb", ".md", ".yaml"}


@pytest.mark.parametrize(("pattern", "instead"), WRITE_INSTEAD.items())
def test_a_phrase_is_written_in_plain_words(pattern: str, instead: str) -> None:
    phrase = re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)
    found = {
        (name, match.group())
        for name, text in joined_texts().items()
        for match in phrase.finditer(text)
        if (name, match.group()) not in ALLOWED
    }

    assert not found, f"write instead: {instead}"


def test_a_helper_is_named_by_a_verb_and_its_object() -> None:
    found = {
        (name, match.group())
        for name, text in texts().items()
        if not name.startswith("tests/")
        for match in re.finditer(VERB_AND_OBJECT, text)
    }

    assert not found


@pytest.mark.parametrize(("former", "name"), FORMER_IDENTIFIERS.items())
def test_a_former_name_is_used_nowhere(former: str, name: str) -> None:
    found = subprocess.run(
        ["git", "grep", "--untracked", "-lw", former],
        cwd=PROJECT,
        capture_output=True,
        encoding="utf-8",
    ).stdout.splitlines()

    assert set(found) <= {
        *("CHANGELOG.md", "docs/upgrade.md", "tests/test_wording.py"),
    }, f"write instead: {name}"
    assert "tests/test_wording.py" in found
