import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
import tensorflow_transform as tft
from google.protobuf import text_format
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_model_analysis.proto import config_pb2
from tfx.components.trainer.fn_args_utils import FnArgs

from pipeline.errors import UserError
from pipeline.results.contributions import CONTRIBUTIONS_FILE
from pipeline.results.signatures import argument_names
from tests.trainer.trainer_study import INPUTS, QUICK, columns, example, subjects, transform
from trainer.arrays import Arrays
from trainer.examples import read_encoding
from trainer.features import ModelInputs
from trainer.fit import fit
from trainer.model import resolve
from trainer.run import run_fn, throttled_progress
from trainer.serving import save
from trainer.transformation import Transformation


def without_labels(row: Any) -> Any:
    return {name: row[name] for name in INPUTS.features}


def test_examples_without_labels_get_a_probability_per_task(signatures: Any) -> None:
    rows = [without_labels(row) for row in subjects(5, seed=3)]

    found = signatures["serving_default"](examples=tf.constant([example(row) for row in rows]))

    assert set(found) == {"death", "ae"}
    for probabilities in found.values():
        assert probabilities.shape == (5, 1)
        assert probabilities.dtype == tf.float32
        assert np.all((probabilities > 0) & (probabilities < 1))


def test_a_saved_model_keeps_what_its_signatures_use_and_no_layer_or_module(trained: Path) -> None:
    found = saved_model_pb2.SavedModel.FromString(
        (trained / "Format-Serving" / "saved_model.pb").read_bytes()
    )
    objects = found.meta_graphs[0].object_graph_def.nodes

    # Each model within the model would have signatures of its own.
    kinds = [node.user_object.identifier for node in objects]
    assert kinds.count("signature_map") == 1


def test_labels_in_the_example_do_not_matter(signatures: Any) -> None:
    rows = subjects(5, seed=3)

    with_labels, without = (
        signatures["serving_default"](examples=tf.constant([example(row) for row in part]))
        for part in (rows, [without_labels(row) for row in rows])
    )

    for task in INPUTS.tasks:
        np.testing.assert_array_equal(with_labels[task], without[task])


def test_both_signatures_give_the_same_probabilities(signatures: Any) -> None:
    rows = subjects(40, seed=4)
    assert any(not row["sbp"] for row in rows)
    assert any(not row["sex"] for row in rows)

    by_example = signatures["serving_default"](examples=tf.constant([example(row) for row in rows]))
    by_column = signatures["columns"](**columns(rows))

    for task in INPUTS.tasks:
        np.testing.assert_array_equal(by_example[task], by_column[task])


def test_subject_without_any_value_and_with_a_new_category_is_served(signatures: Any) -> None:
    nothing = {name: [] for name in INPUTS.features}  # type: ignore[var-annotated]
    unheard = {**nothing, "country": [b"XX"]}

    found = signatures["serving_default"](
        examples=tf.constant([example(nothing), example(unheard)])
    )

    assert np.all(np.isfinite(found["death"]))


def test_serving_equals_the_fitted_model_on_transformed_data(study: Any, tmp_path: Path) -> None:
    train, evaluation = map(study.examples, (study.train_files, study.eval_files))
    held_out = evaluation.whole()
    fitted = fit(train.whole(), held_out, train.encoding, resolve(400, chosen=QUICK), seed=0)
    save(fitted, train.transformation, tmp_path)

    served = tf.saved_model.load(str(tmp_path)).signatures["serving_default"](
        examples=tf.constant([example(row) for row in study.rows[400:]])
    )

    for column, task in enumerate(INPUTS.tasks):
        np.testing.assert_allclose(
            served[task][:, 0], fitted.predict(held_out)[:, column], atol=1e-5
        )


def test_the_saved_model_holds_no_layer_of_keras(trained: Any) -> None:
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((trained / "Format-Serving" / "saved_model.pb").read_bytes())

    nodes = saved.meta_graphs[0].object_graph_def.nodes
    kinds = {node.user_object.identifier for node in nodes if node.HasField("user_object")}
    # Keras saves a layer with each of its functions, all of which hold Transform's graph.
    assert "_generic_user_object" in kinds
    assert not any(kind.startswith("_tf_keras") for kind in kinds)


@pytest.mark.slow
def test_columns_with_names_that_tensorflow_refuses_are_served(tmp_path: Path) -> None:
    inputs = ModelInputs(("ALT (last)", "1st"), ("größe",), ("dead 6m",))
    generator = np.random.default_rng(0)
    rows = [
        {
            "ALT (last)": [generator.normal()],
            "1st": [1.0],
            "größe": [b"tall"],
            "label_dead 6m": [float(index % 2)],
            "weight_dead 6m": [1.0],
        }
        for index in range(20)
    ]
    transformed = transform(rows, inputs, tmp_path / "graph")
    transform_output = tft.TFTransformOutput(str(tmp_path / "graph"))
    data = Arrays(
        np.stack([row["numbers"] for row in transformed]).astype(np.float32),
        np.stack([row["categories"] for row in transformed]).astype(np.int32),
        np.array([row["label_dead 6m"] for row in rows], np.float32),
        np.ones((20, 1), np.float32),
    )
    encoding = read_encoding(transform_output, inputs)
    fitted = fit(data, data, encoding, resolve(20, chosen={**QUICK, "depth": 0}), seed=0)
    save(fitted, Transformation(transform_output, inputs), tmp_path / "model")

    found = tf.saved_model.load(str(tmp_path / "model")).signatures["columns"](
        ALT__last_=tf.constant(rows[3]["ALT (last)"], tf.float32),
        x1st=tf.constant([1.0]),
        gr__e=tf.constant(["tall"]),
    )

    np.testing.assert_allclose(found["dead 6m"], fitted.predict(data)[3:4], atol=1e-6)


