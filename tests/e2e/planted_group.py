"""The synthetic trial with a site and a race that few subjects belong to."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from unittest import mock

import numpy as np

from pipeline.synthetic import write as writing
from pipeline.synthetic.simulate import Block, simulate
from pipeline.synthetic.trial import TRUTH_FOLDER, UNFINISHED, SyntheticTrial
from tests.whole_runs import SMALL

SITE, RACE = "777", "OTHER"
FEW_OF_THE_SITE, FEW_OF_THE_RACE = 37, 43
"""Subjects of each: fewer than the study's smallest group."""


def write_planted_trial(folder: Path) -> Path:
    """Writes the trial's data.

    Args:
        folder: Where to.

    Returns:
        The folder.
    """
    for name in (TRUTH_FOLDER, UNFINISHED):
        (folder / name).mkdir(parents=True)
    with mock.patch.object(writing, "simulate", _with_planted_groups):
        writing.write_shard(0, SyntheticTrial(SMALL), str(folder))
    return folder


def _with_planted_groups(trial: SyntheticTrial, block: int) -> Block:
    simulated = simulate(trial, block)
    subjects = simulated.datasets["adsl"]
    site, race = subjects["SITEID"].copy(), subjects["RACE"].copy()
    race[race == RACE.encode()] = b"WHITE"
    # Spread over arms, ages and splits.
    site[np.arange(FEW_OF_THE_SITE) * 23] = SITE.encode()
    race[np.arange(FEW_OF_THE_RACE) * 19 + 5] = RACE.encode()
    planted = {**subjects, "SITEID": site, "RACE": race}
    return dataclasses.replace(simulated, datasets={**simulated.datasets, "adsl": planted})
