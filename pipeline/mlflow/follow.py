"""Lets an MLflow server follow the registry of a study.

The whole state is compared and what differs is written, so an event that the server missed is made
up for by the next one, and the same event twice changes nothing. The registry comes first: what
happens here can't fail a run or a decision.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UserError
from pipeline.mlflow.content import aliased, mirrored_models
from pipeline.mlflow.server import MlflowError, Server, server_of
from pipeline.mlflow.tracking import write_runs
from pipeline.mlflow.versions import write_versions
from pipeline.permissions import unblinded_root_of
from pipeline.results.trail import TrailEntry
from pipeline.runs.entries import HISTORY, read_entries
from pipeline.runs.trail import Book, read_book


class UnblindedRegistryError(UserError):
    """The registry is that of unblinded runs."""


@dataclass(frozen=True)
class Followed:
    """What an MLflow server holds of a study now.

    Attributes:
        models: How many models.
        added: How many of them it did not hold before.
        champion: Version of the champion there; empty for none.
    """

    models: int
    added: int
    champion: str


def tell(registry_root: str, study: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """Lets the server that the environment names follow; without one does nothing.

    Args:
        registry_root: Root of the registry.
        study: Name of the study.
        environment: Variables of the environment.

    Returns:
        Why the server could not follow, a line; None where it did, or none is named.
    """
    try:
        server = server_of(environment)
        if server is None:
            return None
        follow(registry_root, study, server)
    except UnblindedRegistryError as error:
        return str(error)
    except UserError as error:
        return (
            f"MLflow does not follow the registry: {error} What the registry holds is as it should "
            "be; `trial models mlflow` makes up for it."
        )
    return None


def _check_may_leave(registry_root: str) -> None:
    """Refuses the registry of unblinded runs: their results leave their root for no server.

    Args:
        registry_root: Root of the registry.

    Raises:
        UnblindedRegistryError: It lies in a root of unblinded runs.
    """
    place = unblinded_root_of(Path(registry_root))
    if place is not None:
        raise UnblindedRegistryError(
            f"{place}: results by arm of an ongoing trial stay in this root; MLflow gets none of "
            "them."
        )


def follow(registry_root: str, study: str, server: Server) -> Followed:
    """Makes an MLflow server hold what the registry holds of a study.

    Args:
        registry_root: Root of the registry.
        study: Name of the study.
        server: The server.

    Raises:
        UserError: The registry holds nothing of the study or is damaged, the server can't be
            reached or refuses, or holds another registry's study of this name; or the registry is
            that of unblinded runs.
    """
    _check_may_leave(registry_root)
    folder = f"{registry_root.rstrip('/')}/{study}"
    while True:
        book = read_book(folder, study)
        try:
            found = _follow(book, server)
        except MlflowError as error:
            raise MlflowError(f"{server.address}: {error}", error.code) from error
        # Meanwhile another writer may have decided, and been the first to tell.
        if read_book(folder, study).pointer == book.pointer:
            return found


def _follow(book: Book, server: Server) -> Followed:
    trail = book.entries()
    entries = [entry.model for entry in read_entries(book.folder, book.study, HISTORY)]
    models = mirrored_models(entries, trail, book.standing)
    if not models:
        raise UserError(
            f"{book.folder}: the registry holds no model of {book.study}. Run the pipeline first, "
            "or name another study (--study), root or registry."
        )
    registry = _first_model(trail)
    runs = write_runs(server, book.study, registry, models)
    wanted = aliased(models, book.standing)
    versions, added = write_versions(server, book.study, registry, models, runs, wanted)
    return Followed(len(models), added, versions.get(book.standing.champion, ""))


def _first_model(trail: Iterable[TrailEntry]) -> str:
    """What tells registries apart, wherever they lie: the id of their first model is random."""
    ids = (model for entry in trail for model in (entry.model, entry.champion))
    return next(filter(None, ids), "")
