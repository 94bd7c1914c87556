"""From a person's choices to the configuration of a run."""

from __future__ import annotations

import dataclasses
import json
import shutil
import stat
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from pipeline.config import SUBJECT_KEY_FILE, RunConfig, Settings, resolve
from pipeline.errors import UserError
from pipeline.results.registration import Candidate
from pipeline.runs.registry import NO_CHAMPION, Registry
from pipeline.study.shipped import SCHEMAS, find_study_file
from pipeline.study.tuning import SEARCHED
from pipeline.subject_key import KEY_VARIABLE
from pipeline.version import code_version
from tests.registered_models import documents

STUDY = """\
study: hand_made
title: A trial made by hand
datasets:
  dm:
    file: dm.csv
    format: csv
    rows: one_per_subject
    columns:
      USUBJID: {type: text}
      AGE: {type: number, known: baseline}
      DIED: {type: text}
subject: {dataset: dm, column: USUBJID}
features: {AGE: {kind: number}}
tasks:
  death:
    kind: outcome
    title: Dead at the end
    state: {positive: {column: DIED, equals: "Y"}}
training: {steps: 40}
"""
ROWS = "USUBJID,AGE,DIED\n1,70,Y\n2,60,N\n"


@pytest.fixture(autouse=True)
def _no_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Choices of a run on a hand-made study of two subjects."""
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "schema.pbtxt").write_text('feature { name: "AGE" type: FLOAT }\n')
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "dm.csv").write_text(ROWS)
    return Settings(
        study=str(tmp_path / "study.yaml"), data=str(tmp_path / "data"), root=tmp_path / "runs"
    )


def _rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    "folder", sorted(SCHEMAS.glob("*/study.yaml")), ids=lambda p: p.parent.name
)
def test_a_shipped_study_is_found_by_its_name(folder: Path) -> None:
    assert find_study_file(folder.parent.name) == folder


@pytest.mark.parametrize("name", ["trial.yaml", "folder/trial.yml"])
def test_a_path_of_a_yaml_file_is_taken_as_it_is(name: str) -> None:
    assert find_study_file(name) == Path(name)


def test_an_unknown_study_is_answered_with_the_shipped_ones() -> None:
    with pytest.raises(UserError, match=r"There is no study nosuch\. .*actg175, .*ist, synthetic"):
        find_study_file("nosuch")


def test_a_configuration_cannot_be_changed_after_it_was_made(settings: Settings) -> None:
    config = resolve(settings)
    with pytest.raises(FrozenInstanceError):
        config.seed = 1  # type: ignore[misc]


def test_everything_of_a_study_is_in_its_folder_below_the_root(settings: Settings) -> None:
    config = resolve(settings)
    own = settings.root / "hand_made"
    assert Path(config.pipeline_root) == own / "artifacts"
    assert Path(config.metadata_path) == own / "metadata.sqlite"  # type: ignore[arg-type]
    assert Path(config.serving_dir) == own / "serving"  # type: ignore[arg-type]
    assert Path(config.registry_root) == settings.root / "registry"


def test_the_pipelines_name_has_no_underscore(settings: Settings) -> None:
    assert resolve(settings).pipeline_name == "trial-hand-made"


def test_a_relative_root_is_made_absolute(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(settings.root.parent)
    config = resolve(replace(settings, root=Path("runs")))
    assert Path(config.pipeline_root) == settings.root / "hand_made" / "artifacts"


def test_steps_are_the_study_files_where_none_are_chosen(settings: Settings) -> None:
    assert resolve(settings).steps == 40


@pytest.mark.parametrize("steps", [0, 7])
def test_a_choice_of_steps_wins_over_the_study_file(settings: Settings, steps: int) -> None:
    assert resolve(replace(settings, steps=steps)).steps == steps


def test_the_version_is_the_projects_own(settings: Settings) -> None:
    assert resolve(settings).code_version == code_version() != ""


def test_the_schema_is_the_one_beside_the_study_file(settings: Settings, tmp_path: Path) -> None:
    assert resolve(settings).schema == (tmp_path / "schema.pbtxt").read_text()


def test_a_study_without_a_schema_is_refused_with_how_to_draft_one(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "schema.pbtxt").unlink()
    with pytest.raises(UserError, match=r"no curated schema.*`trial draft schema`"):
        resolve(settings)


def test_one_changed_byte_of_the_data_changes_the_fingerprint(
    settings: Settings, tmp_path: Path
) -> None:
    before = resolve(settings).fingerprint
    _rewrite(tmp_path / "data" / "dm.csv", "1,70,Y", "1,71,Y")
    assert resolve(settings).fingerprint != before


def test_a_copy_of_the_data_elsewhere_has_the_same_fingerprint(
    settings: Settings, tmp_path: Path
) -> None:
    copied = tmp_path / "copy"
    shutil.copytree(tmp_path / "data", copied)
    assert resolve(replace(settings, data=str(copied))).fingerprint == resolve(settings).fingerprint


def test_a_title_leaves_the_fingerprint_as_it_is(settings: Settings, tmp_path: Path) -> None:
    before = resolve(settings).fingerprint
    _rewrite(tmp_path / "study.yaml", "A trial made by hand", "Another title")
    assert resolve(settings).fingerprint == before


def test_a_label_decides_about_the_fingerprint(settings: Settings, tmp_path: Path) -> None:
    before = resolve(settings).fingerprint
    _rewrite(tmp_path / "study.yaml", 'equals: "Y"', 'equals: "N"')
    assert resolve(settings).fingerprint != before


def test_a_study_that_has_no_model_yet_has_no_champion(settings: Settings) -> None:
    assert resolve(settings).champion_token == NO_CHAMPION


def test_the_champion_token_changes_with_each_registration(
    settings: Settings, tmp_path: Path
) -> None:
    tokens = [resolve(settings).champion_token]
    for number in range(2):
        _register(resolve(settings), tmp_path / f"model-{number}")
        tokens.append(resolve(settings).champion_token)
    assert len(set(tokens)) == 3
    assert resolve(settings).champion_token == tokens[-1]


def test_a_model_of_another_study_is_no_champion(settings: Settings, tmp_path: Path) -> None:
    _register(resolve(settings), tmp_path / "model", study="other")
    assert resolve(settings).champion_token == NO_CHAMPION


def _register(config: RunConfig, folder: Path, study: str = "hand_made") -> None:
    folder.mkdir()
    (folder / "saved_model.pb").write_text(f"the model in {folder.name}")
    (folder / "FeatureStats.pb").write_bytes(b"statistics")
    candidate = Candidate(
        study=study,
        split_seed=1,
        label_digest="l",
        study_digest="s",
        fingerprint=config.fingerprint,
        code_version=config.code_version,
        run="run-1",
        metrics={"death/auc": 0.8},
    )
    Registry(config.registry_root).register(
        candidate,
        str(folder),
        str(folder),
        documents=documents(candidate.fingerprint, candidate.study_digest),
    )


def test_the_key_is_named_and_never_given(settings: Settings) -> None:
    config = resolve(settings)
    file = SUBJECT_KEY_FILE
    assert config.subject_key == f"file:{file}"
    assert file.read_text() not in repr(config)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_key_is_the_machines_whatever_the_root(settings: Settings, tmp_path: Path) -> None:
    other = dataclasses.replace(settings, root=tmp_path / "another root")
    assert resolve(settings).subject_key_id == resolve(other).subject_key_id


def test_a_key_in_the_environment_wins(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    own = resolve(settings).subject_key_id
    monkeypatch.setenv(KEY_VARIABLE, "a random text of some length")
    config = resolve(settings)
    assert config.subject_key == f"env:{KEY_VARIABLE}"
    assert config.subject_key_id != own
    assert "a random text" not in repr(config)


def test_a_data_folder_that_is_absent_is_named(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"The data folder .*/absent does not exist"):
        resolve(replace(settings, data=str(tmp_path / "absent")))


def test_a_file_in_place_of_the_data_folder_is_named(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "IST.csv"
    file.touch()
    with pytest.raises(UserError, match=r"IST\.csv is a file .* Give the folder that contains it"):
        resolve(replace(settings, data=str(file)))


def test_a_study_other_than_the_synthetic_one_needs_its_data(settings: Settings) -> None:
    with pytest.raises(UserError, match=r"hand_made needs its data: .*--data"):
        resolve(replace(settings, data=None))


def test_a_missing_file_is_named_with_its_dataset(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "data" / "dm.csv").unlink()
    with pytest.raises(UserError, match=r"Dataset dm: no file dm\.csv"):
        resolve(settings)


def test_a_missing_column_is_named_with_the_nearest_one(settings: Settings, tmp_path: Path) -> None:
    _rewrite(tmp_path / "data" / "dm.csv", "AGE", "AGES")
    with pytest.raises(UserError, match=r"no column AGE \(did you mean AGES\?\)"):
        resolve(settings)


def test_the_synthetic_trial_is_made_once_where_no_data_are_named(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path, subjects=100, seed=5)
    first = resolve(settings)
    assert Path(first.data_root) == tmp_path / "data" / "synthetic-100-5"
    [adsl] = Path(first.data_root).glob("adsl-*.xpt")
    written = adsl.stat().st_mtime_ns
    assert resolve(settings) == first
    assert adsl.stat().st_mtime_ns == written


def test_a_synthetic_trial_too_small_is_refused_with_the_range(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="subjects is 5; expected 100 to 1,000,000"):
        resolve(Settings(root=tmp_path, subjects=5))


def test_a_study_that_can_not_be_tuned_is_refused_before_its_data_are_read(
    settings: Settings,
) -> None:
    chosen = json.dumps(dict.fromkeys(SEARCHED, 0) | {"width": 8, "learning_rate": 1, "penalty": 1})
    text = STUDY.replace("{steps: 40}", f"{{hyperparameters: {chosen}}}")
    Path(settings.study).write_text(text)

    with pytest.raises(UserError, match="--tune: the study file chooses all hyperparameters"):
        resolve(replace(settings, tune=True, data="/nowhere"))
