"""One registry of metrics: whatever names, computes or shows a metric reads it."""

from __future__ import annotations

import inspect
import math
import re
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from pipeline.metrics import AT_DECISION, COMPUTED, FORMER_NAMES, JUDGED, METRICS, current_name
from pipeline.pages.metrics import metric_column, metric_title
from pipeline.results.documents import MetricRecord
from pipeline.results.monitoring import MonitoredMetric
from pipeline.study.renamed import rename_old
from pipeline.study.sections import Threshold
from pipeline.version import PROJECT


def threshold(metric: str) -> dict[str, Any]:
    return {"metric": metric, "at_least": 0.5}


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_metric_has_a_title_and_says_in_a_sentence_what_it_means(name: str) -> None:
    metric = METRICS[name]
    assert metric.title[0].isupper()
    assert re.fullmatch(r"[A-Z0-9].*\.", metric.says)
    assert metric.lowest < metric.highest


@pytest.mark.parametrize("name", COMPUTED)
def test_the_evaluator_has_a_statistic_of_each_metric_that_it_computes(name: str) -> None:
    from components.evaluator import performance

    parameters = list(inspect.signature(getattr(performance, name)).parameters)
    assert parameters == (["decisions", "threshold"] if name in AT_DECISION else ["table"])


def test_the_evaluator_computes_nothing_else() -> None:
    from components.evaluator.eval_config import (
        CURVES,
        EFFECTIVE_NEGATIVES,
        EFFECTIVE_POSITIVES,
        MEMBERS,
        POSITIVES,
        SUBJECTS,
        MetricName,
        build_eval_config,
    )
    from components.evaluator.settings import EvaluatorSettings
    from pipeline.study.load import load_study
    from pipeline.study.shipped import SCHEMAS

    settings = EvaluatorSettings.of(load_study(SCHEMAS / "synthetic" / "study.yaml"))
    (spec, *_) = build_eval_config(settings).metrics_specs
    found = {
        MetricName.parse(re.findall(r'"name": "([^"]+)"', item.config)[0]).metric
        for item in spec.metrics
    }
    effective = {EFFECTIVE_POSITIVES, EFFECTIVE_NEGATIVES}
    assert found == {*COMPUTED, MEMBERS, SUBJECTS, POSITIVES, *effective, CURVES}


@pytest.mark.parametrize("name", JUDGED)
def test_a_study_can_have_a_threshold_for_each_metric_that_is_judged(name: str) -> None:
    assert Threshold.model_validate(threshold(name)).metric == name


@pytest.mark.parametrize("name", sorted(set(METRICS) - set(JUDGED)))
def test_a_study_can_have_no_threshold_for_what_describes_the_subjects(name: str) -> None:
    with pytest.raises(ValidationError):
        Threshold.model_validate(threshold(name))


@pytest.mark.parametrize("name", sorted(METRICS))
def test_pages_know_each_metric(name: str) -> None:
    assert metric_title(name) == METRICS[name].title
    assert metric_column(name).decimals == METRICS[name].decimals


def test_a_difference_of_two_models_spans_the_range_in_both_directions() -> None:
    assert METRICS["auc"].bounds(difference=True) == (-1.0, 1.0)
    assert METRICS["calibration_in_the_large"].bounds(difference=True) == (-2.0, 2.0)
    assert METRICS["log_loss"].bounds(difference=False) == (0.0, math.inf)
    assert METRICS["log_loss"].bounds(difference=True) == (-math.inf, math.inf)


@pytest.mark.parametrize(("former", "name"), sorted(FORMER_NAMES.items()))
def test_a_former_name_is_read_as_the_name_of_today(former: str, name: str) -> None:
    assert current_name(former) == name
    renamed, found, _ = rename_old({"thresholds": [threshold(former)]})
    assert [item["metric"] for item in renamed["thresholds"]] == [name]
    assert len(found) == 1
    record = {"task": "t", "slice": {}, "metric": former, "decision_threshold": 0.5}
    record |= {"model": "challenger", "value": 0.5, "lower": None, "upper": None}
    assert MetricRecord.model_validate(record | {"subjects": 9, "positives": 3}).metric == name


@pytest.mark.parametrize(
    "folder", ["grafana/queries", "notebooks", "pipeline/pages", "grafana/page"]
)
def test_views_name_no_metric_that_the_registry_lacks(folder: str) -> None:
    """Names in the SQL and the code of views, in quotes after the word metric."""
    named = re.compile(r"metric (?:=|IN) ?\(?((?:'[a-z_0-9]+'(?:,\s*)?)+)")
    text = "\n".join(path.read_text() for path in (PROJECT / folder).rglob("*.py"))
    found = {name for part in named.findall(text) for name in re.findall(r"'(\w+)'", part)}
    assert found <= {*METRICS, *get_args(MonitoredMetric)}
