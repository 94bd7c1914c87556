"""The model card: all that the run measured, nothing that it did not."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from typing import Any

import pytest

from pipeline.html.blocks import Figure, KeyFigures, Table
from pipeline.html.page import render
from pipeline.names import SITE
from pipeline.pages.card import card_page
from pipeline.pages.counted_groups import COUNTS_DIFFER
from pipeline.pages.importance import importance_blocks
from pipeline.pages.report import report_page
from pipeline.pages.uncertainty import NO_SETS, PROMISE
from pipeline.results.card import Card, Evidence, Lineage, make_card
from pipeline.results.counts import Counts
from pipeline.results.documents import Curves, MetricRecord, Metrics, Verdict
from pipeline.results.evaluation_plan import SPLIT_PLAN, EvaluationPlan
from pipeline.results.findings import Findings
from pipeline.results.importance import FeaturePair, Importance, TaskImportance
from pipeline.results.training import TrainingFacts
from pipeline.study.features import feature_columns
from pipeline.study.load import load_study, parse_study
from pipeline.study.shipped import SCHEMAS
from pipeline.study.study import Study
from pipeline.study.tripod import ITEMS
from pipeline.study.untitled import untitled_features
from tests.components.run_page.hand_made_run import BY_SITE, CROSS_FIT
from tests.html_reading import read_html
from tests.split_words import names_a_split

REPOSITORY = Path(__file__).parents[3]
TASKS = ("worsening", "response", "hepatic_ae")


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study(REPOSITORY / "schema" / "synthetic" / "study.yaml")


def record(task: str, **changes: Any) -> MetricRecord:
    content = {  # type: ignore[var-annotated]
        "task": task,
        "slice": {},
        "metric": "auc",
        "decision_threshold": None,
        "model": "challenger",
        "value": 0.712,
        "lower": 0.65,
        "upper": 0.77,
        "subjects": 400,
        "positives": 120,
    }
    return MetricRecord.model_validate(content | changes)


METRICS = (
    "auc",
    "pr_auc",
    "brier",
    "log_loss",
    "calibration_slope",
    "expected_calibration_error",
)


def evidence(**changes: Any) -> Evidence:
    records = [record(task, metric=metric) for task in TASKS for metric in METRICS]
    split_counts = {"train": {"known": 1200, "positives": 360}}
    found = Evidence(
        metrics=Metrics(smallest_group=10, records=tuple(records), suppressed=()),
        verdict=Verdict(
            blessed=True,
            judged=True,
            compared=7,
            comparisons=(),
            reasons=(),
            not_judged=(),
            notes=(),
        ),
        curves=Curves(curves=()),
        findings=Findings(root=()),
        counts=Counts.model_validate(
            {
                "datasets": {},
                "subjects": {"train": 1200, "eval": 400, "test": 400},
                "tasks": dict.fromkeys(TASKS, split_counts),
            }
        ),
        training=TrainingFacts(
            steps=100,
            epochs=4,
            best_epoch=3,
            score=0.9,
            seconds=2.5,
            seed=1,
            hyperparameters={"width": 64},
            calibration={},
            weights=500,
        ),
        missing={"AGE": 0, "SMOKFL": None, "WEIGHTBL": 60},
        sites=12,
        champion=None,
        lineage=Lineage(
            code_version="0.1.0",
            dependency_lock="",
            versions={"tfx": "1.16.0"},
            study_digest="s" * 64,
            fingerprint="f" * 64,
            artifacts={},
        ),
    )
    return found.model_copy(update=changes)


def card_of(study: Study, **changes: Any) -> Card:
    return make_card(study, evidence(**changes))


def html_of(study: Study, **changes: Any) -> str:
    return render(card_page(card_of(study, **changes)))


def out_of_fold(plan: EvaluationPlan) -> dict[str, Any]:
    """Evidence of a run that predicts all subjects out of fold."""
    found = evidence()
    labels = {"train": {"known": 2000, "positives": 600}}
    counts = {
        "datasets": {},
        "subjects": {"train": 2000, "eval": 0, "test": 0},
        "tasks": dict.fromkeys(TASKS, labels),
    }
    return {
        "metrics": found.metrics.model_copy(update={"evaluation": plan}),
        "counts": Counts.model_validate(counts),
    }


@pytest.mark.parametrize("plan", [CROSS_FIT, BY_SITE], ids=lambda plan: plan.scheme)
def test_out_of_fold_neither_card_nor_report_names_a_split(
    study: Study, plan: EvaluationPlan
) -> None:
    card = card_of(with_card(study, limits=()), **out_of_fold(plan))
    for page in (card_page(card), report_page(card, None, "run")):
        html = render(page)
        assert "models that never saw" in html
        assert not names_a_split(html)


def test_out_of_fold_the_limits_say_what_the_numbers_are_of(study: Study) -> None:
    limits = " ".join(card_of(study, **out_of_fold(CROSS_FIT)).limits)
    assert "is trained on all subjects by the same procedure" in limits
    assert "no evidence of calibration" in limits


def test_internal_external_does_not_say_that_other_sites_were_not_measured(study: Study) -> None:
    limits = " ".join(card_of(study, **out_of_fold(BY_SITE)).limits)
    assert "at other sites" not in limits
    assert "at other sites" in " ".join(card_of(study, **out_of_fold(CROSS_FIT)).limits)


def with_card(study: Study, **said: Any) -> Study:
    return study.model_copy(update={"card": study.card.model_copy(update=said)})


def items_of(card: Card) -> dict[str, str]:
    return {item.number: item.status for item in card.items}


def test_every_item_of_tripod_ai_has_a_status(study: Study) -> None:
    assert list(items_of(card_of(study))) == list(ITEMS)


def test_what_the_run_can_not_know_waits_for_a_person(study: Study) -> None:
    statuses = items_of(make_card(with_card(study, statements={}), evidence()))
    assert statuses["17"] == "needs a person"
    assert statuses["18f"] == "filled in part by the run, needs a person"
    assert statuses["23a"] == "filled by the run"


def test_a_persons_statement_answers_an_item(study: Study) -> None:
    stated = with_card(study, statements={"17": "Approved by the committee.", "18f": "Public."})
    card = make_card(stated, evidence())
    assert items_of(card)["17"] == "stated by a person"
    assert items_of(card)["18f"] == "filled by the run and a person"
    assert "Approved by the committee." in render(card_page(card))


def test_the_sections_that_items_refer_to_are_on_the_page(study: Study) -> None:
    page = card_page(card_of(study))
    sections = {section.id for section in page.sections}
    assert {item.section for item in ITEMS.values() if item.section} <= sections


def test_an_auc_without_an_interval_says_so_in_the_headline(study: Study) -> None:
    found = record(TASKS[0], lower=None, upper=None)
    metrics = Metrics(smallest_group=10, records=(found,), suppressed=())
    (figures,) = [
        block
        for block in card_page(card_of(study, metrics=metrics)).blocks
        if isinstance(block, KeyFigures)
    ]
    (figure,) = figures.figures
    assert (figure.value, figure.detail) == (0.712, "no interval")


def test_a_purpose_that_is_not_stated_is_listed_as_missing(study: Study) -> None:
    html = render(card_page(make_card(with_card(study, purpose=None), evidence())))
    assert "Not stated: add it" in html


def test_a_refused_model_has_a_card_with_the_reasons(study: Study) -> None:
    reason = {
        "reason": "beyond_limit",
        "side": "at_least",
        "limit": 0.75,
        "estimate": {"value": 0.71, "lower": None, "upper": None},
        "task": "worsening",
        "slice": {},
        "metric": "auc",
        "decision_threshold": None,
        "model": "challenger",
        "value": 0.71,
        "threshold": {"metric": "auc", "at_least": 0.75},
    }
    content = {"blessed": False, "judged": True, "compared": 7, "reasons": [reason]}
    verdict = Verdict.model_validate(content | {"comparisons": [], "not_judged": [], "notes": []})
    html = html_of(study, verdict=verdict)
    assert "Refused" in html
    title = study.tasks["worsening"].title
    assert f"{title}: AUC overall is 0.71, below 0.75" in html


def test_of_more_sites_than_a_list_of_names_holds_as_many_are_counted_as_a_split_has() -> None:
    from tensorflow_metadata.proto.v0 import statistics_pb2

    from components.model_card.executor import _sites

    splits = {name: statistics_pb2.DatasetFeatureStatistics() for name in ("train", "test")}
    for (name, split), unique in zip(splits.items(), (5, 2), strict=True):
        feature = split.features.add()
        feature.path.step.append(SITE)
        feature.string_stats.unique = unique
        feature.string_stats.rank_histogram.buckets.add(label=f"first of {name}")

    assert _sites(splits) == 5
    splits["train"].features[0].string_stats.unique = 1
    assert _sites(splits) == 2


def test_without_a_champion_no_comparison_is_claimed(study: Study) -> None:
    card = card_of(study)
    assert card.evidence.champion is None
    assert any("no comparable champion" in limit for limit in card.limits)
    assert "Challenger minus champion" not in render(card_page(card))


def test_a_comparison_with_the_champion_is_shown_with_its_interval(study: Study) -> None:
    difference = record("worsening", model="difference", value=0.0123, lower=-0.01, upper=0.03)
    records = (*evidence().metrics.records, difference)
    metrics = Metrics(smallest_group=10, records=records, suppressed=())
    html = html_of(study, champion="c0ffee", metrics=metrics)
    assert "c0ffee" in html
    assert "0.0123 (−0.0100 to 0.0300)" in read_html(html).text


def test_few_missing_values_are_not_counted(study: Study) -> None:
    html = html_of(study)
    assert "&lt;10" in html
    assert "5.0" in html  # WEIGHTBL: 60 of 1,200


def test_few_events_are_a_limit(study: Study) -> None:
    records = tuple(
        record(task, metric=metric, positives=99 if task == "hepatic_ae" else 100)
        for task in TASKS
        for metric in METRICS
    )
    metrics = Metrics(smallest_group=10, records=records, suppressed=())
    (limit,) = [text for text in card_of(study, metrics=metrics).limits if "100 test" in text]
    assert limit.endswith(": Hepatobiliary adverse event on study days 29 to 180.")
    assert "worsening" not in limit


def test_gaps_between_groups_are_in_the_card(study: Study) -> None:
    groups = [
        record("worsening", slice={"sex": "F"}, value=0.75, lower=0.72, upper=0.78),
        record("worsening", slice={"sex": "M"}, value=0.70, lower=0.66, upper=0.74),
    ]
    records = (*evidence().metrics.records, *groups)
    card = card_of(study, metrics=Metrics(smallest_group=10, records=records, suppressed=()))
    (gap,) = card.gaps
    assert (gap.lowest, gap.highest) == ("sex M", "sex F")
    assert (gap.value, gap.lower, gap.upper) == tuple(
        pytest.approx(value) for value in (0.05, 0.0, 0.10)
    )


def test_a_task_that_is_wholly_suppressed_has_no_numbers(study: Study) -> None:
    shown = tuple(r for r in evidence().metrics.records if r.task != "hepatic_ae")
    metrics = Metrics(smallest_group=10, records=shown, suppressed=())
    html = html_of(study, metrics=metrics)
    assert "hepatic_ae" in html
    assert "&lt;10" in html


def test_a_period_that_is_not_stated_is_not_answered_by_the_run(study: Study) -> None:
    unstated = make_card(with_card(study, period=None), evidence())
    assert items_of(unstated)["5b"] == "needs a person"
    stated = make_card(with_card(study, period="1991 to 1996"), evidence())
    assert items_of(stated)["5b"] == "stated by a person"
    assert "1991 to 1996" in render(card_page(stated))


def test_why_rows_were_rejected_is_shown_without_how_many_by_reason(study: Study) -> None:
    rows = {"rows_in": 9, "used": 7, "excluded": 0, "rejected": 2, "reasons": {"no day": 2}}
    counts = evidence().counts.model_dump() | {"datasets": {"adae": rows}}
    html = html_of(study, counts=Counts.model_validate(counts))
    assert "<li>no day</li>" in html


@pytest.mark.parametrize("site_as_feature", [False, True])
def test_predictors_are_all_columns_that_the_model_reads(
    study: Study, site_as_feature: bool
) -> None:
    content = study.to_content()
    content["training"] = {**content.get("training", {}), "site_as_feature": site_as_feature}
    changed = parse_study(content, "study")
    assert changed.arm
    numbers, categories = feature_columns(changed)

    found = make_card(changed, evidence()).features

    kinds = dict.fromkeys(numbers, "number") | dict.fromkeys(categories, "category")
    assert {feature.name: feature.kind for feature in found} == kinds
    assert "arm" in kinds
    assert ("site" in kinds) == site_as_feature


@pytest.mark.parametrize(("known", "is_said"), [(1200, False), (1197, True)])
def test_the_plot_of_groups_says_that_all_subjects_are_those_with_a_known_outcome(
    study: Study, known: int, is_said: bool
) -> None:
    labels = {"train": {"known": known, "positives": 360, "masked": {"rejected row": 1200 - known}}}
    counts = Counts.model_validate(
        {
            "datasets": {},
            "subjects": {"train": 1200, "eval": 0, "test": 0},
            "tasks": dict.fromkeys(TASKS, labels),
        }
    ).published(10)

    assert (COUNTS_DIFFER in html_of(study, counts=counts)) == is_said


def test_the_card_has_what_the_model_uses_unless_it_is_of_too_few_subjects(study: Study) -> None:
    of_task = TaskImportance(
        features={"AGE": 0.9, "SEX": 0.4},
        pairs=(FeaturePair(first="AGE", second="SEX", size=0.21),),
    )
    used = Importance(subjects=300, paired=200, tasks=dict.fromkeys(TASKS, of_task))
    facts = evidence().training.model_copy(update={"importance": used})

    shown = render(card_page(make_card(study, evidence(training=facts.published(200)))))
    hidden = render(card_page(make_card(study, evidence(training=facts.published(201)))))

    assert shown.count("Age (years) and Sex") == len(TASKS)
    assert "What the model uses" in shown
    assert "Age (years) and Sex" not in hidden


def test_the_card_says_what_sets_promise_and_what_was_measured_in_each_group(study: Study) -> None:
    covered = [
        record("response", metric="coverage_positive", value=0.91, lower=0.88, upper=0.94),
        record("response", metric="coverage_positive", slice={"sex": "F"}, value=0.84),
        record("response", metric="coverage_negative", slice={"sex": "F"}, value=0.93),
    ]
    before = evidence().metrics
    html = html_of(
        study, metrics=before.model_copy(update={"records": (*before.records, *covered)})
    )

    section = html[html.index('id="uncertainty"') : html.index('id="fairness"')]
    assert PROMISE in unescape(section)
    assert "at least 500 of them with, or without, the outcome" in PROMISE
    assert "84.0" in section
    assert "93.0" in section
    # The other two tasks have neither.
    assert unescape(section).count(NO_SETS) == 2


def test_a_predictor_has_its_title_and_beside_it_the_name_that_the_model_reads() -> None:
    content = load_study(SCHEMAS / "synthetic" / "study.yaml").to_content()
    content["features"]["WEIGHTBL"]["title"] = "Weight <kg>"
    page = card_page(card_of(parse_study(content, "the study")))
    tables = {
        block.caption: block
        for section in page.sections
        for block in section.blocks
        if isinstance(block, Table)
    }

    predictors, missing = tables["Predictors"], tables["Training subjects without a value"]
    assert [column.title for column in predictors.columns] == [
        *("Predictor", "Name", "Kind", "Comes from")
    ]
    assert predictors.rows[4] == ["Weight <kg>", "WEIGHTBL", "number", "adsl, WEIGHTBL"]
    assert {"Weight <kg>", "Current smoker"} < {row[0] for row in missing.rows}
    assert "Weight &lt;kg&gt;" in render(page)


def test_predictors_without_titles_have_one_column_of_names() -> None:
    content = load_study(SCHEMAS / "synthetic" / "study.yaml").to_content()
    content["features"] = untitled_features(content["features"])
    page = card_page(card_of(parse_study(content, "the study")))
    [predictors] = [
        block
        for section in page.sections
        for block in section.blocks
        if isinstance(block, Table) and block.caption == "Predictors"
    ]

    assert [column.title for column in predictors.columns] == ["Predictor", "Kind", "Comes from"]
    assert [row[0] for row in predictors.rows[:2]] == ["AGE", "SEX"]


@pytest.mark.parametrize(
    ("plan", "whose"),
    [(SPLIT_PLAN, "subjects of the eval split"), (CROSS_FIT, "training subjects")],
)
def test_importance_says_of_whom_it_is(plan: EvaluationPlan, whose: str) -> None:
    used = TaskImportance(features={"AGE": 0.4, "SEX": 0.1}, pairs=())
    importance = Importance(subjects=300, paired=100, tasks={"response": used})

    figure, _ = importance_blocks(importance, "response", 10, plan, {})

    assert isinstance(figure, Figure)
    assert f"over 300 {whose}," in figure.caption
