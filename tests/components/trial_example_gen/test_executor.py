"""TrialExampleGen as a whole, on the 200 subjects of `executor_data`."""

from __future__ import annotations

import gzip
import itertools
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tfx.types import artifact_utils

from components.trial_example_gen.component import TrialExampleGen
from components.trial_example_gen.records import write_in_one_step, write_records
from components.trial_example_gen.settings import TrialExampleGenSettings
from components.trial_example_gen.subject_hashes import deal_hashes, subject_hash
from pipeline.errors import UserError
from pipeline.names import FOLDS
from pipeline.reading import buckets, formats
from pipeline.reading.fingerprint import content_fingerprint
from pipeline.storage import copy_folder
from pipeline.study.sections import Split
from pipeline.study.study import Study
from tests.components.trial_example_gen.executor_data import (
    REJECTED_AGE,
    N,
    study,
    subject_rows,
    write_data,
)
from tests.components.trial_example_gen.executor_runs import (
    KEY,
    SPLITS,
    Example,
    Outputs,
    execute,
)
from tests.conserved_counts import assert_conserved
from tests.each import each


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def outputs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    return execute(study(), data, tmp_path_factory.mktemp("run"))


def example_of(outputs: Outputs, number: int) -> tuple[str, dict[str, Any]]:
    pseudonym = subject_hash("hand", f"P-{number:04d}", KEY.encode()).decode()
    return outputs.by_subject[pseudonym]


def test_an_example_holds_features_labels_weights_groups_arm_site_and_pseudonym(
    outputs: Outputs,
) -> None:
    _, example = example_of(outputs, 12)
    assert example == {
        "subject_hash": subject_hash("hand", "P-0012", KEY.encode()).decode(),
        "AGE": 52.0,
        "SEX": "F",
        "alt": 24.0,
        "label_death": 1.0,
        "weight_death": 1.0,
        "arm": "A",
        "site": "05",
        "slice_age": "50 to <65",
        "slice_sex": "F",
        "slice_arm": "A",
        "slice_site": "05",
    }


def test_an_unknown_label_has_weight_0_and_is_no_event(outputs: Outputs) -> None:
    _, example = example_of(outputs, 9)
    assert (example["label_death"], example["weight_death"]) == (0.0, 0.0)


def test_a_known_absence_of_the_event_has_weight_1(outputs: Outputs) -> None:
    _, example = example_of(outputs, 10)
    assert (example["label_death"], example["weight_death"]) == (0.0, 1.0)


def test_a_missing_value_has_no_feature_value_and_the_group_missing(outputs: Outputs) -> None:
    _, without_age = example_of(outputs, 5)
    _, without_sex = example_of(outputs, 13)
    assert without_age.get("AGE") is None
    assert without_age["slice_age"] == "missing"
    assert without_sex.get("SEX") is None
    assert without_sex["slice_sex"] == "missing"


@pytest.mark.parametrize(
    ("number", "band"), [(9, "<50"), (10, "50 to <65"), (24, "50 to <65"), (25, ">=65")]
)
def test_a_band_begins_with_its_lower_bound(outputs: Outputs, number: int, band: str) -> None:
    assert example_of(outputs, number)[1]["slice_age"] == band


def test_a_value_dated_after_the_landmark_is_in_no_example(outputs: Outputs) -> None:
    values = [value for _, example in outputs.by_subject.values() for value in example.values()]
    assert outputs.counts["datasets"]["lb"]["used"] > 590
    assert 9999.0 not in values


def test_every_subject_is_in_the_split_that_it_is_dealt_to(outputs: Outputs) -> None:
    """Arm A before B, of each those who live, who die and who are unknown, by their hashes."""

    def place(number: int) -> tuple[bool, int, int]:
        level = 2 if number % 10 == 9 else int(number % 4 == 0)
        (hash_,) = deal_hashes("hand", [f"P-{number:04d}"], Split().seed)
        return number % 3 != 0, level, int(hash_)

    numbers = sorted((k for k in range(N) if k != 6), key=place)
    turns = itertools.cycle(("train", "eval", "train", "test", "train"))
    expected = dict(zip(numbers, turns, strict=False))
    assert {k: example_of(outputs, k)[0] for k in numbers} == expected
    assert len(outputs.by_subject) == len(numbers)


def folds_and_rest(outputs: Outputs) -> tuple[dict[str, object], dict[str, Example]]:
    """Fold of each pseudonym, and its example without it; all are in the train split."""
    assert not outputs.examples("eval")
    assert not outputs.examples("test")
    examples = {pseudonym: dict(found) for pseudonym, (_, found) in outputs.by_subject.items()}
    return {pseudonym: found.pop(FOLDS) for pseudonym, found in examples.items()}, examples


