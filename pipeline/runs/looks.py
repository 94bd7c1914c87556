"""How many settings were tried on a trial before this one, and what was fixed before the first.

Each evaluation of other settings on the same subjects is another chance of a good result by
chance, so the registry keeps each settings' first evaluation ("look"), refused models
included. TRIPOD+AI asks for what was planned before; `freeze` records a digest of it.

Layout below the registry's root, for each study::

    <study>/looks/<label digest>/<settings digest>.json   first evaluation of these settings
    <study>/frozen/<protocol digest>.json                 when tasks and evaluation were fixed
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from pipeline import storage
from pipeline.documents import Document, parse_document
from pipeline.results.looks import LookHistory
from pipeline.study.digest import digest_of, label_digest
from pipeline.study.study import Study
from pipeline.study.untitled import untitled_features

_UNDECIDING = (
    *("study", "title", "version", "card", "summary", "analysis", "disclosure", "gate"),
    *("registry", "monitoring", "retrain"),
)
"""Sections that change no evaluation of a model."""

_PROTOCOL = ("tasks", "thresholds", "evaluation", "split", "slicing", "population", "window")
"""Sections that `freeze` fixes."""

_NAME_DIGITS = 16
_Content = TypeVar("_Content", bound=Document)


class TriedSettings(Document):
    """Digests of the settings of a run that decide its evaluation.

    Attributes:
        study: Name of the study.
        label_digest: Digest of the label definitions, see `pipeline.study.digest`.
        protocol: Digest of what `freeze` fixes.
        sections: Digest of each section of the study file, and of `options` of the run.
    """

    study: str
    label_digest: str
    protocol: str
    sections: dict[str, str]

    @property
    def digest(self) -> str:
        """Digest of all sections."""
        return digest_of(self.sections)


class Look(TriedSettings):
    """The first evaluation of some settings.

    Attributes:
        at: UTC time in ISO 8601.
    """

    at: str


class Freeze(Document):
    """Record of a fixed protocol.

    Attributes:
        protocol: Digest of tasks, thresholds, evaluation, split, slicing and population.
        at: UTC time in ISO 8601.
    """

    protocol: str
    at: str


class RunLook(Document):
    """A run's settings and their history, as a parameter of TrialEvaluator.

    Attributes:
        settings: The settings.
        history: What had been tried before.
    """

    settings: TriedSettings
    history: LookHistory


def settings_of(study: Study, seed: int, steps: int, tune: bool) -> TriedSettings:
    """The settings of a run.

    Args:
        study: The study.
        seed: Seed of training.
        steps: Training steps.
        tune: Whether the Tuner searches hyperparameters.
    """
    content = _untitled_content(study)
    sections = {name: digest_of(part) for name, part in content.items() if name not in _UNDECIDING}
    sections["options"] = digest_of({"seed": seed, "steps": steps, "tune": tune})
    return TriedSettings(
        study=study.study,
        label_digest=label_digest(study),
        protocol=protocol_digest(study),
        sections=sections,
    )


def protocol_digest(study: Study) -> str:
    """Digest of what `freeze` fixes; titles of tasks and features do not change it."""
    content = _untitled_content(study)
    return digest_of({name: content.get(name) for name in _PROTOCOL})


def _untitled_content(study: Study) -> dict[str, Any]:
    """The study file without the titles of tasks and features, which change no evaluation."""
    content = study.to_content()
    content["features"] = untitled_features(content["features"])
    content["tasks"] = {
        name: {key: value for key, value in task.items() if key != "title"}
        for name, task in content["tasks"].items()
    }
    return content


def run_look(registry_root: str, settings: TriedSettings) -> RunLook:
    """The settings with their history, from the registry."""
    earlier = list(_looks(registry_root, settings.study))
    own = next((look.at for look in earlier if look.sections == settings.sections), None)
    others = [
        look
        for look in sorted(earlier, key=lambda look: look.at)
        if look.sections != settings.sections and (own is None or look.at < own)
    ]
    before = [look for look in others if look.label_digest == settings.label_digest]
    freeze = _freeze(registry_root, settings.study, settings.protocol)
    return RunLook(
        settings=settings,
        history=LookHistory(
            tried=len(before),
            tried_elsewhere=len(others) - len(before),
            changed=_changed(before[-1], settings) if before else (),
            frozen=_frozen(freeze, earlier),
            frozen_at=freeze.at if freeze else "",
        ),
    )


def record_look(registry_root: str, settings: TriedSettings) -> None:
    """Records the first evaluation of some settings; later ones change nothing."""
    folder = f"{_folder(registry_root, settings.study)}/looks"
    group = settings.label_digest.rpartition(":")[2][:_NAME_DIGITS]
    path = f"{folder}/{group}/{settings.digest[:_NAME_DIGITS]}.json"
    if not storage.exists(path):
        _write(path, Look(at=_now(), **settings.model_dump()))


def freeze_protocol(registry_root: str, study: Study) -> tuple[Freeze, bool]:
    """Records that the protocol is fixed now; an earlier record of it stays.

    Returns:
        The record, and whether it was made before any result of the study was recorded.
    """
    protocol = protocol_digest(study)
    freeze = _freeze(registry_root, study.study, protocol)
    if freeze is None:
        freeze = Freeze(protocol=protocol, at=_now())
        _write(_freeze_path(registry_root, study.study, protocol), freeze)
    return freeze, _frozen(freeze, _looks(registry_root, study.study)) == "before"


def _frozen(freeze: Freeze | None, looks: Iterable[Look]) -> Literal["before", "after", "no"]:
    if freeze is None:
        return "no"
    return "before" if all(freeze.at < look.at for look in looks) else "after"


def _changed(before: TriedSettings, now: TriedSettings) -> tuple[str, ...]:
    names = sorted({*before.sections, *now.sections})
    return tuple(name for name in names if before.sections.get(name) != now.sections.get(name))


def _looks(registry_root: str, study: str) -> Iterator[Look]:
    folder = f"{_folder(registry_root, study)}/looks"
    for name in storage.files_below(folder):
        path = f"{folder}/{name}"
        content = storage.read(path)
        # Another process may write at this moment; its draft has another ending.
        if content is not None and name.endswith(".json"):
            yield _parse(Look, path, content)


def _freeze(registry_root: str, study: str, protocol: str) -> Freeze | None:
    path = _freeze_path(registry_root, study, protocol)
    content = storage.read(path)
    return _parse(Freeze, path, content) if content else None


def _freeze_path(registry_root: str, study: str, protocol: str) -> str:
    return f"{_folder(registry_root, study)}/frozen/{protocol[:_NAME_DIGITS]}.json"


def _folder(registry_root: str, study: str) -> str:
    return f"{registry_root.rstrip('/')}/{study}"


def _parse(content: type[_Content], path: str, text: bytes) -> _Content:
    return parse_document(
        content,
        text,
        path,
        "a record of the registry",
        "Restore the file from a backup, or delete it: the number of settings tried is then wrong.",
    )


def _write(path: str, content: Document) -> None:
    storage.write_whole(path, json.dumps(content.model_dump(), indent=2, sort_keys=True).encode())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
