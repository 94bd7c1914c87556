"""Whole runs of the executor on hand-made predictions."""

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from components.evaluator.named_groups import OTHER
from components.evaluator.settings import EvaluatorSettings
from pipeline.metrics import METRICS
from pipeline.results.resolution import at_resolution, rounded_count
from pipeline.study.sections import Threshold
from tests.document_schemas import check_document
from tests.each import each
from tests.verdict_texts import note_texts, text_of

TASKS = ("response", "hepatic_ae")
GROUPS = 20


@pytest.fixture(scope="module")
def rows() -> Any:
    """600 subjects: 9 of unknown sex, some without a region, every seventh outcome unknown.

    Those of the second task are weighted.
    """
    generator = np.random.default_rng(7)
    made = []
    for number in range(600):
        row = {
            "subject_hash": f"{number * 7919:016x}".encode(),
            "slice_sex": b"U" if number < 9 else (b"F", b"M")[number % 2],
            "slice_arm": (b"Active", b"Placebo")[(number // 2) % 2],
            "age": 50.0,
        }
        if number % 5:
            row["slice_region"] = (b"North", b"South")[number % 3 > 1]
        for place, task in enumerate(TASKS):
            logit = generator.normal(-0.5, 1.2)
            known = (number + place) % 7 != 0
            row[f"label_{task}"] = float(known and generator.random() < 1 / (1 + np.exp(-logit)))
            row[f"weight_{task}"] = float(known) * (1 + 0.37 * place * (number % 4))
            row[f"p_{task}"] = 1 / (1 + np.exp(-logit))
            row[f"q_{task}"] = 1 / (1 + np.exp(-logit - generator.normal(0, 0.8)))
        made.append(row)
    return made


@pytest.fixture(scope="module")
def settings() -> Any:
    return EvaluatorSettings(
        tasks=dict.fromkeys(TASKS, (0.3, 0.5)),
        slicings=("sex", "arm", "region"),
        pairs=(("sex", "arm"),),
        smallest_group=20,
        thresholds=(
            Threshold(metric="auc", at_least=0.6, scope="every_slice"),
            Threshold(metric="brier", at_most=0.05, versus="champion"),
        ),
        split_seed=3,
        label_digest="digest",
    )


@pytest.fixture(scope="module")
def evaluation(
    run_evaluator: Any, settings: Any, rows: Any, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    champion = {"present": 1, "split_seed": 3, "label_digest": "digest"}
    return run_evaluator(tmp_path_factory.mktemp("with_champion"), settings, rows, champion)


@pytest.fixture(scope="module")
def first_run(
    run_evaluator: Any, settings: Any, rows: Any, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """One task, no champion yet, and a threshold that can't be reached."""
    demanding = settings.model_copy(
        update={
            "tasks": {"response": (0.5,)},
            "thresholds": (Threshold(metric="auc", at_least=0.99),),
        }
    )
    folder = tmp_path_factory.mktemp("first_run")
    return run_evaluator(folder, demanding, rows, {"present": 0})


def known(rows: Any, task: Any, **group: Any) -> Any:
    """Label, challenger's and champion's prediction, jackknife group, weight of known outcomes."""
    kept = [
        row
        for row in rows
        if row[f"weight_{task}"]
        and all(row.get(f"slice_{name}", b"").decode() == value for name, value in group.items())
    ]
    return (
        np.array([row[f"label_{task}"] for row in kept]),
        np.array([row[f"p_{task}"] for row in kept], np.float32).astype(float),
        np.array([row[f"q_{task}"] for row in kept], np.float32).astype(float),
        np.array([zlib.crc32(row["subject_hash"]) % GROUPS for row in kept]),
        np.array([row[f"weight_{task}"] for row in kept], np.float32).astype(float),
    )


def members(rows: Any, group: Any) -> int:
    """Subjects of a group, with a known outcome or without."""
    return sum(
        all(row.get(f"slice_{name}", b"").decode() == value for name, value in group.items())
        for row in rows
    )


def shown(exact: float, subjects: int, group: Any) -> float:
    """A number as it is shown: of a group, whose labels are partly unknown, at its resolution."""
    return at_resolution(exact, subjects) if group else exact


def jackknife(statistic: Any, groups: Any) -> Any:
    """The 95 % interval from the twenty samples that leave out one group each."""
    point = statistic(np.ones(len(groups), bool))
    samples = np.array([statistic(groups != group) for group in range(GROUPS)])
    pseudo = GROUPS * point - (GROUPS - 1) * samples
    reach = stats.t.ppf(0.975, GROUPS - 1) * pseudo.std(ddof=1) / np.sqrt(GROUPS)
    return samples.mean() - reach, samples.mean() + reach


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("group", [{}, {"arm": "Active"}, {"region": "South"}], ids=str)
def test_values_are_those_of_the_subjects_whose_outcome_is_known(
    evaluation: Any, rows: Any, task: Any, group: Any
) -> None:
    label, score, _, _, weight = known(rows, task, **group)

    auc = evaluation.record(task, "auc", **group)
    expected = shown(sk.roc_auc_score(label, score, sample_weight=weight), len(label), group)
    assert auc["value"] == pytest.approx(expected, abs=1e-12)
    assert auc["subjects"] == (members(rows, group) if group else len(label))
    positives = int(label.sum())
    assert auc["positives"] == (rounded_count(positives) if group else positives)
    sensitivity = evaluation.record(task, "sensitivity", decision_threshold=0.3, **group)
    exact = sk.recall_score(label, score >= 0.3, sample_weight=weight)
    assert sensitivity["value"] == pytest.approx(shown(exact, positives, group), abs=1e-12)


@pytest.mark.parametrize("group", [{}, {"arm": "Placebo"}], ids=str)
def test_intervals_are_those_of_the_delete_a_group_jackknife(
    evaluation: Any, rows: Any, group: Any
) -> None:
    label, score, _, groups, _ = known(rows, "response", **group)

    for metric, statistic in [
        ("auc", lambda kept: sk.roc_auc_score(label[kept], score[kept])),
        ("brier", lambda kept: np.mean((label[kept] - score[kept]) ** 2)),
        ("calibration_in_the_large", lambda kept: np.mean(score[kept] - label[kept])),
    ]:
        record = evaluation.record("response", metric, **group)
        coarse = group if METRICS[metric].is_counted else {}
        expected = [shown(end, len(label), coarse) for end in jackknife(statistic, groups)]
        assert (record["lower"], record["upper"]) == pytest.approx(expected, abs=1e-9)


def test_the_difference_to_the_champion_has_the_interval_of_paired_samples(
    evaluation: Any, rows: Any
) -> None:
    label, score, champion, groups, weight = known(rows, "hepatic_ae")

    def difference(kept: Any) -> Any:
        own, other = (
            sk.roc_auc_score(label[kept], of[kept], sample_weight=weight[kept])
            for of in (score, champion)
        )
        return own - other

    record = evaluation.record("hepatic_ae", "auc", "difference")
    assert record["value"] == pytest.approx(difference(np.ones(len(label), bool)), abs=1e-12)
    expected = jackknife(difference, groups)
    assert (record["lower"], record["upper"]) == pytest.approx(expected, abs=1e-9)


def test_the_champion_is_scored_on_the_same_subjects(evaluation: Any, rows: Any) -> None:
    label, _, champion, _, _ = known(rows, "response", arm="Active")

    record = evaluation.record("response", "auc", "champion", arm="Active")
    assert record["value"] == at_resolution(sk.roc_auc_score(label, champion), len(label))
    assert record["subjects"] == members(rows, {"arm": "Active"})


@pytest.mark.slow
def test_another_order_of_rows_gives_the_same_files_to_the_last_digit(
    run_evaluator: Any, settings: Any, rows: Any, evaluation: Any, tmp_path: Path
) -> None:
    shuffled = [rows[place] for place in np.random.default_rng(1).permutation(len(rows))]
    champion = {"present": 1, "split_seed": 3, "label_digest": "digest"}

    again = run_evaluator(tmp_path, settings, shuffled, champion)

    assert again.metrics == evaluation.metrics
    assert again.verdict == evaluation.verdict
    assert again.curves == evaluation.curves


@pytest.mark.parametrize(("model", "column"), [("challenger", 1), ("champion", 2)])
@pytest.mark.parametrize("group", [{}, {"arm": "Active"}], ids=str)
def test_the_curves_are_those_of_the_subjects_whose_outcome_is_known(
    evaluation: Any, rows: Any, model: Any, column: Any, group: Any
) -> None:
    label, score = (known(rows, "response", **group)[place] for place in (0, column))

    (found,) = (
        curves
        for curves in evaluation.curves["curves"]
        if (curves["task"], curves["slice"], curves["model"]) == ("response", group, model)
    )

    positives = int(label.sum())
    counts = (members(rows, group), rounded_count(positives)) if group else (len(label), positives)
    assert (found["subjects"], found["positives"]) == counts
    binned = sum(part["subjects"] for part in found["calibration"])
    # Numbers of a group's bins are rounded to fives.
    nearly = 2.5 * len(found["calibration"]) if group else 0
    assert binned == pytest.approx(len(label), abs=nearly)
    predicted = [part["subjects"] * part["mean_prediction"] for part in found["calibration"]]
    assert sum(predicted) == pytest.approx(score.sum(), abs=nearly or None)
    (point,) = (point for point in found["roc"] if point["threshold"] == 0.3)
    rate = shown(sk.recall_score(label, score >= 0.3), positives, group)
    assert point["true_positive_rate"] == pytest.approx(rate)


def test_curves_are_given_for_the_groups_that_metrics_are_given_for(evaluation: Any) -> None:
    def groups(records: Any) -> Any:
        return {
            (record["task"], record["model"], tuple(sorted(record["slice"].items())))
            for record in records
            if record["model"] != "difference"
        }

    assert groups(evaluation.curves["curves"]) == groups(evaluation.metrics["records"])


def test_a_group_that_is_too_small_has_no_numbers(evaluation: Any) -> None:
    assert not [r for r in each(evaluation.metrics["records"]) if r["slice"] == {"sex": "U"}]
    assert {
        "task": "response",
        "slice": {"sex": OTHER},
        "reason": "too_small",
        "subjects": None,
    } in evaluation.metrics["suppressed"]


def test_the_numbers_shown_do_not_add_up_to_the_small_group(evaluation: Any) -> None:
    shown = {
        record["slice"]["sex"]
        for record in evaluation.metrics["records"]
        if list(record["slice"]) == ["sex"]
    }
    assert len(shown) == 1


def test_the_verdict_and_the_blessing_agree(evaluation: Any) -> None:
    assert evaluation.verdict["blessed"]
    assert evaluation.verdict["compared"] > 0
    assert evaluation.blessing.get_int_custom_property("blessed") == 1
    assert [file.name for file in (evaluation.folder / "blessing").iterdir()] == ["BLESSED"]


def test_the_blessing_names_both_models_as_tfx_does(evaluation: Any) -> None:
    blessing = evaluation.blessing

    assert blessing.get_string_custom_property("current_model") == str(evaluation.folder / "model")
    assert blessing.get_string_custom_property("baseline_model") == str(
        evaluation.folder / "baseline"
    )


def test_a_refused_model_is_not_blessed(first_run: Any) -> None:
    assert not first_run.verdict["blessed"]
    assert text_of(first_run.verdict["reasons"][0]).startswith("response: AUC overall is ")
    assert first_run.blessing.get_int_custom_property("blessed") == 0
    assert [file.name for file in (first_run.folder / "blessing").iterdir()] == ["NOT_BLESSED"]


@pytest.fixture(scope="module")
def lacking(
    run_evaluator: Any, settings: Any, rows: Any, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """The champion serves one of the two tasks."""
    champion = {"present": 1, "split_seed": 3, "label_digest": "digest"}
    folder = tmp_path_factory.mktemp("lacking")
    return run_evaluator(folder, settings, rows, champion, champion_tasks=["response"])


def test_a_task_that_the_champion_lacks_is_evaluated_of_the_challenger_alone(
    lacking: Any, evaluation: Any
) -> None:
    models = {(item["task"], item["model"]) for item in lacking.metrics["records"]}

    assert models == {
        ("hepatic_ae", "challenger"),
        *(("response", model) for model in ("challenger", "champion", "difference")),
    }
    for model in ("challenger", "champion", "difference"):
        assert lacking.record("response", "auc", model) == evaluation.record(
            "response", "auc", model
        )
    assert lacking.record("hepatic_ae", "auc") == evaluation.record("hepatic_ae", "auc")


def test_a_task_that_the_champion_lacks_has_no_champion_to_be_compared_with(lacking: Any) -> None:
    reasons = {
        item["task"]: item["reason"]
        for item in lacking.verdict["comparisons"]
        if item["model"] == "difference"
    }
    assert reasons["hepatic_ae"] == "no_champion"
    assert reasons["response"] in ("within_limit", "beyond_limit")


def test_a_first_run_is_evaluated_without_a_champion(first_run: Any) -> None:
    assert note_texts(first_run.verdict) == ["No champion: no model has been blessed before."]
    assert {record["model"] for record in first_run.metrics["records"]} == {"challenger"}


def test_no_hash_of_a_subject_is_written_anywhere(evaluation: Any, rows: Any) -> None:
    hashes = {row["subject_hash"] for row in rows}
    for folder in ("evaluation", "verdict", "blessing"):
        for file in each((evaluation.folder / folder).rglob("*")):
            content = file.read_bytes() if file.is_file() else b""
            assert not any(value in content for value in each(hashes))


def test_numbers_that_do_not_exist_are_null_in_the_file(evaluation: Any) -> None:
    text = (evaluation.folder / "verdict" / "metrics.json").read_text()

    json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} is not JSON"))


def test_tfma_gets_its_own_jackknife_back(evaluation: Any) -> None:
    from tensorflow_model_analysis.evaluators import jackknife as tfma_jackknife

    module = tfma_jackknife.ComputeWithConfidenceIntervals.__module__
    assert evaluation.verdict
    assert not module.startswith("components")


def test_numbers_of_subjects_are_counts_and_never_sums_of_weights(
    evaluation: Any, rows: Any
) -> None:
    label, score, _, _, weight = known(rows, "hepatic_ae")

    (found,) = (
        curves
        for curves in evaluation.curves["curves"]
        if (curves["task"], curves["slice"], curves["model"]) == ("hepatic_ae", {}, "challenger")
    )

    assert (found["subjects"], found["positives"]) == (len(label), label.sum())
    assert sum(part["subjects"] for part in found["calibration"]) == len(label)
    (counted,) = (item for item in found["confusion"] if item["decision_threshold"] == 0.3)
    flagged = score >= 0.3
    assert counted["true_positives"] == (flagged & (label > 0)).sum()
    assert counted["true_negatives"] == (~flagged & (label == 0)).sum()
    assert weight.sum() > 1.3 * len(label)
    numbers = [record["subjects"] for record in each(evaluation.metrics["records"])]
    assert max(numbers) <= len(rows)


def test_the_observed_rate_of_weighted_subjects_goes_with_the_curves(
    evaluation: Any, rows: Any
) -> None:
    label, score, _, _, weight = known(rows, "hepatic_ae")

    found = {
        curves["task"]: curves
        for curves in evaluation.curves["curves"]
        if not curves["slice"] and curves["model"] == "challenger"
    }

    assert "weighted" not in found["response"]
    weighted = found["hepatic_ae"]["weighted"]
    assert weighted["observed_rate"] == pytest.approx(np.average(label, weights=weight))
    kish = weight.sum() ** 2 / (weight**2).sum()
    assert weighted["effective_subjects"] == float(f"{kish:.3g}") != kish
    (counted,) = (
        item for item in found["hepatic_ae"]["confusion"] if item["decision_threshold"] == 0.3
    )
    expected = sk.recall_score(label, score >= 0.3, sample_weight=weight)
    assert counted["true_positive_rate"] == pytest.approx(expected)


@pytest.mark.parametrize("name", ["metrics", "verdict", "curves"])
def test_what_is_written_fits_the_published_schema(evaluation: Any, name: Any) -> None:
    check_document(f"{name}.json", getattr(evaluation, name))