def test_two_columns_with_one_name_to_the_served_model_are_refused() -> None:
    with pytest.raises(UserError, match="'a b' and 'a-b' are both 'a_b'"):
        argument_names(("a b", "a-b"))


def test_record_of_the_training_says_what_was_done(trained: Any) -> None:
    record = json.loads((trained / "run" / "training.json").read_text())

    assert record["seed"] == 5
    assert record["epochs"] == 3
    assert record["steps"] == 3 * (400 // 64)
    assert set(record["eval_loss"]) == {"death", "ae"}
    assert len(record["eval_loss"]["death"]) == 4
    assert record["calibration"]["death"]["slope"] > 0
    assert record["weights"] > 100
    assert record["seconds"] > 0


def test_tuned_values_give_way_to_the_users_and_win_over_defaults(trained: Any) -> None:
    used = json.loads((trained / "run" / "training.json").read_text())["hyperparameters"]

    assert used["dropout"] == 0.1  # tuned
    assert used["width"] == 8  # tuned to 4, set to 8


@pytest.fixture(scope="module")
def unexplained(study: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Trainer's run_fn leaves of eight steps, not asked to explain."""
    folder = tmp_path_factory.mktemp("unexplained")
    run_fn(
        FnArgs(
            train_files=[study.train_files],
            eval_files=[study.eval_files],
            train_steps=8,
            transform_graph_path=str(study.graph),
            serving_model_dir=str(folder / "model"),
            model_run_dir=str(folder / "run"),
            custom_config={
                "inputs": INPUTS.to_config(),
                "seed": 5,
                "hyperparameters": QUICK,
                "contributions": False,
            },
        )
    )
    return folder


def test_fixed_train_steps_are_kept_to(unexplained: Path) -> None:
    record = json.loads((unexplained / "run" / "training.json").read_text())
    assert record["steps"] == 8


def test_analysis_reads_the_model_through_its_signature(
    study: Any, trained: Any, tmp_path: Path
) -> None:
    config = text_format.Parse(
        """
        model_specs {
          signature_name: "serving_default"
          label_keys { key: "death" value: "label_death" }
          label_keys { key: "ae" value: "label_ae" }
          model_type: "tf_generic"
        }
        slicing_specs {}
        metrics_specs {
          output_names: "death"
          output_names: "ae"
          metrics { class_name: "AUC" }
          metrics { class_name: "ExampleCount" }
        }
        """,
        config_pb2.EvalConfig(),
    )
    data = tmp_path / "examples.tfrecord"
    with tf.io.TFRecordWriter(str(data)) as writer:
        for row in study.rows[400:]:
            writer.write(example(row))
    shared = tfma.default_eval_shared_model(str(trained / "Format-Serving"), eval_config=config)

    result = tfma.run_model_analysis(
        eval_shared_model=shared,
        eval_config=config,
        data_location=str(data),
        output_path=str(tmp_path / "analysis"),
        pipeline_options=_in_memory(),
    )

    metrics = result.get_metrics_for_all_slices(output_name="death")[()]
    assert metrics["example_count"]["doubleValue"] == 200
    assert metrics["auc"]["doubleValue"] > 0.75


def _in_memory() -> Any:
    from apache_beam.options.pipeline_options import PipelineOptions

    return PipelineOptions(["--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"])


def test_progress_is_reported_at_its_end_and_not_at_every_epoch(
    caplog: pytest.LogCaptureFixture,
) -> None:
    report = throttled_progress()

    with caplog.at_level(logging.INFO, logger="trainer.run"):
        for epoch in range(1, 1001):
            report(epoch, 1000, "eval loss 0.5")

    told = [record.progress for record in caplog.records]  # type: ignore[attr-defined]
    assert told[0] == (1, 1000)
    assert told[-1] == (1000, 1000)
    assert len(told) < 10


def test_empty_split_is_explained(study: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no example found"):
        study.examples(str(tmp_path / "*")).whole()


def test_split_larger_than_memory_comes_in_blocks(study: Any) -> None:
    whole = study.examples(study.train_files)
    row_bytes = 4 * (whole.encoding.numbers + 2 + 4)
    limited = study.examples(study.train_files, max_bytes=150 * row_bytes)

    blocks = list(limited)

    assert [len(block) for block in blocks] == [150, 150, 100]
    together = np.concatenate([block.numbers for block in blocks])
    np.testing.assert_array_equal(together, whole.whole().numbers)
    assert limited.held() is limited
    assert len(whole.held()) == 1


def test_a_model_that_is_not_asked_to_explain_has_no_such_signatures(unexplained: Path) -> None:
    served = tf.saved_model.load(str(unexplained / "model"))
    assert set(served.signatures) == {"serving_default", "columns"}
    assert not (unexplained / "model" / CONTRIBUTIONS_FILE).exists()
    assert json.loads((unexplained / "run" / "training.json").read_text())["importance"] is None
