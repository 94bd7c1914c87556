"""Interval and set beside each prediction of a served model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from pipeline.errors import UserError
from pipeline.results.uncertainty import (
    SERVED_FILE,
    GroupThreshold,
    TaskUncertainty,
    Uncertainty,
)
from pipeline.runs.entries import model_digest
from tests.components.blessed_model.test_executor import examples, restrict

STEPS = TaskUncertainty(
    starts=(0.5,),
    lower=(0.1, 0.6),
    upper=(0.3, 0.8),
    negative=0.15,
    positive=0.75,
    groups=(GroupThreshold(slice={"sex": "F"}, positive=0.2),),
    negative_alone=0.25,
    positive_alone=0.85,
)


PARTS = ("lower", "upper", "set_negative", "set_positive")


def answered(served: Path, subjects: Any) -> dict[str, list[float]]:
    """Outputs of `serving_default`."""
    signature = tf.saved_model.load(str(served)).signatures["serving_default"]
    return {
        name: np.ravel(found.numpy()).astype(float).round(6).tolist()
        for name, found in signature(examples=subjects).items()
    }


@pytest.mark.parametrize("noise", ["blessed", "refused"])
def test_interval_and_set_stand_beside_the_prediction(
    noise: str, trained: Path, tmp_path: Path
) -> None:
    made = restrict(trained, tmp_path / "out", "blessed", noise, STEPS) / "Format-Serving"

    found = answered(made, examples(b"a", b"b", b"c", sex=b"M"))

    assert {name for name in found if name.startswith("response/")} == {
        f"response/{part}" for part in PARTS
    }
    assert not {name for name in found if name.startswith("noise/")}
    assert found["response"] == [0.2, 0.7, 0.1]
    assert found["response/lower"] == [0.1, 0.6, 0.1]
    assert found["response/upper"] == [0.3, 0.8, 0.3]
    # At most .15 without the outcome, 1 - .75 at least with it: .2 is in neither set.
    assert found["response/set_negative"] == [0, 0, 1]
    assert found["response/set_positive"] == [0, 1, 0]
    of_women = answered(made, examples(b"a", sex=b"F"))
    assert of_women["response/set_positive"] == [1]


def test_predictions_are_to_the_last_digit_those_of_the_model_without(
    trained: Path, tmp_path: Path
) -> None:
    subjects = examples(b"a", b"b", b"c", sex=b"M")
    made = [
        restrict(trained, tmp_path / name, "blessed", "refused", steps) / "Format-Serving"
        for name, steps in (("with", STEPS), ("without", TaskUncertainty(why_not="Too few.")))
    ]

    found, expected = (
        tf.saved_model.load(str(of)).signatures["serving_default"](examples=subjects) for of in made
    )

    assert (len(found), set(expected)) == (1 + len(PARTS), {"response"})
    assert found["response"].numpy().tobytes() == expected["response"].numpy().tobytes()


def test_a_set_is_that_of_all_subjects_where_groups_are_not_known(
    trained: Path, tmp_path: Path
) -> None:
    made = restrict(trained, tmp_path / "out", "blessed", "blessed", STEPS) / "Format-Serving"

    columns = tf.saved_model.load(str(made)).signatures["columns"](
        group=tf.constant(["a", "b", "c"]), AGE=tf.constant([50.0, 50.0, 50.0])
    )

    # At most .25 without the outcome, 1 - .85 at least with it.
    assert columns["response/set_negative"].numpy().ravel().tolist() == [1, 0, 1]
    assert columns["response/set_positive"].numpy().ravel().tolist() == [1, 1, 0]
    without = answered(made, examples(b"a", b"b", b"c"))
    assert without["response/set_negative"] == [1, 0, 1]
    assert without["response/set_positive"] == [1, 1, 0]


def test_by_columns_and_slices_the_answer_is_that_of_the_examples(
    trained: Path, tmp_path: Path
) -> None:
    made = restrict(trained, tmp_path / "out", "blessed", "blessed", STEPS) / "Format-Serving"
    categories = [b"a", b"b", b"c"]
    signature = tf.saved_model.load(str(made)).signatures["columns_with_slices"]

    def by_columns(sex: str) -> dict[str, list[float]]:
        found = signature(
            group=tf.constant(categories),
            AGE=tf.constant([50.0] * 3),
            slice_age=tf.constant(["old"] * 3),
            slice_sex=tf.constant([sex] * 3),
        )
        return {
            name: np.ravel(values.numpy()).astype(float).round(6).tolist()
            for name, values in found.items()
        }

    assert by_columns("F") == answered(made, examples(*categories, sex=b"F"))
    assert by_columns("M") == answered(made, examples(*categories, sex=b"M"))
    assert by_columns("") == answered(made, examples(*categories))
    # 1 - .2 is at most .75 and .2 more, 1 - .1 likewise.
    assert by_columns("F")["response/set_positive"] == [1, 1, 1]
    assert by_columns("M")["response/set_positive"] == [0, 1, 0]


def test_a_model_with_other_sets_or_intervals_is_another_one(trained: Path, tmp_path: Path) -> None:
    narrower = STEPS.model_copy(update={"upper": (0.2, 0.7)})
    first, again, other = (
        restrict(trained, tmp_path / name, "blessed", "blessed", steps) / "Format-Serving"
        for name, steps in (("first", STEPS), ("again", STEPS), ("other", narrower))
    )
    assert model_digest(str(first)) == model_digest(str(again))
    assert model_digest(str(first)) != model_digest(str(other))

    before = model_digest(str(again))
    content = (again / SERVED_FILE).read_text()
    (again / SERVED_FILE).write_text(content.replace("0.15", "0.95"))

    assert model_digest(str(again)) != before


def test_the_served_model_says_why_a_task_has_no_interval(trained: Path, tmp_path: Path) -> None:
    made = restrict(trained, tmp_path / "out", "blessed", "blessed", STEPS) / "Format-Serving"

    written = Uncertainty.model_validate_json((made / SERVED_FILE).read_text())

    assert written.tasks["noise"].why_not == "too few"
    assert written.tasks["response"] == STEPS


def test_a_refused_task_has_no_steps_in_the_files_of_the_model(
    trained: Path, tmp_path: Path
) -> None:
    made = restrict(trained, tmp_path / "out", "refused", "blessed", STEPS) / "Format-Serving"

    written = Uncertainty.model_validate_json((made / SERVED_FILE).read_text())

    assert set(written.tasks) == {"noise"}


def test_predictions_without_the_document_are_refused(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"uncertainty\.json: this file of CrossFit is missing"):
        restrict(trained, tmp_path / "out", "blessed", "blessed", None)
