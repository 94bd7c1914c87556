"""Which division a run inherits from the champion."""

from __future__ import annotations

import logging
import shutil
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.results.division import Division, has_division, read_division
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.results.predictions import Predictions
from pipeline.results.registration import Candidate, RegisteredModel
from pipeline.runs.divisions import subjects_root
from pipeline.runs.inheritance import inherited_division
from pipeline.runs.registry import Registry
from pipeline.study.digest import label_digest
from pipeline.study.load import load_study, parse_study
from pipeline.study.shipped import find_study_file
from pipeline.study.study import Study
from tests.each import each
from tests.registered_models import documents

SUBJECTS = np.array([b"%032x" % number for number in range(12)], object)
KEY, OTHER_KEY = "key-1", "key-2"
MONDAY, TUESDAY = "data of Monday", "data of Tuesday"


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study(find_study_file("synthetic"))


def a_division(seed: int = 1) -> Division:
    """A cross-fitted run with two repeats of three folds."""
    folds = np.random.default_rng(seed).integers(0, 3, 24).astype(np.int16)
    rows = Predictions(
        subjects=np.tile(SUBJECTS, 2),
        repeat=np.repeat([0, 1], 12).astype(np.int16),
        fold=folds,
        of={"champion": {"response": np.linspace(0.1, 0.9, 24).astype(np.float32)}},
    )
    plan = EvaluationPlan(scheme="cross_fit", requested="cross_fit", folds=3, repeats=2)
    return Division(plan, rows)


def register(
    root: Path,
    study: Study,
    division: Division | None,
    fingerprint: str = MONDAY,
    inherited: str = "none",
    name: str = "model",
) -> RegisteredModel:
    model, statistics = root / name / "model", root / name / "statistics"
    for folder, file in ((model, "saved_model.pb"), (statistics, "FeatureStats.pb")):
        folder.mkdir(parents=True)
        (folder / file).write_text(name)
    candidate = Candidate(
        study=study.study,
        split_seed=study.split.seed,
        label_digest=label_digest(study),
        study_digest="study",
        fingerprint=fingerprint,
        code_version="1",
        run="run-1",
        metrics={},
        subject_key_id=KEY,
        division=division.digest if division else "",
        inherited_division=inherited,
    )
    given = documents(candidate.fingerprint, candidate.study_digest)
    return registry_of(root).register(candidate, str(model), str(statistics), division, given).entry


def registry_of(root: Path) -> Registry:
    return Registry(str(root / "registry"))


def inherited(root: Path, study: Study, fingerprint: str = TUESDAY, key: str = KEY) -> str:
    return inherited_division(str(root / "registry"), study, fingerprint, key)


def test_a_first_run_inherits_nothing(study: Study, tmp_path: Path) -> None:
    assert inherited(tmp_path, study) == "none"


def test_a_run_on_other_data_inherits_the_champions_division(study: Study, tmp_path: Path) -> None:
    register(tmp_path, study, a_division())
    assert inherited(tmp_path, study) == a_division().digest


def test_a_run_on_the_champions_own_data_has_the_parameter_of_the_champions_run(
    study: Study, tmp_path: Path
) -> None:
    """So TrialExampleGen comes from the cache in the night after a champion was registered."""
    register(tmp_path, study, a_division())
    assert inherited(tmp_path, study, MONDAY) == "none"
    register(tmp_path, study, a_division(2), TUESDAY, a_division().digest, "second")
    assert inherited(tmp_path, study, TUESDAY) == a_division().digest


def test_champions_with_the_same_division_give_the_same_parameter(
    study: Study, tmp_path: Path
) -> None:
    register(tmp_path, study, a_division())
    before = inherited(tmp_path, study)
    register(tmp_path, study, a_division(), name="second")
    assert inherited(tmp_path, study) == before


def changed(study: Study, sections: dict[str, Any]) -> Study:
    return parse_study({**study.to_content(), **sections}, "the study")


@pytest.mark.parametrize(
    "sections",
    [
        {"split": {"seed": 7}},
        {"evaluation": {"scheme": "cross_fit", "folds": 4}},
        {"evaluation": {"scheme": "split"}},
        {"population": {"column": "SAFFL", "equals": "N"}},
    ],
    ids=["seed", "folds", "scheme", "labels"],
)
def test_another_way_of_dividing_or_other_labels_inherit_nothing(
    sections: dict[str, Any], study: Study, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = changed(study, {"evaluation": {"scheme": "cross_fit"}})
    register(tmp_path, own, a_division())
    assert inherited(tmp_path, own) == a_division().digest
    with caplog.at_level(logging.WARNING):
        assert inherited(tmp_path, changed(own, sections)) == "none"
    assert "its label definitions or its way of dividing the subjects differ" in caplog.text


def test_pseudonyms_of_another_key_inherit_nothing(
    study: Study, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    register(tmp_path, study, a_division())
    with caplog.at_level(logging.WARNING):
        assert inherited(tmp_path, study, key=OTHER_KEY) == "none"
    assert "its pseudonyms were made with another subject key" in caplog.text


def test_a_champion_of_an_earlier_release_leaves_nothing_to_inherit(
    study: Study, tmp_path: Path
) -> None:
    register(tmp_path, study, None)
    assert inherited(tmp_path, study) == "none"


def test_a_division_that_was_removed_is_not_inherited(
    study: Study, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    register(tmp_path, study, a_division())
    shutil.rmtree(subjects_root(str(tmp_path / "registry")))
    with caplog.at_level(logging.WARNING):
        assert inherited(tmp_path, study) == "none"
    assert "does not hold the parts of its subjects" in caplog.text


def test_a_study_of_another_name_inherits_nothing(study: Study, tmp_path: Path) -> None:
    register(tmp_path, study, a_division())
    assert inherited(tmp_path, changed(study, {"study": "renamed"})) == "none"


def test_the_registry_keeps_a_division_whole_beside_its_root(study: Study, tmp_path: Path) -> None:
    entry = register(tmp_path, study, a_division())
    folder = Path(registry_of(tmp_path).division_folder(entry))
    assert folder == tmp_path / "registry-subjects" / study.study / entry.id
    found = read_division(str(folder))
    assert found.digest == entry.division
    assert found.plan == a_division().plan
    assert found.rows.of.keys() == {"champion"}


def test_only_the_owner_may_read_a_division_or_list_where_it_lies(
    study: Study, tmp_path: Path
) -> None:
    register(tmp_path, study, a_division())
    root = Path(subjects_root(str(tmp_path / "registry")))
    for path in each([root, *root.rglob("*")]):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_what_lies_below_the_registrys_root_holds_no_pseudonym(
    study: Study, tmp_path: Path
) -> None:
    """What serves or exports a model reads there."""
    register(tmp_path, study, a_division())
    for path in each((tmp_path / "registry").rglob("*.*")):
        content = path.read_bytes()
        assert not any(subject in content for subject in SUBJECTS), path


def test_the_digest_is_of_who_is_where_alone() -> None:
    one = a_division()
    backwards = Predictions(one.rows.subjects[::-1], one.rows.repeat[::-1], one.rows.fold[::-1], {})
    assert Division(one.plan, backwards).digest == one.digest
    moved = one.rows.fold.copy()
    moved[3] = (moved[3] + 1) % 3
    other = Predictions(one.rows.subjects, one.rows.repeat, moved, one.rows.of)
    assert Division(one.plan, other).digest != one.digest


def test_a_folder_without_predictions_has_no_division(tmp_path: Path) -> None:
    (tmp_path / "evaluation.json").write_text(a_division().plan.model_dump_json())
    assert not has_division(str(tmp_path))
