"""The section `validation` of a study file."""

from __future__ import annotations

import pytest

from pipeline.errors import UserError
from pipeline.study.digest import label_digest
from pipeline.study.load import parse_study
from pipeline.study.parts import part_for_examples
from tests.pipeline.study.hand_made_study import changed


def test_names_of_the_study_are_mapped_to_the_models() -> None:
    section = {"of": "first", "features": {"AGE": "AGEYR", "lab_ALT": "alt"}}
    study = parse_study(changed(validation=section), "a study")

    assert study.validation.features == {"AGE": "AGEYR", "lab_ALT": "alt"}


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"features": {"AGEYR": "AGE"}}, r"validation\.features\.AGEYR"),
        ({"tasks": {"dead": "death"}}, r"validation\.tasks\.dead"),
        ({"features": {"AGE": "x", "lab_ALT": "x"}}, "several names to x"),
        ({"model": "the newest"}, r"validation\.model"),
        ({"champion": "first"}, r"validation\.champion"),
    ],
)
def test_a_mistake_is_named_by_its_key(section: dict[str, object], expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        parse_study(changed(validation=section), "a study")


def test_the_model_that_is_validated_changes_neither_examples_nor_labels() -> None:
    plain = parse_study(changed(), "a study")
    validating = parse_study(changed(validation={"of": "first"}), "a study")

    assert part_for_examples(validating) == part_for_examples(plain)
    assert label_digest(validating) == label_digest(plain)
