"""A model made by hand, loaded for studies whose names differ from its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.artifact_types import ModelRegistration
from components.registered_model.executor import Executor
from components.registered_model.fit import ModelNames, check_fit
from components.registered_model.settings import RegisteredModelSettings
from pipeline.errors import UserError
from pipeline.results.documents import read_result
from pipeline.results.registration import RegisteredModel, Registration
from pipeline.runs.registry import NO_CHAMPION, Registry
from tests.components.registered_model.hand_made_model import (
    STUDY,
    UNCERTAINTY,
    content_of,
    example,
    predicted,
    register_by_hand,
)

OWN_NAMES = RegisteredModelSettings(
    trained_on=STUDY,
    model="",
    numbers={"AGE": "AGE"},
    categories={"SEX": "SEX"},
    tasks={"death": "death"},
    feature_titles={},
    task_titles={"death": "Died"},
)
OTHER_NAMES = OWN_NAMES.model_copy(
    update={
        "numbers": {"AGEYR": "AGE"},
        "categories": {"GENDER": "SEX"},
        "tasks": {"died": "death"},
    }
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module")
def entry(root: Path, tmp_path_factory: pytest.TempPathFactory) -> RegisteredModel:
    return register_by_hand(root, tmp_path_factory.mktemp("trained"), UNCERTAINTY)


def load(root: Path | str, folder: Path, settings: RegisteredModelSettings, token: str = "") -> str:
    """Folder of the loaded SavedModel; beside it are the component's other outputs."""
    model, statistics, registration = (
        standard_artifacts.Model(),
        standard_artifacts.ExampleStatistics(),
        ModelRegistration(),
    )
    outputs = {"model": model, "statistics": statistics, "registration": registration}
    for name, artifact in outputs.items():
        artifact.uri = str(folder / name)
        Path(artifact.uri).mkdir(parents=True)
    Executor().Do(
        {},
        {name: [artifact] for name, artifact in outputs.items()},
        {
            "registry_root": str(root),
            "settings": settings.to_json(),
            "champion_token": token or Registry(str(root)).champion_token(STUDY),
        },
    )
    return str(path_utils.serving_model_path(model.uri))


def test_a_study_with_the_models_names_gets_the_very_files(
    root: Path, entry: RegisteredModel, tmp_path: Path
) -> None:
    folder = load(root, tmp_path, OWN_NAMES)

    registered = content_of(Path(entry.model_uri))
    assert "saved_model.pb" in registered
    assert content_of(Path(folder)) == registered


def test_the_statistics_and_the_entry_of_the_model_are_handed_over(
    root: Path, entry: RegisteredModel, tmp_path: Path
) -> None:
    load(root, tmp_path, OWN_NAMES)

    assert (tmp_path / "statistics" / "Split-train" / "FeatureStats.pb").exists()
    assert read_result(Registration, str(tmp_path / "registration")).entry == entry


def test_renamed_features_and_tasks_have_the_same_predictions(
    root: Path, entry: RegisteredModel, tmp_path: Path
) -> None:
    folder = load(root, tmp_path, OTHER_NAMES)

    here = predicted(
        folder,
        example({"AGEYR": 55.0, "GENDER": "F"}),
        example({"GENDER": "M"}),
        example({"AGEYR": 80.0}),
        example({}),
    )
    there = predicted(
        entry.model_uri,
        example({"AGE": 55.0, "SEX": "F"}),
        example({"SEX": "M"}),
        example({"AGE": 80.0}),
        example({}),
    )
    assert here["died"] == there["death"]
    assert len(set(there["death"])) == 3


def test_renamed_tasks_keep_their_intervals_and_sets(
    root: Path, entry: RegisteredModel, tmp_path: Path
) -> None:
    del entry
    folder = load(root, tmp_path, OTHER_NAMES)

    here = predicted(folder, example({"AGEYR": 40.0}), example({"AGEYR": 80.0}))

    # Predictions of .08 and .38.
    del here["died"]
    assert {name: np.round(values, 6).tolist() for name, values in here.items()} == {
        "died/lower": [0.1, 0.4],
        "died/upper": [0.3, 0.7],
        "died/set_negative": [1, 0],
        "died/set_positive": [0, 1],
    }