def test_another_seed_deals_other_folds_of_the_same_subjects_features_and_labels(
    data: Path, tmp_path: Path
) -> None:
    out_of_fold: dict[str, Any] = {"evaluation": {"scheme": "cross_fit", "folds": 4, "repeats": 1}}
    first, again, other = (
        folds_and_rest(
            execute(study(**out_of_fold, split={"seed": seed}), data, folder, workers=workers)
        )
        for seed, folder, workers in (
            (1, tmp_path / "first", 1),
            (1, tmp_path / "again", 3),
            (2, tmp_path / "other", 1),
        )
    )

    assert first == again
    assert first[1] == other[1]
    assert set(first[0].values()) == {0, 1, 2, 3}
    changed = sum(fold != other[0][pseudonym] for pseudonym, fold in first[0].items())
    # A fold of four is the same by chance for a quarter.
    assert 0.6 < changed / len(first[0]) < 0.9


def known_labels(examples: Sequence[Example]) -> dict[str, int]:
    return {
        "known": sum(example["weight_death"] == 1.0 for example in examples),
        "positives": sum(example["label_death"] == 1.0 for example in examples),
    }


def test_counts_are_those_of_the_examples(outputs: Outputs) -> None:
    for split in SPLITS:
        examples = outputs.examples(split)
        assert outputs.counts["subjects"][split] == len(examples)
        found = outputs.counts["tasks"]["death"][split]
        assert {what: found[what] for what in ("known", "positives")} == known_labels(examples)
        assert set(found["arms"]) == {str(example["arm"]) for example in examples}
        for arm, of_arm in found["arms"].items():
            examples_of_arm = [example for example in examples if example["arm"] == arm]
            unknown = sum(example["weight_death"] == 0.0 for example in examples_of_arm)
            masked = {"missing value": unknown} if unknown else {}
            assert of_arm == {**known_labels(examples_of_arm), "masked": masked}
        assert sum(found["masked"].values()) + found["known"] == len(examples)
    assert sum(split["known"] for split in outputs.counts["tasks"]["death"].values()) == 179
    assert sum(split["positives"] for split in outputs.counts["tasks"]["death"].values()) == 50


def test_counts_account_for_every_row(outputs: Outputs) -> None:
    assert_conserved((outputs.folder / "rejects" / "counts.json").read_text(), by_arm=True)
    assert outputs.counts["datasets"] == {
        "dm": {
            "rows_in": 200,
            "used": 199,
            "excluded": 0,
            "rejected": 1,
            "reasons": {"a number outside the range that can be true": 1},
        },
        "lb": {
            "rows_in": 600,
            "used": 596,
            "excluded": 0,
            "rejected": 4,
            "reasons": {
                "a subject that the subject dataset does not have": 1,
                "a subject whose own row was rejected": 3,
            },
        },
    }


def test_rejects_name_file_row_and_column(outputs: Outputs) -> None:
    found = [
        (line["dataset"], line["file"], line["row"], line["column"]) for line in outputs.rejects
    ]
    assert found == [
        ("dm", "dm.csv", 7, "AGE"),
        ("lb", "lb.csv", 1, "USUBJID"),
        ("lb", "lb.csv", 19, "USUBJID"),
        ("lb", "lb.csv", 20, "USUBJID"),
        ("lb", "lb.csv", 21, "USUBJID"),
    ]


def test_no_identifier_and_no_rejected_value_is_in_any_artifact(outputs: Outputs) -> None:
    assert len(outputs.files) >= 5
    for path in outputs.files:
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        assert not [k for k in each(range(N)) if f"P-{k:04d}".encode() in content]
        assert b"P-WHO" not in content
        assert b"7770077" not in content
        assert np.float32(REJECTED_AGE).tobytes() not in content


def test_examples_say_how_they_are_stored_and_what_they_are_made_of(
    outputs: Outputs, data: Path
) -> None:
    artifact = outputs.artifact
    assert artifact_utils.decode_split_names(artifact.split_names) == list(SPLITS)
    assert artifact.get_string_custom_property("payload_format") == "FORMAT_TF_EXAMPLE"
    assert artifact.get_string_custom_property("file_format") == "tfrecords_gzip"
    fingerprint = artifact.get_string_custom_property("fingerprint")
    assert fingerprint == content_fingerprint(study(), str(data))


def test_nothing_unfinished_is_left(outputs: Outputs) -> None:
    folders = {path.name for path in (outputs.folder / "examples").iterdir()}
    assert folders == {"Split-train", "Split-eval", "Split-test", "dealt"}


@pytest.mark.parametrize("kind", ["parquet", "xpt", "dataset-json", "stata", "spss", "excel"])
def test_the_same_data_in_another_format_give_the_same_examples(
    outputs: Outputs, tmp_path: Path, kind: str
) -> None:
    other = execute(study(kind), write_data(tmp_path / "data", kind), tmp_path / "run")
    assert other.by_subject == outputs.by_subject
    for part in ("subjects", "tasks", "datasets"):
        assert other.counts[part] == outputs.counts[part]


