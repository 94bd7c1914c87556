"""A registry with hand-made models, and what persons decide on them."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipeline import storage
from pipeline.results.registration import Candidate, RegisteredModel
from pipeline.results.trail import Actor
from pipeline.runs.changes import Change
from pipeline.runs.register import Decision, Registered
from pipeline.runs.registry import Registry
from tests.registered_models import documents

STUDY = "ist"
ADA = Actor(account="ada@ward")
GRACE = Actor(account="grace@ward")


def add(
    root: str,
    folder: Path,
    name: str,
    decision: Decision | None = None,
    *,
    blessed: bool = True,
    card: bool = True,
    tasks: tuple[str, ...] = ("death",),
    study: str = STUDY,
) -> Registered:
    """Registers a model that a run has made.

    Args:
        root: Root of the registry.
        folder: Folder for the files that are copied.
        name: Content of the model, and name of its run.
        decision: What decides on its promotion.
        blessed: Whether the verdict is a blessing.
        card: Whether there is a card.
        tasks: Tasks that it serves.
        study: Name of the study.
    """
    model, statistics = folder / name / "model", folder / name / "statistics"
    for made, file in ((model, "saved_model.pb"), (statistics, "FeatureStats.pb")):
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        (made / file).write_text(name)
    candidate = Candidate(
        study=study,
        split_seed=1,
        label_digest="labels",
        study_digest="study",
        fingerprint="data",
        code_version="0.2.0",
        run=f"run of {name}",
        metrics={f"{task}/auc": 0.7 for task in tasks},
        dependency_lock="lock",
    )
    given = documents("data", "study", blessed=blessed, card=card)
    return Registry(root).register(candidate, str(model), str(statistics), None, given, decision)


def registered(root: str, folder: Path, *names: str) -> list[RegisteredModel]:
    """Registers blessed models, each compared with the champion before."""
    return [add(root, folder, name).entry for name in names]


def decision(by: Actor = ADA, seen: str = "") -> Change:
    """A person's decision."""
    return Change(STUDY, by, "because of the audit", seen)


def champion_id(root: str) -> str | None:
    """Id of the champion; None for none."""
    champion = Registry(root).champion(STUDY)
    return champion.id if champion else None


def actions(root: str) -> list[str]:
    """What the audit trail records, the oldest entry first."""
    return [entry.action for entry in Registry(root).book(STUDY).entries()]


def rewrite(path: str, old: str, new: str) -> None:
    """Replaces a text in a file of a registry, as a person does who may write there."""
    content = storage.read(path)
    assert content is not None
    storage.write_whole(path, content.decode().replace(old, new).encode())
