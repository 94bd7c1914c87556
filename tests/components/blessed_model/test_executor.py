"""A small SavedModel with two tasks, a vocabulary and a verdict made by hand."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tfx.types import standard_artifacts

from components.artifact_types import ModelUncertainty, ModelVerdict
from components.blessed_model.executor import PLACEHOLDER, Executor
from components.blessed_model.settings import BlessedModelSettings
from pipeline.results.documents import Verdict
from pipeline.results.judged import Judged
from pipeline.results.served_tasks import TASKS_FILE, ServedTasks
from pipeline.results.task_verdicts import TaskVerdict
from pipeline.results.uncertainty import (
    UNCERTAINTY_FILE,
    TaskUncertainty,
    Uncertainty,
)
from pipeline.runs.entries import model_digest

REASON = "noise: auc overall is 0.51 (0.42 to 0.6), lower bound below 0.5"
VERDICTS = {
    "blessed": TaskVerdict(verdict="blessed"),
    "refused": TaskVerdict(verdict="refused", reasons=(Judged(message=REASON),)),
    "not_judged": TaskVerdict(verdict="not_judged", reasons=(Judged(message="too few"),)),
}


class TwoTasks(tf.Module):  # type: ignore[misc]
    """Probabilities of `response` and `noise` by a category of a vocabulary file."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        vocabulary = folder / "vocabulary.txt"
        vocabulary.write_text("a\nb\n")
        self._weights = tf.Variable([0.2, 0.7, 0.1])
        self._table = tf.lookup.StaticVocabularyTable(
            tf.lookup.TextFileInitializer(
                str(vocabulary),
                tf.string,
                tf.lookup.TextFileIndex.WHOLE_LINE,
                tf.int64,
                tf.lookup.TextFileIndex.LINE_NUMBER,
            ),
            1,
        )

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples: Any) -> Any:
        parsed = tf.io.parse_example(examples, {"group": tf.io.FixedLenFeature([], tf.string)})
        return self._predicted(parsed["group"])

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="group"),
            tf.TensorSpec([None], tf.float32, name="AGE"),
        ]
    )
    def columns(self, group: Any, AGE: Any) -> Any:  # noqa: N803 - a column's name
        return {key: found + 0 * AGE[:, None] for key, found in self._predicted(group).items()}

    def _predicted(self, group: Any) -> Any:
        found = tf.gather(self._weights, self._table.lookup(group))[:, None]
        return {"response": found, "noise": found / 2}


TOO_FEW = TaskUncertainty(why_not="too few")


def restrict(
    trained: Path,
    folder: Path,
    response: str,
    noise: str,
    uncertainty: TaskUncertainty | None = TOO_FEW,
) -> Path:
    """The component's output for a verdict on each of the two tasks.

    Args:
        trained: Folder of the trained model.
        folder: Folder for the output.
        response: Verdict on the task `response`.
        noise: Verdict on the task `noise`.
        uncertainty: Interval and sets of `response`; None if CrossFit wrote no file.
    """
    folder.mkdir(parents=True)
    if uncertainty:
        document = Uncertainty(
            coverage=0.9, out_of_fold=True, tasks={"response": uncertainty, "noise": TOO_FEW}
        )
        (folder / UNCERTAINTY_FILE).write_text(document.model_dump_json())
    tasks = {"response": VERDICTS[response], "noise": VERDICTS[noise]}
    verdict = Verdict(
        blessed="blessed" in (response, noise),
        judged=True,
        compared=2,
        comparisons=(),
        tasks=tasks,
        reasons=(),
        not_judged=(),
        notes=(),
    )
    (folder / "verdict.json").write_text(verdict.model_dump_json())
    uncertain, judged, model, restricted = (
        ModelUncertainty(),
        ModelVerdict(),
        standard_artifacts.Model(),
        standard_artifacts.Model(),
    )
    judged.uri, model.uri, restricted.uri = str(folder), str(trained), str(folder / "model")
    uncertain.uri = str(folder)
    settings = BlessedModelSettings(
        study_name="hand", tasks=("noise", "response"), slicings=("age", "sex")
    )
    Executor().Do(
        {"trained_model": [model], "verdict": [judged], "uncertainty": [uncertain]},
        {"model": [restricted]},
        {"settings": settings.to_json()},
    )
    return folder / "model"


