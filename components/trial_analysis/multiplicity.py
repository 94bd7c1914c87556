"""Many tests at once: p values that allow for their number."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.analysis import HypothesisTest

FALSE_DISCOVERY_RATE = 0.05


def holm(tests: Sequence[HypothesisTest]) -> list[HypothesisTest]:
    """Adjusts the tests of a family (Holm S. Scand J Stat 1979;6:65-70)."""
    adjusted = _adjusted([test.p_value for test in tests], "holm")
    return [
        test.model_copy(update={"p_value_holm": p}) for test, p in zip(tests, adjusted, strict=True)
    ]


def false_discovery(p_values: Sequence[float]) -> list[float]:
    """Makes q values (Benjamini Y, Hochberg Y. J R Stat Soc B 1995;57:289-300)."""
    return _adjusted(p_values, "fdr_bh")


def _adjusted(p_values: Sequence[float], method: str) -> list[float]:
    from statsmodels.stats.multitest import multipletests

    if not p_values:
        return []
    return [float(p) for p in multipletests(p_values, method=method)[1]]
