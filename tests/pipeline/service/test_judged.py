"""A patient of a group in which the model could not be judged has a flag."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.runs.registry import Registry
from pipeline.service.app import create_app
from pipeline.service.follower import Follower
from pipeline.service.judged import JudgedEvidence, JudgedGroups, judged_groups
from tests.pipeline.service.grouped import content
from tests.pipeline.service.hand_made import STUDY, SUBJECT, register
from tests.pipeline.service.running import running


def of(task: str = "death", **groups: str) -> dict[str, Any]:
    """A part of a document that is about a group."""
    return {"task": task, "slice": groups}


EVIDENCE: dict[str, Any] = {
    "metrics": {
        "smallest_group": 20,
        "records": [of(), of(sex="F"), of(sex="M"), of(age="<65"), of(sex="F", age="<65")],
        "suppressed": [
            of(sex="X") | {"reason": "too_small", "subjects": "<20"},
            of(age=">=65") | {"reason": "complementary"},
            of("relapse", sex="M") | {"reason": "too_small"},
        ],
    },
    "verdict": {
        "comparisons": [
            of(sex="F", age="<65") | {"reason": "too_few_events"},
            of(sex="M") | {"reason": "within_limit"},
            of() | {"reason": "too_few_events"},
        ]
    },
}


@pytest.fixture(scope="module")
def judged() -> JudgedGroups:
    found = JudgedEvidence.model_validate(EVIDENCE)
    return judged_groups(found, ["death"], ("sex", "age"), [("sex", "age")])


@pytest.mark.parametrize(
    ("slices", "expected"),
    [
        ({"sex": "M", "age": ""}, []),
        ({"sex": "X", "age": ""}, [("group_too_small", "sex")]),
        ({"sex": "", "age": ">=65"}, [("group_not_shown", "age")]),
        ({"sex": "missing", "age": ""}, [("group_too_small", "sex")]),
        ({"sex": "F", "age": "<65"}, [("group_too_small", "sex,age")]),
        ({"sex": "M", "age": "<65"}, [("group_too_small", "sex,age")]),
        # What is said of a sex is not said again of its pair.
        ({"sex": "X", "age": "<65"}, [("group_too_small", "sex")]),
    ],
)
def test_a_group_in_which_the_model_was_not_judged_has_a_flag(
    judged: JudgedGroups, slices: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    assert list(judged.flags_of(slices)) == expected


def test_the_groups_in_which_the_model_was_not_judged_are_listed(judged: JudgedGroups) -> None:
    # A pair only where neither of its groups is named, and nothing of another task.
    assert judged.unjudged() == (
        ("group_too_small", {"age": "<65", "sex": "F"}),
        ("group_too_small", {"sex": "X"}),
        ("group_not_shown", {"age": ">=65"}),
    )
    of_age = {
        "metrics": {
            "suppressed": [
                of(**groups) | {"reason": ""}
                for groups in (
                    {"age": "<65"},
                    {"age": "<65", "sex": "F"},
                )
            ]
        }
    }
    found = judged_groups(JudgedEvidence.model_validate(of_age), ["death"], ("age", "sex"), [])
    assert found.unjudged() == (("group_not_shown", {"age": "<65"}),)


def test_a_group_has_the_flag_of_any_task_that_is_served() -> None:
    found = JudgedEvidence.model_validate(EVIDENCE)
    both = judged_groups(found, ["death", "relapse"], ("sex",), [])
    assert list(both.flags_of({"sex": "M"})) == [("group_too_small", "sex")]


def test_a_card_without_metrics_says_nothing_of_groups() -> None:
    nothing = judged_groups(JudgedEvidence(), ["death"], ("sex",), [])
    assert list(nothing.flags_of({"sex": "X"})) == []


def test_the_service_flags_it_in_every_protocol_and_on_the_page(
    saved_model: Path, tmp_path: Path
) -> None:
    made = content() | {"slicing": {"by": {"sex": {"column": "SEX"}}, "smallest_group": 20}}
    register(tmp_path / "registry", saved_model, tmp_path, evidence=EVIDENCE, **made)
    subject = SUBJECT | {"SEX": "X", "ENROLLED": "Y", "EXIT": 9}
    with running(create_app(Follower(Registry(str(tmp_path / "registry")), STUDY))) as client:
        by_name = client.post("/predict", json={"subject": subject}).json()
        body = {"instances": [subject]}
        served = client.post(f"/v1/models/{STUDY}:predict", json=body).json()
        page = client.post("/", data={name: str(value) for name, value in subject.items()}).text
        counted = client.get("/metrics").text
        form = " ".join(client.get("/").text.split())
        about = client.get(f"/v1/models/{STUDY}/metadata").json()["metadata"]["about"]

    assert by_name["flags"] == [
        {
            "flag": "group_too_small",
            "feature": "sex",
            "title": "Group too small to judge the model in",
        }
    ]
    assert served["flags"] == [["group_too_small:sex"]]
    assert "sex: group too small to judge the model in" in page
    assert 'trial_service_flags_total{flag="group_too_small"} 3.0' in counted
    # Before anybody asks.
    small = "Group too small to judge the model in"
    assert f"<dt>{small}</dt><dd>age: &lt;65 and sex: F; sex: M; sex: X</dd>" in form
    assert {"group": {"sex": "X"}, "flag": "group_too_small", "title": small} in about[
        "not_judged_in"
    ]
