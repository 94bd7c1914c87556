"""What the Evaluator's judge says is what boards, page and alert say, whatever it had to judge."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, StaticPool, create_engine

from components.evaluator.champion import FIRST_RUN
from components.evaluator.defaults import default_thresholds
from components.evaluator.judge import judge
from components.evaluator.records import Record
from components.evaluator.settings import EvaluatorSettings
from grafana.page.quality_section import forest_row
from grafana.queries import alerts, model_quality
from pipeline.results.documents import OVERALL, Group, Metrics, ModelRole, Verdict
from pipeline.results.outcomes import LEAST_EVENTS
from pipeline.results.registration import Registration
from pipeline.results.suppress import SuppressionReason
from pipeline.store.exported_study import ExportedStudy
from pipeline.store.models import Base
from pipeline.store.rows import evaluation_rows
from pipeline.study.sections import DefaultThresholds, Threshold
from pipeline.titles import NAMES
from tests.pipeline.store.store_runs import curves, run_rows, study

SMALLEST = 10
DECISIONS = (0.2, 0.5)
CALIBRATION = "calibration_in_the_large"
MEASURES = (("auc", None), (CALIBRATION, None), *(("specificity", at) for at in DECISIONS))
ALERTS = ("trial-under-the-floor", "trial-miscalibrated")
"""The alerts that follow the judge: the second one those of calibration."""
GROUPS: tuple[Group, ...] = (OVERALL, (("sex", "F"),), (("sex", "M"),))
NOTHING = "no threshold"
WORDS = {"passes": "passes", "not_judged": "not judged", "fails": "fails"}
WORST_LAST = ("passes", "not_judged", "fails")
ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)

# Few numbers, so that values often lie on a limit.
NUMBERS = (0.25, 0.5, 0.75)
LIMITS = st.none() | st.sampled_from(NUMBERS)
NOTHING_KNOWN = (math.nan, math.nan)
ESTIMATES = st.sampled_from(
    (
        None,
        (math.nan, *NOTHING_KNOWN),
        (math.nan, 0.25, 0.75),
        *((value, *NOTHING_KNOWN) for value in NUMBERS),
        (0.5, 0.25, math.nan),
        *(
            (value, lower, upper)
            for lower, value, upper in itertools.combinations_with_replacement(NUMBERS, 3)
        ),
    )
)
"""(value, lower, upper) of a record; None for a record that is missing."""


@dataclass(frozen=True)
class Judged:
    """What the Evaluator had to judge.

    Attributes:
        thresholds: What the study demands.
        records: All records.
        suppressed: Groups that are not shown.
        has_champion: Whether a champion was scored.
        has_defaults: Whether default thresholds apply beside those of the study.
    """

    thresholds: tuple[Threshold, ...]
    records: tuple[Record, ...]
    suppressed: dict[Group, SuppressionReason]
    has_champion: bool
    has_defaults: bool

    @property
    def verdict(self) -> Verdict:
        """The judge's verdict, as it is written and read."""
        of_evaluator = EvaluatorSettings(
            tasks={"death": DECISIONS},
            slicings=("sex",),
            pairs=(),
            smallest_group=SMALLEST,
            thresholds=self.thresholds,
            split_seed=1,
            label_digest="digest",
            default_thresholds=DefaultThresholds() if self.has_defaults else None,
        )
        no_champion = None if self.has_champion else FIRST_RUN
        suppressed = {"death": self.suppressed}
        defaults = default_thresholds(of_evaluator, "split")
        made = judge(self.records, suppressed, of_evaluator, no_champion, ("death",), defaults)
        return Verdict.model_validate_json(json.dumps(made.to_json(), allow_nan=False))

    @property
    def metrics(self) -> Metrics:
        """The metrics that may be shown."""
        return Metrics.model_validate(
            {
                "smallest_group": SMALLEST,
                "records": [
                    record.shown().model_dump()
                    for record in self.records
                    if record.group not in self.suppressed
                ],
                "suppressed": [
                    {"task": "death", "slice": dict(group), "reason": reason}
                    for group, reason in self.suppressed.items()
                ],
            }
        )

    def export(self, connection: Connection) -> None:
        """Adds the run to an empty store."""
        verdict = self.verdict
        registration = Registration(registered=verdict.blessed, reason=None)
        rows = evaluation_rows(
            "r1",
            ExportedStudy.of(study(*(item.model_dump(mode="json") for item in self.thresholds))),
            self.metrics,
            verdict,
            curves(),
            registration,
        )
        for model, found in {**run_rows("r1"), **rows}.items():
            if found:
                connection.execute(Base.metadata.tables[model.__tablename__].insert(), found)


