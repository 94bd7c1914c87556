import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from tfx.components.example_validator import executor as example_validator
from tfx.types import artifact_utils, channel_utils, standard_artifacts
from tfx.types.artifact import Artifact

from components.artifact_types import GateFindings, TrialRejects
from components.data_gate.component import DataGate
from components.data_gate.examples import read_train_columns
from components.data_gate.executor import Executor
from components.data_gate.settings import DataGateSettings
from pipeline.errors import UserError
from pipeline.names import FOLDS
from pipeline.results.counts import MaskReason
from pipeline.results.evaluation_plan import PLAN_FILE, SPLIT_PLAN, EvaluationPlan
from pipeline.skew.coarse_statistics import coarse_statistics
from pipeline.study.load import parse_study
from tests.described_subjects import columns_of, described, write_examples
from tests.document_schemas import check_document
from tests.each import each
from tests.split_words import names_a_split

SPLITS = ("train", "eval", "test")
SUBJECTS = 400
SCHEMA = """
feature { name: "AGE" type: FLOAT float_domain { min: 18 max: 120 } }
feature { name: "SEX" type: BYTES domain: "sex" }
feature { name: "arm" type: BYTES }
feature { name: "label_death" type: FLOAT }
feature { name: "weight_death" type: FLOAT }
string_domain { name: "sex" value: "F" value: "M" }
"""


def study_of(**gate: Any) -> Any:
    content = {
        "study": "TRIAL1",
        "title": "A trial",
        "datasets": {
            "adsl": {
                "file": "adsl.xpt",
                "format": "xpt",
                "rows": "one_per_subject",
                "columns": {"AGE": {"known": "baseline"}, "SEX": {"known": "baseline"}},
            }
        },
        "subject": {"dataset": "adsl", "column": "USUBJID"},
        "arm": {"columns": ["ARM"], "control": "Placebo"},
        "features": {"AGE": {"kind": "number"}, "SEX": {"kind": "category"}},
        "tasks": {
            "death": {
                "kind": "outcome",
                "title": "Death",
                "state": {"positive": {"column": "DTHFL", "in": ["Y"]}},
            }
        },
        "gate": gate,
    }
    return parse_study(content, "study.yaml")


def subjects(seed: int, size: int = SUBJECTS) -> pd.DataFrame:
    """Age (10 % missing), sex, arm and a death that depends on age a little."""
    random = np.random.default_rng(seed)
    age = random.normal(60, 10, size)
    death = random.random(size) < 1 / (1 + np.exp(-(age - 65) / 10))
    weight = (random.random(size) < 0.95).astype(float)
    return pd.DataFrame(
        {
            "AGE": np.where(random.random(size) < 0.1, np.nan, age),
            "SEX": random.choice(["F", "M"], size),
            "arm": random.choice(["Active", "Placebo"], size),
            "label_death": death * weight,
            "weight_death": weight,
        }
    )


