import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.types import channel_utils, standard_artifacts
from tfx.types.artifact import Artifact

from components.artifact_types import ModelCardDocument, ModelRegistration, ModelVerdict
from components.model_registrar.component import ModelRegistrar
from components.model_registrar.executor import Executor
from components.model_registrar.settings import ModelRegistrarSettings
from pipeline.errors import UserError
from pipeline.runs.registry import Registry
from tests.attacker.test_registered_statistics import found_in
from tests.described_subjects import described, write_examples
from tests.document_schemas import check_document
from tests.registered_models import documents

STUDY = "ACTG175"
SETTINGS = ModelRegistrarSettings(
    study_name=STUDY,
    study_digest="study-1",
    split_seed=7,
    label_digest="labels-1",
    task_titles={"death": "Dead at 6 months"},
    slicing_titles={"sex_group": "Sex"},
)
EXTREME = 103.25
PARAMETERS = {"code_version": "0.1.0", "run_id": "run-1"}


class Run:
    """One execution of the component on a trained, judged and pushed model."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.registry = Registry(str(folder / "registry"))
        self.inputs = {
            "model": self._artifact(standard_artifacts.Model(), "model"),
            "model_blessing": self._artifact(standard_artifacts.ModelBlessing(), "blessing"),
            "pushed_model": self._artifact(standard_artifacts.PushedModel(), "pushed"),
            "statistics": self._artifact(standard_artifacts.ExampleStatistics(), "statistics"),
            "verdict": self._artifact(ModelVerdict(), "verdict"),
            "card": self._artifact(ModelCardDocument(), "card"),
            "examples": self._artifact(standard_artifacts.Examples(), "examples"),
        }
        self.registration = self._artifact(ModelRegistration(), "registration")
        self.write("model/Format-Serving/saved_model.pb", "the model")
        self._write_statistics()
        self.write("card/card.json", documents("data-1", "study-1")["card.json"].decode())
        self.write_metrics([])
        self.write_verdict([])
        self.inputs["statistics"].split_names = '["train", "test"]'
        self.inputs["examples"].split_names = '["train"]'
        self.inputs["model_blessing"].set_int_custom_property("blessed", 1)
        self.inputs["pushed_model"].set_int_custom_property("pushed", 1)
        self.inputs["examples"].set_string_custom_property("fingerprint", "data-1")

    def _write_statistics(self) -> None:
        subjects = pd.DataFrame({"AGE": [*np.linspace(40, 80, 99), EXTREME], "SEX": "F"})
        write_examples(subjects, self._folder / "examples" / "Split-train")
        for split in ("train", "test"):
            found = statistics_pb2.DatasetFeatureStatisticsList(datasets=[described(subjects)])
            folder = self._folder / "statistics" / f"Split-{split}"
            folder.mkdir()
            (folder / "FeatureStats.pb").write_bytes(found.SerializeToString())

    def _artifact(self, artifact: Artifact, name: str) -> Artifact:
        artifact.uri = str(self._folder / name)
        Path(artifact.uri).mkdir()
        return artifact

    def write(self, path: str, content: str) -> None:
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)

    def write_metrics(self, records: list[dict[str, Any]]) -> None:
        content = {"smallest_group": 10, "records": records, "suppressed": []}
        self.write("verdict/metrics.json", json.dumps(content))

    def write_verdict(self, reasons: list[dict[str, Any]], dropped: tuple[str, ...] = ()) -> None:
        content = {
            "dropped_tasks": dropped,
            "blessed": not reasons and not dropped,
            "judged": True,
            "compared": 1,
            "not_judged": [],
        }
        self.write(
            "verdict/verdict.json",
            json.dumps(content | {"comparisons": [], "reasons": reasons, "notes": []}),
        )

    def execute(self, run_id: str = "run-1") -> dict[str, Any]:
        Executor().Do(
            {key: [artifact] for key, artifact in self.inputs.items()},
            {"registration": [self.registration]},
            PARAMETERS
            | {
                "settings": SETTINGS.to_json(),
                "registry_root": str(self._folder / "registry"),
                "run_id": run_id,
            },
        )
        return json.loads((Path(self.registration.uri) / "registration.json").read_text())


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_a_blessed_and_pushed_model_becomes_the_champion(run: Any) -> None:
    registration = run.execute()

    champion = run.registry.champion(STUDY)
    assert (Path(champion.model_uri) / "saved_model.pb").read_text() == "the model"
    assert registration["registered"] is True
    assert registration["reason"] is None
    assert registration["entry"]["id"] == champion.id
    assert run.registration.get_int_custom_property("registered") == 1
    check_document("registration.json", registration)


def test_a_model_that_drops_a_task_of_the_champion_is_not_registered(run: Any) -> None:
    run.write_verdict([], dropped=("death",))
    run.inputs["model_blessing"].set_int_custom_property("blessed", 0)

    registration = run.execute()

    assert not registration["registered"]
    assert "would not serve Dead at 6 months, which the champion serves" in registration["reason"]
    assert run.registry.champion(STUDY) is None


def test_the_entry_says_what_the_model_was_made_from(run: Any) -> None:
    run.execute()

    champion = run.registry.champion(STUDY)
    assert champion.fingerprint == "data-1"
    assert champion.study_digest == "study-1"
    assert champion.label_digest == "labels-1"
    assert champion.split_seed == 7
    assert champion.code_version == "0.1.0"


def test_only_the_train_statistics_are_kept_and_no_value_of_a_single_subject(run: Any) -> None:
    run.execute()

    statistics = Path(run.registry.champion(STUDY).statistics_uri)
    assert [path.name for path in statistics.rglob("*.pb")] == ["FeatureStats.pb"]
    found = tfdv.load_stats_binary(str(statistics / "Split-train" / "FeatureStats.pb"))
    assert found.datasets[0].num_examples == 100
    assert found_in(found, [EXTREME]) == set()


def test_the_headline_metrics_are_the_new_models_on_all_test_subjects(run: Any) -> None:
    record = {"task": "event", "metric": "auc", "model": "challenger", "value": 0.72}
    record |= {"lower": 0.65, "upper": 0.79, "subjects": 400, "positives": 80}
    overall = {"slice": {}, "decision_threshold": None}  # type: ignore[var-annotated]
    records = [
        record | overall,
        record | overall | {"metric": "brier", "value": 0.126},
        record | overall | {"metric": "calibration_slope", "value": None},
        record | overall | {"metric": "sensitivity", "value": 0.4, "decision_threshold": 0.5},
        record | overall | {"model": "champion", "value": 0.70},
        record | overall | {"slice": {"sex": "F"}, "value": 0.65},
    ]
    run.write_metrics(records)

    run.execute()

    assert run.registry.champion(STUDY).metrics == {"event/auc": 0.72, "event/brier": 0.126}


def test_a_model_that_is_not_blessed_is_not_registered(run: Any) -> None:
    run.inputs["model_blessing"].set_int_custom_property("blessed", 0)
    measured = {
        "metric": "auc",
        "decision_threshold": None,
        "model": "challenger",
        "value": 0.61,
        "threshold": {"metric": "auc", "at_least": 0.65},
    }
    message = "event: auc is 0.61, below 0.65."
    run.write_verdict([{"message": message, "task": "event", "slice": {}, **measured}])

    registration = run.execute()

    assert run.registry.champion(STUDY) is None
    assert registration["registered"] is False
    assert registration["entry"] is None
    assert registration["reason"] == (
        "the Evaluator did not bless it: event: auc is 0.61, below 0.65."
    )
    assert run.registration.get_int_custom_property("registered") == 0


def test_the_reason_has_the_titles_of_tasks_and_slicings(run: Any) -> None:
    run.inputs["model_blessing"].set_int_custom_property("blessed", 0)
    judged = {"reason": "no_value", "task": "death", "slice": {"sex_group": "F"}, "metric": "auc"}
    threshold = {"metric": "auc", "at_least": 0.65}
    run.write_verdict([{**judged, "value": None, "threshold": threshold}])

    reason = run.execute()["reason"]

    assert reason.startswith(
        "the Evaluator did not bless it: Dead at 6 months: AUC in slice Sex=F has no value"
    )


def test_a_model_without_any_blessing_is_not_registered(run: Any) -> None:
    run.inputs["model_blessing"] = standard_artifacts.ModelBlessing()

    assert run.execute()["registered"] is False


def test_a_blessed_model_that_was_not_pushed_is_not_registered(run: Any) -> None:
    run.inputs["pushed_model"].set_int_custom_property("pushed", 0)

    registration = run.execute()

    assert run.registry.champion(STUDY) is None
    assert registration["reason"] == "it was blessed, but Pusher did not push it."


def test_a_pipeline_without_pusher_registers_a_blessed_model(run: Any) -> None:
    del run.inputs["pushed_model"]

    assert run.execute()["registered"] is True


def test_champion_that_a_later_run_takes_from_the_cache_is_not_registered_again(run: Any) -> None:
    run.execute("run-1")
    token = run.registry.champion_token(STUDY)

    registration = run.execute("run-2")

    assert run.registry.champion_token(STUDY) == token
    assert len(run.registry.history(STUDY)) == 1
    assert registration["registered"] is False
    assert registration["reason"].startswith(
        "it is the champion already, registered by the run run-1 at "
    )
    assert registration["entry"]["id"] == run.registry.champion(STUDY).id
    assert run.registration.get_int_custom_property("registered") == 0
    check_document("registration.json", registration)


def test_retried_registration_of_the_same_run_says_that_it_is_registered(run: Any) -> None:
    run.execute("run-1")

    assert run.execute("run-1")["registered"] is True
    assert len(run.registry.history(STUDY)) == 1


def test_a_model_that_is_not_blessed_leaves_the_champion(run: Any) -> None:
    run.execute()
    champion = run.registry.champion(STUDY)
    run.inputs["model_blessing"].set_int_custom_property("blessed", 0)

    run.execute()

    assert run.registry.champion(STUDY) == champion


def test_examples_without_a_fingerprint_are_refused(run: Any) -> None:
    run.inputs["examples"].set_string_custom_property("fingerprint", "")

    with pytest.raises(UserError, match="the examples have no fingerprint"):
        run.execute()

    assert run.registry.champion(STUDY) is None


def test_the_component_works_with_and_without_pusher() -> None:
    inputs = {
        "model": channel_utils.as_channel([standard_artifacts.Model()]),
        "model_blessing": channel_utils.as_channel([standard_artifacts.ModelBlessing()]),
        "statistics": channel_utils.as_channel([standard_artifacts.ExampleStatistics()]),
        "verdict": channel_utils.as_channel([ModelVerdict()]),
        "examples": channel_utils.as_channel([standard_artifacts.Examples()]),
    }
    pushed = channel_utils.as_channel([standard_artifacts.PushedModel()])

    told = {"settings": SETTINGS, "registry_root": "registry", **PARAMETERS}

    without = ModelRegistrar(**inputs, **told)  # type: ignore[arg-type]
    with_pusher = ModelRegistrar(**inputs, **told, pushed_model=pushed)  # type: ignore[arg-type]

    assert "pushed_model" not in without.inputs
    assert "pushed_model" in with_pusher.inputs
    assert with_pusher.outputs["registration"].type is ModelRegistration
