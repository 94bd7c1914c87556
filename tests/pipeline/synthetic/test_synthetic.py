"""The synthetic trial: its truth, its calendar, its gaps, and that it is the same every time."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.cli.main import main
from pipeline.errors import UserError
from pipeline.study.load import load_study
from pipeline.synthetic.simulate import simulate
from pipeline.synthetic.trial import COEFFICIENTS, DATASETS, TASKS, SyntheticTrial
from pipeline.synthetic.write import write
from pipeline.synthetic.xpt_writer import Column, Dataset, XptWriter, ibm_float

ROOT = Path(__file__).resolve().parents[3]
TWENTY_THOUSAND = SyntheticTrial(subjects=20_000, seed=7)


def read(
    folder: Path, dataset: str, columns: list[str] | None = None, index: str | None = None
) -> pd.DataFrame:
    parts = [
        pyreadstat.read_xport(path, usecols=columns, disable_datetime_conversion=True)[0]
        for path in sorted(folder.glob(f"{dataset}-*.xpt"))
    ]
    frame = pd.concat(parts, ignore_index=True)
    return frame.set_index(index) if index else frame


def files(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def read_truth(folder: Path) -> pd.DataFrame:
    return pd.concat(map(pd.read_parquet, folder.glob("truth/*.parquet"))).set_index("USUBJID")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 subjects."""
    out = tmp_path_factory.mktemp("two_thousand")
    write(SyntheticTrial(subjects=2_000, seed=7), str(out))
    return out


@pytest.fixture(scope="module")
def trial(folder: Path) -> dict[str, pd.DataFrame]:
    """Every dataset of 2,000 subjects."""
    return {dataset.name: read(folder, dataset.name) for dataset in DATASETS}


