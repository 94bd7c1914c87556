"""A registered model made by hand, updated by what a validation made by hand found."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import tensorflow as tf

from components.artifact_types import ExternalValidation as ValidationArtifact
from components.artifact_types import ModelRegistration
from components.updated_model.executor import NOT_CHAMPION, Executor
from components.updated_model.settings import UpdatedModelSettings
from components.updated_model.signatures import RECALIBRATED, save_updated
from pipeline.errors import UserError
from pipeline.estimates import Estimate
from pipeline.results.documents import read_result
from pipeline.results.registration import Recalibrated, RegisteredModel, Registration
from pipeline.results.uncertainty import (
    SERVED_FILE,
    TaskUncertainty,
    Uncertainty,
    read_uncertainty,
)
from pipeline.results.validation import (
    ExternalValidation,
    ModelUpdate,
    TaskValidation,
    ValidatedModel,
)
from pipeline.runs.registry import Registry
from pipeline.storage import write_whole
from tests.components.registered_model.hand_made_model import (
    STUDY,
    content_of,
    example,
    predicted,
    register_by_hand,
)
from trainer.resaved import save_with_outputs
from trainer.uncertainty.served import ServedUncertainty

INTERCEPT, SLOPE = 0.7, 0.8
UPDATES = (
    ModelUpdate(
        method="recalibration_in_the_large",
        intercept=Estimate(0.5, 0.3, 0.7),
        log_loss_gain=Estimate(0.01, 0.0, 0.02),
        brier_gain=Estimate(0.01, 0.0, 0.02),
    ),
    ModelUpdate(
        method="logistic_recalibration",
        intercept=Estimate(INTERCEPT, 0.5, 0.9),
        slope=Estimate(SLOPE, 0.6, 1.0),
        log_loss_gain=Estimate(0.02, 0.0, 0.04),
        brier_gain=Estimate(0.02, 0.0, 0.04),
    ),
)
SUBJECTS = (example({"AGE": 55.0, "SEX": "F"}), example({"AGE": 90.0}), example({}))


class Trial:
    """A registry with one model, and a validation of it.

    Attributes:
        registry: The registry.
        entry: The model that was validated.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._runs = 0
        self.root = folder / "registry"
        self.entry: RegisteredModel = register_by_hand(self.root, folder)
        self.registry = Registry(str(self.root))

    def update(
        self, method: str = "logistic_recalibration", updates: tuple[ModelUpdate, ...] = UPDATES
    ) -> Registration:
        """Runs the component."""
        self._runs += 1
        folder = self._folder / f"run-{self._runs}"
        folder.mkdir()
        found = ExternalValidation(
            model=ValidatedModel(
                id=self.entry.id, study=STUDY, registered_at="", fingerprint="", model_digest=""
            ),
            study="second",
            fingerprint="data of the second trial",
            subjects=500,
            smallest_group=10,
            case_mix=(),
            tasks=(
                TaskValidation(
                    task="died", model_task="death", subjects=500, positives=90, updates=updates
                ),
                TaskValidation(task="back", model_task="relapse", subjects=None, positives=None),
            ),
        )
        (folder / "validation.json").write_text(found.model_dump_json())
        of_model = Registration(registered=False, reason=None, entry=self.entry)
        (folder / "registration.json").write_text(of_model.model_dump_json())
        validation, registration, updated = (
            ValidationArtifact(),
            ModelRegistration(),
            ModelRegistration(),
        )
        validation.uri = registration.uri = str(folder)
        updated.uri = str(folder / "updated")
        Path(updated.uri).mkdir()
        Executor().Do(
            {"validation": [validation], "registration": [registration]},
            {"updated": [updated]},
            {
                "registry_root": str(self.root),
                "settings": UpdatedModelSettings(
                    study_name="second", titles={"died": "Died", "back": "Relapse in a year"}
                ).to_json(),
                "method": method,
                "code_version": "0.2.0",
                "run_id": f"run-{self._runs}",
            },
        )
        return read_result(Registration, updated.uri)


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path / "trial")


def test_the_probabilities_pass_through_the_recalibration(trial: Trial) -> None:
    updated = trial.update().entry
    assert updated is not None

    before = predicted(trial.entry.model_uri, *SUBJECTS)
    after = predicted(updated.model_uri, *SUBJECTS)

    logits = [math.log(p / (1 - p)) for p in before["death"]]
    expected = [1 / (1 + math.exp(-(INTERCEPT + SLOPE * logit))) for logit in logits]
    assert after["death"] == pytest.approx(expected, rel=1e-5)
    assert after["relapse"] == before["relapse"]


