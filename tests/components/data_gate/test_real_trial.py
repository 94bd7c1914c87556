import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from components.data_gate.rules import Columns, leakage
from pipeline.study.sections import Gate

ROOT = Path(__file__).parents[3]
IST = Path(os.environ.get("TRIAL_DATA_DIR", ROOT / "../shared/data")) / "ist" / "IST.csv"
NUMBERS = ["AGE", "RSBP", "RDELAY"]
CATEGORIES = ["RCONSC", "SEX", "STYPE", "HOSPNUM", "COUNTRY", "RXASP", "RXHEP"]
KNOWN_AT_SIX_MONTHS = ["FDEAD", "FPLACE", "TD"]

pytestmark = pytest.mark.skipif(
    not IST.exists(), reason="the International Stroke Trial is not in TRIAL_DATA_DIR"
)


@pytest.fixture(scope="module")
def stroke_trial() -> pd.DataFrame:
    return pd.read_csv(IST, encoding="latin-1", low_memory=False)


def leaks(trial: pd.DataFrame, features: list[str]) -> set[str]:
    """Features that stop a run that predicts death within six months."""
    columns = Columns(
        numbers={name: trial[name].to_numpy(float) for name in features if _is_number(trial[name])},
        categories={
            name: pd.factorize(trial[name], use_na_sentinel=False)[0].astype(np.int64)
            for name in features
            if not _is_number(trial[name])
        },
        labels={"death": trial["OCCODE"].eq(1).to_numpy()},
        known={"death": trial["OCCODE"].isin([1, 2, 3, 4]).to_numpy()},
    )
    return {item.feature for item in leakage(columns, Gate()) if item.severity == "stop"}  # type: ignore[misc]


def _is_number(column: "pd.Series[Any]") -> bool:
    return column.name in NUMBERS or column.name == "TD"


def test_what_was_known_at_randomisation_is_no_leak(stroke_trial: Any) -> None:
    assert leaks(stroke_trial, NUMBERS + CATEGORIES) == set()


def test_what_was_only_known_at_six_months_is_a_leak(stroke_trial: Any) -> None:
    assert leaks(stroke_trial, KNOWN_AT_SIX_MONTHS) == set(KNOWN_AT_SIX_MONTHS)
