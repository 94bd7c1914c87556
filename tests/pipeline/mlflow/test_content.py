"""What MLflow holds of registered models."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.mlflow.content import Mirrored, aliased, mirrored_models
from pipeline.runs.changes import Rules, promote, retire, roll_back
from pipeline.runs.entries import HISTORY, StoredEntry, read_entries, write_entry
from pipeline.runs.register import Decision
from pipeline.runs.trail import read_book
from tests.pipeline.runs.governed import ADA, STUDY, add, decision, registered


@pytest.fixture
def root(tmp_path: Path) -> str:
    return str(tmp_path / "registry")


def seen(root: str) -> tuple[tuple[Mirrored, ...], dict[str, str]]:
    """All models as MLflow has them, and the model of each alias."""
    book = read_book(f"{root}/{STUDY}", STUDY)
    entries = [entry.model for entry in read_entries(book.folder, STUDY, HISTORY)]
    models = mirrored_models(entries, book.entries(), book.standing)
    return models, aliased(models, book.standing)


def test_a_model_is_held_with_what_it_was_made_from(root: str, tmp_path: Path) -> None:
    entry = add(root, tmp_path, "a", tasks=("death", "odd@task")).entry

    ((model,), _) = seen(root)

    assert model.name == "run of a"
    assert model.source == f"trial-registry://{entry.model_uri}"
    assert model.metrics == {"auc.death": 0.7, "auc.odd_task": 0.7}
    assert model.parameters == {
        "run": "run of a",
        "data_fingerprint": "data",
        "study_digest": "study",
        "label_digest": "labels",
        "split_seed": "1",
        "code_version": "0.2.0",
        "dependency_lock": "lock",
    }
    assert model.run_tags["trial.address.card"] == f"{entry.documents_uri}/card.html"
    assert model.version_tags["trial.stage"] == "champion"
    assert model.version_tags["trial.decision"] == "promoted"


def test_who_decided_and_why_does_not_reach_mlflow(root: str, tmp_path: Path) -> None:
    first, _ = registered(root, tmp_path, "a", "b")
    roll_back(root, decision())

    (models, _) = seen(root)

    assert models[0].model == first.id
    for secret in (ADA.account, "audit"):
        assert all(secret not in repr(model) for model in models)


def test_aliases_follow_every_decision(root: str, tmp_path: Path) -> None:
    assert seen(root) == ((), {})
    a, b = (entry.id for entry in registered(root, tmp_path, "a", "b"))
    assert seen(root)[1] == {"champion": b}

    roll_back(root, decision())
    assert seen(root)[1] == {"champion": a}

    c = add(root, tmp_path, "c", Decision(a, "person")).entry.id
    assert seen(root)[1] == {"champion": a, "candidate": c}

    promote(root, decision(), c, Rules("person"))
    assert seen(root)[1] == {"champion": c}

    retire(root, decision(), c)
    assert seen(root)[1] == {"champion": a, "retired": c}

    retire(root, decision(), b)
    retire(root, decision(), a)
    models, aliases = seen(root)
    assert aliases == {"retired": a}
    assert [(model.model, model.stage) for model in models] == [
        (model, "retired") for model in (a, b, c)
    ]


def test_a_registration_that_was_not_completed_is_left_out(root: str, tmp_path: Path) -> None:
    entry = add(root, tmp_path, "a").entry
    folder = f"{root}/{STUDY}"
    (file,) = read_entries(folder, STUDY, HISTORY)
    stored = StoredEntry.model_validate_json((Path(folder) / file.path).read_text())
    write_entry(folder, stored.model_copy(update={"id": "interrupted"}), HISTORY)

    assert [model.model for model in seen(root)[0]] == [entry.id]
