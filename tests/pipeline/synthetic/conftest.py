"""Synthetic trials, written once for all tests."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.synthetic.trial import DATASETS, SyntheticTrial
from pipeline.synthetic.write import write
from tests.pipeline.synthetic.written_trials import TWENTY_THOUSAND, read, read_truth


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 subjects."""
    out = tmp_path_factory.mktemp("two_thousand")
    write(SyntheticTrial(subjects=2_000, seed=7), str(out))
    return out


@pytest.fixture(scope="session")
def trial(folder: Path) -> dict[str, pd.DataFrame]:
    """Every dataset of 2,000 subjects."""
    return {dataset.name: read(folder, dataset.name) for dataset in DATASETS}


@pytest.fixture(scope="session")
def large_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20,000 subjects."""
    out = tmp_path_factory.mktemp("twenty_thousand")
    write(TWENTY_THOUSAND, str(out))
    return out


@pytest.fixture(scope="session")
def truth(large_folder: Path) -> pd.DataFrame:
    """True probabilities of 20,000 subjects."""
    return read_truth(large_folder)


@pytest.fixture(scope="session")
def subjects(large_folder: Path, truth: pd.DataFrame) -> pd.DataFrame:
    """Arm and last day of the 20,000 subjects."""
    return read(large_folder, "adsl", ["USUBJID", "TRT01P", "EOSDY"], "USUBJID").loc[truth.index]


@pytest.fixture(scope="session")
def labels(large_folder: Path, subjects: pd.DataFrame) -> pd.DataFrame:
    """Labels of 20,000 subjects as the study file defines them; NaN where one is unknown.

    Only subjects who are still in the trial after day 28 have any; an event up to day 28, or a
    dropout before day 180 without event, leaves its task unknown.
    """
    all_subjects = subjects.index
    adtte = read(large_folder, "adtte", ["USUBJID", "AVAL", "CNSR"], "USUBJID").loc[all_subjects]
    event = adtte["CNSR"] == 0
    worsening = event.astype(float).mask(event & (adtte["AVAL"] <= 28))
    worsening = worsening.mask(~event & (adtte["AVAL"] < 180))

    advs = read(large_folder, "advs", ["USUBJID", "PARAMCD", "AVISITN", "PCHG"], "USUBJID")
    change = advs.query("PARAMCD == 'SCORE' and AVISITN == 12")["PCHG"].reindex(all_subjects)
    response = (change <= -50).astype(float).mask(change.isna())

    adae = read(large_folder, "adae", ["USUBJID", "AEBODSYS", "ASTDY"], "USUBJID")
    hepatic = adae.query("AEBODSYS == 'Hepatobiliary disorders'")["ASTDY"]
    first = hepatic.groupby("USUBJID").min().reindex(all_subjects)
    hepatic_ae = (first > 28).astype(float).mask(first <= 28)
    hepatic_ae = hepatic_ae.mask(first.isna() & (subjects["EOSDY"] < 180))
    known = pd.DataFrame({"worsening": worsening, "response": response, "hepatic_ae": hepatic_ae})
    return known[subjects["EOSDY"] > 28]
