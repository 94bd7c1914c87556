"""Follows the registry: a new champion is loaded beside the old one and then takes its place."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from pipeline.errors import UserError
from pipeline.runs.registry import Registry
from pipeline.runs.trail import Book
from pipeline.service.attempts import Attempts
from pipeline.service.champion import Champion, champion_of_book

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Served:
    """What is served at a moment; replaced as a whole.

    Attributes:
        champion: The model; None after the registry's champion was withdrawn without another.
        registry_answers: Whether the registry could be read at the last look.
        refused: Why the registry's champion is not served, a sentence; empty where it is.
        swaps: How often a champion has taken the place of another.
        refusals: How often one was refused.
        wanted: Version of the registry's champion at the last look that it answered; 0 without one.
    """

    champion: Champion | None
    registry_answers: bool = True
    refused: str = ""
    swaps: int = 0
    refusals: int = 0
    wanted: int = 0


class Follower:
    """Holds the served champion, and looks whether the registry has another one.

    A request takes `served` once and keeps it: a swap changes nothing for a request that has begun.

    Args:
        registry: The registry.
        study: Name of the study.
        load: Loads the champion of a registry's state.

    Raises:
        UserError: There is no champion, or it can't be served.
    """

    def __init__(
        self,
        registry: Registry,
        study: str,
        load: Callable[[Book], Champion] = champion_of_book,
    ) -> None:
        self._registry, self._study, self._load = registry, study, load
        champion = load(registry.book(study))
        self.served = Served(champion, wanted=champion.version)
        self._attempts = Attempts()

    @property
    def registry(self) -> Registry:
        """The registry."""
        return self._registry

    @property
    def study(self) -> str:
        """Name of the study."""
        return self._study

    def look(self) -> None:
        """Compares what is served with the registry, and swaps in another champion.

        A registry that does not answer and a champion that can't be loaded leave the old one in
        place; the latter is tried again after 1, 2, 4, ... looks.
        """
        try:
            book = self._present_book()
        except UserError as error:
            self._note_silence(error)
            return
        wanted = book.pointer.champion
        version = wanted.version if wanted else 0
        self.served = replace(self.served, registry_answers=True, wanted=version)
        if wanted is None:
            self._withdraw()
            return
        current = self.served.champion
        if current and (current.entry.id, current.version) == (wanted.id, wanted.version):
            self.served = replace(self.served, refused="")
        elif self._attempts.may_try((wanted.id, wanted.version)):
            self._swap(book)

    def _present_book(self) -> Book:
        """What the registry holds of the study.

        Raises:
            UserError: It can't be read, or is not there: who withdraws a model leaves a pointer.
        """
        book = self._registry.book(self._study)
        if book.seen.content is None:
            raise UserError(f"{book.folder}: the registry of the study is not there any more.")
        return book

    def _note_silence(self, error: UserError) -> None:
        if self.served.registry_answers:
            logger.warning("The registry can't be read; the model stays. %s", error)
        self.served = replace(self.served, registry_answers=False)

    def _withdraw(self) -> None:
        if self.served.champion is not None:
            logger.warning("The registry has no champion of %s any more.", self._study)
        self.served = replace(self.served, champion=None, refused="")

    def _swap(self, book: Book) -> None:
        wanted = book.pointer.champion
        assert wanted is not None
        try:
            champion = self._load(book)
        except UserError as error:
            if self._attempts.note_failure((wanted.id, wanted.version)):
                logger.error("The new champion is refused; the old one stays. %s", error)
            self.served = replace(
                self.served, refused=str(error), refusals=self.served.refusals + 1
            )
            return
        self._attempts.note_success()
        self.served = replace(
            self.served,
            champion=champion,
            refused="",
            swaps=self.served.swaps + 1,
            wanted=champion.version,
        )
        logger.info("Serves %s, version %d.", champion.entry.id, champion.version)
