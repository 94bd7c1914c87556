"""The shipped study files and schemas, held against the trials' own data."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyreadstat
import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from pipeline.draft.schema import make_examples
from pipeline.names import SPLITS, SUBJECT_HASH, in_statistics, label_key, weight_key
from pipeline.reading.formats import Extent, FileFormat, read
from pipeline.study.load import load_study
from pipeline.subject_key import KEY_VARIABLE
from pipeline.synthetic.trial import SyntheticTrial
from pipeline.synthetic.write import write
from tests.each import each

SCHEMAS = Path(__file__).parents[2] / "schema"
STUDIES = sorted(folder.parent.name for folder in SCHEMAS.glob("*/study.yaml"))
COLUMNS = ["USUBJID", "TRTSDT"]
DATA = {"cdisc_pilot01_sdtm": "cdisc_pilot01"}

Labels = tuple[int, int]
Examples = Callable[[str], "MadeExamples"]


@dataclass(frozen=True)
class MadeExamples:
    folder: Path

    def counts(self) -> dict[str, Any]:
        """The document of TrialExampleGen's counts."""
        document: dict[str, Any] = json.loads((self.folder / "rejects" / "counts.json").read_text())
        return document

    def labels(self, task: str) -> Labels:
        """Number of subjects whose label is known, and of those that are positive."""
        splits = self.counts()["tasks"][task].values()
        return sum(s["known"] for s in splits), sum(s["positives"] for s in splits)

    def rejected(self) -> int:
        return sum(dataset["rejected"] for dataset in self.counts()["datasets"].values())

    def batch(self, split: str = "*") -> pa.RecordBatch:
        """Examples of a split, or all: a list of values, or none, for each subject."""
        import tensorflow as tf
        from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

        files = [str(path) for path in sorted(self.folder.glob(f"Split-{split}/*.gz"))]
        records = list(tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator())
        return ExamplesToRecordBatchDecoder().DecodeBatch(records)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """All examples, one row a subject; absent values are NaN or None."""
        batch = self.batch()
        return pd.DataFrame({name: _values(batch.column(name)) for name in batch.schema.names})


def _values(column: pa.ListArray) -> pd.Series[Any]:
    """The first value of each subject, if it has one."""
    found = np.full(len(column), None, object)
    has = pc.fill_null(pc.list_value_length(column), 0).to_numpy() > 0
    values = np.array(column.values.to_pylist(), object)
    found[has] = values[column.offsets.to_numpy()[:-1][has]]
    return pd.Series(found.tolist())


