"""Every shape of inputs is transformed, trained and served: the served model is the fitted one."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs

from pipeline.results.signatures import argument_names
from tests.trainer.trainer_study import example, transform
from trainer.features import ModelInputs
from trainer.run import run_fn

QUICK = {"members": 2, "width": 8, "depth": 1, "max_epochs": 2, "batch_size": 32}
TRAIN, EVAL = 120, 60
SUBJECTS = TRAIN + EVAL

Column = Callable[[int], list[Any]]
"""Values of a column by the subject's number: one, or none where it is missing."""


def number(subject: int) -> list[Any]:
    return [float(subject % 17)]


def category(subject: int) -> list[Any]:
    return [b"F" if subject % 2 else b"M"]


def only_in(column: Column, *subjects: range) -> Column:
    return lambda subject: column(subject) if any(subject in part for part in subjects) else []


IN_TRAIN, IN_EVAL, NOWHERE = range(TRAIN), range(TRAIN, SUBJECTS), range(0)

SHAPES: Mapping[str, tuple[Mapping[str, Column], Mapping[str, Column]]] = {
    "numbers only": ({"age": number, "lab": lambda s: [s * 0.5]}, {}),
    "categories only": ({}, {"sex": category, "arm": lambda s: [b"A" if s % 3 else b"B"]}),
    "one number": ({"age": number}, {}),
    "one category": ({}, {"sex": category}),
    "one value of a category": ({}, {"sex": lambda _: [b"F"]}),
    "a constant number": ({"age": lambda _: [7.0]}, {}),
    "a constant number beside others": (
        {"age": number, "dose": lambda _: [0.1]},
        {"sex": category},
    ),
    "a number that no subject has": ({"age": only_in(number, NOWHERE)}, {}),
    "a category that no subject has": ({}, {"sex": only_in(category, NOWHERE)}),
    "nothing known of anybody": (
        {"age": only_in(number, NOWHERE)},
        {"sex": only_in(category, NOWHERE)},
    ),
    "missing in the train split": (
        {"age": only_in(number, IN_EVAL), "lab": number},
        {"sex": only_in(category, IN_EVAL), "arm": category},
    ),
    "missing in the eval split": (
        {"age": only_in(number, IN_TRAIN), "lab": number},
        {"sex": only_in(category, IN_TRAIN), "arm": category},
    ),
    "one subject with a value": ({"age": only_in(number, range(5, 6))}, {"sex": category}),
    "only rare categories": ({}, {"site": lambda s: [f"S{s}".encode()]}),
}


COMMON = ("numbers only", "categories only")
"""Shapes that every run of the tests looks at; the others are slow only by their number."""


def rows_of(
    numbers: Mapping[str, Column], categories: Mapping[str, Column], count: int = SUBJECTS
) -> list[Any]:
    """Subjects, every second of whom dies, and every tenth of whose labels is unknown."""
    columns = {**numbers, **categories}
    return [
        {
            **{name: column(subject) for name, column in columns.items()},
            "label_death": [float(subject % 2)],
            "weight_death": [float(subject % 10 > 0)],
        }
        for subject in range(count)
    ]


def train(rows: Sequence[Any], inputs: ModelInputs, folder: Path, evaluated: int = EVAL) -> Any:
    """Signatures of the model that Trainer's function leaves; the last rows are evaluated."""
    parts = {"train": rows[:-evaluated], "eval": rows[-evaluated:]}
    transform(parts["train"], inputs, folder / "graph")
    for split, part in parts.items():
        path = str(folder / f"{split}.gz")
        with tf.io.TFRecordWriter(path, tf.io.TFRecordOptions("GZIP")) as writer:
            for row in part:
                writer.write(example(row))
    run_fn(
        FnArgs(
            train_files=[str(folder / "train.gz")],
            eval_files=[str(folder / "eval.gz")],
            train_steps=None,
            transform_graph_path=str(folder / "graph"),
            serving_model_dir=str(folder / "serving"),
            model_run_dir=str(folder / "run"),
            custom_config={"inputs": inputs.to_config(), "seed": 1, "hyperparameters": QUICK},
        )
    )
    return tf.saved_model.load(str(folder / "serving")).signatures


@pytest.mark.parametrize(
    "shape",
    [pytest.param(name, marks=[] if name in COMMON else pytest.mark.slow) for name in SHAPES],
)
def test_shape_of_inputs_is_trained_and_served(shape: str, tmp_path: Path) -> None:
    numbers, categories = SHAPES[shape]
    inputs = ModelInputs(tuple(numbers), tuple(categories), ("death",))
    rows = rows_of(numbers, categories)

    signatures = train(rows, inputs, tmp_path)

    found = signatures["serving_default"](examples=tf.constant([example(row) for row in rows]))
    assert found["death"].shape == (SUBJECTS, 1)
    assert np.all((found["death"] > 0) & (found["death"] < 1))
    by_column = signatures["columns"](**columns_of(rows, inputs))
    np.testing.assert_allclose(found["death"], by_column["death"], atol=1e-6)
    for count in (0, 1):
        few = signatures["serving_default"](
            examples=tf.constant([example(row) for row in rows[:count]], tf.string)
        )
        assert few["death"].shape == (count, 1)


@pytest.mark.slow
def test_five_thousand_categories_are_trained_and_served(tmp_path: Path) -> None:
    sites: dict[str, Column] = {"site": lambda s: [f"C{s % 5000}".encode()]}
    inputs = ModelInputs((), ("site",), ("death",))
    rows = rows_of({}, sites, count=30_000)

    signatures = train(rows, inputs, tmp_path, evaluated=5_000)

    found = signatures["serving_default"](examples=tf.constant([example(r) for r in rows[:5000]]))
    # Of an even number are the sites whose subjects never die.
    assert np.mean(found["death"][1::2]) > np.mean(found["death"][::2]) + 0.2


def columns_of(rows: Sequence[Any], inputs: ModelInputs) -> dict[str, Any]:
    """Arguments of the `columns` signature: NaN and "" where a value is missing."""
    missing = {
        **dict.fromkeys(inputs.numeric, np.nan),
        **dict.fromkeys(inputs.categorical, b""),
    }
    return {
        argument: tf.constant(
            [row[name][0] if row[name] else missing[name] for row in rows],
            tf.float32 if name in inputs.numeric else tf.string,
        )
        for name, argument in argument_names(inputs.features).items()
    }
