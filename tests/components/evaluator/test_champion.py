from pathlib import Path
from typing import Any

import pytest
from tfx.types import standard_artifacts

from components.artifact_types import Predictions
from components.evaluator.champion import (
    FIRST_RUN,
    NO_DIVISION,
    OTHER_DEAL,
    OTHER_KEY,
    OTHER_LABELS,
    OTHER_SPLIT,
    SUBJECT_KEY_ID,
    VALIDATION,
    find_champion,
    reason_against,
)
from components.evaluator.settings import EvaluatorSettings
from pipeline.results.division import write_division
from pipeline.results.evaluation_plan import SPLIT_PLAN, EvaluationPlan
from tests.components.evaluator.conftest import split_division, write_model

SETTINGS = EvaluatorSettings(
    tasks={"response": (0.5,)},
    slicings=(),
    pairs=(),
    smallest_group=20,
    thresholds=(),
    split_seed=1,
    label_digest="3:digest",
)


def baseline(present: Any, split_seed: Any = None, label_digest: Any = None) -> Any:
    artifact = standard_artifacts.Model()
    artifact.set_int_custom_property("present", present)
    if split_seed is not None:
        artifact.set_int_custom_property("split_seed", split_seed)
    if label_digest is not None:
        artifact.set_string_custom_property("label_digest", label_digest)
    return [artifact]


@pytest.mark.parametrize(
    ("artifacts", "reason"),
    [
        ([], FIRST_RUN),
        (baseline(0, 1, "3:digest"), FIRST_RUN),
        (baseline(1, 2, "3:digest"), OTHER_SPLIT),
        (baseline(1, None, "3:digest"), OTHER_SPLIT),
        (baseline(1, 1, "3:another"), OTHER_LABELS),
        (baseline(1, 1, None), OTHER_LABELS),
        (baseline(1, 1, "3:digest"), None),
        (baseline(1, 1, "2:digest"), OTHER_DEAL),
        (baseline(1, 1, "digest of 0.1.0"), OTHER_DEAL),
    ],
    ids=[
        "no input",
        "none blessed yet",
        "other seed",
        "unknown seed",
        "other labels",
        "unknown labels",
        "comparable",
        "other deal",
        "deal of 0.1.0",
    ],
)
def test_a_champion_is_compared_only_on_the_same_split_and_labels(
    artifacts: Any, reason: Any
) -> None:
    assert reason_against(artifacts, SETTINGS) == reason


def test_without_the_champions_division_it_is_not_comparable(tmp_path: Path) -> None:
    artifacts = baseline(1, 1, "3:digest")
    artifacts[0].uri = str(tmp_path / "model")
    write_model(tmp_path / "model", ["response"], "q_")
    division = Predictions()
    division.uri = str(tmp_path)
    (tmp_path / "NO_CHAMPION").touch()
    for divisions in ([], [division]):
        found = find_champion(
            artifacts, divisions, standard_artifacts.Examples(), SETTINGS, SPLIT_PLAN, None
        )
        assert (found.reason_against, found.tasks) == (NO_DIVISION, ("response",))


def test_a_validation_compares_no_champion() -> None:
    plan = EvaluationPlan(scheme="validate", requested="validate")
    found = find_champion([], [], standard_artifacts.Examples(), SETTINGS, plan, None)
    assert found.reason_against == VALIDATION


@pytest.fixture
def divided(tmp_path: Path) -> Any:
    """A comparable champion with its division, in which one subject was tested."""
    (champion,) = baseline(1, 1, "3:digest")
    champion.set_string_custom_property(SUBJECT_KEY_ID, "a key")
    champion.uri = str(tmp_path / "model")
    write_model(tmp_path / "model", ["response"], "q_")
    division = Predictions()
    division.uri = str(tmp_path / "division")
    (tmp_path / "division").mkdir()
    return champion, division


def examples_of(subject_key: str) -> Any:
    examples = standard_artifacts.Examples()
    examples.set_string_custom_property(SUBJECT_KEY_ID, subject_key)
    return examples


def test_other_pseudonyms_are_not_comparable(divided: Any) -> None:
    champion, division = divided
    write_division(division.uri, split_division({b"subject": 2}))
    found = find_champion(
        [champion], [division], examples_of("another"), SETTINGS, SPLIT_PLAN, None
    )
    assert (found.reason_against, found.tasks) == (OTHER_KEY, ("response",))


def test_a_champion_whose_division_the_registry_lacks_is_not_comparable(divided: Any) -> None:
    champion, division = divided
    write_division(division.uri, split_division({}))
    found = find_champion([champion], [division], examples_of("a key"), SETTINGS, SPLIT_PLAN, None)
    assert (found.reason_against, found.tasks) == (NO_DIVISION, ("response",))
