"""Shadow mode: a challenger sees the requests that the champion answers; it answers none itself."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from pipeline.errors import UserError
from pipeline.results.registration import RegisteredModel
from pipeline.runs.registry import Registry
from pipeline.service.answers import Predicted, predict
from pipeline.service.attempts import Attempts
from pipeline.service.champion import Champion, load_registered
from pipeline.service.given import GivenColumns
from pipeline.service.telemetry import Telemetry
from pipeline.service.validation import InvalidRowsError

logger = logging.getLogger(__name__)

NEWEST = "newest"
"""In place of an id: the model that was registered last, after the champion."""

_MOST_WAITING = 100
"""Requests that wait for the challenger; what comes beyond them it does not see."""


class Shadow:
    """A challenger that sees what the champion answers.

    It predicts in a thread of its own, after the answer was made: whatever happens there neither
    delays nor fails an answer. Of its predictions only counts of differences leave.

    Args:
        registry: The registry.
        study: Name of the study.
        model: Id of a registered model, or `NEWEST`.
        telemetry: What counts.

    Raises:
        UserError: No registration has the id, or that model is retired.
    """

    def __init__(self, registry: Registry, study: str, model: str, telemetry: Telemetry) -> None:
        if model != NEWEST:
            entry = registry.entry(study, model)
            if entry.id in registry.book(study).standing.retired:
                raise UserError(
                    f"--shadow: the model {entry.id} is retired. Name one that is not (trial "
                    f"models list), or `{NEWEST}`."
                )
        self._registry, self._study, self._model = registry, study, model
        self._telemetry = telemetry
        self.challenger: Champion | None = None
        self._attempts = Attempts()
        self._thread = ThreadPoolExecutor(1, "shadow")
        self._places = threading.BoundedSemaphore(_MOST_WAITING)

    def look(self) -> None:
        """Loads the challenger that the registry has now.

        One that can't be loaded is left out, and tried again after 1, 2, 4, ... looks. A registry
        that can't be read leaves the present one in place.
        """
        try:
            entry = self._wanted()
        except UserError as error:
            logger.warning("The challenger stays as it is. %s", error)
            return
        if entry is None:
            self.challenger = None
        elif self.challenger is None or self.challenger.entry.id != entry.id:
            self.challenger = None
            if self._attempts.may_try(entry.id):
                self._load(entry)

    def see(self, answered: Predicted, given: GivenColumns) -> None:
        """Lets the challenger see a request that was answered; returns at once.

        Args:
            answered: What the champion predicted.
            given: Columns of the subjects, as the request had them.
        """
        challenger = self.challenger
        if challenger is None:
            return
        if not self._places.acquire(blocking=False):
            self._telemetry.note_shadow("left_out")
            return
        self._thread.submit(self._compare, challenger, answered, given)

    def close(self) -> None:
        """Ends the thread; what still waits is left out."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _load(self, entry: RegisteredModel) -> None:
        try:
            self.challenger = load_registered(self._registry.book(self._study), entry)
        except UserError as error:
            if self._attempts.note_failure(entry.id):
                logger.warning("No challenger sees the requests. %s", error)
            return
        self._attempts.note_success()
        logger.info("%s sees the requests too; it answers none.", entry.id)

    def _wanted(self) -> RegisteredModel | None:
        book = self._registry.book(self._study)
        champion, retired = book.standing.champion, book.standing.retired
        if self._model != NEWEST:
            entry = self._registry.entry(self._study, self._model)
            return None if entry.id == champion or entry.id in retired else entry
        found: RegisteredModel | None = None
        for entry in self._registry.history(self._study):
            if entry.id == champion:
                found = None
            elif entry.id not in retired:
                found = entry
        return found

    def _compare(self, challenger: Champion, answered: Predicted, given: GivenColumns) -> None:
        try:
            found = predict(challenger, given)
            for task in answered.champion.tasks:
                if task in challenger.tasks:
                    differences = found.outputs[task] - answered.outputs[task]
                    self._telemetry.note_differences(task, challenger.entry.id, differences)
            self._telemetry.note_shadow("compared")
        except InvalidRowsError:
            # It reads other columns, or refuses whom the champion predicts.
            self._telemetry.note_shadow("refused")
        except Exception as error:  # whatever it is, it must not reach an answer
            # Its message may hold a value.
            logger.error("The challenger failed: %s.", type(error).__name__)
            self._telemetry.note_shadow("failed")
        finally:
            self._places.release()
