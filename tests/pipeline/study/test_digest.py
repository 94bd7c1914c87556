"""The label digest: what changes it, what does not, and that labels never differ unseen."""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.study.digest import LABEL_DIGEST_VERSION, label_digest, label_digest_v1
from pipeline.study.load import load_study, parse_study
from pipeline.study.shipped import SCHEMAS
from tests.components.trial_example_gen.hand_made_trial import REMOVED
from tests.pipeline.study.generated_trial import (
    COUNTED,
    DECISIVE_CHANGES,
    NEWLY_READ,
    UNCOUNTED,
    Change,
    Files,
    outcomes,
    random_files,
    trial_files,
    trial_study,
)
from tests.pipeline.study.two_tasks import study


def test_other_titles_features_slices_and_thresholds_leave_the_label_digest_unchanged() -> None:
    def change(content: dict[str, Any]) -> None:
        content["title"] = "Another title"
        content["datasets"]["adsl"]["file"] = "2026/adsl.xpt"
        content["datasets"]["adsl"]["columns"]["WEIGHT"] = {"known": "baseline"}
        content["features"]["WEIGHT"] = {"kind": "number"}
        content["tasks"]["response"]["title"] = "Another title"
        content["tasks"]["response"]["decision_thresholds"] = [0.3]
        content["slicing"] = {}
        content["thresholds"] = []

    assert label_digest(study(change)) == label_digest(study())


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["tasks"]["ae"].update(horizon=180),
        lambda content: content["tasks"]["response"]["state"]["positive"].update({"in": [1, 2]}),
        lambda content: content["datasets"]["adsl"]["columns"]["OUT"].update(missing=[8]),
        lambda content: content["datasets"]["adae"].update(day="AENDY"),
        lambda content: content.update(population={"column": "SAFFL", "in": ["Y"]}),
        lambda content: content.update(split={"seed": 4, "train": 0.5, "eval": 0.3, "test": 0.2}),
        lambda content: content["tasks"].pop("ae") and content["thresholds"].pop(),
    ],
    ids=["horizon", "condition", "missing code", "day", "population", "shares", "fewer tasks"],
)
def test_what_decides_labels_or_splits_changes_the_label_digest(
    change: Callable[[dict[str, Any]], object],
) -> None:
    assert label_digest(study(change)) != label_digest(study())


SUPPLEMENTED: dict[str, Any] = {
    "suppae": {"file": "suppae.xpt", "format": "xpt", "rows": "many_per_subject"},
}


@pytest.mark.parametrize(
    ("dataset", "column", "counts"),
    [
        ("adae", "AESEQ", True),
        ("adae", "DOMAIN", True),
        ("adae", "NOTED", False),
        ("suppae", "RDOMAIN", True),
        ("suppae", "QVAL", True),
        ("suppae", "QORIG", False),
    ],
)
def test_what_is_declared_of_columns_that_place_qualifiers_changes_the_digest(
    dataset: str, column: str, counts: bool
) -> None:
    def supplement(content: dict[str, Any]) -> None:
        content["datasets"] |= copy.deepcopy(SUPPLEMENTED)
        content["datasets"]["suppae"]["supplements"] = "adae"

    def declare(content: dict[str, Any]) -> None:
        supplement(content)
        content["datasets"][dataset].setdefault("columns", {})[column] = {"missing": ["NA"]}

    assert (label_digest(study(declare)) != label_digest(study(supplement))) is counts


# The digest of release 0.1.0.


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("actg175", "5823c45353029d1d6e74b1180d3526b982da5b9f9689208769043a7d153f73f0"),
        ("cdisc_pilot01", "68fba83fec5a5eb094bdb1b783317b509fba1189374544428c4965514b91886b"),
        ("cdisc_pilot01_sdtm", "b1b3d6faff8f914ffd93ba5b25c4603d856b091d59e8f40fa0bc49c2d2af7d29"),
        ("ist", "fede7d630ac21190614fad0fcc351b42f7caf0b22142f254b7c6759e4da617f4"),
        ("synthetic", "dd78ebec37ecdfbada0feaf28156c282a33214b0164ae9faaa42a09397c205fb"),
    ],
)
def test_the_digest_of_0_1_0_is_what_0_1_0_registers_its_models_with(
    name: str, digest: str
) -> None:
    assert label_digest_v1(load_study(SCHEMAS / name / "study.yaml")) == digest


def test_younger_keys_are_in_the_digest_of_0_1_0_where_a_study_uses_them() -> None:
    """A champion of 0.1.0 was trained without them, so its labels may be others."""
    content = load_study(SCHEMAS / "actg175" / "study.yaml").to_content()
    before = label_digest_v1(parse_study(content, "study.yaml"))
    collapsed = copy.deepcopy(content)
    collapsed["datasets"]["actg175"]["collapse"] = True
    after = copy.deepcopy(content)
    after["tasks"]["event_96_weeks"]["event"]["landmark_day"] = "after"

    digests = [
        label_digest_v1(parse_study(changed, "study.yaml")) for changed in (collapsed, after)
    ]

    assert len({before, *digests}) == 3


def test_the_two_versions_of_the_digest_can_be_distinguished() -> None:
    assert label_digest(study()).startswith(f"{LABEL_DIGEST_VERSION}:")
    assert ":" not in label_digest_v1(study())


# Generated trials: labels and splits as TrialExampleGen derives them, against the digest.


@settings(max_examples=400, deadline=None)
@given(trial_files(), st.lists(COUNTED, max_size=4), COUNTED)
def test_where_labels_or_splits_differ_the_digests_differ(
    files: Files, changes: list[Change], change: Change
) -> None:
    one, other = trial_study(changes), trial_study([*changes, change])
    first, second = outcomes(files, (one, other))
    assume(one and other and first is not None and second is not None)
    assert one
    assert other
    if first != second:
        assert label_digest(one) != label_digest(other)


@settings(max_examples=150, deadline=None)
@given(
    trial_files(),
    st.lists(COUNTED.filter(lambda change: not change[0].startswith(NEWLY_READ)), max_size=3),
    st.lists(UNCOUNTED, min_size=1, max_size=3),
)
def test_what_does_not_count_leaves_labels_splits_and_digest_as_they_are(
    files: Files, changes: list[Change], uncounted: list[Change]
) -> None:
    one, other = trial_study(changes), trial_study([*changes, *uncounted])
    first, second = outcomes(files, (one, other))
    assume(one and other and first is not None and second is not None)
    assert one
    assert other
    assert label_digest(one) == label_digest(other)
    assert first == second


_BY_DAY: list[Change] = [("site", {"column": "SITEID"})]
_BY_DATE: list[Change] = [
    ("population", {"column": "FLAG", "in": ["Y", "UNK"]}),
    ("datasets.ae.day", REMOVED),
    ("datasets.ae.date", "AESTDTC"),
    ("tasks.rise.state", {"dataset": "ae", "positive": {"column": "AETOXGR", "above": 30}}),
]


@pytest.mark.parametrize("change", DECISIVE_CHANGES, ids=str)
def test_each_change_that_can_matter_changes_labels_or_splits_and_the_digest(
    change: Change,
) -> None:
    files, differ = random_files(Random(1), 400), []
    for context in (_BY_DAY, _BY_DATE):
        one, other = trial_study(context), trial_study([*context, change])
        assert one
        if other and one != other:
            first, second = outcomes(files, (one, other))
            differ.append(first != second)
            assert label_digest(one) != label_digest(other)
    assert any(differ)
