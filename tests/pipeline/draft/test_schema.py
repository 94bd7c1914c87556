"""The schema of a study in which no subject has a value of some columns."""

from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from pipeline.draft.schema import draft_schema, make_examples, statistics_of
from pipeline.study.load import load_study
from pipeline.study.study import Study

STUDY = """
study: unmeasured
title: No subject was measured
version: 1
datasets:
  patients:
    file: patients.csv
    format: csv
    rows: one_per_subject
    columns:
      PATNO: {type: text}
      HEALED: {type: text}
      AGE: {type: number, known: baseline}
      LAB: {type: number, known: baseline}
      GRADE: {type: text, known: baseline}
  visits:
    file: visits.csv
    format: csv
    rows: many_per_subject
    day: DAY
    columns:
      PATNO: {type: text}
      DAY: {type: number}
      BMI: {type: number}
subject: {dataset: patients, column: PATNO}
features:
  AGE: {kind: number}
  LAB: {kind: number}
  GRADE: {kind: category}
  BMI: {kind: number, dataset: visits, aggregate: last}
tasks:
  healed:
    kind: outcome
    title: Healed
    state: {positive: {column: HEALED, equals: "Y"}}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 subjects without a value of LAB, GRADE and BMI."""
    folder = tmp_path_factory.mktemp("data")
    rows = [f"P{i:03d},{'Y' if i % 3 else 'N'},{40 + i % 30},,\n" for i in range(100)]
    (folder / "patients.csv").write_text("PATNO,HEALED,AGE,LAB,GRADE\n" + "".join(rows))
    (folder / "visits.csv").write_text("PATNO,DAY,BMI\nP000,1,\n")
    return folder


@pytest.fixture(scope="module")
def study(data: Path) -> Study:
    file = data / "study.yaml"
    file.write_text(STUDY)
    return load_study(file)


@pytest.fixture(scope="module")
def schema(study: Study, data: Path) -> schema_pb2.Schema:
    return text_format.Parse(draft_schema(study, data), schema_pb2.Schema())


def test_column_without_values_is_typed_as_the_study_file_says(schema: schema_pb2.Schema) -> None:
    types = {feature.name: feature.type for feature in schema.feature}

    assert types["LAB"] == types["BMI"] == types["AGE"] == schema_pb2.FLOAT
    assert types["GRADE"] == schema_pb2.BYTES


def test_schema_accepts_the_data_that_it_is_drafted_from(
    schema: schema_pb2.Schema, study: Study, data: Path, tmp_path: Path
) -> None:
    import tensorflow_data_validation as tfdv

    make_examples(study, data, tmp_path)

    anomalies = tfdv.validate_statistics(statistics_of(tmp_path / "Split-train"), schema)

    assert not anomalies.anomaly_info
