"""What the training may be told is checked when the study file is read."""

from __future__ import annotations

from typing import Any

import annotated_types
import pytest

from pipeline.errors import UserError
from pipeline.study.sections import Hyperparameters, check_hyperparameters
from pipeline.study.tuning import SEARCHED, check_tuning
from tests.each import each
from tests.pipeline.study.hand_made_study import refusal, study


def limits() -> dict[str, tuple[Any, Any]]:
    """Smallest and largest value of each hyperparameter."""
    found = {}
    for name, field in Hyperparameters.model_fields.items():
        number = field.annotation.__args__[0]  # type: ignore[union-attr]
        constraints = [part for item in number.__metadata__ for part in item.metadata]
        [low] = [part.ge for part in constraints if isinstance(part, annotated_types.Ge)]
        [high] = [part.le for part in constraints if isinstance(part, annotated_types.Le)]
        found[name] = (low, high)
    return found


LIMITS = limits()


@pytest.mark.parametrize("name", LIMITS)
def test_each_hyperparameter_has_two_limits_that_are_allowed(name: str) -> None:
    for value in each(LIMITS[name]):
        chosen = study(training__hyperparameters={name: value}).training.hyperparameters

        assert chosen.given == {name: value}


@pytest.mark.parametrize("name", LIMITS)
def test_a_hyperparameter_beyond_its_limits_is_refused_with_its_place(name: str) -> None:
    low, high = LIMITS[name]
    for value, expected in ((low - 1, f"at least {low:g}"), (high + 1, "at most")):
        [line] = refusal(training__hyperparameters={name: value})

        assert line.startswith(
            f"study.yaml: training.hyperparameters.{name}: expected a number {expected}"
        )


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("hyperparameters", {"widht": 3}, "hyperparameters.widht: unknown key."),
        ("hyperparameters", {"width": 3.5}, "width: expected a whole number, found 3.5."),
        ("hyperparameters", {"width": True}, "width: expected a whole number, found true."),
        ("hyperparameters", {"dropout": "much"}, "dropout: expected a number, found much."),
        ("hyperparameters", {"penalty": float("nan")}, "penalty: expected a number, found nan."),
        ("hyperparameters", [], "hyperparameters: expected keys with their values, found an"),
        ("steps", -1, "steps: expected a number at least 0, found -1."),
        ("steps", True, "steps: expected a whole number, found true."),
        ("steps", 2**31, "steps: expected a number at most 2147483647, found 2147483648."),
    ],
)
def test_what_the_trainer_can_not_use_is_refused_with_its_place(
    key: str, value: Any, told: str
) -> None:
    [line] = refusal(**{f"training__{key}": value})

    assert f"training.{told}" in line or told in line


def test_every_problem_of_other_hyperparameters_is_a_line() -> None:
    with pytest.raises(UserError) as refused:
        check_hyperparameters({"depth": 9, "widht": 3})

    assert str(refused.value).splitlines() == [
        "hyperparameters.depth: expected a number at most 8, found 9.",
        "hyperparameters.widht: unknown key. Check its spelling, or remove it.",
    ]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"tasks__rash__horizon": True}, "tasks.rash.horizon"),
        ({"slicing": {"by": {"age": {"column": "AGE", "bands": [True]}}}}, "slicing.by.age.bands"),
        ({"thresholds": [{"metric": "auc", "at_least": True}]}, "thresholds.0.at_least"),
        ({"thresholds": [{"metric": "auc", "at_most": float("nan")}]}, "thresholds.0.at_most"),
        ({"population": {"column": "AGE", "above": True}}, "population.above"),
        ({"datasets__dm__columns__AGE__range": [float("nan"), 9]}, "datasets.dm.columns.AGE.range"),
        ({"split": {"seed": False}}, "split.seed"),
    ],
)
def test_yes_no_and_nan_are_no_numbers_anywhere(changes: dict[str, Any], place: str) -> None:
    assert any(line.startswith(f"study.yaml: {place}: expected a") for line in refusal(**changes))


def test_a_study_that_chooses_everything_is_not_tuned() -> None:
    chosen = {name: LIMITS[name][0] for name in SEARCHED}
    check_tuning(study(training__hyperparameters=dict(list(chosen.items())[1:])))

    with pytest.raises(UserError, match="--tune: the study file chooses all hyperparameters"):
        check_tuning(study(training__hyperparameters=chosen))
