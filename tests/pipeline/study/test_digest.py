"""The label digest: what changes it, what does not, and that labels never differ unseen."""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.study.digest import LABEL_DIGEST_VERSION, label_digest, version_of_digest
from tests.components.trial_example_gen.hand_made_trial import (
    FOLLOWED_RASH,
    REMOVED,
    hand_made_study,
)
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


FOLLOWED_BY_SEX: dict[str, Any] = {
    **FOLLOWED_RASH,
    "datasets.dm.columns.SEX.known": "baseline",
    "slicing.by.sex": {"column": "SEX"},
    "slicing.by.old": {"column": "AGE", "bands": [65]},
}


@pytest.mark.parametrize(
    "change",
    [
        {"largest_weight": 5},
        {"least_observed": 0.1},
        {"smallest_stratum": 30},
        {"by": ["sex"]},
        {"by": ["old"]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_decides_weights_changes_the_label_digest(change: dict[str, Any]) -> None:
    followed = hand_made_study(FOLLOWED_BY_SEX)
    changed = hand_made_study({**FOLLOWED_BY_SEX, "tasks.rash.censoring": change})

    assert label_digest(changed) != label_digest(followed)


def test_the_definition_of_a_slicing_that_weights_depend_on_changes_the_label_digest() -> None:
    by_age = {**FOLLOWED_BY_SEX, "tasks.rash.censoring": {"by": ["old"]}}
    other_bands = {**by_age, "slicing.by.old": {"column": "AGE", "bands": [70]}}
    unused = {**FOLLOWED_BY_SEX, "slicing.by.old": {"column": "AGE", "bands": [70]}}

    assert label_digest(hand_made_study(other_bands)) != label_digest(hand_made_study(by_age))
    assert label_digest(hand_made_study(unused)) == label_digest(hand_made_study(FOLLOWED_BY_SEX))


def test_a_follow_up_that_is_weighted_for_has_another_digest_than_before_weights() -> None:
    """Of releases that dropped censored subjects; without `follow_up` nothing changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.study.digest._weighting", lambda _: {})
        before = [label_digest(s) for s in (hand_made_study(FOLLOWED_BY_SEX), study())]
    now = [label_digest(s) for s in (hand_made_study(FOLLOWED_BY_SEX), study())]

    assert (now[0] != before[0], now[1] == before[1]) == (True, True)


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


def test_digests_of_releases_can_be_distinguished() -> None:
    digests = (label_digest(study()), "2:0a", "0a")
    assert [version_of_digest(digest) for digest in digests] == [
        str(LABEL_DIGEST_VERSION),
        "2",
        "1",
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.update(evaluation={"scheme": "cross_fit"}),
        lambda content: content.update(split={"seed": 2}),
        lambda content: content["slicing"]["by"]["sex"].update(column="RACE"),
    ],
    ids=["scheme", "seed", "groups"],
)
def test_what_decides_the_evaluation_changes_the_label_digest(
    change: Callable[[dict[str, Any]], object],
) -> None:
    def by_sex(content: dict[str, Any]) -> None:
        content["evaluation"] = {"scheme": "internal_external", "by": "sex"}
        content["slicing"] = {"by": {"sex": {"column": "SEX"}}}

    def changed(content: dict[str, Any]) -> None:
        by_sex(content)
        change(content)

    assert label_digest(study(changed)) != label_digest(study(by_sex))


# Generated trials: labels and splits as TrialExampleGen derives them, against the digest.


@settings(max_examples=120)
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


@settings(max_examples=60)
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
