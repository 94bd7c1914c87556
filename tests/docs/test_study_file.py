"""docs/study-file.md names every section of a study file and every metric that can be judged."""

from __future__ import annotations

import re

from pipeline.metrics import FORMER_NAMES, JUDGED
from pipeline.study.renamed import RENAMED_KEYS
from pipeline.study.study import Study
from pipeline.version import PROJECT

TEXT = (PROJECT / "docs" / "study-file.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_section_of_a_study_file_is_explained() -> None:
    rows = re.findall(r"^\| (`.*?) \|", section("Keys"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)} | {"disclosure"}
    # The pipeline writes it, no person does.
    named |= {"hidden"}
    assert "## Disclosure" in TEXT
    assert set(Study.model_fields) <= named


def test_every_metric_that_can_be_judged_is_listed() -> None:
    listed = section("Thresholds").split("Metrics:")[1].split("`scope`")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == set(JUDGED)


def test_every_former_name_of_a_metric_is_listed() -> None:
    listed = section("Names of older releases")
    assert all(f"`{old}`" in listed and f"`{new}`" in listed for old, new in FORMER_NAMES.items())


def test_every_renamed_key_is_listed() -> None:
    listed = re.findall(r"[\w.]+", section("Names of older releases"))
    last = {name.rpartition(".")[2] for name in listed}
    assert {name for key in RENAMED_KEYS for name in (key.old, key.new)} <= last
