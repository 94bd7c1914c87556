"""How numbers look to a person."""

import math
from typing import Any

import pytest

from pipeline.estimates import Estimate
from pipeline.html.numbers import Suppressed, round_text, text_of

THIN = "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "options", "text"),
    [
        (0.7944, {}, "0.794"),
        (-0.0123, {}, "−0.012"),
        (0.7944, {"decimals": 1, "percent": True}, f"79.4{THIN}%"),
        (12345.6, {"decimals": 1}, f"12{THIN}345.6"),
        (19435, {}, f"19{THIN}435"),
        (-1200, {}, f"−1{THIN}200"),
        (Suppressed(10), {}, "<10"),
        (Suppressed(), {}, "suppressed"),
        (None, {}, "–"),
        (math.nan, {}, "–"),
        ("ist", {}, "ist"),
    ],
)
def test_a_value_has_one_form(value: Any, options: Any, text: Any) -> None:
    assert text_of(value, **options) == text


@pytest.mark.parametrize("nothing", [-0.0, -0.0004])
def test_what_rounds_to_nothing_has_no_sign(nothing: Any) -> None:
    assert text_of(nothing) == "0.000"


def test_an_estimate_comes_with_its_interval() -> None:
    assert text_of(Estimate(0.79, 0.76, 0.82), decimals=2) == "0.79 (0.76 to 0.82)"


def test_both_ends_of_an_interval_have_their_signs() -> None:
    found = Estimate(-0.0152, -0.029, 0.002)

    assert text_of(found, decimals=1, percent=True) == f"−1.5{THIN}% (−2.9 to 0.2)"


def test_an_estimate_without_interval_says_so() -> None:
    assert text_of(Estimate(0.79, None, None), decimals=2) == "0.79 (no interval)"


def test_an_estimate_without_a_number_is_a_dash() -> None:
    assert text_of(Estimate(None, 0.1, 0.2)) == "–"


@pytest.mark.parametrize(
    ("value", "percent", "text"),
    [(0.05, False, "0.05"), (0.05, True, f"5{THIN}%"), (-0.01, False, "−0.01"), (2.0, False, "2")],
)
def test_a_limit_has_as_many_digits_as_it_needs(value: Any, percent: Any, text: Any) -> None:
    assert round_text(value, percent) == text
