"""Values as text: no outer blanks, and of numbers all digits."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reading.text import as_text, trimmed


@given(st.lists(st.none() | st.text(" \tab\n\u00a0\u3000é", max_size=5)))
def test_text_has_no_outer_blanks_and_blanks_alone_are_missing(texts: list[str | None]) -> None:
    assert trimmed(pa.array(texts, pa.string())).to_pylist() == [
        (text or "").strip() or None for text in texts
    ]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (7.0, "7"),
        (-0.0, "0"),
        (2.5, "2.5"),
        (2.0**53, "9007199254740992"),
        (1234567890123456.0, "1234567890123456"),
        (1e20, "100000000000000000000"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
    ],
)
def test_a_number_keeps_every_digit(number: float, text: str) -> None:
    assert as_text(pa.array([number, None])).to_pylist() == [text, None]
