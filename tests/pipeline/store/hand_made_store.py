"""A store of a study made by hand: two runs and a failed one, with a summary of the trial."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from pipeline.estimates import Estimate
from pipeline.names import VALIDATION
from pipeline.results.clinical_curves import DecisionPoint
from pipeline.results.documents import Curves, GroupCurves, Metrics
from pipeline.results.trial_progress import ProgressRecord
from pipeline.results.validation import (
    ExternalValidation,
    ModelUpdate,
    NetBenefitGain,
    TaskValidation,
    ValidatedModel,
)
from pipeline.store import models
from pipeline.store.export import outcome_rows
from pipeline.store.monitoring_rows import monitoring_rows
from pipeline.store.rows import Rows, joined, progress_rows
from pipeline.store.validation_rows import validation_rows
from pipeline.store.writer import export
from tests.pipeline.store.hand_made_monitoring import monitoring
from tests.pipeline.store.hand_made_registry import decisions
from tests.pipeline.store.store_runs import STARTED, comparison, record, run_rows

SECOND = STARTED + timedelta(days=1)
THIRD = STARTED + timedelta(days=2)
VALIDATED = SECOND + timedelta(hours=12)

BETWEEN = {
    **{"run": "r2", "task": "death", "metric": "auc", "groups": 3, "left_out": 1},
    **{"lowest": 0.66, "highest": 0.82, "mean": 0.75, "lower": 0.7, "upper": 0.8},
    **{"new_lower": 0.55, "new_upper": 0.9},
}
"""A row of the summary over groups."""

RISKS = [
    {
        **{"run": "r2", "task": "death", "arm": arm, "risk": risk, "risk_lower": lower},
        **{"risk_upper": upper, "mean_prediction": mean, "mean_lower": None, "mean_upper": None},
        **{"outcome": outcome, "reason": reason},
    }
    for arm, risk, lower, upper, mean, outcome, reason in (
        ("all subjects", 0.15, 0.13, 0.17, 0.16, "passes", "within_interval"),
        ("A", 0.10, 0.08, 0.13, 0.15, "fails", "outside_interval"),
        ("B", None, None, None, 0.17, "not_judged", "group_too_small"),
    )
]
"""Rows of mean predictions beside risks by the horizon."""

REFERRAL = [
    {
        **{"run": "r2", "task": "death", "point": place, "referred": referred},
        **{"subjects": subjects, "widest": widest, "observed_rate": rate, "brier": brier},
    }
    for place, referred, subjects, widest, rate, brier in (
        (0, 0.0, 60, 0.5, 0.4, 0.2),
        (1, 0.5, 30, 0.1, 0.2, 0.1),
    )
]
"""Rows of what leaving half of the subjects to people gains."""

WITH_CHAMPION = (
    record(model="difference", value=0.05, lower=-0.02, upper=0.12),
    record(model="difference", versus="ridge", value=0.01, lower=-0.05, upper=0.07),
    record(model="ridge", value=0.71),
    record(model="ridge", metric="brier", value=0.14),
    record(model="base_rate", value=0.52),
    record(model="difference", versus="base_rate", value=0.2, lower=0.1, upper=0.3),
    record(model="difference", versus="ridge", slice={"sex": "F"}, value=0.3, subjects=30),
    record(metric="calibration_in_the_large", value=0.02, lower=-0.03, upper=0.07),
    record(metric="calibration_in_the_large", model="champion", value=0.01),
    record(slice={"sex": "M"}, value=0.66, subjects=30, positives=11),
    record(slice={"sex": "F"}, metric="sensitivity", decision_threshold=0.5, value=0.9)
    | {"lower": 0.85, "upper": 0.95},
    record(slice={"sex": "M"}, metric="sensitivity", decision_threshold=0.5, value=0.5)
    | {"lower": 0.4, "upper": 0.6},
    record(slice={"sex": "F"}, metric="sensitivity", decision_threshold=0.5, model="champion"),
    record(slice={"sex": "M"}, metric="coverage_positive", value=0.84, lower=0.7, upper=0.93),
    *(
        record(metric=metric)
        for metric in ("pr_auc", "brier", "calibration_slope", "expected_calibration_error")
    ),
)
"""Of a run that compares with a champion: men are shown, and found less often than women."""


def at(rows: Rows, moment: datetime, **run: Any) -> Rows:
    """The same rows, of a run at another time."""
    changed = {
        models.Run: {"started": moment, **run},
        models.Stage: {"started": moment},
        models.Outcome: {"ended": moment},
    }
    return {
        table: [row | changed.get(table, {}) for row in content] for table, content in rows.items()
    }


def without(rows: Rows, table: type[models.Base]) -> Rows:
    return {name: content for name, content in rows.items() if name is not table}


def fill(address: str) -> None:
    """Exports the first run, a second one with a champion and a summary, a validation, a failed
    third run, a monitoring, and decisions on registered models."""
    export(address, at(run_rows("r1"), STARTED))
    calibrated = comparison(metric="calibration_in_the_large", model="champion", value=0.01)
    second = without(
        run_rows("r2", *WITH_CHAMPION, blessed=False, comparisons=[calibrated]),
        models.SuppressedGroup,
    )
    between: Rows = {models.BetweenGroups: [BETWEEN], models.PredictedRisk: RISKS}
    between |= {models.Referral: REFERRAL}
    export(address, at(second, SECOND) | progress_rows("r2", list(progress())) | between)
    export(address, at(failed_run("r3"), THIRD))
    export(address, at(validation_run("v1"), VALIDATED))
    titles = {models.Title: run_rows("m1")[models.Title]}
    export(address, titles | monitoring_rows("m1", monitoring("hand")))
    export(address, decisions("hand"))


def validation_run(run: str, study: str = "hand") -> Rows:
    """A validation of a model of the study `first`."""
    large = record(metric="calibration_in_the_large", value=-0.08, lower=-0.1, upper=-0.06)
    metrics = Metrics.model_validate(
        {
            "smallest_group": 10,
            "records": [
                record(value=0.61),
                record(value=0.58, slice={"sex": "F"}, subjects=30),
                large,
                record(metric="calibration_slope", value=0.9),
            ],
            "suppressed": [],
        }
    )
    curves = (decision_curve({}, 0.11), decision_curve({"sex": "F"}, 0.07))
    rows = run_rows(run)
    of_kind = {"study": study, "kind": VALIDATION, "parameters": {}}
    return joined(
        {
            models.Run: [row | of_kind for row in rows[models.Run]],
            models.Title: rows[models.Title],
            models.Stage: rows[models.Stage],
        },
        validation_rows(
            run,
            validation(study),
            metrics,
            Curves(curves=curves),
        ),
        outcome_rows(run, "done", VALIDATED),
    )


def decision_curve(group: dict[str, str], net_benefit: float) -> GroupCurves:
    """A curve with a point at the study's decision threshold and one at another."""
    return GroupCurves(
        task="death",
        slice=group,
        model="challenger",
        subjects=60,
        positives=20,
        calibration=(),
        roc=(),
        confusion=(),
        decision=tuple(
            DecisionPoint(
                threshold=threshold,
                net_benefit=net_benefit,
                lower=net_benefit - 0.02,
                upper=net_benefit + 0.02,
                treat_all=0.05,
                over_all=0.06,
                over_all_lower=0.04,
                over_all_upper=0.08,
            )
            for threshold in (0.2, 0.3)
        ),
    )