def test_several_buckets_give_the_same_examples_as_one(
    outputs: Outputs, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "_BUCKET_BYTES", 2000)
    other = execute(study(), data, tmp_path / "run")
    assert len(list((tmp_path / "run" / "examples" / "Split-train").iterdir())) > 5
    assert other.by_subject == outputs.by_subject
    assert other.counts == outputs.counts
    assert other.rejects == outputs.rejects


@pytest.mark.parametrize(
    ("workers", "bucket_bytes", "rows_per_extent"),
    [(2, 100_000_000, 100), (2, 500, 7)],
)
def test_every_row_and_label_is_counted_once_whatever_the_workers_and_bundles(
    workers: int,
    bucket_bytes: int,
    rows_per_extent: int,
    outputs: Outputs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(buckets, "_BUCKET_BYTES", bucket_bytes)
    data = write_data(tmp_path / "data", "xpt")
    with monkeypatch.context() as smaller:
        smaller.setattr(formats.extents, "__defaults__", (rows_per_extent,))

        other = execute(study("xpt"), data, tmp_path / "run", workers=workers)

    assert_conserved((other.folder / "rejects" / "counts.json").read_text(), by_arm=True)
    assert other.counts == outputs.counts
    assert other.by_subject == outputs.by_subject


def test_rows_without_subject_key_do_not_disturb_several_buckets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_data(tmp_path / "data")
    frame = subject_rows()
    frame.loc[6, "USUBJID"] = ""
    frame.loc[6, "AGE"] = 46.0
    frame.to_csv(data / "dm.csv", index=False)
    monkeypatch.setattr(buckets, "_BUCKET_BYTES", 2000)
    found = execute(study(), data, tmp_path / "run")
    assert found.counts["datasets"]["dm"]["reasons"] == {"no subject key": 1}
    assert len(found.by_subject) == N - 1


def test_another_key_gives_other_pseudonyms_and_the_same_splits(
    outputs: Outputs, data: Path, tmp_path: Path
) -> None:
    other = execute(study(), data, tmp_path / "run", key="another key of enough length")
    assert not set(other.by_subject) & set(outputs.by_subject)
    assert other.counts == outputs.counts


def test_data_in_a_bucket_give_the_same_examples_as_in_a_folder(
    outputs: Outputs, data: Path, bucket: str, tmp_path: Path
) -> None:
    copy_folder(str(data), f"s3://{bucket}/trial")
    of_bucket = execute(study(), f"s3://{bucket}/trial", tmp_path / "run")
    assert of_bucket.by_subject == outputs.by_subject
    assert of_bucket.counts == outputs.counts
    assert content_fingerprint(study(), f"s3://{bucket}/trial") == content_fingerprint(
        study(), str(data)
    )


def test_a_rerun_over_leftovers_doubles_nothing(
    outputs: Outputs, data: Path, tmp_path: Path
) -> None:
    train = tmp_path / "run" / "examples" / "Split-train"
    train.mkdir(parents=True)
    (left_over,) = (outputs.folder / "examples" / "Split-train").iterdir()
    (train / "data_tfrecord-00003-of-00009.gz").write_bytes(left_over.read_bytes())
    (train / "data_tfrecord-00000-of-00001.gz.7f").write_bytes(left_over.read_bytes()[:99])
    rejects = tmp_path / "run" / "rejects"
    rejects.mkdir()
    (rejects / "rejects-00003-of-00009.jsonl").write_text('{"dataset": "dm", "row": 1}\n')
    again = execute(study(), data, tmp_path / "run")
    assert again.by_subject == outputs.by_subject
    assert again.rejects == outputs.rejects


def test_a_worker_that_is_lost_while_it_writes_leaves_nothing_in_the_split(tmp_path: Path) -> None:
    def lost() -> Any:
        yield b"one record"
        raise OSError("the disk is full")

    split = tmp_path / "Split-train"
    split.mkdir()
    with pytest.raises(OSError, match="disk is full"):
        write_in_one_step(str(split / "data"), str(tmp_path / "unfinished"), lost())
    assert list(split.iterdir()) == []


def test_a_bucket_that_is_written_again_replaces_its_file(tmp_path: Path) -> None:
    split = tmp_path / "Split-train"
    split.mkdir()
    for records in ([b"first", b"second"], [b"third"]):
        write_records(str(split), str(tmp_path / "unfinished"), 0, 1, pa.array(records))
    (file,) = split.iterdir()
    assert b"third" in gzip.decompress(file.read_bytes())
    assert b"first" not in gzip.decompress(file.read_bytes())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"tasks.death.state.positive": {"column": "DIED", "equals": "YES"}},
            "Task death: no subject is positive: of 199 subjects the label is known for 179 "
            "(unknown: missing value: 20).",
        ),
        (
            {"tasks.death.state.positive": {"column": "DIED", "in": ["Y", "N"]}},
            "Task death: no subject is negative: of 199 subjects the label is known for 179 "
            "(unknown: missing value: 20).",
        ),
        (
            {"tasks.death.unknown_when": {"column": "USUBJID", "present": True}},
            "Task death: no subject is positive: of 199 subjects the label is known for 0 "
            "(unknown: `unknown_when` is met: 199).",
        ),
        (
            {"population": {"column": "AGE", "above": 119}},
            "No subject is left: of 200 rows of dm, 1 were rejected (a number outside the range "
            "that can be true: 1) and 199 excluded by `population` and `window`.",
        ),
        (
            {"population": {"column": "USUBJID", "equals": "P-0012"}},
            "No subject is in split",
        ),
    ],
)
def test_examples_without_a_label_to_learn_are_refused(
    data: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError) as caught:
        execute(study(**changes), data, tmp_path / "run")
    assert str(caught.value).startswith(message)


