"""Transport files are what pyreadstat reads."""

import io
from typing import Any

import numpy as np
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.synthetic.xpt_writer import Column, Dataset, XptWriter, ibm_float


@pytest.mark.parametrize(
    ("number", "bits"),
    [
        (0.0, 0x0000000000000000),
        (1.0, 0x4110000000000000),
        (-118.625, 0xC276A00000000000),
        (0.0625, 0x4010000000000000),
        (float("nan"), 0x2E00000000000000),
    ],
)
def test_numbers_are_hexadecimal_floating_point(number: Any, bits: Any) -> None:
    assert int(ibm_float(np.array([number]))[0]) == bits


NUMBERS = st.floats(min_value=-1e70, max_value=1e70).filter(lambda x: x == 0 or abs(x) > 1e-70)


TEXTS = st.text(alphabet="abcXYZ019 -", max_size=6).map(str.rstrip)


@settings(max_examples=50)
@given(st.lists(st.tuples(NUMBERS | st.none(), TEXTS), min_size=1, max_size=30))
def test_what_is_written_is_what_pyreadstat_reads(
    tmp_path_factory: pytest.TempPathFactory, rows: Any
) -> None:
    dataset = Dataset("x", "Any", (Column("KEY", "Key", 3), Column("N", "N"), Column("T", "T", 6)))
    stream = io.BytesIO()
    writer = XptWriter(stream, dataset)
    for number, text in rows:
        writer.append(
            {
                "KEY": np.array([b"key"]),
                "N": np.array([number], float),
                "T": np.array([text.encode()]),
            }
        )
    writer.finish()
    path = tmp_path_factory.mktemp("xpt") / "x.xpt"
    path.write_bytes(stream.getvalue())
    frame, metadata = pyreadstat.read_xport(path)
    assert metadata.column_names == ["KEY", "N", "T"]
    assert list(frame["T"]) == [text for _, text in rows]
    assert [None if np.isnan(n) else n for n in frame["N"]] == [number for number, _ in rows]


def test_a_text_wider_than_its_column_is_refused() -> None:
    writer = XptWriter(io.BytesIO(), Dataset("x", "Any", (Column("T", "T", 2),)))
    with pytest.raises(ValueError, match="T: a text is wider than 2 bytes"):
        writer.append({"T": np.array([b"abc"])})


def test_dates_and_labels_are_declared_in_the_header(folder: Any) -> None:
    _, metadata = pyreadstat.read_xport(folder / "adsl-00000-of-00001.xpt", metadataonly=True)
    assert metadata.original_variable_types["TRTSDT"] == "DATE9"
    assert metadata.column_names_to_labels["AGE"] == "Age (years)"
    assert metadata.table_name == "ADSL"
