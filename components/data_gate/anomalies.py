"""ExampleValidator's anomalies as sentences for people.

TFDV's own descriptions quote values of the data (levels, smallest and largest numbers), which
must not be disclosed; the sentences are made from the kind of the anomaly, the schema's
requirements and counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from pipeline.names import weight_key
from pipeline.results.findings import Finding
from pipeline.study.features import UNTITLED
from pipeline.study.sections import Severity
from pipeline.titles import called

_CORRECT = "Correct the data, or the curated schema if it is out of date."

_PHRASES = {
    "SCHEMA_NEW_COLUMN": (
        "is in the examples but not in the curated schema",
        "Add it to the schema, or remove it from the study file.",
    ),
    "SCHEMA_MISSING_COLUMN": (
        "is in the curated schema but not in the examples",
        "Add it to the study file, or remove it from the schema.",
    ),
    "FEATURE_TYPE_NOT_PRESENT": ("has no value for any subject", _CORRECT),
    "FEATURE_TYPE_NO_VALUES": ("has no value for any subject", _CORRECT),
    "FEATURE_TYPE_LOW_NUMBER_PRESENT": (
        "has a value for fewer subjects than the schema requires",
        _CORRECT,
    ),
    "FEATURE_TYPE_HIGH_UNIQUE": ("has more distinct values than the schema allows", _CORRECT),
    "FEATURE_TYPE_LOW_UNIQUE": ("has fewer distinct values than the schema requires", _CORRECT),
    "ENUM_TYPE_INVALID_UTF8": (
        "holds text that is not UTF-8",
        "Give the dataset's encoding in the study file.",
    ),
    "FLOAT_TYPE_HAS_NAN": (
        "holds NaN",
        "A missing value must be absent: declare the code in `missing` of the column.",
    ),
    "FLOAT_TYPE_HAS_INF": ("holds infinite values", "Declare the column's `range`."),
    "DATASET_LOW_NUM_EXAMPLES": ("has fewer subjects than the schema requires", _CORRECT),
    "DATASET_HIGH_NUM_EXAMPLES": ("has more subjects than the schema allows", _CORRECT),
    "NO_DATA_IN_SPAN": ("holds no subject", "Check the population and window of the study file."),
}

_ABOVE = ("has values above the largest that the schema allows", _CORRECT)
_BELOW = ("has values below the smallest that the schema allows", _CORRECT)
_OTHER_TYPE = (
    "has another type than in the schema",
    "Check the column's `type` and the feature's `kind` in the study file, or correct the schema.",
)
_NUMBER_OF_VALUES = (
    "has more or fewer values for a subject than the schema allows",
    "A feature has one value for each subject, or none: choose an `aggregate`.",
)
_COMPARATOR = ("differs from what a comparator in the schema compares it with", _CORRECT)

_PHRASE_BY_ENDING = (
    ("_BIG_FLOAT", _ABOVE),
    ("_BIG_INT", _ABOVE),
    ("_SMALL_FLOAT", _BELOW),
    ("_SMALL_INT", _BELOW),
    ("_NUMBER_VALUES", _NUMBER_OF_VALUES),
    ("_UNEXPECTED_REPEATED", _NUMBER_OF_VALUES),
    ("_FEATURE_SHAPE", _NUMBER_OF_VALUES),
    ("_NESTEDNESS_MISMATCH", _NUMBER_OF_VALUES),
    ("_DATA_TYPE", _OTHER_TYPE),
    ("_NOT_STRING", _OTHER_TYPE),
    ("_NOT_FLOAT", _OTHER_TYPE),
    ("_NOT_INT", _OTHER_TYPE),
    ("_NOT_INT_STRING", _OTHER_TYPE),
    ("_STRING_EXPECTED", _OTHER_TYPE),
    ("_INT_EXPECTED", _OTHER_TYPE),
    ("_NON_STRING", _OTHER_TYPE),
    ("_NOW_FLOAT", _OTHER_TYPE),
    ("_NOW_INT", _OTHER_TYPE),
)


@dataclass(frozen=True)
class _Sentence:
    text: str
    value: float | None = None
    limit: float | None = None


def anomaly_findings(
    anomalies: anomalies_pb2.Anomalies,
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
    schema: schema_pb2.Schema,
    split: str,
    severity: Severity,
    subjects: str | None = None,
    titles: Mapping[str, str] = UNTITLED,
) -> Iterator[Finding]:
    """One finding for each reason of each anomaly of a split, without repeated messages.

    Args:
        anomalies: ExampleValidator's anomalies of the split.
        statistics: The split's statistics, for shares and counts.
        schema: The curated schema.
        split: Name of the split.
        severity: Severity of every finding.
        subjects: Name of the split for people, as in `the train split`, where it is another.
        titles: Titles of the features that have one, by name.
    """
    subjects = subjects or f"the {split} split"
    if anomalies.data_missing:
        what, advice = _PHRASES["NO_DATA_IN_SPAN"]
        yield Finding(
            rule="anomalies",
            severity=severity,
            message=f"{subjects} {what}. {advice}",
            split=split,
        )
    for reason in anomalies.dataset_anomaly_info.reason:
        what, advice = _phrase(reason.type)
        yield Finding(
            rule="anomalies",
            severity=severity,
            message=f"{subjects} {what}. {advice}",
            split=split,
        )
    for feature in sorted(anomalies.anomaly_info):
        reasons = anomalies.anomaly_info[feature].reason
        sentences = (
            _sentence(reason.type, feature, statistics, schema)
            for reason in reasons
            if not _is_large_weight(reason.type, feature)
        )
        for sentence in dict.fromkeys(sentences):
            yield Finding(
                rule="anomalies",
                severity=severity,
                message=f"column {called(feature, titles)} of {subjects} {sentence.text}",
                feature=feature,
                title=titles.get(feature),
                split=split,
                value=sentence.value,
                limit=sentence.limit,
            )


def _is_large_weight(kind: int, feature: str) -> bool:
    """Whether a schema that was curated when weights were 0 or 1 limits the weight of a label."""
    name = anomalies_pb2.AnomalyInfo.Type.Name(kind)
    return name.endswith("_BIG_FLOAT") and feature.startswith(weight_key(""))


def _sentence(
    kind: int,
    feature: str,
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
    schema: schema_pb2.Schema,
) -> _Sentence:
    described = next((item for item in schema.feature if item.name == feature), None)
    measured = _feature_statistics(feature, statistics)
    if described is not None and measured is not None:
        if kind == anomalies_pb2.AnomalyInfo.FEATURE_TYPE_LOW_FRACTION_PRESENT:
            return _low_presence(described, measured, statistics.datasets[0].num_examples)
        if kind == anomalies_pb2.AnomalyInfo.ENUM_TYPE_UNEXPECTED_STRING_VALUES:
            return _unexpected_levels(described, measured, schema)
    what, advice = _phrase(kind)
    return _Sentence(f"{what}. {advice}")


def _low_presence(
    described: schema_pb2.Feature,
    measured: statistics_pb2.FeatureNameStatistics,
    subjects: int,
) -> _Sentence:
    present = _common_statistics(measured).num_non_missing / subjects if subjects else 0.0
    demanded = described.presence.min_fraction
    return _Sentence(
        f"has a value for {present:.1%} of the subjects; the schema requires {demanded:.1%}. "
        f"{_CORRECT}",
        present,
        demanded,
    )


def _unexpected_levels(
    described: schema_pb2.Feature,
    measured: statistics_pb2.FeatureNameStatistics,
    schema: schema_pb2.Schema,
) -> _Sentence:
    allowed = set(_string_domain(described, schema))
    buckets = measured.string_stats.rank_histogram.buckets
    unexpected = [bucket.sample_count for bucket in buckets if bucket.label not in allowed]
    present = _common_statistics(measured).num_non_missing
    share = sum(unexpected) / present if present else 0.0
    allowed_share = 1 - described.distribution_constraints.min_domain_mass
    return _Sentence(
        f"has {len(unexpected)} level(s) that the schema does not list, in {share:.1%} of its "
        f"values (at most {allowed_share:.1%}). Declare them as `missing` in the study file if "
        "they are codes of a missing value, add them to the schema if they are valid, otherwise "
        "correct the data.",
        share,
        allowed_share,
    )


def _string_domain(described: schema_pb2.Feature, schema: schema_pb2.Schema) -> list[str]:
    if described.WhichOneof("domain_info") == "string_domain":
        return list(described.string_domain.value)
    return [
        value
        for domain in schema.string_domain
        if domain.name == described.domain
        for value in domain.value
    ]


def _phrase(kind: int) -> tuple[str, str]:
    name = anomalies_pb2.AnomalyInfo.Type.Name(kind)
    if name in _PHRASES:
        return _PHRASES[name]
    if name.startswith("COMPARATOR_"):
        return _COMPARATOR
    for ending, phrase in _PHRASE_BY_ENDING:
        if name.endswith(ending):
            return phrase
    words = name.lower().replace("_", " ")
    return f"breaks a rule of the curated schema ({words})", _CORRECT


def _feature_statistics(
    feature: str, statistics: statistics_pb2.DatasetFeatureStatisticsList
) -> statistics_pb2.FeatureNameStatistics | None:
    for dataset in statistics.datasets:
        for item in dataset.features:
            if feature in (item.name, ".".join(item.path.step)):
                return item
    return None


def _common_statistics(
    measured: statistics_pb2.FeatureNameStatistics,
) -> statistics_pb2.CommonStatistics:
    return getattr(measured, measured.WhichOneof("stats")).common_stats