def test_a_missing_dataset_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Dataset lb: no file lab\.csv in .*`datasets\.lb\.file`"):
        execute(study(**{"datasets.lb.file": "lab.csv"}), data, tmp_path / "run")


def test_a_fault_that_shows_while_rows_are_read_is_reported_as_it_is(
    data: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(data, damaged)
    with (damaged / "lb.csv").open("a") as file:
        file.write("one field only\n")
    with pytest.raises(UserError, match=r"^\S*lb\.csv.*row \d+") as caught:
        execute(study(), damaged, tmp_path / "run")
    assert "Traceback" not in str(caught.value)
    assert "one field only" not in str(caught.value)


def test_a_file_that_is_damaged_after_its_header_is_refused(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data")
    with (data / "lb.csv").open("ab") as file:
        file.write(b"P-0001,AL\xc4,1.0,5.0\n")
    with pytest.raises(UserError, match=r"lb\.csv.*found bytes that are not utf-8"):
        execute(study(), data, tmp_path / "run")


def test_a_column_that_is_no_qualifier_either_is_refused(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "with_qualifiers"
    shutil.copytree(data, folder)
    lines = ["USUBJID,IDVAR,IDVARVAL,QNAM,QVAL", "P-0012,,,COMPLT8,Y"]
    (folder / "suppdm.csv").write_text("\n".join(lines) + "\n")
    texts = {name: {"type": "text"} for name in lines[0].split(",")}
    misspelled = study(
        **{  # type: ignore[arg-type]
            "datasets.suppdm": {
                "file": "suppdm.csv",
                "format": "csv",
                "rows": "many_per_subject",
                "supplements": "dm",
                "columns": texts,
            },
            "datasets.dm.columns.COMPLT9": {"type": "text", "known": "baseline"},
            "features.COMPLT9": {"kind": "category"},
        }
    )
    with pytest.raises(UserError, match="Dataset dm: there is no column COMPLT9, and no row"):
        execute(misspelled, folder, tmp_path / "run")


def test_a_component_is_the_same_execution_whatever_judges_the_model() -> None:
    def parameters(study: Study) -> dict[str, Any]:
        settings = TrialExampleGenSettings.of(study)
        component = TrialExampleGen(settings, "data", "fingerprint", "env:KEY", "id")
        return dict(component.exec_properties)

    thresholds: dict[str, Any] = {"thresholds": [{"metric": "auc", "at_least": 0.7}]}
    assert parameters(study(**thresholds)) == parameters(study())
    assert parameters(study(landmark="baseline")) != parameters(study())


def test_the_key_itself_is_no_parameter_of_a_component(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "a secret that must not be stored")
    settings = TrialExampleGenSettings.of(study())
    component = TrialExampleGen(settings, "data", "fingerprint", "env:KEY", "id")
    assert "a secret" not in json.dumps(dict(component.exec_properties))


def test_values_that_the_study_names_and_no_row_has_are_written(data: Path, tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "features.laboratory": {
            "kind": "number",
            "dataset": "lb",
            "column": "LBSTRESN",
            "each": ["ALT", "ALP"],
            "aggregate": "last",
        }
    }

    counts = execute(study(**changes), data, tmp_path).counts

    assert [
        (item["key"], item["column"], item["levels"], item["found"])
        for item in counts["absent_levels"]
    ] == [("features.laboratory.each", "LBTESTCD", ["ALP"], 1)]


def test_a_study_whose_values_are_all_there_has_none_absent(outputs: Outputs) -> None:
    assert outputs.counts["absent_levels"] == []