@st.composite
def thresholds(draw: st.DrawFn) -> Threshold:
    metric, decision = draw(st.sampled_from((("specificity", None), *MEASURES)))
    at_least, at_most = draw(st.tuples(LIMITS, LIMITS).filter(lambda pair: pair != (None, None)))
    return Threshold(
        metric=metric,
        decision_threshold=decision,
        at_least=at_least,
        at_most=at_most,
        holds=draw(st.sampled_from(("point", "bound", "overlap"))),
        strict=draw(st.booleans()),
        scope=draw(st.sampled_from(("overall", "every_slice"))),
        versus=draw(
            st.sampled_from((None, None, "champion", *(("base_rate",) if metric == "auc" else ())))
        ),
    )


@st.composite
def judged(draw: st.DrawFn) -> Judged:
    has_champion = draw(st.booleans())
    models: tuple[tuple[ModelRole, str | None], ...] = (
        ("challenger", None),
        ("difference", "base_rate"),
    )
    if has_champion:
        models = (*models, ("champion", None), ("difference", None))
    positives = draw(st.sampled_from((LEAST_EVENTS, LEAST_EVENTS, LEAST_EVENTS - 1)))
    reasons: tuple[SuppressionReason | None, ...] = (None, None, "too_small", "complementary")
    suppressed: dict[Group, SuppressionReason] = {}
    for group in GROUPS:
        reason = draw(st.sampled_from(reasons if group else reasons[:3]))
        if reason:
            suppressed[group] = reason
    return Judged(
        tuple(draw(st.lists(thresholds(), min_size=1, max_size=4))),
        tuple(
            Record("death", group, metric, decision, model, *estimate, 20, positives, versus)
            for group in GROUPS
            for model, versus in models
            for metric, decision in MEASURES
            if (versus is None or metric == "auc") and (estimate := draw(ESTIMATES)) is not None
        ),
        suppressed,
        has_champion,
        draw(st.booleans()),
    )


@pytest.fixture(scope="module")
def store() -> Iterator[Connection]:
    """An empty store in memory."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def outcomes(verdict: Verdict) -> dict[tuple[str, str, str, float, str], str]:
    """The worst outcome by model, slicing, metric, decision threshold and slice."""
    found: dict[tuple[str, str, str, float, str], str] = {}
    for item in verdict.comparisons or ():
        slicing, group = ", ".join(item.slicing), ", ".join(item.slice.values())
        key = item.model, slicing, item.metric, item.decision_threshold or 0.0, group
        found[key] = max(found.get(key, "passes"), item.outcome, key=WORST_LAST.index)
    return found


def board_rows(store: Connection, **choice: Any) -> list[Any]:
    asked = {"run": "r1", "task": "death", **choice}
    return model_quality.SLICES.rows(store, asked, ALWAYS)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(case=judged())
def test_the_word_on_the_board_is_the_judges_outcome(store: Connection, case: Judged) -> None:
    expected = outcomes(case.verdict)
    with store.begin_nested() as savepoint:
        case.export(store)
        for model in ("challenger", "champion"):
            for slicing in ("", "sex"):
                for metric, at in MEASURES:
                    choice = {"model": model, "slicing": slicing, "metric": metric}
                    rows = board_rows(store, **choice, decision=at or 0.0)
                    of_choice = (model, slicing, metric, at or 0.0)
                    judged_groups = {
                        key[4]: out for key, out in expected.items() if key[:4] == of_choice
                    }
                    words = {row["group"]: row["verdict"] for row in rows}
                    assert len(words) == len(rows)
                    assert words == dict.fromkeys(words, NOTHING) | {
                        group: WORDS[outcome] for group, outcome in judged_groups.items()
                    }
                    marked = {
                        row["group"] for row in rows if forest_row(row, SMALLEST).tone == "bad"
                    }
                    assert marked == {g for g, out in judged_groups.items() if out == "fails"}
        savepoint.rollback()


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(case=judged())
def test_the_alert_is_raised_where_the_judge_says_that_the_model_in_use_fails(
    store: Connection, case: Judged
) -> None:
    verdict = case.verdict
    in_use = "challenger" if verdict.blessed else "champion"
    failing = {
        (metric, slicing or "overall", group or "overall")
        for (model, slicing, metric, _, group), outcome in outcomes(verdict).items()
        if model == in_use and outcome == "fails"
    }
    with store.begin_nested() as savepoint:
        case.export(store)
        raised = [
            (alert.uid, row["metric"], row["slicing"], row["slice"])
            for alert in alerts.ALERTS
            if alert.uid in ALERTS
            for row in alert.query.rows(store, {}, ALWAYS)
            if alert.has_happened(row)
        ]
        savepoint.rollback()

    assert len(set(raised)) == len(raised)
    assert set(raised) == {(ALERTS[key[0] == CALIBRATION], *key) for key in failing}
    assert not (verdict.blessed and raised)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(case=judged())
def test_nothing_of_a_suppressed_group_is_in_a_comparison(case: Judged) -> None:
    for item in case.verdict.comparisons or ():  # may be empty
        if item.group in case.suppressed:
            assert item.value is None
            numbers = {float(found) for found in re.findall(r"\d+\.?\d*", item.text(NAMES))}
            assert numbers <= {*(abs(item.limit), item.decision_threshold, SMALLEST, LEAST_EVENTS)}
