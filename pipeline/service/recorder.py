"""Adds what the service predicts for clients to the prediction log, behind the answers.

Nothing here delays or fails an answer: predictions wait in memory, as many as a limit says, until a
thread writes them. What can't be written is tried again; what the limit does not hold is lost and
counted.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from pipeline.errors import UserError
from pipeline.predictions.log import Batch, PredictionLog
from pipeline.predictions.rows import SERVE, Occasion
from pipeline.service.answers import Predicted
from pipeline.service.recorded_rows import Answered, recorded_rows

logger = logging.getLogger(__name__)

_SECONDS = 30.0
"""Between two batches: each is a file or a transaction."""

_MOST_SUBJECTS = 20_000
"""Subjects that wait at most, some 100 MB; a request has at most half of them."""

_SUBJECTS_AT_ONCE = 5_000
"""With so many a batch is written earlier."""

_SECONDS_TO_FINISH = 20.0
"""How long the end of the service waits for the last batch."""


@dataclass(frozen=True)
class _Prepared:
    """A batch that is to be written.

    Attributes:
        batch: What it is.
        tables: Its rows.
        subjects: How many subjects these are about.
    """

    batch: Batch
    tables: tuple[pa.Table, ...]
    subjects: int


class Recorder:
    """Writes predictions to a log, in a thread of its own.

    Attributes:
        answers: Whether the log took the last batch.

    Args:
        log: The log.
        study: Name of the study.
        seconds: Seconds between two batches.
        most_subjects: Subjects that wait at most.
        now: The clock.
    """

    def __init__(
        self,
        log: PredictionLog,
        study: str,
        seconds: float = _SECONDS,
        most_subjects: int = _MOST_SUBJECTS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._log, self._seconds, self._most, self._now = log, seconds, most_subjects, now
        self._occasion = Occasion(study, SERVE, f"{now():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:12]}")
        self._answered: list[Answered] = []
        self._prepared: deque[_Prepared] = deque()
        self._batches = self._waiting = self._written = self._lost = 0
        self._lock = threading.Lock()
        self._wake, self._ends = threading.Event(), False
        self.answers = True
        self._thread = threading.Thread(target=self._work, name="prediction log", daemon=True)
        self._thread.start()

    def see(self, predicted: Predicted, pseudonyms: Sequence[str | None]) -> None:
        """Keeps the predictions of a request for the next batch; returns at once.

        Args:
            predicted: The predictions of n subjects.
            pseudonyms: Of each; None where the client gave none, `[n]`.
        """
        with self._lock:
            if self._ends or self._waiting + len(pseudonyms) > self._most:
                self._lost += len(pseudonyms)
                return
            self._answered.append(Answered(predicted, tuple(pseudonyms), self._now()))
            self._waiting += len(pseudonyms)
            is_full = self._waiting >= _SUBJECTS_AT_ONCE
        # A log that is gone is not asked again for each request.
        if is_full and self.answers:
            self._wake.set()

    def close(self) -> None:
        """Writes what waits, and ends the thread; what can't be written is lost."""
        with self._lock:
            self._ends = True
        self._wake.set()
        self._thread.join(_SECONDS_TO_FINISH)
        with self._lock:
            if self._waiting:
                logger.error("The prediction log lacks predictions of %d subjects.", self._waiting)

    def collect(self) -> Iterator[Metric]:
        """What Prometheus reads."""
        with self._lock:
            outcomes, waiting = {"written": self._written, "lost": self._lost}, self._waiting
        subjects = CounterMetricFamily(
            "trial_service_logged_subjects",
            "Subjects whose predictions were to be added to the prediction log.",
            labels=("outcome",),
        )
        for outcome, number in outcomes.items():
            subjects.add_metric((outcome,), number)
        yield subjects
        yield GaugeMetricFamily(
            "trial_service_prediction_log_waiting",
            "Subjects whose predictions wait for the prediction log.",
            value=waiting,
        )
        yield GaugeMetricFamily(
            "trial_service_prediction_log_answers",
            "Whether the prediction log took the last batch.",
            value=float(self.answers),
        )

    def _work(self) -> None:
        while not self._ends:
            self._wake.wait(self._seconds)
            self._wake.clear()
            self._write()
        # What came between the last batch and the end.
        self._write()

    def _write(self) -> None:
        """Writes what failed before and what came since; of two batches the earlier one first."""
        self._prepare()
        while self._prepared:
            first = self._prepared[0]
            try:
                self._log.append(first.batch, first.tables)
            except Exception as error:  # whatever it is, it must not end the thread
                self._note_failure(error)
                return
            self._prepared.popleft()
            with self._lock:
                self._waiting -= first.subjects
                self._written += first.subjects
            if not self.answers:
                logger.info("The prediction log answers again.")
            self.answers = True

    def _prepare(self) -> None:
        """Makes a batch of what came since: small, and without the models that predicted it."""
        with self._lock:
            answered, self._answered = self._answered, []
        if not answered:
            return
        self._batches += 1
        name = f"{self._occasion.run}-{self._batches:06d}"
        subjects = sum(len(one.pseudonyms) for one in answered)
        try:
            tables = tuple(recorded_rows(self._occasion, answered))
        except Exception as error:
            self._note_failure(error)
            with self._lock:
                self._waiting -= subjects
                self._lost += subjects
            return
        batch = Batch(self._occasion, name, answered[-1].at.date())
        self._prepared.append(_Prepared(batch, tables, subjects))

    def _note_failure(self, error: Exception) -> None:
        if self.answers:
            # The message of another one may hold a value.
            reason = str(error) if isinstance(error, UserError) else f"{type(error).__name__}."
            logger.error("Predictions are answered and not added to the log. %s", reason)
        self.answers = False
