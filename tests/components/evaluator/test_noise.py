"""A task on noise beside one that can be predicted, from the predictions to the served model."""

import json
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tfx.types import standard_artifacts

from components.artifact_types import ModelUncertainty, ModelVerdict
from components.blessed_model.executor import Executor
from components.blessed_model.settings import BlessedModelSettings
from components.evaluator.settings import EvaluatorSettings
from pipeline.results.predictions import Predictions
from pipeline.results.served_tasks import TASKS_FILE, ServedTasks
from pipeline.results.uncertainty import UNCERTAINTY_FILE, TaskUncertainty, Uncertainty
from pipeline.study.sections import DefaultThresholds
from pipeline.titles import NAMES

SUBJECTS, FOLDS = 300, 5
TASKS = ("noise", "response")


@pytest.fixture(scope="module")
def evaluation(run_evaluator: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Of both tasks the predictions vary alike; labels of `noise` do not depend on them."""
    generator = np.random.default_rng(11)
    settings = EvaluatorSettings(
        tasks=dict.fromkeys(TASKS, (0.5,)),
        slicings=(),
        pairs=(),
        smallest_group=20,
        thresholds=(),
        split_seed=1,
        label_digest="digest",
        default_thresholds=DefaultThresholds(),
    )
    score = {
        task: 1 / (1 + np.exp(-generator.normal(0, 1.2, SUBJECTS))).astype(np.float32)
        for task in TASKS
    }
    chance = generator.random((SUBJECTS, 2))
    label = {"noise": chance[:, 0] < 0.5, "response": chance[:, 1] < score["response"]}
    pseudonyms = np.array([f"{number * 7919:016x}".encode() for number in range(SUBJECTS)], object)

    def predictions(model: str, of: dict[str, Any]) -> Predictions:
        fold = (np.arange(SUBJECTS) % FOLDS).astype(np.int16)
        return Predictions(pseudonyms, np.zeros(SUBJECTS, np.int16), fold, {model: of})

    rate = {task: np.full(SUBJECTS, label[task].mean(), np.float32) for task in TASKS}
    return run_evaluator(
        tmp_path_factory.mktemp("noise"),
        settings,
        [
            {"subject_hash": bytes(pseudonyms[i])}
            | {f"label_{task}": float(label[task][i]) for task in TASKS}
            | {f"weight_{task}": 1.0 for task in TASKS}
            | {f"p_{task}": float(score[task][i]) for task in TASKS}
            for i in range(SUBJECTS)
        ],
        predictions=predictions("challenger", score),
        references=predictions("base_rate", rate),
        plan={"scheme": "cross_fit", "requested": "auto", "folds": FOLDS, "repeats": 1},
    )


def test_a_task_on_noise_is_refused_and_the_other_one_blessed(evaluation: Any) -> None:
    found = {task: item["verdict"] for task, item in evaluation.verdict["tasks"].items()}

    assert found == {"noise": "refused", "response": "blessed"}
    assert {item["origin"] for item in evaluation.verdict["comparisons"]} == {"default"}


def test_the_served_model_has_no_signature_of_it_and_says_why(evaluation: Any) -> None:
    too_few = TaskUncertainty(why_not="Too few subjects.")
    document = Uncertainty(coverage=0.9, out_of_fold=True, tasks=dict.fromkeys(TASKS, too_few))
    (evaluation.folder / UNCERTAINTY_FILE).write_text(document.model_dump_json())
    inputs = {
        "trained_model": [standard_artifacts.Model()],
        "verdict": [ModelVerdict()],
        "uncertainty": [ModelUncertainty()],
    }
    inputs["trained_model"][0].uri = str(evaluation.folder / "model")
    inputs["verdict"][0].uri = str(evaluation.folder / "verdict")
    inputs["uncertainty"][0].uri = str(evaluation.folder)
    served = standard_artifacts.Model()
    served.uri = str(evaluation.folder / "served")

    Executor().Do(
        inputs,
        {"model": [served]},
        {"settings": BlessedModelSettings(study_name="hand", tasks=TASKS).to_json()},
    )

    saved = evaluation.folder / "served/Format-Serving"
    signature = tf.saved_model.load(str(saved)).signatures["serving_default"]
    assert list(signature.structured_outputs) == ["response"]
    said = ServedTasks.model_validate(json.loads((saved / TASKS_FILE).read_text()))
    assert said.blessed == ("response",)
    assert any(
        "better than guessing is not shown" in text
        for text in said.tasks["noise"].reason_texts(NAMES)
    )
