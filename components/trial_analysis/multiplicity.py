"""Multiple testing: p values adjusted for the number of tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.results.analysis import HypothesisTest

FALSE_DISCOVERY_RATE = 0.05


def holm(tests: Sequence[HypothesisTest]) -> list[HypothesisTest]:
    """Adjusts the tests of a family (Holm S. Scand J Stat 1979;6:65-70)."""
    p_values = np.array([test.p_value for test in tests])
    order = np.argsort(p_values, kind="stable")
    steps = p_values[order] * np.arange(len(tests), 0, -1)
    adjusted = np.empty(len(tests))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [
        test.model_copy(update={"p_value_holm": float(p)})
        for test, p in zip(tests, adjusted, strict=True)
    ]


def false_discovery(p_values: Sequence[float]) -> list[float]:
    """Computes q values (Benjamini Y, Hochberg Y. J R Stat Soc B 1995;57:289-300)."""
    from scipy.stats import false_discovery_control

    return [float(q) for q in false_discovery_control(p_values)] if p_values else []