def validation(study: str = "hand") -> ExternalValidation:
    """What ExternalValidation wrote."""
    gain = Estimate(0.02, 0.01, 0.03)
    update = ModelUpdate(
        method="recalibration_in_the_large",
        intercept=Estimate(0.7, 0.5, 0.9),
        log_loss_gain=gain,
        brier_gain=Estimate(0.01, 0.0, 0.02),
        net_benefit_gains=(NetBenefitGain(decision_threshold=0.3, gain=gain),),
    )
    task = TaskValidation(
        task="death",
        model_task="died",
        subjects=60,
        positives=20,
        observed_to_expected=Estimate(1.3, 1.1, 1.5),
        updates=(update,),
    )
    return ExternalValidation(
        model=ValidatedModel(
            id="0123456789abcdef",
            study="first",
            registered_at="2026-01-01T00:00:00+00:00",
            fingerprint="f0",
            model_digest="d0",
        ),
        study=study,
        fingerprint="f1",
        subjects=70,
        smallest_group=10,
        case_mix=(),
        tasks=(task,),
        decision_thresholds={"death": (0.3,)},
    )


def failed_run(run: str) -> Rows:
    rows = run_rows(run)
    return {
        models.Run: rows[models.Run],
        models.Stage: [
            row | {"stage": "DataGate", "status": "failed", "error": "AGE drifts"}
            for row in rows[models.Stage]
        ],
    } | outcome_rows(run, "failed", THIRD, "DataGate", "AGE drifts")


def progress() -> Iterable[ProgressRecord]:
    """40 subjects of two arms at two sites."""
    yield number("enrolment", "subjects", 40)
    for month, subjects in (("2026-01", 10), ("2026-02", 30)):
        yield number("enrolment", "subjects", subjects, period=month)
    for site, subjects in (("01", 28), ("02", 12)):
        yield number("enrolment", "subjects", subjects, site=site)
        yield number("completeness", "share", 0.9 if site == "01" else 0.8, site=site)
    for arm, share, mean in (("Placebo", 0.6, 4.0), ("Active", 0.5, 7.5)):
        yield number("disposition", "share", share, arm=arm, category="completed", **ends(share))
        yield number("disposition", "share", 1 - share, arm=arm, category="adverse event")
        yield number("exposure", "mean", 81.5, arm=arm, parameter="duration (days)")
        yield number("adverse_events", "share", share / 2, arm=arm, category="Skin", **ends(share))
        yield number(
            "adverse_events", "share", share / 4, arm=arm, category="Skin", severity="MILD"
        )
        for visit in ("Baseline", "Week 8"):
            yield number(
                "endpoint", "mean", mean, arm=arm, visit=visit, parameter="ADAS", **ends(mean)
            )
    yield number(
        "adverse_events",
        "risk_difference",
        0.2,
        arm="Active",
        category="Skin",
        lower=0.05,
        upper=0.3,
    )


def ends(value: float) -> dict[str, float]:
    return {"lower": value - 0.1, "upper": value + 0.1}


def number(section: str, measure: str, value: float, **of: Any) -> ProgressRecord:
    content = {"section": section, "measure": measure, "value": value, "subjects": 20}
    return ProgressRecord.model_validate(content | of)
