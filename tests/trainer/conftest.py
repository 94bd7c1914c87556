import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.trainer_study import INPUTS, QUICK, example, subjects, transform


@dataclasses.dataclass(frozen=True)
class Study:
    """A small study after Transform: what Trainer and Tuner find on disk."""

    rows: list[dict[str, Any]]
    graph: Path
    train_files: str
    eval_files: str

    def examples(self, files: str, **options: Any) -> Any:
        """The subjects of some files, as the Trainer reads them."""
        import tensorflow_transform as tft

        from trainer.examples import TransformedExamples, read_encoding
        from trainer.transformation import Transformation

        output = tft.TFTransformOutput(str(self.graph))
        encoding = read_encoding(output, INPUTS)
        return TransformedExamples((files,), Transformation(output, INPUTS), encoding, **options)


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """600 subjects, the last 200 of them for evaluation."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("study")
    rows = subjects(600)
    graph = folder / "transform_graph"
    # The statistics of the tests are those of all subjects.
    transform(rows, INPUTS, graph)
    for split, part in (("train", rows[:400]), ("eval", rows[400:])):
        (folder / f"Split-{split}").mkdir()
        path = folder / f"Split-{split}" / "examples-00000-of-00001.gz"
        with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions("GZIP")) as writer:
            for row in part:
                writer.write(example(row))
    return Study(
        rows,
        graph,
        str(folder / "Split-train" / "*"),
        str(folder / "Split-eval" / "*"),
    )


@pytest.fixture(scope="session")
def trained(study: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The folders that the Trainer's run_fn leaves behind."""
    from tfx.components.trainer.fn_args_utils import FnArgs

    from trainer.run import run_fn

    folder = tmp_path_factory.mktemp("trained")
    run_fn(
        FnArgs(
            train_files=[study.train_files],
            eval_files=[study.eval_files],
            train_steps=None,
            transform_graph_path=str(study.graph),
            serving_model_dir=str(folder / "Format-Serving"),
            model_run_dir=str(folder / "run"),
            hyperparameters={"space": [], "values": {"dropout": 0.1, "width": 4}},
            custom_config={"inputs": INPUTS.to_config(), "seed": 5, "hyperparameters": QUICK},
        )
    )
    return folder


@pytest.fixture(scope="session")
def signatures(trained: Any) -> Any:
    import tensorflow as tf

    return tf.saved_model.load(str(trained / "Format-Serving")).signatures