def test_a_feature_that_only_the_study_has_is_not_read(
    root: Path, entry: RegisteredModel, tmp_path: Path
) -> None:
    del entry
    wider = OTHER_NAMES.model_copy(update={"numbers": {"AGEYR": "AGE", "WEIGHT": "WEIGHT"}})

    folder = load(root, tmp_path, wider)

    subject: dict[str, float | str] = {"AGEYR": 55.0, "GENDER": "F"}
    found = predicted(folder, example(subject), example({**subject, "WEIGHT": 80.0}))["died"]
    assert found[0] == found[1]


def test_everything_that_does_not_fit_is_listed_at_once(
    root: Path, entry: RegisteredModel, tmp_path: Path
) -> None:
    unfit = RegisteredModelSettings(
        trained_on=STUDY,
        model="",
        numbers={"GENDER": "SEX", "WEIGHT": "KG"},
        categories={},
        tasks={"stroke": "stroke", "died": "dead"},
        feature_titles={"GENDER": "Gender", "WEIGHT": "Weight (kg)"},
        task_titles={"stroke": "Stroke within 30 days", "died": "Died within 30 days"},
    )

    with pytest.raises(UserError) as caught:
        load(root, tmp_path, unfit)

    message = str(caught.value)
    assert entry.id in message
    for expected in (
        "feature AGE (number): the model reads it, the study file has no such feature",
        "feature Gender [GENDER]: expected a category as in the model, the study file has a number",
        "feature Weight (kg) [WEIGHT] is mapped to KG, which the model does not read",
        "task Stroke within 30 days [stroke]: the model does not predict stroke; it predicts "
        "death, relapse",
        "task Died within 30 days [died]: the model does not predict dead; it predicts death",
        "`validation`",
    ):
        assert expected in message


@pytest.mark.parametrize(
    ("column", "lacks"),
    [
        ("arm", "has no section `arm` (a trial with a single arm names it as the control)"),
        ("site", "does not set `training.site_as_feature`"),
    ],
)
def test_arm_and_site_that_the_model_reads_are_named_by_their_settings(
    column: str, lacks: str
) -> None:
    model = ModelNames(frozenset({"AGE"}), frozenset({"SEX", column}), frozenset({"death"}))

    with pytest.raises(UserError) as caught:
        check_fit(OWN_NAMES, model, "the model")

    assert f"feature {column} (category): the model reads it, the study file {lacks}" in str(
        caught.value
    )


def test_a_trial_whose_arm_is_another_one_fits_a_model_that_reads_the_arm() -> None:
    model = ModelNames(frozenset({"AGE"}), frozenset({"SEX", "arm"}), frozenset({"death"}))
    categories = {"SEX": "SEX", "arm": "arm"}

    check_fit(OWN_NAMES.model_copy(update={"categories": categories}), model, "the model")


def test_a_name_that_is_mapped_to_nothing_of_the_model_is_listed(
    root: Path, entry: RegisteredModel, tmp_path: Path
) -> None:
    del entry
    mistyped = OTHER_NAMES.model_copy(update={"numbers": {"AGEYR": "AEG"}})

    with pytest.raises(UserError, match="feature AGEYR is mapped to AEG, which the model"):
        load(root, tmp_path, mistyped)


def test_a_study_without_a_champion_has_no_model(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no champion"):
        load(root, tmp_path, OWN_NAMES, NO_CHAMPION)


def test_an_unknown_id_is_answered_with_those_that_there_are(
    root: Path, entry: RegisteredModel, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=f"ffff.*there are: {entry.id}"):
        load(root, tmp_path, OWN_NAMES.model_copy(update={"model": "ffff"}))


def test_a_former_champion_can_be_named(root: Path, entry: RegisteredModel, tmp_path: Path) -> None:
    named = OWN_NAMES.model_copy(update={"model": entry.id})

    load(root, tmp_path, named, NO_CHAMPION)

    assert read_result(Registration, str(tmp_path / "registration")).entry == entry


def test_a_model_in_an_object_store_is_loaded_under_other_names(
    entry: RegisteredModel, root: Path, tmp_path: Path, bucket: str
) -> None:
    del entry
    registry = f"s3://{bucket}/registry"
    (tmp_path / "trained").mkdir()
    register_by_hand(registry, tmp_path / "trained", UNCERTAINTY)
    token = Registry(registry).champion_token(STUDY)

    remote = load(registry, tmp_path / "remote", OTHER_NAMES, token)

    local = load(root, tmp_path / "local", OTHER_NAMES)
    subject = example({"AGEYR": 55.0, "GENDER": "F"})
    assert predicted(remote, subject) == predicted(local, subject)