def examples(*groups: bytes, sex: bytes = b"") -> Any:
    def example(group: bytes) -> bytes:
        made = tf.train.Example()
        if sex:
            made.features.feature["slice_sex"].bytes_list.value.append(sex)
        made.features.feature["group"].bytes_list.value.append(group)
        return bytes(made.SerializeToString())

    return tf.constant([example(group) for group in groups])


@pytest.fixture(scope="module")
def restricted(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return restrict(trained, tmp_path_factory.mktemp("one") / "out", "blessed", "refused")


def test_a_refused_task_is_absent_from_every_signature(restricted: Path) -> None:
    signatures = tf.saved_model.load(str(restricted / "Format-Serving")).signatures

    assert {name: set(found.structured_outputs) for name, found in signatures.items()} == {
        "serving_default": {"response"},
        "columns": {"response"},
        "columns_with_slices": {"response"},
    }


def test_a_blessed_task_is_predicted_as_by_the_trained_model(
    trained: Path, restricted: Path
) -> None:
    before = tf.saved_model.load(str(trained / "Format-Serving")).signatures
    after = tf.saved_model.load(str(restricted / "Format-Serving")).signatures

    given = {"examples": examples(b"a", b"b", b"c")}
    expected = before["serving_default"](**given)["response"].numpy().ravel().tolist()
    assert after["serving_default"](**given)["response"].numpy().ravel().tolist() == expected
    assert expected == pytest.approx([0.2, 0.7, 0.1])
    columns = {"group": tf.constant(["b"]), "AGE": tf.constant([50.0])}
    assert after["columns"](**columns)["response"].numpy().tolist() == [[pytest.approx(0.7)]]


def test_a_model_keeps_what_its_signatures_use_and_not_the_model_that_it_is_made_of(
    restricted: Path,
) -> None:
    found = saved_model_pb2.SavedModel.FromString(
        (restricted / "Format-Serving" / "saved_model.pb").read_bytes()
    )
    objects = found.meta_graphs[0].object_graph_def.nodes

    # Each model within the model would have signatures of its own.
    kinds = [node.user_object.identifier for node in objects]
    assert kinds.count("signature_map") == 1


def test_the_restricted_model_needs_no_file_of_the_trained_one(
    trained: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "trained"
    shutil.copytree(trained, copy)
    made = restrict(copy, tmp_path / "out", "blessed", "refused")
    shutil.rmtree(copy)

    serve = tf.saved_model.load(str(made / "Format-Serving")).signatures["serving_default"]
    assert serve(examples=examples(b"b"))["response"].numpy().tolist() == [[pytest.approx(0.7)]]


@pytest.mark.parametrize("left_out", ["refused", "not_judged"])
def test_the_models_metadata_say_which_task_it_lacks_and_why(
    left_out: str, trained: Path, tmp_path: Path
) -> None:
    made = restrict(trained, tmp_path / "out", "blessed", left_out)

    written = json.loads((made / "Format-Serving" / TASKS_FILE).read_text())
    assert written["study"] == "hand"
    assert TaskVerdict.model_validate(written["tasks"]["noise"]) == VERDICTS[left_out]
    assert written["tasks"]["response"]["verdict"] == "blessed"


def test_a_wholly_blessed_model_without_intervals_is_a_copy(trained: Path, tmp_path: Path) -> None:
    made = restrict(trained, tmp_path / "out", "blessed", "blessed") / "Format-Serving"

    assert (made / "saved_model.pb").read_bytes() == (
        trained / "Format-Serving" / "saved_model.pb"
    ).read_bytes()


def test_a_model_without_a_blessed_task_is_a_placeholder(trained: Path, tmp_path: Path) -> None:
    made = restrict(trained, tmp_path / "out", "refused", "not_judged")

    assert [path.name for path in made.iterdir()] == [PLACEHOLDER]


def test_a_model_that_is_restricted_again_is_the_same_to_the_registry(
    trained: Path, tmp_path: Path
) -> None:
    first, again, other = (
        restrict(trained, tmp_path / name, *tasks) / "Format-Serving"
        for name, tasks in (
            ("first", ("blessed", "refused")),
            ("again", ("blessed", "not_judged")),
            ("other", ("refused", "blessed")),
        )
    )

    assert model_digest(str(first)) == model_digest(str(again))
    assert model_digest(str(first)) != model_digest(str(other))


def test_the_tasks_of_a_model_can_be_read() -> None:
    content = ServedTasks(study="hand", tasks={"noise": VERDICTS["refused"]}, trained_model="0")

    assert ServedTasks.model_validate_json(content.model_dump_json()) == content
