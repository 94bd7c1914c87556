"""The synthetic trial changes over calendar time where that is asked for, and else in nothing."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.cli.main import main
from pipeline.errors import UserError
from pipeline.synthetic.changes import Change, first_day
from pipeline.synthetic.simulate import Block, simulate
from pipeline.synthetic.trial import TASKS, SyntheticTrial
from pipeline.synthetic.write import write
from tests.each import each
from tests.pipeline.synthetic.written_trials import files, read

MONTH = "2023-10"
_OF_TODAY = "01085fc8f5b4e9e441d41301ce701c038e584d89201d5e13c462bbf1a5bb2656"


def block(*changes: str, **settings: Any) -> Block:
    trial = SyntheticTrial(1_000, sites=20, changes=tuple(map(Change.of, changes)), **settings)
    return simulate(trial, 0)


def later(found: Block) -> Any:
    """Whether each subject of the safety population was randomised from the month on."""
    adsl = found.datasets["adsl"]
    return adsl["RANDDT"][adsl["SAFFL"] == b"Y"] >= first_day(MONTH)


def odds(found: Block, task: str) -> Any:
    return np.log(found.probabilities[task] / (1.0 - found.probabilities[task]))


def same(one: Any, other: Any) -> bool:
    is_text = np.asarray(one).dtype.kind == "S"
    return np.array_equal(one, other) if is_text else np.array_equal(one, other, equal_nan=True)


def test_the_default_trial_is_that_of_the_releases_before() -> None:
    digest = hashlib.sha256()
    for name, columns in simulate(SyntheticTrial(subjects=100), 0).datasets.items():
        for column, values in columns.items():
            found = np.asarray(values)
            digest.update(f"{name}.{column}".encode())
            digest.update((found if found.dtype.kind == "S" else found.astype(float)).tobytes())
    assert digest.hexdigest() == _OF_TODAY


def test_a_trial_that_asks_for_nothing_has_the_manifest_and_bytes_of_before(tmp_path: Path) -> None:
    write(SyntheticTrial(100), str(tmp_path / "default"))
    write(
        SyntheticTrial(100, changes=(Change("concept", "2030-01", 1.0),)), str(tmp_path / "never")
    )
    default, never = files(tmp_path / "default"), files(tmp_path / "never")
    assert list(json.loads(default.pop("manifest.json"))["trial"]) == [
        "subjects",
        "seed",
        "sites",
        "subjects_per_shard",
        "lab_missing",
        "smoking_missing",
        "weight_missing",
        "weight_missing_older",
    ]
    changes = json.loads(never.pop("manifest.json"))["trial"]["changes"]
    assert changes == [{"kind": "concept", "month": "2030-01", "size": 1.0}]
    assert default == never


@pytest.mark.parametrize("kind", ["population", "assay", "concept", "signal", "site", "feed"])
def test_subjects_of_earlier_months_are_those_of_the_trial_without_the_change(kind: str) -> None:
    before, after = block(), block(f"{kind}:{MONTH}:0.5")
    adsl = before.datasets["adsl"]
    early = adsl["USUBJID"][adsl["RANDDT"] < first_day(MONTH)]
    assert 300 < len(early) < 700
    assert any(
        not same(before.datasets[name][column], after.datasets[name][column])
        for name in before.datasets
        for column in before.datasets[name]
    )
    # Rows of adverse events are drawn together, so an earlier subject's may differ.
    for name in each({"adsl", "adlb", "adtte"}):
        one, other = before.datasets[name], after.datasets[name]
        for column in each({*one} - {"AVAL", "ADT", "ADY"}):
            kept = np.isin(one["USUBJID"], early), np.isin(other["USUBJID"], early)
            assert same(one[column][kept[0]], other[column][kept[1]]), (name, column)


def test_a_population_is_older_and_more_severe() -> None:
    before, after = block().datasets["adsl"], block(f"population:{MONTH}:1").datasets["adsl"]
    late = before["RANDDT"] >= first_day(MONTH)
    for column in each(("AGE", "SEVBL")):
        shift = (after[column] - before[column])[late]
        assert 10 < shift.mean() <= 11
        assert np.array_equal(before[column][~late], after[column][~late])


def test_a_new_assay_measures_more_of_what_has_no_more_effect() -> None:
    before, after = block(), block(f"assay:{MONTH}:0.5")
    one, other = before.datasets["adlb"], after.datasets["adlb"]
    late = one["ADT"] - one["ADY"] >= first_day(MONTH) + 4
    is_crp = one["PARAMCD"] == b"CRP"
    ratio = other["AVAL"] / one["AVAL"]
    assert np.nanmedian(ratio[late & is_crp]) == pytest.approx(np.exp(0.5), rel=0.02)
    assert same(one["AVAL"][~is_crp], other["AVAL"][~is_crp])
    for task in each(TASKS):
        assert np.array_equal(before.probabilities[task], after.probabilities[task])


@pytest.mark.parametrize("task", TASKS)
def test_a_concept_adds_to_the_log_odds_of_later_subjects(task: str) -> None:
    before, after = block(), block(f"concept:{MONTH}:0.5", f"concept:{MONTH}:0.25")
    added = odds(after, task) - odds(before, task)
    assert added == pytest.approx(0.75 * later(before), abs=1e-9)


@pytest.mark.parametrize("task", TASKS)
def test_a_signal_that_is_lost_leaves_the_intercept(task: str) -> None:
    before, after = block(), block(f"signal:{MONTH}:1")
    assert np.ptp(odds(after, task)[later(after)]) == pytest.approx(0.0, abs=1e-9)
    assert np.ptp(odds(before, task)[later(before)]) > 1


def test_half_of_the_later_subjects_come_from_a_new_site_with_other_odds() -> None:
    before, after = block(), block(f"site:{MONTH}:1")
    adsl = after.datasets["adsl"]
    late = adsl["RANDDT"] >= first_day(MONTH)
    new = adsl["SITEID"] == b"021"
    assert b"021" not in before.datasets["adsl"]["SITEID"]
    assert not new[~late].any()
    assert new[late].mean() == pytest.approx(0.5, abs=0.08)
    added = odds(after, "response") - odds(before, "response")
    assert added == pytest.approx(1.0 * new[adsl["SAFFL"] == b"Y"], abs=1e-9)


def test_a_broken_feed_loses_values_of_the_laboratory() -> None:
    found = block(f"feed:{MONTH}:0.8").datasets["adlb"]
    randomised = dict(
        zip(*(block().datasets["adsl"][c] for c in ("USUBJID", "RANDDT")), strict=True)
    )
    late = np.array([randomised[subject] for subject in found["USUBJID"]]) >= first_day(MONTH)
    missing = np.isnan(found["AVAL"])
    assert missing[late].mean() == pytest.approx(0.8, abs=0.02)
    assert missing[~late].mean() == pytest.approx(0.06, abs=0.01)


def test_an_earlier_cut_has_some_of_the_subjects_as_they_are() -> None:
    whole = block(f"concept:{MONTH}:0.5")
    first = block(f"concept:{MONTH}:0.5", enrolled_until=MONTH)
    second = block(f"concept:{MONTH}:0.5", enrolled_from=MONTH)
    for name in each(whole.datasets):
        subjects = [*first.datasets[name]["USUBJID"], *second.datasets[name]["USUBJID"]]
        assert sorted(subjects) == sorted(whole.datasets[name]["USUBJID"])
    assert set(first.datasets["adlb"]["USUBJID"]) <= set(first.datasets["adsl"]["USUBJID"])
    assert max(first.datasets["adsl"]["RANDDT"]) < first_day(MONTH)
    assert min(second.datasets["adsl"]["RANDDT"]) >= first_day(MONTH)
    assert len(first.usubjid) + len(second.usubjid) == len(whole.usubjid)
    assert len(first.probabilities["response"]) == len(first.usubjid)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("concept", "'concept'; expected kind, month and size"),
        ("concept:2024-01:much", "expected kind, month and size"),
        ("season:2024-01:1", "season; expected one of population, assay"),
        ("concept:2024-13:1", "'2024-13'; expected a month such as 2024-01"),
        ("feed:2024-01:1.5", "feed of size 1.5; expected a share from 0 to 1"),
        ("concept:2024-01:nan", "concept of size nan; expected a size up to 5"),
    ],
)
def test_a_change_of_another_form_is_refused(text: str, found: str) -> None:
    with pytest.raises(UserError, match=found):
        Change.of(text)


def test_months_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(UserError, match="enrolled_from is 2024-01; expected a month before"):
        SyntheticTrial(100, enrolled_from="2024-01", enrolled_until="2024-01")


def test_the_command_line_writes_a_trial_that_changes(tmp_path: Path) -> None:
    arguments = ["--subjects", "300", "--seed", "3", "--out", str(tmp_path)]
    change = ["--change", f"feed:{MONTH}:1", "--enrolled-from", MONTH]
    assert main(["synthetic", *arguments, *change]) == 0
    assert 100 < len(read(tmp_path, "adsl")) < 200
    assert read(tmp_path, "adlb")["AVAL"].isna().all()
