import json
import logging
from pathlib import Path
from typing import Any

import pytest
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import path_utils

from components.artifact_types import Predictions
from components.champion_model.blinded_champion import check_without_arm
from components.champion_model.component import ChampionModel
from components.champion_model.executor import Executor
from components.champion_model.settings import ChampionModelSettings
from pipeline.errors import UserError
from pipeline.results.registration import Candidate, RegisteredModel
from pipeline.runs.registry import NO_CHAMPION, Registry
from tests.registered_models import documents

STUDY = "ACTG175"
SETTINGS = ChampionModelSettings(
    study_name=STUDY,
    split_seed=7,
    label_digest="labels-1",
)


class Run:
    """One execution of the component: its registry, its parameters, its outputs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.registry = Registry(str(folder / "registry"))
        self.model = standard_artifacts.Model()
        self.model.uri = str(folder / "outputs" / "model")
        self.statistics = standard_artifacts.ExampleStatistics()
        self.statistics.uri = str(folder / "outputs" / "statistics")
        self.division = Predictions()
        self.division.uri = str(folder / "outputs" / "division")
        for artifact in (self.model, self.statistics, self.division):
            Path(artifact.uri).mkdir(parents=True)

    def register(
        self, name: str, split_seed: int = 7, label_digest: str = "labels-1"
    ) -> RegisteredModel:
        model = self._folder / "trained" / name
        model.mkdir(parents=True)
        (model / "saved_model.pb").write_text(name)
        statistics = self._folder / "statistics" / name
        statistics.mkdir(parents=True)
        (statistics / "FeatureStats.pb").write_text(f"statistics of {name}")
        candidate = Candidate(
            study=STUDY,
            split_seed=split_seed,
            label_digest=label_digest,
            study_digest="study-1",
            fingerprint="data-1",
            code_version="0.1.0",
            run="run-1",
            metrics={},
        )
        given = documents(candidate.fingerprint, candidate.study_digest)
        return self.registry.register(candidate, str(model), str(statistics), documents=given).entry

    def execute(self, token: str) -> None:
        Executor().Do(
            {},
            {
                "model": [self.model],
                "statistics": [self.statistics],
                "division": [self.division],
            },
            {
                "registry_root": str(self._folder / "registry"),
                "settings": SETTINGS.to_json(),
                "champion_token": token,
            },
        )

    @property
    def model_content(self) -> str:
        folder = path_utils.serving_model_path(self.model.uri)
        return (Path(folder) / "saved_model.pb").read_text()

    @property
    def statistics_content(self) -> str:
        folder = artifact_utils.get_split_uri([self.statistics], "train")
        return (Path(folder) / "FeatureStats.pb").read_text()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_a_first_run_has_no_baseline(run: Any) -> None:
    run.execute(run.registry.champion_token(STUDY))

    assert run.model.get_int_custom_property("present") == 0
    assert run.statistics.get_int_custom_property("present") == 0
    assert run.model.get_string_custom_property("champion_id") == NO_CHAMPION


def test_the_outputs_of_a_first_run_hold_a_placeholder_alone(run: Any) -> None:
    run.execute(NO_CHAMPION)

    for artifact in (run.model, run.statistics, run.division):
        assert [path.name for path in Path(artifact.uri).iterdir()] == ["NO_CHAMPION"]


def test_the_champion_is_copied_in_the_layout_of_a_tfx_model(run: Any) -> None:
    run.register("champion")

    run.execute(run.registry.champion_token(STUDY))

    assert run.model_content == "champion"
    assert not path_utils.is_old_model_artifact(run.model)


def test_the_champions_train_statistics_are_a_split_of_the_output(run: Any) -> None:
    run.register("champion")

    run.execute(run.registry.champion_token(STUDY))

    assert run.statistics_content == "statistics of champion"
    assert artifact_utils.decode_split_names(run.statistics.split_names) == ["train"]


def test_the_champions_own_seed_and_labels_are_reported(
    run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    entry = run.register("champion", split_seed=8, label_digest="labels-2")

    with caplog.at_level(logging.WARNING):
        run.execute(run.registry.champion_token(STUDY))

    assert run.model.get_int_custom_property("present") == 1
    assert run.model.get_int_custom_property("split_seed") == 8
    assert run.model.get_string_custom_property("label_digest") == "labels-2"
    assert run.model.get_string_custom_property("champion_id") == entry.id
    assert "seed 8, this run 7" in caplog.text
    assert "other label definitions" in caplog.text


def test_a_run_keeps_the_champion_that_it_was_created_with(
    run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    first = run.register("first")
    token = run.registry.champion_token(STUDY)
    run.register("second")

    with caplog.at_level(logging.WARNING):
        run.execute(token)

    assert run.model_content == "first"
    assert run.model.get_string_custom_property("champion_id") == first.id
    assert "has changed since this run was created" in caplog.text


def test_a_run_created_without_a_champion_goes_on_without_one(run: Any) -> None:
    token = run.registry.champion_token(STUDY)
    run.register("first")

    run.execute(token)

    assert run.model.get_int_custom_property("present") == 0


def test_a_token_that_the_registry_does_not_know_stops_the_run(run: Any) -> None:
    run.register("first")

    with pytest.raises(UserError, match="create the run again"):
        run.execute("0" * 64)


def test_a_champion_whose_files_are_missing_stops_the_run(run: Any, tmp_path: Path) -> None:
    entry = run.register("first")
    Path(entry.model_uri).rename(tmp_path / "elsewhere")

    with pytest.raises(UserError, match=f"files of the champion {entry.id} are missing"):
        run.execute(run.registry.champion_token(STUDY))


def test_the_component_passes_the_token_as_a_parameter() -> None:
    component = ChampionModel(
        registry_root="registry",
        settings=SETTINGS,
        champion_token="abc",
    )

    assert component.exec_properties["champion_token"] == "abc"
    assert component.outputs["model"].type is standard_artifacts.Model
    assert component.outputs["statistics"].type is standard_artifacts.ExampleStatistics


@pytest.mark.parametrize(
    ("card", "is_refused"),
    [
        ({"study_file": {"study": STUDY, "arm": {"columns": ["arms"], "control": "0"}}}, True),
        ({}, True),
        ({"study_file": {"study": STUDY}}, False),
    ],
    ids=["read the arm", "does not say", "did not read it"],
)
def test_a_champion_that_read_the_arm_is_not_compared_while_the_trial_is_ongoing(
    run: Run, card: dict[str, Any], is_refused: bool
) -> None:
    entry = run.register("first")
    path = Path(entry.documents_uri) / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | card))

    if is_refused:
        with pytest.raises(UserError, match="was trained with the arm, or its card does not say"):
            check_without_arm(entry)
    else:
        check_without_arm(entry)
