"""Serializes columns to tf.Examples whose bytes depend only on their content.

A tf.Example's features are a map, which protobuf writes in an order that differs from process to
process: the same subjects would make other files on every run. Here features are in the order of
their names. The bytes are laid out a column at a time
(https://protobuf.dev/programming-guides/encoding,
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/example/feature.proto).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# Field numbers with wire type 2 (length-delimited): 1, 2 and 3.
_FIRST = b"\x0a"
_SECOND = b"\x12"
_THIRD = b"\x1a"

_FEATURES = _FIRST
_ENTRY = _FIRST
_KEY = _FIRST
_VALUE = _SECOND
_BYTES_LIST = _FIRST
_FLOAT_LIST = _SECOND
_INTEGERS_LIST = _THIRD
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
    return close_examples(encode_features(columns).to_pylist())


def encode_features(columns: Mapping[str, pa.Array]) -> pa.Array:
    """Serializes the features of tf.Examples to which others may be added.

    Args:
        columns: As of `encode_examples`.

    Returns:
        The content of each row's `Features`, for `close_examples`; binary `[rows]`.
    """
    entries = [_entries(name.encode(), columns[name]) for name in sorted(columns)]
    return pc.binary_join_element_wise(*entries, pa.scalar(b"", pa.binary()))


def close_examples(features: Iterable[bytes]) -> list[bytes]:
    """Makes tf.Examples of what `encode_features` wrote, with entries appended or without."""
    return [_delimited(_FEATURES, content) for content in features]


def integers_entry(name: str, values: Sequence[int]) -> bytes:
    """The entry of a feature that holds integers.

    Args:
        name: Name of the feature.
        values: Numbers from 0.
    """
    packed = _delimited(_ELEMENTS, b"".join(map(_varint, values)))
    return _entry(name.encode(), _delimited(_INTEGERS_LIST, packed))


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
    """A field with its length."""
    return tag + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    """A number from 0, in groups of 7 bits, the lowest first."""
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)