@pytest.fixture(scope="module")
def examples(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Examples:
    made: dict[str, MadeExamples] = {}

    def make(name: str) -> MadeExamples:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            if name == "synthetic":
                data = tmp_path_factory.mktemp("trial")
                write(SyntheticTrial(subjects=100), str(data))
            else:
                data = request.getfixturevalue("trial_data_dir") / DATA.get(name, name)
            study = load_study(SCHEMAS / name / "study.yaml")
            # CDISC Pilot 01 keeps its name in both forms, and so do its subjects' hashes.
            study = study.model_copy(update={"study": DATA.get(name, name)})
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv(KEY_VARIABLE, "the same key for every study")
                make_examples(study, data, folder)
            made[name] = MadeExamples(folder)
        return made[name]

    return make


@pytest.fixture
def adam(trial_data_dir: Path) -> Callable[[str], pd.DataFrame]:
    return lambda name: _transport(trial_data_dir / "cdisc_pilot01" / "adam" / f"{name}.xpt")


@pytest.fixture
def sdtm(trial_data_dir: Path) -> Callable[[str], pd.DataFrame]:
    return lambda name: _transport(trial_data_dir / "cdisc_pilot01" / "sdtm" / f"{name}.xpt")


@pytest.fixture
def actg175(trial_data_dir: Path) -> pd.DataFrame:
    return pd.read_csv(trial_data_dir / "actg175" / "ACTG175.txt", sep=r"\s+")


def _transport(path: Path) -> pd.DataFrame:
    return pyreadstat.read_xport(str(path))[0]


def _schema(name: str) -> schema_pb2.Schema:
    text = (SCHEMAS / name / "schema.pbtxt").read_text(encoding="utf-8")
    return text_format.Parse(text, schema_pb2.Schema())


def _last_day(adsl: pd.DataFrame) -> pd.Series[Any]:
    """Study day on which each subject left the trial."""
    days = pd.to_datetime(adsl.RFENDT) - pd.to_datetime(adsl.TRTSDT)
    return pd.Series(days.dt.days.to_numpy() + 1, index=adsl.USUBJID)


def _until_day_56(events: pd.Series[Any], last_day: pd.Series[Any]) -> Labels:
    """Known and positive for events on days 2 to 56.

    Args:
        events: Study day of each event, by subject.
        last_day: Last day of observation, by subject.
    """
    has = {subject: set(days) for subject, days in events.groupby(level=0)}
    known = positives = 0
    for subject, last in last_day.items():
        days = has.get(subject, set())  # type: ignore[call-overload]
        if last <= 1 or any(day <= 1 for day in days):
            continue
        happened = any(day <= 56 for day in days)
        known += happened or last >= 56
        positives += happened
    return known, positives


@pytest.mark.parametrize("name", STUDIES)
def test_study_file_is_valid_and_bears_its_folders_name(name: str) -> None:
    assert load_study(SCHEMAS / name / "study.yaml").study == name


@pytest.mark.parametrize("name", STUDIES)
def test_no_row_of_the_trial_is_rejected(name: str, examples: Examples) -> None:
    assert examples(name).rejected() == 0


@pytest.mark.parametrize("name", STUDIES)
def test_schema_lists_exactly_the_columns_of_the_examples(name: str, examples: Examples) -> None:
    columns = set(examples(name).rows.columns)

    described = {column for column in columns if in_statistics(column)}
    assert {feature.name for feature in _schema(name).feature} == described


@pytest.mark.parametrize("name", STUDIES)
def test_no_split_deviates_from_the_schema(name: str, examples: Examples) -> None:
    import tensorflow_data_validation as tfdv
    from tensorflow_data_validation.statistics.stats_impl import generate_statistics_in_memory

    anomalies = {}
    batches = {split: examples(name).batch(split) for split in SPLITS}
    # Where models are cross-fitted, all subjects are in one split.
    for split, batch in each([item for item in batches.items() if len(item[1])]):
        names = list(filter(in_statistics, batch.schema.names))
        shown = pa.RecordBatch.from_arrays([batch.column(column) for column in names], names)
        # Without Beam, whose start takes longer than the statistics of a study.
        statistics = generate_statistics_in_memory(shown)
        assert statistics.datasets[0].num_examples == len(batch)
        anomalies[split] = list(tfdv.validate_statistics(statistics, _schema(name)).anomaly_info)

    assert anomalies == {split: [] for split in anomalies}


@pytest.mark.parametrize("name", STUDIES)
def test_schema_gives_no_feature_a_shape_so_that_missing_values_stay_missing(name: str) -> None:
    assert [
        feature.name for feature in each(_schema(name).feature) if feature.HasField("shape")
    ] == []


@pytest.mark.parametrize("name", STUDIES)
def test_labels_weights_arm_and_groups_are_demanded_of_every_subject(name: str) -> None:
    demanded = [
        feature.presence.min_fraction
        for feature in _schema(name).feature
        if feature.name == "arm" or feature.name.startswith(("label_", "weight_", "slice_"))
    ]

    assert set(demanded) == {1.0}


def test_actg175_event_is_unknown_for_those_censored_before_96_weeks(
    examples: Examples, actg175: pd.DataFrame
) -> None:
    event = (actg175.cens == 1) & (actg175.days <= 672)
    known = event | (actg175.days >= 672)

    assert (known.sum(), event.sum()) == (1956, 322)
    assert examples("actg175").labels("event_96_weeks") == (1956, 322)


@pytest.mark.parametrize("name", STUDIES)
def test_the_weighted_share_with_the_event_is_the_risk_of_each_arm(
    name: str, examples: Examples
) -> None:
    censoring = examples(name).counts()["censoring"]
    rows = examples(name).rows
    shares, risks = {}, {}
    for task, found in censoring.items():
        weight, label = rows[weight_key(task)], rows[label_key(task)]
        for arm, of_arm in found["arms"].items():
            inside = rows.arm == arm.encode()
            shares[task, arm] = (weight * label)[inside].sum() / weight[inside].sum()
            risks[task, arm] = of_arm["risk"]["value"]
    followed = [
        task
        for task, of in load_study(SCHEMAS / name / "study.yaml").tasks.items()
        if of.event and of.event.follow_up
    ]

    assert (sorted(censoring), shares) == (sorted(followed), pytest.approx(risks, abs=1e-6))


def test_actg175_risk_is_that_of_statsmodels_and_lower_than_the_share_of_known_labels(
    examples: Examples, actg175: pd.DataFrame
) -> None:
    from statsmodels.duration.survfunc import SurvfuncRight

    arms = examples("actg175").counts()["censoring"]["event_96_weeks"]["arms"]
    found = {arm: of_arm["risk"]["value"] for arm, of_arm in arms.items()}
    expected = {}
    for arm, rows in actg175.groupby("arms"):
        curve = SurvfuncRight(rows.days.to_numpy(), rows.cens.to_numpy())
        expected[str(arm)] = 1 - curve.surv_prob[curve.surv_times <= 672][-1]

    assert found == pytest.approx(expected, abs=1e-12)
    rows = examples("actg175").rows
    weight, label = rows["weight_event_96_weeks"], rows["label_event_96_weeks"]
    naive = label.sum() / (weight > 0).sum()
    weighted = (weight * label).sum() / weight.sum()
    assert (round(naive, 4), round(weighted, 4)) == (0.1646, 0.1585)


def test_actg175_response_is_a_higher_cd4_count_at_week_20_than_at_baseline(
    examples: Examples, actg175: pd.DataFrame
) -> None:
    responded = (actg175.cd420 > actg175.cd40).sum()

    assert examples("actg175").labels("cd4_response") == (2139, responded)


def test_actg175_off_treatment_is_known_for_all_subjects(
    examples: Examples, actg175: pd.DataFrame
) -> None:
    assert examples("actg175").labels("off_treatment") == (2139, (actg175.offtrt == 1).sum())


def test_cdisc_pilot_discontinued_leaves_out_who_left_on_the_day_of_prediction(
    examples: Examples, adam: Callable[[str], pd.DataFrame]
) -> None:
    adsl = adam("adsl")
    stayed = adsl[_last_day(adsl).to_numpy() > 1]
    discontinued = (stayed.DISCONFL == "Y").sum()

    assert (len(stayed), discontinued) == (253, 143)
    assert examples("cdisc_pilot01").labels("discontinued") == (253, 143)


def test_cdisc_pilot_response_counts_scores_of_week_24_and_none_carried_forward(
    examples: Examples, adam: Callable[[str], pd.DataFrame]
) -> None:
    scores = adam("adqscibc")
    observed = scores[(scores.AVISITN == 24) & (scores.ANL01FL == "Y") & (scores.DTYPE == "")]
    improved = (observed.AVAL <= 3).sum()

    assert observed.USUBJID.is_unique
    assert (len(observed), improved) == (153, 23)
    assert examples("cdisc_pilot01").labels("cibic_response") == (153, 23)


def test_cdisc_pilot_dermatologic_event_is_unknown_for_those_who_left_before_day_56(
    examples: Examples, adam: Callable[[str], pd.DataFrame]
) -> None:
    adtte = adam("adtte").set_index("USUBJID")
    expected = _until_day_56(adtte.AVAL[adtte.CNSR == 0], adtte.AVAL.where(adtte.CNSR == 1, 999))

    assert expected == (213, 116)
    assert examples("cdisc_pilot01").labels("dermatologic_event") == expected


def test_cdisc_pilot_moderate_or_severe_event_counts_what_emerged_under_treatment(
    examples: Examples, adam: Callable[[str], pd.DataFrame]
) -> None:
    events = adam("adae").set_index("USUBJID")
    events = events[(events.TRTEMFL == "Y") & events.AESEV.isin(["MODERATE", "SEVERE"])]
    expected = _until_day_56(events.ASTDY, _last_day(adam("adsl")))

    assert expected == (227, 101)
    assert examples("cdisc_pilot01").labels("moderate_or_severe_event") == expected


def test_cdisc_pilot_places_no_row_by_a_date_since_its_files_disagree_by_ten_years(
    adam: Callable[[str], pd.DataFrame], trial_data_dir: Path
) -> None:
    study = load_study(SCHEMAS / "cdisc_pilot01" / "study.yaml")
    laboratory = str(trial_data_dir / "cdisc_pilot01" / study.datasets["adlbc"].file)
    [(_, batch)] = read(Extent(laboratory, rows=1), FileFormat("dataset-json"), COLUMNS)
    subject, start = (column[0].as_py() for column in batch.columns)
    start_in_adsl = adam("adsl").set_index("USUBJID").TRTSDT[subject]

    assert start.year - start_in_adsl.year == 10
    assert [name for name, dataset in each(study.datasets.items()) if dataset.date] == []


def test_spelled_out_query_of_sdtm_is_the_one_that_the_adam_definition_describes(
    sdtm: Callable[[str], pd.DataFrame],
) -> None:
    study = load_study(SCHEMAS / "cdisc_pilot01_sdtm" / "study.yaml")
    event = study.tasks["dermatologic_event"].event
    skin, listed = event.where.any  # type: ignore[misc, union-attr]
    events = sdtm("ae")
    contains = events.AEDECOD.str.contains("APPLICATION|DERMATITIS|ERYTHEMA|BLISTER")
    of_skin = skin.all[0].equals == events.AEBODSYS  # type: ignore[index]

    assert set(skin.all[1].negated.is_in) == {"ALOPECIA", "COLD SWEAT", "HYPERHIDROSIS"}  # type: ignore[arg-type, index, union-attr]
    assert set(listed.is_in) == set(events.AEDECOD[contains & ~of_skin])  # type: ignore[arg-type]


def test_sdtm_discontinued_masks_who_should_never_have_entered(
    examples: Examples, sdtm: Callable[[str], pd.DataFrame]
) -> None:
    disposition = sdtm("ds").query("DSCAT == 'DISPOSITION EVENT' and DSDECOD != 'SCREEN FAILURE'")
    not_met = set(sdtm("suppds").query("QNAM == 'ENTCRIT'").USUBJID)
    judged = disposition[~disposition.USUBJID.isin(not_met)]
    discontinued = (judged.DSDECOD != "COMPLETED").sum()

    assert (len(judged), discontinued) == (251, 141)
    assert examples("cdisc_pilot01_sdtm").labels("discontinued") == (251, 141)


def test_sdtm_leaves_screen_failures_out_by_their_missing_population_flag(
    examples: Examples,
) -> None:
    counts = json.loads(
        (examples("cdisc_pilot01_sdtm").folder / "rejects" / "counts.json").read_text()
    )

    assert counts["datasets"]["dm"]["used"] == 254
    assert counts["datasets"]["dm"]["excluded"] == 52


@pytest.mark.parametrize(
    ("task", "known_in_adam_alone"),
    [
        # Three did not meet the entry criteria, which SUPPDS alone says; one of them left on
        # the day of prediction, which masks this subject in both.
        ("discontinued", 2),
        # Eight had a dermatologic event before treatment as well. ADaM's flags tell an event that
        # emerged under treatment from one that was there; dates alone don't, and mask them.
        ("dermatologic_event", 8),
        # The same, for twenty.
        ("moderate_or_severe_event", 20),
    ],
)
def test_adam_and_sdtm_agree_on_every_subject_that_both_know(
    task: str, known_in_adam_alone: int, examples: Examples
) -> None:
    columns = [label_key(task), weight_key(task)]
    adam = examples("cdisc_pilot01").rows.set_index(SUBJECT_HASH)[columns]
    sdtm = examples("cdisc_pilot01_sdtm").rows.set_index(SUBJECT_HASH)[columns]
    both = adam.join(sdtm, lsuffix="_adam", rsuffix="_sdtm", how="inner")
    in_adam, in_sdtm = (both[f"{weight_key(task)}_{form}"] > 0 for form in ("adam", "sdtm"))
    label_adam, label_sdtm = (both[f"{label_key(task)}_{form}"] for form in ("adam", "sdtm"))

    assert len(both) == 254
    assert (label_adam == label_sdtm)[in_adam & in_sdtm].all()
    assert (in_adam & ~in_sdtm).sum() == known_in_adam_alone
    assert (in_sdtm & ~in_adam).sum() == 0


@pytest.mark.parametrize("name", STUDIES)
def test_every_shipped_study_says_what_its_model_is_for_and_not_for(name: str) -> None:
    card = load_study(SCHEMAS / name / "study.yaml").card
    assert card.purpose
    assert card.users
    assert card.not_for
    assert card.population
    assert card.limits
