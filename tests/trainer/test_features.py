import json
from typing import Any

import pytest

from pipeline.errors import UserError
from trainer.features import ModelInputs, model_inputs

INPUTS = ModelInputs(numeric=("age", "sbp"), categorical=("sex",), tasks=("death",))


def test_inputs_survive_the_journey_through_json() -> None:
    assert ModelInputs.from_config(json.loads(json.dumps(INPUTS.to_config()))) == INPUTS


def test_label_and_weight_columns_follow_the_order_of_the_tasks() -> None:
    inputs = ModelInputs(("age",), (), ("death", "bleed"))

    assert inputs.label_columns == ("label_death", "label_bleed")
    assert inputs.weight_columns == ("weight_death", "weight_bleed")


def test_custom_config_holds_the_inputs_under_their_key() -> None:
    assert model_inputs({"inputs": INPUTS.to_config(), "seed": 3}) == INPUTS


@pytest.mark.parametrize("config", [None, {}, {"seed": 3}])
def test_custom_config_without_inputs_is_refused_with_what_to_give(config: Any) -> None:
    with pytest.raises(UserError, match=r"inputs.*ModelInputs\.to_config"):
        model_inputs(config)


def test_unknown_role_is_named() -> None:
    with pytest.raises(UserError, match="ordinal"):
        ModelInputs.from_config({**INPUTS.to_config(), "ordinal": []})


@pytest.mark.parametrize(
    ("numeric", "categorical", "tasks", "message"),
    [
        ((), (), ("death",), "no feature"),
        (("age",), (), (), "no task"),
        (("age", "age"), (), ("death",), "numeric: named more than once: age"),
        (("age",), ("age",), ("death",), "numeric and as categorical feature: age"),
    ],
)
def test_impossible_inputs_are_refused(
    numeric: Any, categorical: Any, tasks: Any, message: Any
) -> None:
    with pytest.raises(UserError, match=message):
        ModelInputs(numeric, categorical, tasks)
