"""One whole run of the synthetic trial; `test_caching.py` has the same command a second time."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pipeline.config import SUBJECT_KEY_FILE
from pipeline.names import SUBJECT_HASH, label_key, weight_key
from pipeline.results.counts import Counts
from pipeline.runners.stages import STAGES
from pipeline.runs.registry import Registry
from pipeline.study.load import load_study
from tests.e2e.bare_names import bare_names, views
from tests.e2e.written_files import holders_of, holders_of_identifiers, written
from tests.each import each
from tests.predicted_risks import departures
from tests.whole_runs import REPOSITORY, Run

pytestmark = pytest.mark.slow

ELSEWHERE = {
    *("Tuner", "RegisteredModel", "UpdatedModel", "ExternalValidation"),
    *("SkewGate", "BatchScoring", "OutcomeLog", "Monitor"),
}
"""Stages of `--tune`, of `trial validate`, `trial score`, `trial outcomes` and `trial monitor`."""
EXECUTED = [stage for stage in STAGES if stage not in ELSEWHERE]
TASKS = ("worsening", "response", "hepatic_ae")


def test_a_finished_run_exits_with_0(first_run: Run) -> None:
    assert first_run.code == 0, first_run.terminal + first_run.errors


def test_each_stage_is_shown_with_its_time(first_run: Run) -> None:
    for stage in EXECUTED:
        assert re.search(rf"^✓ {stage} +\S.* \d+\.\d s$", first_run.terminal, re.M), stage


def test_the_result_table_has_a_line_for_each_task_and_the_verdict(first_run: Run) -> None:
    tasks = load_study(REPOSITORY / "schema" / "synthetic" / "study.yaml").tasks
    for task in TASKS:
        # A title that is too long for its row has its numbers below.
        line = rf"^{re.escape(tasks[task].title)}\n? +\d+ +\d+ +0\.\d+ \(0\.\d+–0\.\d+\)"
        assert re.search(line, first_run.terminal, re.M), task
    assert re.search(r"^blessed$", first_run.terminal, re.M)


def test_the_noise_of_the_libraries_goes_to_the_log_alone(first_run: Run) -> None:
    noise = ("Going to run a new execution", "tensorflow", "WARNING", "INFO")
    assert "Going to run a new execution" in first_run.log
    assert not [word for word in noise if word in first_run.terminal]
    assert first_run.errors == ""


def test_the_mean_prediction_of_each_arm_is_its_risk_by_the_horizon(first_run: Run) -> None:
    compared, departing = departures(first_run)
    assert compared == len(TASKS) * 3
    assert not departing
    of_all = [risk for risk in first_run.verdict["risks"] if risk["arm"] == "all subjects"]
    assert [(risk["task"], risk["outcome"]) for risk in of_all] == [
        (task, "passes")
        for task, follow_up in first_run.counts["censoring"].items()
        if not follow_up["is_complete"]
    ]
    assert of_all


def test_every_stage_leaves_a_record_with_time_memory_and_versions(first_run: Run) -> None:
    records = first_run.stages
    assert set(records) == set(EXECUTED)
    for record in records.values():
        assert record["status"] == "done"
        assert record["run"] == first_run.id
        assert record["seconds"] > 0
        assert record["peak_memory_mb"] > 100
        assert {"clinical-trial-pipeline", "tfx", "tensorflow", "keras"} <= set(record["versions"])


def test_the_record_of_the_reading_stage_counts_every_row_of_every_dataset(first_run: Run) -> None:
    rows = {item["dataset"]: item for item in first_run.stages["TrialExampleGen"]["rows"]}
    assert set(rows) == {"adsl", "adae", "adlb", "advs", "adtte"}
    for item in rows.values():
        assert item["rows_in"] == item["used"] + item["excluded"] + item["rejected"]


@pytest.mark.parametrize(
    ("stage", "splits"),
    [
        ("StatisticsGen", ("train", "eval", "test")),
        ("ExampleValidator", ("train", "eval", "test")),
        ("DataGate", ("train", "eval", "test")),
        ("Transform", ("train",)),
    ],
)
def test_the_records_of_stages_in_between_count_the_subjects_of_their_splits(
    first_run: Run, stage: str, splits: tuple[str, ...]
) -> None:
    seen = {row["split"]: row["subjects"] for row in first_run.stages[stage]["rows"]}
    assert seen == {split: first_run.counts["subjects"][split] for split in splits}


@pytest.mark.parametrize("stage", ["CuratedSchema", "ModelCard", "Pusher", "ModelRegistrar"])
def test_stages_that_see_no_subjects_count_none(first_run: Run, stage: str) -> None:
    assert first_run.stages[stage]["rows"] == []


def test_the_records_of_trainer_and_evaluator_count_their_subjects(first_run: Run) -> None:
    trained = {row["split"]: row["subjects"] for row in first_run.stages["Trainer"]["rows"]}
    assert trained == {split: first_run.counts["subjects"][split] for split in ("train", "eval")}
    tested = {row["task"]: row["subjects"] for row in first_run.stages["TrialEvaluator"]["rows"]}
    tasks = first_run.counts["tasks"]
    assert tested == {task: tasks[task]["test"]["known"] for task in tasks}


def test_the_card_says_what_the_run_measured(first_run: Run) -> None:
    card = json.loads((first_run.output("ModelCard", "card") / "card.json").read_text())
    evidence = card["evidence"]
    assert evidence["metrics"]["records"] == first_run.metrics
    # Without the numbers of subjects from which few unknown labels would follow.
    published = Counts.model_validate(first_run.counts).published(50)
    assert evidence["counts"]["subjects"] == published.subjects
    assert _known_in_test(evidence["counts"]) == _known_in_test(first_run.counts)
    assert evidence["lineage"]["fingerprint"] == first_run.file["fingerprint"]
    assert evidence["lineage"]["study_digest"] == first_run.file["study_digest"]
    assert evidence["champion"] is None
    assert (first_run.output("ModelCard", "card") / "card.html").stat().st_size < 2_000_000


def _known_in_test(counts: dict[str, Any]) -> dict[str, int]:
    return {task: splits["test"]["known"] for task, splits in counts["tasks"].items()}


def test_the_page_of_the_run_is_beside_its_records(first_run: Run) -> None:
    page = (first_run.records / "page.html").read_text()
    assert page == first_run.output("RunPage", "html").read_text()


def test_people_read_titles_of_tasks_features_and_slicings(first_run: Run, tmp_path: Path) -> None:
    study = load_study(REPOSITORY / "schema" / "synthetic" / "study.yaml")
    for place, text in each(views(first_run, tmp_path).items()):
        assert study.tasks["hepatic_ae"].title in text, place
        assert bare_names(study, text) == [], place


def test_the_run_file_names_existing_outputs_of_every_stage(first_run: Run) -> None:
    outputs = first_run.file["outputs"]
    assert set(outputs) == set(EXECUTED)
    for stage, named in outputs.items():
        assert named, stage
        assert all(Path(uri).exists() for uri in named.values()), named


def _overall(run: Run, model: str = "challenger") -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (record["task"], record["metric"]): record
        for record in run.metrics
        if not record["slice"] and record["model"] == model
    }


def test_every_task_has_every_metric_overall_and_in_every_slicing(first_run: Run) -> None:
    metrics_of: dict[tuple[str, frozenset[str]], set[str]] = {}
    for record in first_run.metrics:
        key = record["task"], frozenset(record["slice"])
        metrics_of.setdefault(key, set()).add(record["metric"])
    study = load_study(REPOSITORY / "schema" / "synthetic" / "study.yaml")
    slicings = [(), *((name,) for name in study.slicing.by), *study.slicing.pairs]
    expected = {(task, frozenset(slicing)) for task in TASKS for slicing in slicings}
    assert set(metrics_of) == expected
    complete = metrics_of[TASKS[0], frozenset()]
    assert {"auc", "brier", "calibration_slope", "sensitivity", "observed_rate"} <= complete
    assert all(found == complete for found in metrics_of.values())


def test_every_interval_contains_its_point_estimate(first_run: Run) -> None:
    with_interval = [r for r in first_run.metrics if r["lower"] is not None]
    assert len(with_interval) > 0.9 * len(first_run.metrics)
    outside = [r for r in with_interval if not r["lower"] <= r["value"] <= r["upper"]]
    assert outside == []


def test_subjects_of_a_metric_are_those_of_the_test_split_whose_label_is_known(
    first_run: Run,
) -> None:
    found = {
        record["task"]: (record["subjects"], record["positives"])
        for record in first_run.metrics
        if not record["slice"]
    }
    counted = {
        task: (splits["test"]["known"], splits["test"]["positives"])
        for task, splits in first_run.counts["tasks"].items()
    }
    assert found == counted
    assert all(known < first_run.counts["subjects"]["test"] for known, _ in found.values())


def test_no_group_smaller_than_the_study_file_allows_is_shown(first_run: Run) -> None:
    assert min(record["subjects"] for record in first_run.metrics) >= 50


def _key() -> bytes:
    return SUBJECT_KEY_FILE.read_text().strip().encode()


def _test_examples(run: Run) -> list[bytes]:
    import tensorflow as tf

    files = sorted((run.output("TrialExampleGen", "examples") / "Split-test").glob("*.gz"))
    return [
        record.numpy()
        for path in files
        for record in tf.data.TFRecordDataset(str(path), compression_type="GZIP")
    ]


def _columns(examples: list[bytes]) -> list[dict[str, Any]]:
    import tensorflow as tf

    rows = []
    for text in examples:
        row = {}
        for name, feature in tf.train.Example.FromString(text).features.feature.items():
            values = feature.float_list.value or feature.bytes_list.value
            row[name] = values[0] if values else None
        rows.append(row)
    return rows


class _Served:
    """The pushed model and the subjects of the test split."""

    def __init__(self, run: Run) -> None:
        import tensorflow as tf

        folder = min((run.root / "synthetic" / "serving").iterdir())
        self._loaded = tf.saved_model.load(str(folder))
        self._serve = self._loaded.signatures["serving_default"]
        self._serve_columns = self._loaded.signatures["columns"]
        self.examples = _test_examples(run)
        self.rows = _columns(self.examples)

    def of_examples(self, examples: list[bytes]) -> dict[str, NDArray[Any]]:
        import tensorflow as tf

        found = self._serve(examples=tf.constant(examples))
        return {task: values.numpy()[:, 0] for task, values in found.items()}

    def of_columns(self, **fixed: str) -> dict[str, NDArray[Any]]:
        import tensorflow as tf

        arguments = {}
        for name, spec in self._serve_columns.structured_input_signature[1].items():
            missing = np.nan if spec.dtype == tf.float32 else b""
            values = [row.get(name) for row in self.rows]
            if name in fixed:
                values = [fixed[name]] * len(values)
            values = [missing if value is None else value for value in values]
            arguments[name] = tf.constant(values, spec.dtype)
        found = self._serve_columns(**arguments)
        return {task: values.numpy()[:, 0] for task, values in found.items()}


@pytest.fixture(scope="module")
def served(first_run: Run) -> _Served:
    return _Served(first_run)


@pytest.fixture(scope="module")
def against_truth(first_run: Run, served: _Served) -> pd.DataFrame:
    """A row for each test subject: per task truth, prediction, label and its weight."""
    from components.trial_example_gen.subject_hashes import subject_hash

    truth = pd.read_parquet(Path(first_run.file["data_root"]) / "truth")
    hashed = [subject_hash("synthetic", name, _key()).decode() for name in truth.USUBJID]
    truth = truth.set_index(pd.Index(hashed))
    frame = pd.DataFrame(served.rows).set_index(SUBJECT_HASH)
    frame.index = frame.index.map(bytes.decode)
    predicted = pd.DataFrame(served.of_examples(served.examples), index=frame.index)
    joined = pd.DataFrame(index=frame.index)
    for task in TASKS:
        joined[f"truth_{task}"] = truth[f"p_{task}"].reindex(frame.index)
        joined[f"prediction_{task}"] = predicted[task]
        joined[f"label_{task}"] = frame[label_key(task)] > 0
        joined[f"weight_{task}"] = frame[weight_key(task)]
    return joined


def _of_task(frame: pd.DataFrame, task: str) -> pd.DataFrame:
    known = frame[frame[f"weight_{task}"] > 0]
    names = {f"{kind}_{task}": kind for kind in ("truth", "prediction", "label", "weight")}
    return known[list(names)].rename(columns=names)


def _auc(subjects: pd.DataFrame, scores: str) -> float:
    """AUC in which a pair of subjects counts for the product of their weights."""
    positive, negative = subjects[subjects.label], subjects[~subjects.label]
    above = positive[scores].to_numpy()[:, None] - negative[scores].to_numpy()
    pairs = positive.weight.to_numpy()[:, None] * negative.weight.to_numpy()
    return float((pairs * (0.5 + 0.5 * np.sign(above))).sum() / pairs.sum())


def test_every_test_subject_is_found_in_the_truth_by_its_hash(against_truth: pd.DataFrame) -> None:
    assert len(against_truth) > 400
    assert against_truth.notna().all(axis=None)


@pytest.mark.parametrize("task", TASKS)
def test_the_reported_auc_is_that_of_the_served_model(
    task: str, first_run: Run, against_truth: pd.DataFrame
) -> None:
    subjects = _of_task(against_truth, task)
    reported = _overall(first_run)[task, "auc"]["value"]
    assert _auc(subjects, "prediction") == pytest.approx(reported, abs=1e-4)


@pytest.mark.parametrize("task", TASKS)
def test_the_auc_of_the_truth_lies_in_the_interval_of_the_models_auc(
    task: str, first_run: Run, against_truth: pd.DataFrame
) -> None:
    subjects = _of_task(against_truth, task)
    reported = _overall(first_run)[task, "auc"]
    best = _auc(subjects, "truth")
    assert reported["lower"] <= best <= reported["upper"]


@pytest.mark.parametrize("task", TASKS)
def test_predictions_rise_with_the_true_probabilities(
    task: str, against_truth: pd.DataFrame
) -> None:
    subjects = _of_task(against_truth, task)
    # A model that knew nothing would stay below two standard errors, 2 / sqrt(400) = 0.1.
    assert subjects.prediction.corr(subjects.truth, method="spearman") > 0.5


@pytest.mark.parametrize("task", TASKS)
def test_the_mean_prediction_agrees_with_the_mean_true_probability(
    task: str, first_run: Run, against_truth: pd.DataFrame
) -> None:
    subjects = _of_task(against_truth, task)
    # The intercept was set on the eval split: its events' sampling error is the prediction's.
    calibrated_on = first_run.counts["tasks"][task]["eval"]["known"]
    rate = subjects.truth.mean()
    error = np.sqrt(rate * (1 - rate) / calibrated_on)
    assert abs(subjects.prediction.mean() - rate) < 3 * error


@pytest.mark.parametrize(("task", "sign"), [("worsening", -1), ("response", 1), ("hepatic_ae", 1)])
def test_the_effect_of_the_treatment_has_its_true_sign(
    task: str, sign: int, served: _Served
) -> None:
    effect = served.of_columns(arm="Active")[task] - served.of_columns(arm="Placebo")[task]
    assert sign * effect.mean() > 0


def test_both_signatures_give_the_same_probabilities(served: _Served) -> None:
    by_example = served.of_examples(served.examples)
    by_column = served.of_columns()
    for task in TASKS:
        np.testing.assert_allclose(by_column[task], by_example[task], atol=1e-6)


def test_subjects_with_missing_values_are_predicted_too(served: _Served) -> None:
    incomplete = [row.get("WEIGHTBL") is None or row.get("SMOKFL") is None for row in served.rows]
    assert 0 < sum(incomplete) < len(incomplete)
    answers = served.of_examples(served.examples)
    for task in each(TASKS):
        assert np.all((answers[task][incomplete] > 0) & (answers[task][incomplete] < 1))


def test_serving_needs_neither_label_nor_weight_nor_group_nor_hash(served: _Served) -> None:
    import tensorflow as tf

    bare = []
    for text in served.examples:
        example = tf.train.Example.FromString(text)
        for name in list(example.features.feature):
            if name.startswith(("label_", "weight_", "slice_", SUBJECT_HASH)):
                del example.features.feature[name]
        bare.append(example.SerializeToString())
    whole = served.of_examples(served.examples)
    for task, probabilities in served.of_examples(bare).items():
        np.testing.assert_array_equal(probabilities, whole[task])


def test_a_subject_is_predicted_alike_alone_and_among_others(served: _Served) -> None:
    alone = served.of_examples(served.examples[:1])
    among = served.of_examples(served.examples)
    for task in TASKS:
        assert alone[task][0] == pytest.approx(among[task][0], abs=1e-6)


def test_the_first_blessed_model_is_registered_with_the_runs_digests(first_run: Run) -> None:
    entry = Registry(str(first_run.root / "registry")).history("synthetic")[0]
    assert entry.fingerprint == first_run.file["fingerprint"]
    assert entry.study_digest == first_run.file["study_digest"]
    assert (Path(entry.model_uri) / "saved_model.pb").exists()
    assert (Path(entry.statistics_uri) / "Split-train" / "FeatureStats.pb").exists()


def test_no_identifier_of_a_subject_is_written_anywhere(first_run: Run) -> None:
    assert holders_of_identifiers(first_run) == []


def test_the_key_is_written_nowhere_but_in_its_own_file(first_run: Run) -> None:
    key = _key()
    assert [path for path, content in each(written(first_run)) if key in content] == []
    assert key.decode() not in first_run.terminal


@pytest.mark.usefixtures("first_run")
def test_the_key_can_be_read_by_its_owner_alone() -> None:
    assert SUBJECT_KEY_FILE.stat().st_mode & 0o077 == 0


def test_pseudonyms_stay_in_the_examples(first_run: Run, served: _Served) -> None:
    pseudonyms = [row[SUBJECT_HASH] for row in served.rows]
    assert holders_of(pseudonyms, first_run) == []


def test_statistics_hold_nothing_of_the_subject_hash(first_run: Run) -> None:
    files = list(first_run.output("StatisticsGen", "statistics").rglob("*.pb"))
    assert len(files) == 3
    assert not [path for path in files if SUBJECT_HASH.encode() in path.read_bytes()]
