"""Serializes columns to tf.Examples whose bytes depend only on their content.

A tf.Example's features are a map, which protobuf writes in an order that differs from process to
process: the same subjects would make other files on every run. Here features are in the order of
their names. The bytes are laid out a column at a time
(https://protobuf.dev/programming-guides/encoding,
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/example/feature.proto).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# Field numbers with wire type 2 (length-delimited): 1 and 2.
_FIRST = b"\x0a"
_SECOND = b"\x12"

_FEATURES = _FIRST
_ENTRY = _FIRST
_KEY = _FIRST
_VALUE = _SECOND
_BYTES_LIST = _FIRST
_FLOAT_LIST = _SECOND
_ELEMENTS = _FIRST
_FLOAT_BYTES = 4


def encode_examples(columns: Mapping[str, pa.Array]) -> list[bytes]:
    """Serializes rows as tf.Examples.

    Args:
        columns: Arrays of one length by feature: floating point numbers, which become float32,
            and text or binary values. Where a value is null, its feature holds none.

    Returns:
        A serialized tf.Example for each row.
    """
    entries = [_entries(name.encode(), columns[name]) for name in sorted(columns)]
    rows = pc.binary_join_element_wise(*entries, pa.scalar(b"", pa.binary()))
    return [_delimited(_FEATURES, row) for row in rows.to_pylist()]


def _entries(key: bytes, column: pa.Array) -> pa.Array:
    """The map entries of a column's values; binary [rows]."""
    floating = pa.types.is_floating(column.type)
    found = _float_entries(key, column) if floating else _bytes_entries(key, column)
    nothing = pa.scalar(_entry(key, b""), pa.binary())
    return pc.if_else(pc.is_valid(column), found, nothing)


def _float_entries(key: bytes, column: pa.Array) -> pa.Array:
    values = column.to_numpy(zero_copy_only=False).astype("<f4")
    # All entries are alike but for their last four bytes.
    start = np.frombuffer(
        _entry(key, _delimited(_FLOAT_LIST, _delimited(_ELEMENTS, bytes(_FLOAT_BYTES)))), np.uint8
    )
    content = np.tile(start, (len(values), 1))
    content[:, -_FLOAT_BYTES:] = values.view(np.uint8).reshape(len(values), _FLOAT_BYTES)
    offsets = np.arange(len(values) + 1, dtype=np.int32) * np.int32(len(start))
    return pa.Array.from_buffers(
        pa.binary(), len(values), [None, pa.py_buffer(offsets), pa.py_buffer(content)]
    )


def _bytes_entries(key: bytes, column: pa.Array) -> pa.Array:
    coded = column.cast(pa.binary()).dictionary_encode()
    entries = [
        _entry(key, _delimited(_BYTES_LIST, _delimited(_ELEMENTS, value)))
        for value in coded.dictionary.to_pylist()
    ]
    return pa.array(entries, pa.binary()).take(coded.indices)


def _entry(key: bytes, feature: bytes) -> bytes:
    return _delimited(_ENTRY, _delimited(_KEY, key) + _delimited(_VALUE, feature))


def _delimited(tag: bytes, content: bytes) -> bytes:
    """A field with its length; lengths are numbers of 7 bits a byte, the lowest first."""
    length = len(content)
    number = bytearray()
    while length > 0x7F:
        number.append(length & 0x7F | 0x80)
        length >>= 7
    number.append(length)
    return tag + bytes(number) + content
