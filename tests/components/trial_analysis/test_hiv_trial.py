"""ACTG 175: each of three regimens against zidovudine alone.

Hammer SM, et al. N Engl J Med 1996;335:1081-90. The relative hazards of the primary end point, .50
with didanosine, .54 with zalcitabine and .61 with didanosine alone, are quoted from memory: no copy
of the report could be read. What was looked up: the citation, and that the open data set has 2,139
patients (https://search.r-project.org/CRAN/refmans/speff2trial/html/ACTG175.html).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.study.load import load_study
from pipeline.study.shipped import SCHEMAS
from tests.components.trial_analysis.analysis_runs import analyse_trial


def test_hazard_ratios_are_close_to_those_published(trial_data_dir: Path, tmp_path: Path) -> None:
    study = load_study(SCHEMAS / "actg175" / "study.yaml")
    [endpoint] = analyse_trial(study, trial_data_dir / "actg175", tmp_path).endpoints
    ratios = {found.comparison.level: found.hazard_ratio.value for found in endpoint.comparisons}
    assert ratios == pytest.approx({"1": 0.50, "2": 0.54, "3": 0.61}, abs=0.03)
    assert all(found.log_rank and found.log_rank.p_value < 0.001 for found in endpoint.comparisons)
    assert {found.comparison.control for found in endpoint.comparisons} == {"0"}
