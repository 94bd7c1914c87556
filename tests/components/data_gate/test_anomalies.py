from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from components.data_gate.anomalies import anomaly_findings
from pipeline.skew.distances import drift_distances

SCHEMA = """
feature { name: "AGE" type: FLOAT presence { min_fraction: 0.9 }
          float_domain { min: 18 max: 100 } }
feature { name: "SEX" type: BYTES domain: "sex" presence { min_fraction: 1 } }
string_domain { name: "sex" value: "F" value: "M" }
"""


def statistics_of(**columns: list[Any]) -> statistics_pb2.DatasetFeatureStatisticsList:
    return tfdv.generate_statistics_from_dataframe(pd.DataFrame(columns))


def findings_of(schema_text: str = SCHEMA, severity: str = "stop", **columns: list[Any]) -> Any:
    schema = text_format.Parse(schema_text, schema_pb2.Schema())
    statistics = statistics_of(**columns)
    anomalies = tfdv.validate_statistics(statistics, schema)
    return list(anomaly_findings(anomalies, statistics, schema, "eval", severity))  # type: ignore[arg-type]


def test_data_that_meet_the_schema_have_no_findings() -> None:
    assert findings_of(AGE=[40.0, 60.0], SEX=["F", "M"]) == []


@pytest.mark.parametrize("severity", ["stop", "warn", "ignore"])
def test_a_finding_has_the_studys_severity(severity: Any) -> None:
    (finding,) = findings_of(severity=severity, AGE=[40.0, 150.0], SEX=["F", "M"])

    assert finding.severity == severity


def test_unexpected_levels_are_counted_but_not_quoted() -> None:
    (finding,) = findings_of(AGE=[40.0] * 4, SEX=["F", "M", "F", "Xyzzy"])

    assert finding.message.startswith(
        "column SEX of the eval split has 1 level(s) that the schema does not list, in 25.0% of "
        "its values (at most 0.0%). Declare them as `missing`"
    )
    assert (finding.feature, finding.split) == ("SEX", "eval")
    assert (finding.value, finding.limit) == (0.25, 0.0)
    assert "Xyzzy" not in finding.message


def test_values_above_the_domain_are_not_quoted() -> None:
    (finding,) = findings_of(AGE=[40.0, 117.0], SEX=["F", "M"])

    assert finding.message.startswith(
        "column AGE of the eval split has values above the largest that the schema allows."
    )
    assert "117" not in finding.message


@pytest.mark.parametrize(("column", "found"), [("weight_death", 0), ("weighed", 1)])
def test_a_schema_of_weights_of_at_most_1_does_not_limit_those_for_the_end_of_follow_up(
    column: str, found: int
) -> None:
    domain = "type: FLOAT float_domain { min: 0 max: 1 }"
    schema = f'feature {{ name: "{column}" {domain} }}'

    large: dict[str, Any] = {column: [0.0, 1.0, 1.25]}
    small: dict[str, Any] = {column: [-1.0, 1.0]}

    assert len(findings_of(schema, **large)) == found
    assert len(findings_of(schema, **small)) == 1


def test_values_below_the_domain_are_found() -> None:
    (finding,) = findings_of(AGE=[40.0, 17.0], SEX=["F", "M"])

    assert "has values below the smallest that the schema allows" in finding.message


def test_a_value_that_too_many_subjects_lack_is_found_with_both_shares() -> None:
    (finding,) = findings_of(AGE=[40.0] * 4, SEX=["F", "M", None, "F"])

    assert "has a value for 75.0% of the subjects; the schema requires 100.0%" in finding.message
    assert (finding.value, finding.limit) == (0.75, 1.0)


def test_a_column_that_the_schema_lacks_is_found() -> None:
    (finding,) = findings_of(AGE=[40.0], SEX=["F"], BMI=[24.0])

    assert finding.message == (
        "column BMI of the eval split is in the examples but not in the curated schema. Add it to "
        "the schema, or remove it from the study file."
    )


def test_a_column_that_the_examples_lack_is_found() -> None:
    (finding,) = findings_of(AGE=[40.0])

    assert "column SEX of the eval split is in the curated schema but not" in finding.message


