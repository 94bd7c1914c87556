"""The International Stroke Trial's real data against counts made with pandas alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pipeline.study.load import load_study
from tests.components.trial_example_gen.executor_runs import Outputs, execute

STUDY = Path(__file__).parents[3] / "schema" / "ist" / "study.yaml"

Counts = tuple[int, int]


@pytest.fixture(scope="module")
def patients(trial_data_dir: Path) -> pd.DataFrame:
    return pd.read_csv(trial_data_dir / "ist" / "IST.csv", keep_default_na=False, dtype=str)


@pytest.fixture(scope="module")
def outputs(trial_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    return execute(load_study(STUDY), trial_data_dir / "ist", tmp_path_factory.mktemp("ist"))


def used(patients: pd.DataFrame) -> pd.DataFrame:
    """Patients whose three numbers are missing or lie in the ranges of the study file."""
    good = pd.Series(True, patients.index)
    for column, (low, high) in {"AGE": (0, 120), "RDELAY": (0, 96), "RSBP": (30, 350)}.items():
        values = pd.to_numeric(patients[column])
        good &= values.isna() | values.between(low, high)
    return patients[good]


def dead_or_dependent(patients: pd.DataFrame) -> Counts:
    outcome = patients["OCCODE"]
    return int(outcome.isin(["1", "2", "3", "4"]).sum()), int(outcome.isin(["1", "2"]).sum())


def dead_14_days(patients: pd.DataFrame) -> Counts:
    return int((patients["ID14"] != "").sum()), int((patients["ID14"] == "1").sum())


def either(patients: pd.DataFrame, columns: tuple[str, str], yes: str) -> Counts:
    """Known where one of both says yes, or neither is missing."""
    values = patients[list(columns)]
    positive = (values == yes).any(axis=1)
    known = positive | (values != "").all(axis=1)
    return int(known.sum()), int(positive.sum())


def bleed_14_days(patients: pd.DataFrame) -> Counts:
    return either(patients, ("H14", "NCB14"), "1")


def non_compliance(patients: pd.DataFrame) -> Counts:
    return either(patients, ("CMPLASP", "CMPLHEP"), "N")


def test_every_patient_is_accounted_for(outputs: Outputs, patients: pd.DataFrame) -> None:
    counts = outputs.counts["datasets"]["ist"]
    assert counts["rows_in"] == len(patients) == 19_435
    assert counts["used"] == len(used(patients))
    assert counts["used"] + counts["rejected"] + counts["excluded"] == len(patients)
    assert sum(outputs.counts["subjects"].values()) == counts["used"]


@pytest.mark.parametrize(
    "by_hand", [dead_or_dependent, dead_14_days, bleed_14_days, non_compliance]
)
def test_known_labels_and_events_are_those_counted_by_hand(
    outputs: Outputs, patients: pd.DataFrame, by_hand: Callable[[pd.DataFrame], Counts]
) -> None:
    splits = outputs.counts["tasks"][by_hand.__name__].values()
    found = (sum(s["known"] for s in splits), sum(s["positives"] for s in splits))
    assert found == by_hand(used(patients))
    assert found[1] > 500


def test_nothing_measured_after_randomisation_is_in_an_example(outputs: Outputs) -> None:
    names = set(outputs.an_example("test"))
    after = {"OCCODE", "ID14", "H14", "NCB14", "CMPLASP", "CMPLHEP", "EXPDD", "DASP14", "TD"}
    assert {"AGE", "RCONSC", "STYPE"} <= names
    assert not names & after
