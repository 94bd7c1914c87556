"""Serializes columns to tf.Examples whose bytes depend only on their content.

A tf.Example's features are a map, which protobuf writes in an order that differs from process to
process: the same subjects would make other files on every run. Here features are in the order of
their names. The bytes are laid out a column at a time
(https://protobuf.dev/programming-guides/encoding,
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/example/feature.proto).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

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
_NOTHING = pa.scalar(b"", pa.binary())


def encode_examples(columns: Mapping[str, pa.Array]) -> pa.Array:
    """Serializes rows as tf.Examples.

    Args:
        columns: Arrays of one length by feature: floating point numbers, which become float32;
            text or binary values, or dictionaries of them; and lists of one fixed length of
            integers from 0. Where a value is null, its feature holds none.

    Returns:
        A serialized tf.Example for each row; binary `[rows]`.
    """
    entries = [_entries(name.encode(), columns[name]) for name in sorted(columns)]
    length = sum(_lengths(part) for part in entries)
    begin = _of_length(np.asarray(length), lambda n: _FEATURES + _varint(n))
    return pc.binary_join_element_wise(begin, *entries, _NOTHING)


def _entries(key: bytes, column: pa.Array) -> pa.Array:
    """The map entries of a column's values; binary [rows]."""
    if pa.types.is_fixed_size_list(column.type):
        return _integers_entries(key, column)
    floating = pa.types.is_floating(column.type)
    found = _float_entries(key, column) if floating else _bytes_entries(key, column)
    if not column.null_count:
        return found
    nothing = pa.scalar(_entry(key, b""), pa.binary())
    return pc.if_else(pc.is_valid(column), found, nothing)


def _float_entries(key: bytes, column: pa.Array) -> pa.Array:
    values = column.to_numpy(zero_copy_only=False).astype("<f4", copy=False)
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
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    values = coded.dictionary.cast(pa.binary())
    return _framed(key, _BYTES_LIST, values).take(coded.indices)


def _integers_entries(key: bytes, column: pa.FixedSizeListArray) -> pa.Array:
    numbers = np.asarray(column.flatten()).reshape(len(column), column.type.list_size)
    written = pa.array([_varint(n) for n in range(numbers.max(initial=-1) + 1)], pa.binary())
    parts = [written.take(pa.array(of_place)) for of_place in numbers.T]
    return _framed(key, _INTEGERS_LIST, pc.binary_join_element_wise(*parts, _NOTHING))


def _framed(key: bytes, list_tag: bytes, elements: pa.Array) -> pa.Array:
    """The map entries of lists with some content; binary, as long as `elements`."""

    def begin(length: int) -> bytes:
        content = bytes(length)
        entry = _entry(key, _delimited(list_tag, _delimited(_ELEMENTS, content)))
        return entry[: len(entry) - length]

    return pc.binary_join_element_wise(_of_length(_lengths(elements), begin), elements, _NOTHING)


def _of_length(lengths: NDArray[np.int64], write: Callable[[int], bytes]) -> pa.Array:
    """What is written before contents of some lengths; binary, as long as `lengths`."""
    coded = pa.array(lengths).dictionary_encode()
    written = [write(length) for length in coded.dictionary.to_pylist()]
    return pa.array(written, pa.binary()).take(coded.indices)


def _lengths(content: pa.Array) -> NDArray[np.int64]:
    return np.asarray(pc.binary_length(content).to_numpy(), np.int64)


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
