"""The registered model of a study in MLflow: a version for each model, and aliases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.documents import Document
from pipeline.mlflow.answers import (
    Nothing,
    Tag,
    changed,
    check_registry,
    found_or_made,
    tags_of,
    values_of,
)
from pipeline.mlflow.content import ALIASES, MODEL_TAG, REGISTRY_TAG, Mirrored
from pipeline.mlflow.server import Server

_PAGE = 500
_DESCRIPTION = (
    "Follows a registry of models, which decides what is served: what is changed here by hand is "
    "changed back."
)


class _Alias(Document):
    alias: str
    version: str


class _Model(Document):
    tags: tuple[Tag, ...] = ()
    aliases: tuple[_Alias, ...] = ()


class _ModelAnswer(Document):
    registered_model: _Model


class _Version(Document):
    version: str
    tags: tuple[Tag, ...] = ()


class _VersionAnswer(Document):
    model_version: _Version


class _Versions(Document):
    model_versions: tuple[_Version, ...] = ()
    next_page_token: str = ""


def write_versions(
    server: Server,
    study: str,
    registry: str,
    models: Sequence[Mirrored],
    runs: Mapping[str, str],
    aliased: Mapping[str, str],
) -> tuple[dict[str, str], int]:
    """Makes the versions that are missing, then moves the aliases.

    Args:
        server: The server.
        study: Name of the study.
        registry: The first model of the registry.
        models: The models, the oldest first.
        runs: Ids of their runs in MLflow, by model.
        aliased: The model of each alias.

    Returns:
        The number of each model's version, and how many are new.

    Raises:
        MlflowError: The server can't be reached or refuses, or the registered model is another
            one's.
    """
    registered = _registered_model(server, study, registry)
    known = _known_versions(server, study)
    versions = {
        model.model: _written(server, study, model, runs[model.model], known.get(model.model))
        for model in models
    }
    _set_aliases(server, study, registered, {a: versions[model] for a, model in aliased.items()})
    return versions, len(versions.keys() - known.keys())


def _registered_model(server: Server, study: str, registry: str) -> _Model:
    def find() -> _Model:
        return server.get(_ModelAnswer, "registered-models/get", {"name": study}).registered_model

    def make() -> _Model:
        tags = tags_of({REGISTRY_TAG: registry})
        content = {"name": study, "tags": tags, "description": _DESCRIPTION}
        return server.post(_ModelAnswer, "registered-models/create", content).registered_model

    found = found_or_made(find, make)
    check_registry(f"registered model {study}", found.tags, registry)
    return found


def _known_versions(server: Server, study: str) -> dict[str, _Version]:
    """Versions by model; of two that two writers have made at once, the lower one."""
    found: list[_Version] = []
    given = {"filter": f"name='{study}'", "max_results": str(_PAGE)}
    while True:
        page = server.get(_Versions, "model-versions/search", given)
        found.extend(page.model_versions)
        if not page.next_page_token:
            break
        given["page_token"] = page.next_page_token
    found.sort(key=lambda version: int(version.version), reverse=True)
    return {values_of(version.tags).get(MODEL_TAG, ""): version for version in found}


def _written(server: Server, study: str, model: Mirrored, run: str, known: _Version | None) -> str:
    if known is None:
        tags = tags_of(model.version_tags)
        content = {"name": study, "source": model.source, "run_id": run, "tags": tags}
        made = server.post(_VersionAnswer, "model-versions/create", content)
        return made.model_version.version
    for key, value in changed(known.tags, model.version_tags).items():
        content = {"name": study, "version": known.version, "key": key, "value": value}
        server.post(Nothing, "model-versions/set-tag", content)
    return known.version


def _set_aliases(server: Server, study: str, registered: _Model, wanted: Mapping[str, str]) -> None:
    now = {alias.alias: alias.version for alias in registered.aliases if alias.alias in ALIASES}
    for alias in sorted(now.keys() - wanted.keys()):
        server.delete("registered-models/alias", {"name": study, "alias": alias})
    for alias, version in wanted.items():
        if now.get(alias) != version:
            content = {"name": study, "alias": alias, "version": version}
            server.post(Nothing, "registered-models/alias", content)