def test_a_column_of_another_type_is_found() -> None:
    (finding,) = findings_of(AGE=["forty", "sixty"], SEX=["F", "M"])

    assert "column AGE of the eval split has another type than in the schema" in finding.message


def test_each_reason_of_a_column_is_a_finding_of_its_own() -> None:
    findings = findings_of(AGE=[10.0, 117.0, np.nan], SEX=["F", "M", "F"])

    assert {finding.feature for finding in findings} == {"AGE"}
    assert len(findings) >= 2


def test_too_few_subjects_for_the_schema_are_a_finding_of_the_split() -> None:
    (finding,) = findings_of(
        SCHEMA + "dataset_constraints { min_examples_count: 3 }", AGE=[40.0], SEX=["F"]
    )

    assert finding.feature is None
    assert finding.message.startswith("the eval split has fewer subjects than the schema requires.")


def test_a_split_without_data_is_found() -> None:
    anomalies = anomalies_pb2.Anomalies(data_missing=True)
    statistics = statistics_pb2.DatasetFeatureStatisticsList()

    (finding,) = anomaly_findings(anomalies, statistics, schema_pb2.Schema(), "test", "stop")

    assert finding.message.startswith("the test split holds no subject.")


@pytest.mark.parametrize("kind", anomalies_pb2.AnomalyInfo.Type.values())
def test_every_kind_of_anomaly_is_a_sentence_without_tfdvs_description(kind: Any) -> None:
    anomalies = anomalies_pb2.Anomalies()
    reason = anomalies.anomaly_info["AGE"].reason.add(type=kind)
    reason.description = "Unexpected value: 117"

    (finding,) = anomaly_findings(
        anomalies, statistics_of(AGE=[40.0]), schema_pb2.Schema(), "train", "warn"
    )

    assert finding.message.startswith("column AGE of the train split ")
    assert finding.message.endswith(".")
    assert "117" not in finding.message


def trial(seed: int, years_older: float = 0, women: float = 0.5, missing: float = 0) -> Any:
    random = np.random.default_rng(seed)
    age = random.normal(60 + years_older, 10, 2000)
    age[random.random(2000) < missing] = np.nan
    sex = np.where(random.random(2000) < women, "F", "M")
    return statistics_of(AGE=age, SEX=sex)  # type: ignore[arg-type]


FEATURES = {"AGE": "number", "SEX": "category"}


def distances(
    current: Any, previous: Any, features: Any = FEATURES
) -> dict[tuple[str, str], float | None]:
    return {
        (item.feature, item.measure): item.value
        for item in drift_distances(current, previous, features, 0.1)
    }


def test_the_same_data_have_no_distance() -> None:
    assert set(distances(trial(1), trial(1)).values()) == {0.0}


def test_another_sample_of_the_same_population_is_near() -> None:
    assert max(distances(trial(1), trial(2)).values()) < 0.05  # type: ignore[operator, type-var]


def test_a_number_that_shifted_is_far_by_its_divergence() -> None:
    found = distances(trial(1, years_older=10), trial(2))

    assert found[("AGE", "Jensen-Shannon divergence")] > 0.1  # type: ignore[operator]
    assert found[("SEX", "L-infinity distance")] < 0.05  # type: ignore[operator]


def test_a_category_that_shifted_is_as_far_as_its_frequencies() -> None:
    found = distances(trial(1, women=0.8), trial(2, women=0.5))

    assert found[("SEX", "L-infinity distance")] == pytest.approx(0.3, abs=0.04)


def test_values_that_are_missing_more_often_are_a_distance_of_their_own() -> None:
    found = distances(trial(1, missing=0.4), trial(2))

    assert found[("AGE", "Jensen-Shannon divergence")] < 0.05  # type: ignore[operator]
    assert found[("AGE", "change in the share of missing values")] == pytest.approx(0.4, abs=0.04)


def test_a_feature_that_the_champion_did_not_have_has_no_distance() -> None:
    current = statistics_of(AGE=[40.0, 50.0], BMI=[24.0, 30.0])

    found = distances(current, statistics_of(AGE=[40.0, 50.0]), {"BMI": "number"})

    assert found == {("BMI", "Jensen-Shannon divergence"): None}
