"""The blinded study of an ongoing trial: nothing in it refers to the arm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from pipeline.errors import UserError
from pipeline.names import ARM, slice_key
from pipeline.reading.uses import example_uses, scoring_uses, summary_uses
from pipeline.study.blinded import POOLED, UNBLINDED, blinded, conduct_note, title_with_conduct
from pipeline.study.blinded_schema import blinded_schema
from pipeline.study.digest import label_digest
from pipeline.study.features import feature_columns
from pipeline.study.load import load_study, parse_study
from pipeline.study.parts import part_for_examples, part_for_summary
from pipeline.study.shipped import find_study_file, read_schema, shipped_studies
from pipeline.study.study import Study
from tests.components.trial_example_gen.hand_made_trial import study_content
from tests.each import each

WITH_ARMS: dict[str, Any] = {
    "datasets.dm.columns.ARM": {"type": "text", "known": "baseline"},
    "datasets.dm.columns.DOSE": {"type": "number", "known": "baseline"},
    "arm": {"columns": ["ARM"], "control": "Placebo"},
    "conduct": "ongoing",
}


def ongoing(name: str) -> Study:
    content = load_study(find_study_file(name)).to_content()
    return parse_study({**content, "conduct": "ongoing"}, name)


def with_arms(**changes: Any) -> Study:
    return parse_study(study_content({**WITH_ARMS, **changes}), "study.yaml")


@pytest.mark.parametrize("name", shipped_studies())
def test_no_use_of_a_column_is_of_the_arm(name: str) -> None:
    whole = ongoing(name)
    assert whole.arm
    found = blinded(whole, name)

    for uses in (example_uses(found), summary_uses(found), scoring_uses(found)):
        assert not {use.column for use in each(uses)} & set(whole.arm.columns)
        assert "arm" not in {use.role for use in uses}
    assert ARM not in feature_columns(found)[1]
    assert not found.arm_slicing
    assert not found.analysis.randomised


@pytest.mark.parametrize("name", shipped_studies())
def test_what_hides_the_arm_keeps_the_labels(name: str) -> None:
    """After the lock the champion is compared as any champion."""
    assert label_digest(blinded(ongoing(name), name)) == label_digest(ongoing(name))


@pytest.mark.parametrize("name", shipped_studies())
def test_the_control_arm_is_nowhere(name: str) -> None:
    whole = ongoing(name)
    assert whole.arm
    assert whole.arm.control in whole.to_json()
    found = blinded(whole, name)
    content = {**found.to_content(), "card": None, "title": None}
    assert json.dumps(whole.arm.control) not in json.dumps(content)


def test_a_blinded_study_stays_blinded() -> None:
    found = blinded(ongoing("synthetic"), "x")
    again = parse_study(json.loads(found.to_json()), "run.json")
    assert again == found
    assert blinded(again, "x") == found
    for part in (part_for_examples(found), part_for_summary(found)):
        assert part.hidden == found.hidden
        assert part.arm is None


def test_a_study_file_is_blinded_when_it_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    text = find_study_file("synthetic").read_text(encoding="utf-8")
    file.write_text(f"{text}\nconduct: ongoing\nunblinded_readers: [ada]\n", encoding="utf-8")
    assert load_study(file).arm is None
    assert load_study(file, unblinded=True).arm


def test_a_locked_study_is_as_it_was() -> None:
    study = load_study(find_study_file("synthetic"))
    assert study.arm
    assert study.conduct == "locked"
    assert study.hidden is None
    assert "conduct" not in study.to_content()
    assert conduct_note(study) == ""
    assert title_with_conduct(study) == study.title


def test_people_read_that_figures_are_pooled() -> None:
    found = blinded(ongoing("ist"), "ist")
    assert conduct_note(found).startswith(POOLED)
    assert "the feature RXASP" in conduct_note(found)
    assert title_with_conduct(found).endswith(POOLED)
    assert conduct_note(ongoing("ist")) == UNBLINDED


def test_slicings_pairs_and_weights_by_the_arm_are_left_out() -> None:
    whole = with_arms(
        slicing={
            "by": {"arm": {"of": "arm"}, "given": {"column": "ARM"}, "sex": {"column": "SEX"}},
            "pairs": [["arm", "sex"], ["sex", "given"]],
        }
    )
    found = blinded(whole, "study.yaml")
    assert list(found.slicing.by) == ["sex"]
    assert found.slicing.pairs == ()
    assert found.hidden
    assert found.hidden.slicings == ("arm", "given")


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"population": {"column": "ARM", "equals": "Active"}}, "population"),
        (
            {"features.alt.where": {"column": "arm", "equals": "Active"}},
            "features.alt.where",
        ),
        ({"tasks.death.unknown_when": {"column": "ARM", "equals": "None"}}, "unknown_when"),
        ({"summary": {"disposition": {"column": "ARM", "completed": "Active"}}}, "disposition"),
    ],
)
def test_other_uses_of_its_columns_are_refused_in_one_line(
    changes: dict[str, Any], place: str
) -> None:
    datasets = {"datasets.lb.columns.arm": {"type": "text"}}
    with pytest.raises(UserError) as refused:
        blinded(with_arms(**datasets, **changes), "study.yaml")
    (line,) = str(refused.value).splitlines()
    assert line.startswith("study.yaml: ")
    assert place in line
    assert "`conduct: ongoing`" in line
    assert "Active" not in line


def test_groups_by_the_arm_can_not_divide_an_ongoing_trial() -> None:
    whole = with_arms(
        slicing={"by": {"arm": {"of": "arm"}}},
        evaluation={"scheme": "internal_external", "by": "arm"},
    )
    with pytest.raises(UserError, match=r"^study.yaml: evaluation.by: arm is a slicing by the arm"):
        blinded(whole, "study.yaml")


def test_the_arm_can_not_be_the_only_feature() -> None:
    with pytest.raises(UserError, match="features: all are columns of the arm"):
        blinded(with_arms(features={"given": {"kind": "category", "column": "ARM"}}), "study.yaml")


def test_a_person_does_not_write_what_is_hidden() -> None:
    with pytest.raises(UserError, match="hidden: only the pipeline writes it"):
        with_arms(hidden={"arm": ["ARM"]})


def test_names_of_readers_change_no_digest() -> None:
    study = ongoing("synthetic")
    read = study.model_copy(update={"unblinded_readers": ("ada",)})
    assert read.digest() == study.digest()
    assert part_for_examples(read) == part_for_examples(study)


def test_the_curated_schema_lacks_what_the_examples_lack() -> None:
    text = read_schema(find_study_file("ist"))
    found = blinded(ongoing("ist"), "ist")
    kept = text_format.Parse(blinded_schema(text, found), schema_pb2.Schema())
    names = {feature.name for feature in kept.feature}
    assert names
    assert not names & {ARM, slice_key("arm"), "RXASP", "RXHEP"}
    assert blinded_schema(text, load_study(find_study_file("ist"))) == text
