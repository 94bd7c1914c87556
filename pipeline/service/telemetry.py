"""What Prometheus reads of the service; nothing of it is about a single subject's columns."""

from __future__ import annotations

import threading
from collections import Counter as Counts
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from pipeline.service.answers import FLAGS, Predicted, flag_kinds
from pipeline.service.follower import Follower

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_DIFFERENCES = (-0.5, -0.2, -0.1, -0.05, -0.02, -0.01, 0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
_RISKS = tuple(tenth / 10 for tenth in range(1, 11))
_MOST_WAITING = 100
"""Requests whose predictions are counted together."""


class Telemetry:
    """Counts requests and predictions.

    Args:
        follower: What is served.
    """

    def __init__(self, follower: Follower) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "trial_service_requests", "Requests.", ("endpoint", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "trial_service_request_seconds",
            "Seconds of a request.",
            ("endpoint",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._flags = Counter(
            "trial_service_flags", "Flags of subjects.", ("flag",), registry=self._registry
        )
        # Prometheus takes no first value of a counter for a growth: each begins with 0.
        for flag in FLAGS:
            self._flags.labels(flag)
        self._risks = _Distribution(
            "trial_service_predicted_risk", "Predicted probabilities.", ("task", "version"), _RISKS
        )
        self._shadow = Counter(
            "trial_service_shadow_requests",
            "Requests that were answered while a challenger saw them.",
            ("outcome",),
            registry=self._registry,
        )
        self._differences = _Distribution(
            "trial_service_shadow_difference",
            "Challenger's probability minus the champion's, of the same subject.",
            ("task", "id"),
            _DIFFERENCES,
        )
        for collector in (self._risks, self._differences, _State(follower)):
            self._registry.register(collector)

    def note_request(self, endpoint: str, status: int, seconds: float) -> None:
        """Counts a request.

        Args:
            endpoint: Pattern of its path.
            status: HTTP status of the answer.
            seconds: How long it took.
        """
        self._requests.labels(endpoint, str(status)).inc()
        self._seconds.labels(endpoint).observe(seconds)

    def note_predictions(self, predicted: Predicted) -> None:
        """Counts predictions and flags."""
        for flag, subjects in Counts(flag_kinds(predicted)).items():
            self._flags.labels(flag).inc(subjects)
        version = str(predicted.champion.version)
        for task in predicted.champion.tasks:
            self._risks.observe((task, version), predicted.outputs[task])

    def note_shadow(self, outcome: str) -> None:
        """Counts a request that a challenger was to see.

        Args:
            outcome: `compared`; `refused`: it can't predict from these columns; `failed`; or
                `left_out`: too many waited.
        """
        self._shadow.labels(outcome).inc()

    def note_differences(self, task: str, model: str, differences: NDArray[Any]) -> None:
        """Counts differences of predictions.

        Args:
            task: The task.
            model: Id of the challenger.
            differences: Challenger's probability minus the champion's, `[n]`.
        """
        self._differences.observe((task, model), differences)

    def add(self, collector: Collector) -> None:
        """Lets Prometheus read what another part of the service counts."""
        self._registry.register(collector)

    def text(self) -> bytes:
        """All metrics, in Prometheus' text format."""
        return generate_latest(self._registry)


class _Distribution:
    """A histogram that takes many values at once, which `Histogram` does one by one.

    Args:
        name: Its name.
        title: What it counts.
        labels: Names of its labels.
        bounds: Upper bounds of its buckets, rising; the last bucket has none.
    """

    def __init__(
        self, name: str, title: str, labels: tuple[str, str], bounds: tuple[float, ...]
    ) -> None:
        self._name, self._title, self._labels = name, title, labels
        self._bounds = np.array(bounds)
        self._counts: dict[tuple[str, str], NDArray[Any]] = {}
        self._sums: dict[tuple[str, str], float] = {}
        self._waiting: dict[tuple[str, str], list[NDArray[Any]]] = {}
        self._lock = threading.Lock()

    def observe(self, labels: tuple[str, str], values: NDArray[Any]) -> None:
        """Counts values, `[n]`, now or with later ones: to count a few takes as long as many."""
        with self._lock:
            waiting = self._waiting.setdefault(labels, [])
            waiting.append(values)
            if len(waiting) >= _MOST_WAITING:
                self._count(labels)

    def _count(self, labels: tuple[str, str]) -> None:
        values = np.concatenate(self._waiting.pop(labels)).astype(float)
        places = self._bounds.searchsorted(values, side="left")
        counts = np.bincount(places, minlength=len(self._bounds) + 1)
        self._counts[labels] = self._counts.get(labels, 0) + counts
        self._sums[labels] = self._sums.get(labels, 0.0) + float(values.sum())

    def collect(self) -> Iterator[Metric]:
        """What Prometheus reads."""
        found = HistogramMetricFamily(self._name, self._title, labels=self._labels)
        bounds = [*map(floatToGoString, self._bounds.tolist()), "+Inf"]
        with self._lock:
            for labels in list(self._waiting):
                self._count(labels)
            for labels, counts in self._counts.items():
                buckets = list(zip(bounds, np.cumsum(counts).astype(float).tolist(), strict=True))
                found.add_metric(labels, buckets, self._sums[labels])
        yield found


class _State:
    """Metrics of what is served, read when they are asked for."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower

    def collect(self) -> Iterator[Metric]:
        served = self._follower.served
        study = GaugeMetricFamily(
            "trial_service_study", "The study that is served.", labels=("study",)
        )
        study.add_metric([self._follower.study], 1)
        yield study
        model = GaugeMetricFamily(
            "trial_service_model", "The model that is served.", labels=("study", "id", "version")
        )
        if served.champion:
            identity = served.champion.identity()
            model.add_metric([identity["study"], identity["id"], identity["version"]], 1)
        yield model
        yield GaugeMetricFamily(
            "trial_service_model_version",
            "Version of the model that is served, 0 without one.",
            value=served.champion.version if served.champion else 0,
        )
        yield GaugeMetricFamily(
            "trial_service_registry_version",
            "Version of the registry's champion when the registry last answered, 0 without one.",
            value=served.wanted,
        )
        yield GaugeMetricFamily(
            "trial_service_registry_answers",
            "Whether the registry could be read at the last look.",
            value=float(served.registry_answers),
        )
        yield CounterMetricFamily(
            "trial_service_swaps", "Champions that took another's place.", value=served.swaps
        )
        yield CounterMetricFamily(
            "trial_service_refusals", "Champions that were refused.", value=served.refusals
        )