@pytest.fixture(scope="module")
def large_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20,000 subjects."""
    out = tmp_path_factory.mktemp("twenty_thousand")
    write(TWENTY_THOUSAND, str(out))
    return out


@pytest.fixture(scope="module")
def truth(large_folder: Path) -> pd.DataFrame:
    """True probabilities of 20,000 subjects."""
    return read_truth(large_folder)


@pytest.fixture(scope="module")
def subjects(large_folder: Path, truth: pd.DataFrame) -> pd.DataFrame:
    """Arm and last day of the 20,000 subjects."""
    return read(large_folder, "adsl", ["USUBJID", "TRT01P", "EOSDY"], "USUBJID").loc[truth.index]


@pytest.fixture(scope="module")
def labels(large_folder: Path, subjects: pd.DataFrame) -> pd.DataFrame:
    """Labels of 20,000 subjects as the study file defines them; NaN where one is unknown.

    Only subjects who are still in the trial after day 28 have any; an event up to day 28, or a
    dropout before day 180 without event, leaves its task unknown.
    """
    everybody = subjects.index
    adtte = read(large_folder, "adtte", ["USUBJID", "AVAL", "CNSR"], "USUBJID").loc[everybody]
    event = adtte["CNSR"] == 0
    worsening = event.astype(float).mask(event & (adtte["AVAL"] <= 28))
    worsening = worsening.mask(~event & (adtte["AVAL"] < 180))

    advs = read(large_folder, "advs", ["USUBJID", "PARAMCD", "AVISITN", "PCHG"], "USUBJID")
    change = advs.query("PARAMCD == 'SCORE' and AVISITN == 12")["PCHG"].reindex(everybody)
    response = (change <= -50).astype(float).mask(change.isna())

    adae = read(large_folder, "adae", ["USUBJID", "AEBODSYS", "ASTDY"], "USUBJID")
    hepatic = adae.query("AEBODSYS == 'Hepatobiliary disorders'")["ASTDY"]
    first = hepatic.groupby("USUBJID").min().reindex(everybody)
    hepatic_ae = (first > 28).astype(float).mask(first <= 28)
    hepatic_ae = hepatic_ae.mask(first.isna() & (subjects["EOSDY"] < 180))
    known = pd.DataFrame({"worsening": worsening, "response": response, "hepatic_ae": hepatic_ae})
    return known[subjects["EOSDY"] > 28]


def z_score(observed: pd.Series, probability: pd.Series) -> float:
    variance = (probability * (1 - probability)).sum()
    return float((observed - probability).sum() / np.sqrt(variance))


@pytest.mark.parametrize("task", TASKS)
def test_outcomes_follow_their_true_probabilities(task, labels, truth):
    observed = labels[task].dropna()
    assert abs(z_score(observed, truth[f"p_{task}"].loc[observed.index])) < 3


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("fifth", range(5))
def test_outcomes_follow_their_true_probabilities_in_every_fifth_of_risk(
    task, fifth, labels, truth
):
    observed = labels[task].dropna()
    probability = truth[f"p_{task}"].loc[observed.index]
    members = pd.qcut(probability, 5, labels=False) == fifth
    assert abs(z_score(observed[members], probability[members])) < 3.5


@pytest.mark.parametrize("task", TASKS)
def test_the_effect_of_the_arm_is_the_true_one_within_its_standard_error(
    task, subjects, labels, truth
):
    observed = labels[task].dropna()
    probability = truth[f"p_{task}"].loc[observed.index]
    active = subjects["TRT01P"].loc[observed.index].eq("Active").to_numpy()

    def difference(values):
        return values[active].mean() - values[~active].mean()

    variance = probability * (1 - probability)
    error = np.sqrt(
        variance[active].sum() / active.sum() ** 2 + variance[~active].sum() / (~active).sum() ** 2
    )
    assert abs(difference(observed) - difference(probability)) < 2 * error
    assert abs(difference(observed)) > 2 * error


@pytest.mark.parametrize("task", TASKS)
def test_logistic_regression_recovers_every_coefficient(task, labels):
    blocks = [simulate(TWENTY_THOUSAND, block) for block in range(TWENTY_THOUSAND.blocks)]
    subjects = np.concatenate([block.usubjid for block in blocks]).astype(str)
    names = list(COEFFICIENTS[task])
    terms = np.stack([np.concatenate([b.terms[name] for b in blocks]) for name in names], axis=1)
    observed = labels[task].dropna()
    design = pd.DataFrame(terms, subjects).loc[observed.index].to_numpy()

    estimate = np.zeros(len(names))
    for _ in range(12):
        fitted = 1 / (1 + np.exp(-design @ estimate))
        information = design.T @ (design * (fitted * (1 - fitted))[:, None])
        estimate = estimate + np.linalg.solve(information, design.T @ (observed - fitted))
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    true = np.array([COEFFICIENTS[task][name] for name in names])
    assert np.abs((estimate - true) / errors).max() < 3.5


@pytest.mark.parametrize(
    ("task", "share", "auc"),
    [("worsening", 0.25, 0.78), ("response", 0.40, 0.75), ("hepatic_ae", 0.08, 0.75)],
)
def test_prevalence_and_the_best_auc_are_as_announced(task, share, auc, labels, truth):
    observed = labels[task].dropna()
    rank = truth[f"p_{task}"].loc[observed.index].rank()
    events = observed.sum()
    area = (rank[observed == 1].sum() - events * (events + 1) / 2) / (
        events * (len(observed) - events)
    )
    assert observed.mean() == pytest.approx(share, abs=0.02)
    assert area == pytest.approx(auc, abs=0.02)


def test_the_truth_is_not_among_the_datasets(folder):
    assert list(read_truth(folder).columns) == [f"p_{task}" for task in TASKS]
    names = {column.name for dataset in DATASETS for column in dataset.columns}
    assert not {name for name in names if name.lower().startswith("p_")}
    assert not list(folder.glob("*.parquet"))


def test_every_safety_subject_has_a_truth_and_nobody_else(folder, trial):
    safety = trial["adsl"].query("SAFFL == 'Y'")
    assert list(read_truth(folder).index) == list(safety["USUBJID"])


def test_a_worsening_falls_on_days_5_to_180(trial):
    days = trial["adtte"].query("CNSR == 0")["AVAL"]
    assert days.min() >= 5
    assert days.max() <= 180


def test_some_events_come_before_the_landmark(trial):
    early = trial["adtte"].query("CNSR == 0 and AVAL <= 28")
    assert 0.01 < len(early) / 2_000 < 0.04


def test_some_subjects_drop_out_before_the_landmark_and_more_after_it(trial):
    last_day = trial["adsl"]["EOSDY"]
    assert 0.01 < (last_day <= 28).mean() < 0.05
    assert 0.08 < last_day.between(29, 179).mean() < 0.16


def test_completers_are_followed_up_to_day_180_and_dropouts_are_not(trial):
    adsl = trial["adsl"].query("SAFFL == 'Y'")
    completed = adsl["EOSSTT"] == "COMPLETED"
    assert (completed == (adsl["EOSDY"] >= 180)).all()
    assert (completed == (adsl["DCSREAS"] == "")).all()


@pytest.mark.parametrize(
    ("dataset", "day"), [("adlb", "ADY"), ("advs", "ADY"), ("adae", "ASTDY"), ("adae", "AENDY")]
)
def test_there_is_no_study_day_zero(dataset, day, trial):
    days = trial[dataset][day]
    assert (days != 0).all()
    assert (days < 0).any()


@pytest.mark.parametrize(
    ("dataset", "day", "date"),
    [
        ("adlb", "ADY", "ADT"),
        ("advs", "ADY", "ADT"),
        ("adae", "ASTDY", "ASTDT"),
        ("adae", "AENDY", "AENDT"),
        ("adtte", "AVAL", "ADT"),
    ],
)
def test_dates_count_from_the_first_dose_as_day_1(dataset, day, date, trial):
    rows = trial[dataset].dropna(subset=[day])
    first_dose = trial["adsl"].set_index("USUBJID")["TRTSDT"].loc[rows["USUBJID"]].to_numpy()
    elapsed = rows[date].to_numpy() - first_dose
    assert (np.where(elapsed >= 0, elapsed + 1, elapsed) == rows[day]).all()


@pytest.mark.parametrize(
    ("dataset", "day"),
    [("adlb", "ADY"), ("advs", "ADY"), ("adae", "ASTDY"), ("adae", "AENDY"), ("adtte", "AVAL")],
)
def test_nothing_is_recorded_after_the_end_of_study(dataset, day, trial):
    rows = trial[dataset].dropna(subset=[day])
    last_day = trial["adsl"].set_index("USUBJID")["EOSDY"].loc[rows["USUBJID"]].to_numpy()
    assert (rows[day].to_numpy() <= last_day).all()


def test_an_adverse_event_ends_on_or_after_its_first_day(trial):
    ended = trial["adae"].dropna(subset=["AENDY"])
    assert (ended["AENDY"] >= ended["ASTDY"]).all()


def test_only_events_under_treatment_are_treatment_emergent(trial):
    adae = trial["adae"]
    assert ((adae["TRTEMFL"] == "Y") == (adae["ASTDY"] > 0)).all()


def test_adverse_events_are_numbered_from_1_in_the_order_of_their_days(trial):
    adae = trial["adae"]
    assert (adae["AESEQ"] == adae.groupby("USUBJID").cumcount() + 1).all()
    assert adae.groupby("USUBJID")["ASTDY"].apply(lambda days: days.is_monotonic_increasing).all()


@pytest.mark.parametrize(
    ("visit", "first", "last"), [(0, -3, 1), (2, 12, 16), (4, 24, 31), (12, 80, 88)]
)
def test_visits_lie_in_their_windows(visit, first, last, trial):
    adlb = trial["adlb"]
    days = adlb["ADY"][adlb["AVISITN"] == visit]
    assert (days.min(), days.max()) == (first, last)


def test_a_few_visits_of_week_4_are_later_than_the_landmark(trial):
    days = trial["adlb"].query("AVISITN == 4")["ADY"]
    assert 0.02 < (days > 28).mean() < 0.06


def test_subjects_have_about_twenty_event_rows(trial):
    rows = sum(len(trial[name]) for name in ("adae", "adlb", "advs", "adtte"))
    assert 18 < rows / 2_000 < 25


def test_the_first_score_is_the_baseline_score_of_the_subject(trial):
    scores = trial["advs"].query("PARAMCD == 'SCORE' and ABLFL == 'Y'")
    severity = trial["adsl"].set_index("USUBJID")["SEVBL"].loc[scores["USUBJID"]].to_numpy()
    assert (scores["AVAL"].to_numpy() == severity).all()


def test_percent_change_refers_to_the_baseline_row(trial):
    rows = trial["advs"].query("ABLFL == ''")
    baseline = trial["advs"].query("ABLFL == 'Y'").set_index(["USUBJID", "PARAMCD"])["AVAL"]
    expected = baseline.loc[pd.MultiIndex.from_frame(rows[["USUBJID", "PARAMCD"]])].to_numpy()
    assert (rows["BASE"].to_numpy() == expected).all()
    assert np.allclose(rows["PCHG"], 100 * (rows["AVAL"] - expected) / expected)


def test_arms_are_balanced_within_each_site_up_to_one_permuted_block():
    adsl = simulate(SyntheticTrial(subjects=1_000, sites=7), 0).datasets["adsl"]
    active = adsl["TRT01P"] == b"Active"
    for site in np.unique(adsl["SITEID"]):
        members = adsl["SITEID"] == site
        assert abs(2 * int(active[members].sum()) - int(members.sum())) <= 2


@pytest.mark.parametrize(
    ("subjects", "sites"), [(100, 5), (250, 5), (1_000, 20), (10_000, 200), (1_000_000, 200)]
)
def test_there_is_a_site_per_50_subjects_between_5_and_200(subjects, sites):
    assert SyntheticTrial(subjects).site_count == sites


def test_every_site_lies_in_one_of_five_countries(trial):
    adsl = trial["adsl"]
    assert adsl["COUNTRY"].nunique() == 5
    assert adsl["SITEID"].nunique() == 40
    assert (adsl.groupby("SITEID")["COUNTRY"].nunique() == 1).all()


def test_never_treated_subjects_have_no_treatment_and_no_rows(trial):
    untreated = trial["adsl"].query("SAFFL == 'N'")
    assert 0 < len(untreated) < 20
    assert untreated[["TRTSDT", "TRTEDT", "EOSDY"]].isna().all(axis=None)
    assert (untreated["TRT01A"] == "").all()
    for name in ("adae", "adlb", "advs", "adtte"):
        assert not trial[name]["USUBJID"].isin(untreated["USUBJID"]).any()


def missing_shares(trial: SyntheticTrial) -> dict[str, tuple[float, int, float]]:
    """Observed share, number of rows and configured share."""
    block = simulate(trial, 0)
    adsl, adlb = block.datasets["adsl"], block.datasets["adlb"]
    older = adsl["AGE"] >= 65
    weight = np.isnan(adsl["WEIGHTBL"])
    return {
        "lab": (np.isnan(adlb["AVAL"]).mean(), len(adlb["AVAL"]), trial.lab_missing),
        "smoking": ((adsl["SMOKFL"] == b"").mean(), 1_000, trial.smoking_missing),
        "weight": (weight[~older].mean(), int((~older).sum()), trial.weight_missing),
        "weight_older": (weight[older].mean(), int(older.sum()), trial.weight_missing_older),
    }


@pytest.mark.parametrize("what", ["lab", "smoking", "weight", "weight_older"])
def test_missing_shares_are_as_configured(what):
    configured = SyntheticTrial(
        subjects=1_000,
        lab_missing=0.2,
        smoking_missing=0.3,
        weight_missing=0.1,
        weight_missing_older=0.5,
    )
    observed, rows, share = missing_shares(configured)[what]
    assert abs(observed - share) < 3 * np.sqrt(share * (1 - share) / rows)


def test_nothing_is_missing_where_nothing_shall_be():
    complete = SyntheticTrial(
        subjects=1_000,
        lab_missing=0,
        smoking_missing=0,
        weight_missing=0,
        weight_missing_older=0,
    )
    assert {observed for observed, _, _ in missing_shares(complete).values()} == {0.0}


def test_body_mass_index_is_missing_exactly_where_weight_is(trial):
    adsl = trial["adsl"]
    assert (adsl["BMIBL"].isna() == adsl["WEIGHTBL"].isna()).all()


@pytest.mark.parametrize(
    "mode", ["multi_threading", pytest.param("multi_processing", marks=pytest.mark.slow)]
)
def test_the_same_trial_has_the_same_bytes_with_one_worker_and_with_two(mode, tmp_path):
    trial = SyntheticTrial(subjects=2_500, subjects_per_shard=1_000)
    write(trial, str(tmp_path / "one"))
    write(
        trial,
        str(tmp_path / "two"),
        [f"--direct_running_mode={mode}", "--direct_num_workers=2"],
    )
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_the_records_do_not_depend_on_the_shards(tmp_path):
    write(SyntheticTrial(subjects=2_500, subjects_per_shard=1_000), str(tmp_path / "three"))
    write(SyntheticTrial(subjects=2_500), str(tmp_path / "one"))
    assert len(list((tmp_path / "three").glob("adlb-*-of-00003.xpt"))) == 3
    assert len(list((tmp_path / "one").glob("adlb-*-of-00001.xpt"))) == 1
    for dataset in DATASETS:
        pd.testing.assert_frame_equal(
            read(tmp_path / "three", dataset.name), read(tmp_path / "one", dataset.name)
        )


def test_a_block_does_not_depend_on_the_number_of_later_blocks():
    sites = 20
    short = simulate(SyntheticTrial(subjects=1_000, sites=sites), 0).datasets["adlb"]
    long = simulate(SyntheticTrial(subjects=5_000, sites=sites), 0).datasets["adlb"]
    assert all(np.array_equal(short[name], long[name], equal_nan=name == "AVAL") for name in short)


def test_another_seed_is_another_trial(tmp_path):
    write(SyntheticTrial(subjects=100, seed=1), str(tmp_path / "a"))
    write(SyntheticTrial(subjects=100, seed=2), str(tmp_path / "b"))
    first, second = files(tmp_path / "a"), files(tmp_path / "b")
    assert first.keys() == second.keys()
    assert all(first[name] != second[name] for name in first)


def test_a_complete_trial_is_left_as_it_is(tmp_path):
    trial = SyntheticTrial(subjects=100)
    write(trial, str(tmp_path))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    write(trial, str(tmp_path))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_an_interrupted_write_leaves_no_manifest_and_is_redone(tmp_path):
    trial = SyntheticTrial(subjects=2_000, subjects_per_shard=1_000)
    write(trial, str(tmp_path / "whole"))
    broken = tmp_path / "broken"
    obstacle = broken / "adlb-00001-of-00002.xpt"
    obstacle.mkdir(parents=True)
    with pytest.raises(Exception, match="Rename operation failed"):
        write(trial, str(broken))
    assert not (broken / "manifest.json").exists()
    obstacle.rmdir()
    write(trial, str(broken))
    assert files(broken) == files(tmp_path / "whole")


def test_a_damaged_shard_without_manifest_is_written_anew(tmp_path):
    trial = SyntheticTrial(subjects=100)
    write(trial, str(tmp_path))
    whole = files(tmp_path)
    (tmp_path / "manifest.json").unlink()
    (tmp_path / "adsl-00000-of-00001.xpt").write_bytes(b"half")
    write(trial, str(tmp_path))
    assert files(tmp_path) == whole


def test_the_manifest_names_the_parameters_and_the_version(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["trial"]["subjects"] == 2_000
    assert manifest["trial"]["seed"] == 7
    assert manifest["version"] == 1


def test_the_folder_of_another_trial_is_refused(tmp_path):
    write(SyntheticTrial(subjects=100), str(tmp_path))
    before = files(tmp_path)
    with pytest.raises(UserError, match=r"manifest\.json describes another trial"):
        write(SyntheticTrial(subjects=101), str(tmp_path))
    assert files(tmp_path) == before


def test_a_shard_of_another_trial_is_refused(tmp_path):
    stranger = tmp_path / "adsl-00000-of-00009.xpt"
    stranger.touch()
    with pytest.raises(UserError, match=r"adsl-00000-of-00009\.xpt is a shard of another trial"):
        write(SyntheticTrial(subjects=100), str(tmp_path))


@pytest.mark.parametrize("subjects", [-1, 0, 99, 1_000_001])
def test_sizes_outside_100_to_1_000_000_are_refused(subjects):
    with pytest.raises(UserError, match=f"subjects is {subjects}; expected 100 to 1,000,000"):
        SyntheticTrial(subjects)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("seed", -1),
        ("sites", 0),
        ("sites", 1_000),
        ("subjects_per_shard", 1_500),
        ("subjects_per_shard", 0),
        ("lab_missing", 1.0),
        ("smoking_missing", -0.1),
    ],
)
def test_parameters_out_of_range_are_refused(parameter, value):
    with pytest.raises(UserError, match=parameter):
        SyntheticTrial(subjects=100, **{parameter: value})


def test_the_command_line_reports_a_bad_size_without_traceback(tmp_path, capsys):
    assert main(["synthetic", "--subjects", "5", "--out", str(tmp_path)]) == 2
    assert "subjects is 5" in capsys.readouterr().err


def test_the_command_line_writes_the_trial(tmp_path):
    assert main(["synthetic", "--subjects", "120", "--seed", "3", "--out", str(tmp_path)]) == 0
    assert len(read(tmp_path, "adsl")) == 120


def test_the_help_needs_no_beam():
    code = "import sys, pipeline.synthetic; sys.exit('apache_beam' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_study_file_refers_only_to_columns_that_exist():
    study = load_study(ROOT / "schema" / "synthetic" / "study.yaml")
    existing = {d.name: {column.name for column in d.columns} for d in DATASETS}
    for name in study.datasets:
        assert set(study.columns_used(name)) <= existing[name]
    assert set(study.tasks) == set(TASKS)


@pytest.mark.parametrize(
    ("number", "bits"),
    [
        (0.0, 0x0000000000000000),
        (1.0, 0x4110000000000000),
        (-118.625, 0xC276A00000000000),
        (0.0625, 0x4010000000000000),
        (float("nan"), 0x2E00000000000000),
    ],
)
def test_numbers_are_hexadecimal_floating_point(number, bits):
    assert int(ibm_float(np.array([number]))[0]) == bits


NUMBERS = st.floats(min_value=-1e70, max_value=1e70).filter(lambda x: x == 0 or abs(x) > 1e-70)
TEXTS = st.text(alphabet="abcXYZ019 -", max_size=6).map(str.rstrip)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(NUMBERS | st.none(), TEXTS), min_size=1, max_size=30))
def test_what_is_written_is_what_pyreadstat_reads(tmp_path_factory, rows):
    dataset = Dataset("x", "Any", (Column("KEY", "Key", 3), Column("N", "N"), Column("T", "T", 6)))
    stream = io.BytesIO()
    writer = XptWriter(stream, dataset)
    for number, text in rows:
        writer.append(
            {
                "KEY": np.array([b"key"]),
                "N": np.array([number], float),
                "T": np.array([text.encode()]),
            }
        )
    writer.finish()
    path = tmp_path_factory.mktemp("xpt") / "x.xpt"
    path.write_bytes(stream.getvalue())
    frame, metadata = pyreadstat.read_xport(path)
    assert metadata.column_names == ["KEY", "N", "T"]
    assert list(frame["T"]) == [text for _, text in rows]
    assert [None if np.isnan(n) else n for n in frame["N"]] == [number for number, _ in rows]


def test_a_text_wider_than_its_column_is_refused():
    writer = XptWriter(io.BytesIO(), Dataset("x", "Any", (Column("T", "T", 2),)))
    with pytest.raises(ValueError, match="T: a text is wider than 2 bytes"):
        writer.append({"T": np.array([b"abc"])})


def test_dates_and_labels_are_declared_in_the_header(folder):
    _, metadata = pyreadstat.read_xport(folder / "adsl-00000-of-00001.xpt", metadataonly=True)
    assert metadata.original_variable_types["TRTSDT"] == "DATE9"
    assert metadata.column_names_to_labels["AGE"] == "Age (years)"
    assert metadata.table_name == "ADSL"