class Run:
    """The artifacts that reach the gate, made of hand-made subjects by the real components."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.frames = {split: subjects(seed) for seed, split in enumerate(SPLITS)}
        self.baseline: pd.DataFrame | None = None
        self.rejected = 0
        self.plan = SPLIT_PLAN
        self.masked: dict[str, int] = {}
        self.arms: dict[str, int] = {}
        self.absent: list[dict[str, Any]] = []
        self.findings = self._artifact(GateFindings(), "findings")

    def _artifact(self, artifact: Artifact, name: str) -> Artifact:
        artifact.uri = str(self._folder / name)
        Path(artifact.uri).mkdir(exist_ok=True)
        return artifact

    def _statistics(self, name: str, frames: dict[str, pd.DataFrame]) -> Artifact:
        artifact = self._artifact(standard_artifacts.ExampleStatistics(), name)
        artifact.split_names = artifact_utils.encode_split_names(list(frames))
        for split, frame in frames.items():
            folder = Path(artifact.uri) / f"Split-{split}"
            folder.mkdir()
            # The pipeline takes no statistics of folds, see `statistics_columns`.
            described = frame.drop(columns=FOLDS, errors="ignore")
            statistics = tfdv.generate_statistics_from_dataframe(described)
            (folder / "FeatureStats.pb").write_bytes(statistics.SerializeToString())
        return artifact

    def examples(self) -> Artifact:
        artifact = self._artifact(standard_artifacts.Examples(), "examples")
        artifact.split_names = artifact_utils.encode_split_names(list(SPLITS))
        for split, frame in self.frames.items():
            write_examples(frame, Path(artifact.uri) / f"Split-{split}")
        return artifact

    def _rejects(self) -> Artifact:
        artifact = self._artifact(TrialRejects(), "rejects")
        labels = {
            split: {
                "known": int(frame["weight_death"].sum()),
                "positives": int(frame["label_death"].sum()),
                "masked": self.masked,
                "arms": {arm: {"known": n, "positives": 0} for arm, n in self.arms.items()},
            }
            for split, frame in self.frames.items()
        }
        counts = {
            "datasets": {
                "adsl": {
                    "rows_in": 1200 + self.rejected,
                    "used": 1200,
                    "excluded": 0,
                    "rejected": self.rejected,
                    "reasons": {"no subject key": self.rejected},
                }
            },
            "subjects": {split: len(frame) for split, frame in self.frames.items()},
            "tasks": {"death": labels},
            "absent_levels": self.absent,
        }
        (Path(artifact.uri) / "counts.json").write_text(json.dumps(counts))
        (Path(artifact.uri) / PLAN_FILE).write_text(self.plan.model_dump_json())
        return artifact

    def _baseline(self) -> Artifact:
        if self.baseline is not None:
            artifact = self._artifact(standard_artifacts.ExampleStatistics(), "baseline")
            artifact.split_names = artifact_utils.encode_split_names(["train"])
            kept = coarse_statistics(described(self.baseline), columns_of(self.baseline), 20)
            folder = Path(artifact.uri) / "Split-train"
            folder.mkdir()
            (folder / "FeatureStats.pb").write_bytes(kept.SerializeToString())
            artifact.set_int_custom_property("present", 1)
        else:
            artifact = self._artifact(standard_artifacts.ExampleStatistics(), "baseline")
            artifact.split_names = artifact_utils.encode_split_names(["train"])
            artifact.set_int_custom_property("present", 0)
        return artifact

    def execute(self, **gate: Any) -> list[dict[str, Any]]:
        schema = self._artifact(standard_artifacts.Schema(), "schema")
        (Path(schema.uri) / "schema.pbtxt").write_text(SCHEMA)
        statistics = self._statistics("statistics", self.frames)
        anomalies = self._artifact(standard_artifacts.ExampleAnomalies(), "anomalies")
        example_validator.Executor().Do(
            {"statistics": [statistics], "schema": [schema]}, {"anomalies": [anomalies]}, {}
        )
        inputs = {
            "statistics": statistics,
            "schema": schema,
            "anomalies": anomalies,
            "examples": self.examples(),
            "rejects": self._rejects(),
            "champion_statistics": self._baseline(),
        }
        Executor().Do(
            {key: [artifact] for key, artifact in inputs.items()},
            {"findings": [self.findings]},
            {"settings": DataGateSettings.of(study_of(**gate)).to_json()},
        )
        return self.written()

    def written(self) -> list[dict[str, Any]]:
        return json.loads((Path(self.findings.uri) / "findings.json").read_text())


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def notable(findings: list[dict[str, Any]]) -> list[tuple[str, str, str | None]]:
    return [
        (item["rule"], item["severity"], item["feature"])
        for item in findings
        if item["severity"] != "ok"
    ]


def test_sound_data_pass_and_leave_what_was_measured(run: Any) -> None:
    findings = run.execute()

    assert notable(findings) == []
    rules = {item["rule"] for item in findings}
    assert rules == {"rejects", "sample_size", "leakage", "missingness"}
    check_document("findings.json", findings)


def test_the_first_run_of_a_study_has_no_drift(run: Any) -> None:
    assert "drift" not in {item["rule"] for item in run.execute()}


def test_distances_to_the_champion_are_written_although_they_are_small(run: Any) -> None:
    run.baseline = subjects(seed=0)

    distances = [item for item in run.execute() if item["rule"] == "drift"]

    assert {item["feature"] for item in distances} == {"AGE", "SEX", "arm"}
    assert {item["value"] for item in distances} == {0.0}


def test_a_feature_that_shifted_since_the_champion_is_a_warning(
    run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    run.baseline = subjects(seed=0)
    run.baseline["AGE"] += 15

    with caplog.at_level(logging.WARNING):
        findings = run.execute()

    assert notable(findings) == [("drift", "warn", "AGE")]
    (record,) = [item for item in caplog.records if hasattr(item, "findings")]
    assert record.levelno == logging.WARNING
    assert [item["feature"] for item in record.findings] == ["AGE"]


def test_a_feature_that_was_of_another_kind_is_not_compared(run: Any) -> None:
    run.baseline = subjects(seed=0)
    run.baseline["SEX"] = 1.0

    distances = {
        (item["feature"], item["value"]) for item in run.execute() if item["rule"] == "drift"
    }

    assert distances == {("AGE", 0.0), ("SEX", None), ("arm", 0.0)}


def test_a_planted_leak_stops_the_run(run: Any) -> None:
    noise = np.random.default_rng(9).normal(0, 0.1, SUBJECTS)
    run.frames["train"]["AGE"] = 40 + 20 * (run.frames["train"]["label_death"] + noise)

    with pytest.raises(
        UserError, match=r"leakage: feature AGE alone predicts task Death \[death\]"
    ):
        run.execute()


def test_all_that_stops_a_run_is_in_one_message_and_in_the_findings(
    run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    run.frames["eval"].loc[0, "SEX"] = "Xyzzy"
    run.frames["test"]["label_death"] = 0.0
    run.rejected = 300

    with pytest.raises(UserError) as raised:
        run.execute()

    message = str(raised.value)
    assert "TRIAL1" in message
    assert "3 findings" in message
    assert "rejects: dataset adsl: 300 of 1500 rows (20.0%)" in message
    assert "too_few: task Death [death]: the test split has 0 subjects with a " in message
    assert "anomalies: column SEX of the eval split has 1 level(s)" in message
    assert [rule for rule, _, _ in notable(run.written())] == ["rejects", "too_few", "anomalies"]
    assert "Xyzzy" not in message + caplog.text + json.dumps(run.written())


def test_the_studys_severities_let_a_run_go_on(run: Any) -> None:
    run.frames["eval"].loc[0, "SEX"] = "X"
    run.rejected = 300

    findings = run.execute(anomalies="warn", rejects="ignore")

    assert notable(findings) == [("rejects", "ignore", None), ("anomalies", "warn", "SEX")]


def test_a_task_in_a_message_has_its_title_and_its_name(run: Any) -> None:
    of_a_task = [item for item in run.execute() if item["task"]]

    assert {item["rule"] for item in of_a_task} == {"leakage", "missingness", "sample_size"}
    for item in each(of_a_task):
        assert "task Death [death]" in item["message"]


def test_out_of_fold_the_empty_splits_are_no_finding(run: Any) -> None:
    run.plan = EvaluationPlan(scheme="cross_fit", requested="cross_fit", folds=5, repeats=2)
    deal_to_folds(run, [[n % 5, n % 5] for n in range(SUBJECTS)])

    findings = run.execute()

    assert notable(findings) == []
    assert {item["split"] for item in findings if item["rule"] == "leakage"} == {"train"}
    messages = " ".join(item["message"] for item in findings)
    assert "over all subjects" in messages
    assert " on train" not in messages
    assert not names_a_split(messages)


def test_out_of_fold_the_smallest_training_set_is_judged(run: Any) -> None:
    run.plan = EvaluationPlan(
        scheme="internal_external", requested="internal_external", folds=2, repeats=1
    )
    deal_to_folds(run, [[int(n < 60)] for n in range(SUBJECTS)])

    with pytest.raises(UserError) as stopped:
        run.execute()

    assert "task Death [death]: a model that predicts a group is trained on 5" in str(stopped.value)
    assert "subjects with a known label, at least 100 are needed" in str(stopped.value)
    assert not names_a_split(str(stopped.value))


def deal_to_folds(run: Any, folds: list[list[int]]) -> None:
    """All subjects are in the split `train`, each with its fold in every repeat."""
    run.frames["train"] = run.frames["train"].assign(folds=folds)
    for split in ("eval", "test"):
        run.frames[split] = run.frames[split].iloc[:0]


def test_columns_are_read_as_they_were_written(run: Any) -> None:
    settings = DataGateSettings.of(study_of())

    columns = read_train_columns(run.examples(), settings)

    frame = run.frames["train"]
    np.testing.assert_allclose(columns.numbers["AGE"], frame["AGE"].astype(np.float32))
    np.testing.assert_array_equal(columns.labels["death"], frame["label_death"] == 1)
    np.testing.assert_array_equal(columns.known["death"], frame["weight_death"] == 1)
    first_woman = columns.categories["SEX"][frame["SEX"].eq("F").idxmax()]
    np.testing.assert_array_equal(columns.categories["SEX"] == first_woman, frame["SEX"] == "F")


def test_a_missing_category_is_a_level_of_its_own(run: Any) -> None:
    run.frames["train"]["SEX"] = ["F", np.nan] * (SUBJECTS // 2)
    settings = DataGateSettings.of(study_of())

    codes = read_train_columns(run.examples(), settings).categories["SEX"]

    assert list(codes[:4]) == [0, 1, 0, 1]


def test_a_feature_that_no_subject_has_is_read_as_missing(run: Any) -> None:
    run.frames["train"]["AGE"] = np.nan
    run.frames["train"]["SEX"] = np.nan
    settings = DataGateSettings.of(study_of())

    columns = read_train_columns(run.examples(), settings)

    assert np.isnan(columns.numbers["AGE"]).all()
    assert set(columns.categories["SEX"]) == {0}


def test_only_the_first_subjects_are_read(run: Any) -> None:
    settings = DataGateSettings.of(study_of())

    columns = read_train_columns(run.examples(), settings, most_subjects=150)

    expected = run.frames["train"]["AGE"][:150].astype(np.float32)
    np.testing.assert_allclose(columns.numbers["AGE"], expected)


def test_examples_of_another_study_file_are_refused(run: Any) -> None:
    for frame in run.frames.values():
        frame.drop(columns="label_death", inplace=True)
    settings = DataGateSettings.of(study_of())

    with pytest.raises(UserError, match="no column label_death"):
        read_train_columns(run.examples(), settings)


def test_the_gates_parameter_changes_with_what_it_judges_by_alone() -> None:
    study = study_of()

    settings = DataGateSettings.of(study)
    assert settings == DataGateSettings.of(study.model_copy(update={"title": "Other"}))
    assert settings != DataGateSettings.of(study_of(drift="stop"))


def test_a_parameter_of_another_form_is_refused() -> None:
    with pytest.raises(UserError, match="DataGateSettings"):
        DataGateSettings.from_json("{}")


def test_the_component_works_with_and_without_a_baseline() -> None:
    statistics = channel_utils.as_channel([standard_artifacts.ExampleStatistics()])
    inputs = {
        "statistics": statistics,
        "schema": channel_utils.as_channel([standard_artifacts.Schema()]),
        "anomalies": channel_utils.as_channel([standard_artifacts.ExampleAnomalies()]),
        "examples": channel_utils.as_channel([standard_artifacts.Examples()]),
        "rejects": channel_utils.as_channel([TrialRejects()]),
        "settings": DataGateSettings.of(study_of()),
    }

    without = DataGate(**inputs)
    with_baseline = DataGate(**inputs, champion_statistics=statistics)

    assert "champion_statistics" not in without.inputs
    assert "champion_statistics" in with_baseline.inputs
    assert with_baseline.outputs["findings"].type is GateFindings


def test_a_feature_that_is_missing_by_outcome_and_arm_is_a_warning(run: Any) -> None:
    frame = run.frames["train"]
    lost = (frame["label_death"] == 0) & (frame.index % 2 == 0)
    frame.loc[lost | (frame["arm"] == "Active"), "AGE"] = np.nan
    frame.loc[(frame["arm"] == "Placebo") & ~lost, "AGE"] = 60.0

    findings = [item for item in run.execute(anomalies="ignore") if item["rule"] == "missingness"]

    assert {(item["feature"], item["task"], item["severity"]) for item in findings} == {
        ("AGE", "death", "warn"),
        ("AGE", None, "warn"),
    }


def test_a_category_that_is_missing_by_outcome_is_a_warning(run: Any) -> None:
    frame = run.frames["train"]
    frame["SEX"] = frame["SEX"].where((frame["label_death"] == 1) | (frame.index % 2 == 0), np.nan)

    found = notable(run.execute(anomalies="ignore", leakage="ignore"))

    assert ("missingness", "warn", "SEX") in found


@pytest.mark.parametrize("reason", [MaskReason.REJECTED_ROW, MaskReason.ON_LANDMARK])
def test_many_labels_that_were_lost_stop_the_run(run: Any, reason: str) -> None:
    run.masked = {str(reason): 40}

    with pytest.raises(UserError, match=f"120 of .* have no known label: {reason}"):
        run.execute()


def test_the_smallest_group_is_the_studys(run: Any) -> None:
    run.masked = {str(MaskReason.LEFT): 6}

    (finding,) = [item for item in run.execute() if item["rule"] == "unknown_labels"]

    assert "fewer than 20 of" in finding["message"]


def test_a_control_that_is_in_no_arm_stops_the_run(run: Any) -> None:
    run.arms = {"Active": 200, "placebo": 200}

    with pytest.raises(UserError, match=r"arm.control: no subject is in arm Placebo .*column ARM"):
        run.execute()


def test_a_parameter_without_rows_is_reported_instead_of_a_deviation_from_the_schema(
    run: Any,
) -> None:
    run.absent = [
        {
            "key": "features.lab.each",
            "dataset": "adlb",
            "column": "PARAMCD",
            "levels": ["ALP"],
            "present": 0,
            "needed": True,
            "found": 12,
        }
    ]
    for frame in run.frames.values():
        frame["lab_ALP"] = np.where(frame.index > 0, np.nan, 1.0)

    with pytest.raises(UserError) as stopped:
        run.execute()

    assert "features.lab.each: no row of dataset adlb has ALP" in str(stopped.value)
    assert "1 finding)" in str(stopped.value)
