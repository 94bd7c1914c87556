"""Writes SAS transport files (XPORT, version 5) by block, with fixed header dates.

The layout is that of SAS's technical paper TS-140.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a dataset.

    Attributes:
        name: CDISC variable name, at most 8 characters.
        label: At most 40 characters.
        width: Bytes of a text column; 0 for a number.
        display: SAS display format, such as `DATE9.` without width and dot.
    """

    name: str
    label: str
    width: int = 0
    display: str = ""


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A dataset's name, label and columns, in file order."""

    name: str
    label: str
    columns: tuple[Column, ...]


def ibm_float(values: Array) -> Array:
    """Converts to the 8-byte hexadecimal floating point of the transport format.

    Args:
        values: (n,) float64; NaN becomes SAS's missing value `.`.

    Returns:
        (n,) big-endian uint64: sign bit, exponent of 16 with bias 64, 56 bits of fraction. Exact
        for magnitudes from 16**-64 up to below 16**63; the format cannot hold others.
    """
    missing = np.isnan(values)
    fraction, exponent = np.frexp(np.abs(np.where(missing, 0.0, values)))
    hexadecimal = -(-exponent // 4)
    mantissa = np.ldexp(fraction, 56 + exponent - 4 * hexadecimal).astype(np.uint64)
    biased = np.where(mantissa == 0, 0, hexadecimal + 64).astype(np.uint64)
    sign = np.signbit(values) & ~missing & (mantissa > 0)
    packed = (sign.astype(np.uint64) << np.uint64(63)) | (biased << np.uint64(56)) | mantissa
    return np.where(missing, np.uint64(0x2E << 56), packed).astype(">u8")


class XptWriter:
    """Writes one dataset as a version 5 transport file, block by block.

    The dates in the header are fixed: equal records make equal files.
    """

    _HEADER = "HEADER RECORD*******{:<8}HEADER RECORD!!!!!!!{:<30}  "
    _CREATED = "01JAN24:00:00:00"

    def __init__(self, stream: IO[bytes], dataset: Dataset) -> None:
        """Writes the header.

        Args:
            stream: Open for writing; the caller closes it after `finish`.
            dataset: Name, label and columns.
        """
        self._stream = stream
        self._dataset = dataset
        self._written = 0
        self._record = np.dtype(
            [(c.name, f"V{c.width}") if c.width else (c.name, ">u8") for c in dataset.columns]
        )
        self._write(self._header())

    def append(self, columns: Mapping[str, Array]) -> None:
        """Writes records.

        Args:
            columns: Every column of the dataset, (n,) each: numbers float64, texts dtype S.

        Raises:
            ValueError: A text is wider than its column.
        """
        count = len(columns[self._dataset.columns[0].name])
        records = np.zeros(count, self._record)
        for column in self._dataset.columns:
            values = columns[column.name]
            records[column.name] = (
                _padded(values, column) if column.width else ibm_float(values.astype(float))
            )
        self._write(records.tobytes())

    def finish(self) -> None:
        """Fills the last card of 80 bytes with blanks."""
        self._write(b" " * (-self._written % 80))

    def _write(self, data: bytes) -> None:
        self._stream.write(data)
        self._written += len(data)

    def _header(self) -> bytes:
        columns = self._dataset.columns
        cards = [
            self._HEADER.format("LIBRARY", "0" * 30),
            f"{'SAS':<8}{'SAS':<8}{'SASLIB':<8}{'9.4':<8}{'':<32}{self._CREATED}",
            f"{self._CREATED:<80}",
            self._HEADER.format("MEMBER", "0" * 17 + "1600000000140"),
            self._HEADER.format("DSCRPTR", "0" * 30),
            f"{'SAS':<8}{self._dataset.name.upper():<8}{'SASDATA':<8}{'9.4':<8}{'':<32}"
            f"{self._CREATED}",
            f"{self._CREATED:<32}{self._dataset.label:<40}{'':<8}",
            self._HEADER.format("NAMESTR", f"{'0' * 6}{len(columns):04d}{'0' * 20}"),
        ]
        names = b""
        offset = 0
        for number, column in enumerate(columns, 1):
            names += self._namestr(number, column, offset)
            offset += column.width or 8
        names += b" " * (-len(names) % 80)
        observations = self._HEADER.format("OBS", "0" * 30).encode("ascii")
        return "".join(cards).encode("ascii") + names + observations

    @staticmethod
    def _namestr(number: int, column: Column, offset: int) -> bytes:
        return struct.pack(
            ">hhhh8s40s8shhh2x8shhl52x",
            2 if column.width else 1,
            0,
            column.width or 8,
            number,
            column.name.ljust(8).encode("ascii"),
            column.label.ljust(40).encode("ascii"),
            column.display.ljust(8).encode("ascii"),
            9 if column.display else 0,
            0,
            0 if column.width else 1,
            b" " * 8,
            0,
            0,
            offset,
        )


def _padded(values: Array, column: Column) -> Array:
    if (
        values.dtype.itemsize > column.width
        and np.char.str_len(values).max(initial=0) > column.width
    ):
        raise ValueError(f"{column.name}: a text is wider than {column.width} bytes")
    table = np.zeros((len(values), column.width), np.uint8)
    raw = np.ascontiguousarray(values).view(np.uint8)
    raw = raw.reshape(len(values), values.dtype.itemsize)[:, : column.width]
    table[:, : raw.shape[1]] = raw
    table[table == 0] = 0x20
    return table.view(f"V{column.width}")[:, 0]
