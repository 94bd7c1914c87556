"""Reads what a synthetic trial wrote."""

from pathlib import Path

import pandas as pd
import pyreadstat

from pipeline.synthetic.trial import SyntheticTrial

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