def test_the_contributions_add_up_to_the_recalibrated_log_odds(trial: Trial) -> None:
    updated = trial.update().entry
    assert updated is not None
    woman = example({"SEX": "F"})

    model = tf.saved_model.load(updated.model_uri)
    contributions = model.signatures["contributions"](examples=tf.constant([woman]))
    of_sex, reference = contributions["death"].numpy()[0].tolist()

    assert of_sex == pytest.approx(0.5 * SLOPE)
    assert reference == pytest.approx(-1.5 * SLOPE + INTERCEPT)
    probability = predicted(updated.model_uri, woman)["death"][0]
    log_odds = math.log(probability / (1 - probability))
    assert of_sex + reference == pytest.approx(log_odds, abs=1e-5)
    assert contributions["relapse"].numpy()[0].tolist() == [0.25, -0.75]


def test_the_signatures_are_the_same(trial: Trial) -> None:
    updated = trial.update("recalibration_in_the_large").entry
    assert updated is not None

    models = [tf.saved_model.load(entry.model_uri) for entry in (trial.entry, updated)]
    named = [
        {
            name: (signature.structured_input_signature, sorted(signature.structured_outputs))
            for name, signature in model.signatures.items()
        }
        for model in models
    ]
    assert set(named[0]) == {"serving_default", "columns", "contributions"}
    assert named[0] == named[1]


def test_a_recalibrated_task_has_no_interval_and_no_set_of_the_predictions_before(
    tmp_path: Path,
) -> None:
    steps = TaskUncertainty(lower=(0.1,), upper=(0.2,), negative=0.5, positive=0.5)
    document = Uncertainty(coverage=0.9, out_of_fold=True, tasks={"death": steps, "relapse": steps})
    register_by_hand(tmp_path / "registry", tmp_path)
    source, target = str(tmp_path / "with"), str(tmp_path / "updated")
    save_with_outputs(
        str(tmp_path / "model"),
        source,
        ServedUncertainty(document).added,
    )
    write_whole(f"{source}/{SERVED_FILE}", document.model_dump_json().encode())

    save_updated(source, target, {"death": Recalibrated(intercept=0.5, slope=1.0)})

    assert "death/lower" in predicted(source, *SUBJECTS)
    assert set(predicted(target, *SUBJECTS)) == {
        "death",
        "relapse",
        "relapse/lower",
        "relapse/upper",
        "relapse/set_negative",
        "relapse/set_positive",
    }
    served = read_uncertainty(f"{target}/{SERVED_FILE}")
    assert served is not None
    assert served.tasks == {
        "death": TaskUncertainty(why_not=RECALIBRATED),
        "relapse": steps,
    }


def test_the_updated_model_names_its_origin(trial: Trial) -> None:
    registration = trial.update()

    assert not registration.registered
    assert registration.reason == NOT_CHAMPION
    assert registration.entry is not None
    origin = registration.entry.origin
    assert origin is not None
    assert origin.model == trial.entry.id
    assert origin.model_digest == trial.entry.model_digest
    assert origin.study == "second"
    assert origin.fingerprint == "data of the second trial"
    assert origin.method == "logistic_recalibration"
    assert origin.tasks == {"death": Recalibrated(intercept=INTERCEPT, slope=SLOPE)}


def test_the_model_that_was_updated_stays_the_champion_to_the_last_byte(trial: Trial) -> None:
    token, before = trial.registry.champion_token(STUDY), content_of(trial.root)

    trial.update()

    after = content_of(trial.root)
    assert "first/champion.json" in before
    assert len(after) > len(before)
    assert {name: after[name] for name in before} == before
    assert trial.registry.champion_token(STUDY) == token
    assert trial.registry.history(STUDY) == (trial.entry,)


def test_the_updated_model_can_be_named_by_its_id(trial: Trial) -> None:
    updated = trial.update().entry

    assert updated is not None
    assert trial.registry.entry(STUDY, updated.id) == updated
    assert trial.registry.updates(STUDY) == (updated,)


def test_the_same_update_is_registered_once(trial: Trial) -> None:
    first, again, other = (
        trial.update(),
        trial.update(),
        trial.update("recalibration_in_the_large"),
    )

    assert first.entry == again.entry
    assert other.entry is not None
    assert trial.registry.updates(STUDY) == (first.entry, other.entry)


def test_a_validation_on_too_few_subjects_updates_nothing(trial: Trial) -> None:
    with pytest.raises(UserError, match="No task can be updated") as caught:
        trial.update(updates=())

    assert "- Relapse in a year [back]: too few subjects" in str(caught.value)
    assert trial.registry.updates(STUDY) == ()


def test_a_task_that_is_not_updated_is_logged_by_its_title(
    trial: Trial, caplog: pytest.LogCaptureFixture
) -> None:
    trial.update()

    assert "Task Relapse in a year [back] is not updated: too few subjects" in caplog.text


def test_an_update_keeps_the_statistics_of_the_training(trial: Trial) -> None:
    updated = trial.update().entry

    assert updated is not None
    assert content_of(Path(updated.statistics_uri)) == content_of(Path(trial.entry.statistics_uri))
