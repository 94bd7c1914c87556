"""Study files of older releases load: old names are renamed, told once, and located in errors."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.errors import UserError
from pipeline.study import load
from pipeline.study.load import load_study, parse_study
from pipeline.study.renamed import RENAMED_KEYS, rename_old, rename_threshold
from pipeline.study.shipped import SCHEMAS
from pipeline.study.study import Study

SHIPPED = sorted(path.parent.name for path in SCHEMAS.glob("*/study.yaml"))


def as_of_0_1_0(name: str) -> str:
    """A shipped study file in the spelling of release 0.1.0."""
    lines = (SCHEMAS / name / "study.yaml").read_text().splitlines()
    start = lines.index("slicing:")
    lines[start] = "slices:"
    lines[lines.index("  by:", start)] = "  groups:"
    return "\n".join(lines).replace("scope: ", "where: ") + "\n"


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    load._log_once.cache_clear()

    def write(text: str) -> Path:
        path = tmp_path / "study.yaml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_study_file_of_0_1_0_is_the_study_of_today(
    written: Callable[[str], Path], name: str
) -> None:
    assert load_study(written(as_of_0_1_0(name))) == load_study(SCHEMAS / name / "study.yaml")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_study_that_a_record_of_0_1_0_carries_is_the_study_of_today(name: str) -> None:
    content = yaml.safe_load(as_of_0_1_0(name))
    assert parse_study(content, "run.json") == load_study(SCHEMAS / name / "study.yaml")


def test_each_old_name_is_reported_once_with_its_line(
    written: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    another = "  - {metric: auc, at_least: 0.1, where: overall}\n"
    text = as_of_0_1_0("ist").replace("thresholds:\n", f"thresholds:\n{another}")
    path = written(text)
    lines = ["", *text.splitlines()]

    with caplog.at_level(logging.WARNING):
        load_study(path)
        load_study(path)

    told = [record.getMessage().removeprefix(f"{path}, line ") for record in caplog.records]
    assert sorted(told) == sorted(
        f"{lines.index(line)}: {renamed} now. The old name still works."
        for line, renamed in (
            ("slices:", "`slices` is called `slicing`"),
            ("  groups:", "`slices.groups` is called `slicing.by`"),
            (another.rstrip(), "`thresholds.where` is called `thresholds.scope`"),
        )
    )


def test_a_file_of_today_is_loaded_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        load_study(SCHEMAS / "ist" / "study.yaml")
    assert not caplog.records


def test_what_a_stage_is_handed_is_loaded_without_a_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        parse_study(yaml.safe_load(as_of_0_1_0("ist")), "the study")
    assert not caplog.records


def refusal(path: Path) -> list[str]:
    with pytest.raises(UserError) as caught:
        load_study(path)
    return str(caught.value).replace(str(path), "study.yaml").splitlines()


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        (
            "    age: {column: AGE, bands: [65, 75, 85]}",
            "    age: {column: AGE, bands: [75, 65]}",
            "slicing.by.age: bands must rise",
        ),
        ("  pairs: [[sex, age]]", "  pairs: [[sex, x]]", "slicing.pairs: no slicing x; there are"),
        (
            "  smallest_group: 100",
            "  smallest_grup: 100",
            "slicing.smallest_grup: unknown key. Check its spelling, or remove it.",
        ),
        (
            "at_least: 0.6, where: every_slice}",
            "at_least: 0.6, where: everywhere}",
            "thresholds.3.scope: expected 'overall' or 'every_slice', found ",
        ),
    ],
)
def test_a_mistake_below_an_old_name_has_its_line(
    written: Callable[[str], Path], right: str, wrong: str, problem: str
) -> None:
    text = as_of_0_1_0("ist")
    assert right in text
    text = text.replace(right, wrong)
    at = next(i for i, line in enumerate(text.splitlines(), 1) if wrong in line)
    (line,) = refusal(written(text))
    assert line.startswith(f"study.yaml, line {at}: {problem}")


def test_an_old_name_beside_the_new_one_is_refused(written: Callable[[str], Path]) -> None:
    text = (SCHEMAS / "ist" / "study.yaml").read_text() + "slices: {smallest_group: 20}\n"
    (line,) = refusal(written(text))
    assert line.endswith(": `slices` is called `slicing` now: give the new name alone.")


@pytest.mark.parametrize(
    ("old", "new"), [("recall", "sensitivity"), ("precision", "positive_predictive_value")]
)
def test_a_metric_s_old_name_is_reported_with_its_line(
    written: Callable[[str], Path], caplog: pytest.LogCaptureFixture, old: str, new: str
) -> None:
    text = (SCHEMAS / "ist" / "study.yaml").read_text()
    of_0_1_0 = text.replace("{metric: expected_calibration_error,", f"{{metric: {old},")
    of_today = text.replace("{metric: expected_calibration_error,", f"{{metric: {new},")
    at = of_0_1_0.splitlines().index(f"  - {{metric: {old}, at_most: 0.05}}") + 1
    path = written(of_0_1_0)

    with caplog.at_level(logging.WARNING):
        found = load_study(path)

    assert [record.getMessage() for record in caplog.records] == [
        f"{path}, line {at}: `metric: {old}` is called `metric: {new}` now. The old name still "
        "works."
    ]
    assert found == load_study(written(of_today))


def test_a_threshold_in_a_document_of_0_1_0_has_the_present_names() -> None:
    assert rename_threshold({"metric": "recall", "at_least": 0.5, "where": "overall"}) == {
        "metric": "sensitivity",
        "at_least": 0.5,
        "scope": "overall",
    }
    assert rename_threshold(None) is None


def test_every_old_name_of_the_table_is_renamed() -> None:
    for key in RENAMED_KEYS:
        content: Any = {key.old: "kept"}
        for part in reversed(key.parent):
            content = [content] if part == "*" else {part: content}
        renamed, found, doubled = rename_old(content)
        assert [item.renamed for item in found] == [key]
        assert not doubled
        assert key.new in str(renamed)
        assert f"'{key.old}'" not in str(renamed)


def test_content_that_is_no_mapping_is_left_to_validation() -> None:
    for content in (None, 3, ["a"], {"thresholds": 3}, {"slices": None}):
        rename_old(content)
        with pytest.raises(UserError):
            parse_study(content, "study.yaml")


def test_renaming_leaves_what_it_was_given_unchanged() -> None:
    content = yaml.safe_load(as_of_0_1_0("ist"))
    before = yaml.safe_dump(content)
    assert isinstance(parse_study(content, "study.yaml"), Study)
    assert yaml.safe_dump(content) == before
