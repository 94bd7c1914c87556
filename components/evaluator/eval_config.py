"""The evaluation as TFMA's configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tensorflow_model_analysis.proto import config_pb2

from components.evaluator.prediction_table import CHAMPION_OF_NEW, NOTHING, PredictionSource
from components.evaluator.settings import EvaluatorSettings
from pipeline import names
from pipeline.metrics import COMPARED_WITH_REFERENCES, COMPUTED, METRICS, OF_UNCERTAINTY
from pipeline.names import CHAMPION
from pipeline.results.uncertainty import LOWER

MEMBERS = "members"
SUBJECTS = "subjects"
POSITIVES = "positives"
EFFECTIVE_POSITIVES = "effective_positives"
EFFECTIVE_NEGATIVES = "effective_negatives"
CURVES = "curves"
_MODULE = "components.evaluator.metrics"
_MEMBER_MODULE = "components.evaluator.member_count"
_UNCERTAINTY_MODULE = "components.evaluator.uncertainty"
_OF, _MINUS = " of ", " minus "
_EFFECTIVE = ((EFFECTIVE_POSITIVES, True), (EFFECTIVE_NEGATIVES, False))


@dataclass(frozen=True)
class MetricName:
    """A metric and its decision threshold, as encoded in the metric's name in TFMA's result.

    Attributes:
        metric: The metric.
        decision_threshold: Probability from which a prediction is positive; None
            for metrics of probabilities.
        reference: Other model that the metric concerns; None if none.
        is_difference: Whether it is the challenger's metric minus the other model's.
    """

    metric: str
    decision_threshold: float | None = None
    reference: str | None = None
    is_difference: bool = False

    @property
    def text(self) -> str:
        """The metric's name in TFMA's result."""
        metric: str = self.metric
        if self.decision_threshold is not None:
            metric += f"@{self.decision_threshold!r}"
        if self.reference:
            metric += f"{_MINUS if self.is_difference else _OF}{self.reference}"
        return metric

    @classmethod
    def parse(cls, text: str) -> MetricName:
        """Parses a metric's name in TFMA's result."""
        sign = _MINUS if _MINUS in text else _OF
        measure, _, reference = text.partition(sign)
        metric, _, threshold = measure.partition("@")
        return cls(
            metric,
            float(threshold) if threshold else None,
            reference or None,
            bool(reference) and sign == _MINUS,
        )


def build_eval_config(
    settings: EvaluatorSettings, source: PredictionSource = NOTHING
) -> config_pb2.EvalConfig:
    """Builds the `EvalConfig` of TFX's Evaluator.

    It has no thresholds, since TFMA would apply them to point estimates only; see
    `components.evaluator.judge`. The champion is no baseline model of TFMA's, which would evaluate
    it on all subjects: its predictions are looked up.

    Args:
        settings: Settings of the evaluation.
        source: Predictions that are looked up.

    Returns:
        One model spec for all tasks, one metrics spec for each task, one slicing spec for each
        slicing.
    """
    champions = {model: source.tasks_of(model) for model in (CHAMPION, CHAMPION_OF_NEW)}
    return config_pb2.EvalConfig(
        model_specs=[
            config_pb2.ModelSpec(
                signature_name=names.EXAMPLES_SIGNATURE,
                model_type="tf_generic",
                label_keys={task: names.label_key(task) for task in settings.tasks},
                example_weight_keys={task: names.weight_key(task) for task in settings.tasks},
            )
        ],
        metrics_specs=[
            config_pb2.MetricsSpec(
                output_names=[task],
                metrics=[
                    *_metrics(task, thresholds, settings, source),
                    *_uncertainty_metrics(task, source),
                    *(
                        metric
                        for model, tasks in champions.items()
                        if task in tasks
                        for metric in _champion_metrics(model, thresholds, settings, source)
                    ),
                ],
            )
            for task, thresholds in settings.tasks.items()
        ],
        slicing_specs=[
            config_pb2.SlicingSpec(feature_keys=[names.slice_key(name) for name in slicing])
            for slicing in settings.expanded_slicings
        ],
        options={
            "include_default_metrics": {"value": False},
            "compute_confidence_intervals": {"value": True},
            "confidence_intervals": {"method": config_pb2.ConfidenceIntervalOptions.JACKKNIFE},
        },
    )


def _metrics(
    task: str,
    decision_thresholds: tuple[float, ...],
    settings: EvaluatorSettings,
    source: PredictionSource,
) -> Iterator[config_pb2.MetricConfig]:
    folds = source.out_of_fold
    yield _metric("MemberCount", MetricName(MEMBERS), _MEMBER_MODULE)
    yield _metric("SubjectCount", MetricName(SUBJECTS), folds=folds)
    yield _metric("SubjectCount", MetricName(POSITIVES), positive=True, folds=folds)
    for count, positive in _EFFECTIVE:
        yield _metric("EffectiveCount", MetricName(count), positive=positive, folds=folds)
    yield _metric(
        "GroupCurves",
        MetricName(CURVES),
        decision_thresholds=decision_thresholds,
        smallest_group=settings.smallest_group,
        folds=source.folds,
        has_intervals=task in source.tasks_of(LOWER),
    )
    for metric in COMPUTED:
        if not METRICS[metric].at_decision:
            yield _metric("ProbabilityMetric", MetricName(metric), statistic=metric, folds=folds)
            continue
        for threshold in decision_thresholds:
            yield _metric(
                "DecisionMetric",
                MetricName(metric, threshold),
                statistic=metric,
                threshold=threshold,
                folds=folds,
            )
    for reference in source.references:
        for metric in COMPARED_WITH_REFERENCES:
            for is_difference in (False, True):
                yield _metric(
                    "ReferenceMetric",
                    MetricName(metric, reference=reference, is_difference=is_difference),
                    statistic=metric,
                    reference=reference,
                    is_difference=is_difference,
                    folds=folds,
                )


def _uncertainty_metrics(task: str, source: PredictionSource) -> Iterator[config_pb2.MetricConfig]:
    if task not in source.tasks_of(LOWER):
        return
    for metric in OF_UNCERTAINTY:
        arguments = {"statistic": metric, "folds": source.out_of_fold}
        yield _metric("UncertaintyMetric", MetricName(metric), _UNCERTAINTY_MODULE, **arguments)


def _champion_metrics(
    model: str,
    decision_thresholds: tuple[float, ...],
    settings: EvaluatorSettings,
    source: PredictionSource,
) -> Iterator[config_pb2.MetricConfig]:
    """Metrics of the subjects on which the champion is compared, or of those new since its run."""
    folds = source.out_of_fold
    for count, positive in ((SUBJECTS, False), (POSITIVES, True)):
        name = MetricName(count, reference=model)
        yield _metric("ComparedCount", name, model=model, positive=positive, folds=folds)
    for count, positive in _EFFECTIVE:
        name = MetricName(count, reference=model)
        yield _metric("EffectiveCount", name, model=model, positive=positive, folds=folds)
    if model == CHAMPION:
        yield _metric(
            "GroupCurves",
            MetricName(CURVES, reference=model),
            decision_thresholds=decision_thresholds,
            smallest_group=settings.smallest_group,
            folds=source.folds,
            model=model,
        )
    for metric in COMPUTED if model == CHAMPION else COMPARED_WITH_REFERENCES:
        for threshold in decision_thresholds if METRICS[metric].at_decision else (None,):
            for is_difference in (False, True):
                yield _metric(
                    "ComparedMetric",
                    MetricName(metric, threshold, model, is_difference),
                    statistic=metric,
                    model=model,
                    is_difference=is_difference,
                    threshold=threshold,
                    folds=folds,
                )


def _metric(
    class_name: str, name: MetricName, module: str = _MODULE, /, **arguments: Any
) -> config_pb2.MetricConfig:
    return config_pb2.MetricConfig(
        class_name=class_name,
        module=module,
        config=json.dumps({"name": name.text, **arguments}),
    )
