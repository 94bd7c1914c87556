"""Writes files of workers, above all one bucket's examples as a compressed TFRecord file.

Beam's own TFRecord sink handles one record at a time and compresses at zlib's slowest useful
level: for the short records of subjects it costs several times what making them does.
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterable
from typing import Any

import google_crc32c
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from numpy.typing import NDArray

_COMPRESSION_LEVEL = 1
_GZIP_WINDOW = 31
_MASK_DELTA = np.uint32(0xA282EAD8)


def write_records(
    folder: str, unfinished_folder: str, number: int, total: int, records: pa.Array
) -> None:
    """Writes records to their final place in one step.

    The name depends on the bucket alone and the file appears whole, so that a bucket that is
    processed again after a worker's failure replaces its file and doubles nothing.

    Args:
        folder: Folder of the split; it exists.
        unfinished_folder: Folder on the same file system for what is not yet whole: who reads
            the split reads every file in it, also one that a lost worker left behind.
        number: Number of the bucket.
        total: Number of buckets.
        records: Serialized examples, binary.
    """
    compressor = zlib.compressobj(_COMPRESSION_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    content = [compressor.compress(_content(_framed(records))), compressor.flush()]
    path = FileSystems.join(folder, f"data_tfrecord-{number:05d}-of-{total:05d}.gz")
    write_in_one_step(path, unfinished_folder, content)


def write_in_one_step(path: str, unfinished_folder: str, content: Iterable[bytes]) -> None:
    """Writes a file that appears whole.

    Args:
        path: The file; its folder exists.
        unfinished_folder: Folder on the same file system.
        content: Its parts.
    """
    unfinished = FileSystems.join(unfinished_folder, uuid.uuid4().hex)
    with FileSystems.create(unfinished, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        for part in content:
            file.write(part)
    FileSystems.rename([unfinished], [path])


def _framed(records: pa.Array) -> pa.Array:
    """TFRecord framing: length, its checksum, the record, its checksum (tf.io.TFRecordWriter)."""
    lengths = np.asarray(pc.binary_length(records).to_numpy(), np.uint64)
    different, place = np.unique(lengths, return_inverse=True)
    checksums = _masked_crcs([length.tobytes() for length in different])[place]
    header = np.hstack([_bytes_of(lengths), _bytes_of(checksums)])
    footer = _bytes_of(_masked_crcs(records.to_pylist()))
    parts = (_binary(header), records, _binary(footer))
    return pc.binary_join_element_wise(*parts, pa.scalar(b"", pa.binary()))


def _masked_crcs(contents: list[bytes]) -> NDArray[np.uint32]:
    crc = np.array([google_crc32c.value(content) for content in contents], np.uint32)
    return ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + _MASK_DELTA


def _bytes_of(numbers: NDArray[Any]) -> NDArray[np.uint8]:
    """Bytes of numbers, shape [n, bytes of a number]."""
    return numbers.view(np.uint8).reshape(len(numbers), numbers.itemsize)


def _binary(rows: NDArray[np.uint8]) -> pa.Array:
    """Rows of bytes as binary values."""
    offsets = np.arange(len(rows) + 1, dtype=np.int32) * np.int32(rows.shape[1])
    content = np.ascontiguousarray(rows)
    return pa.Array.from_buffers(
        pa.binary(), len(rows), [None, pa.py_buffer(offsets), pa.py_buffer(content)]
    )


def _content(values: pa.Array) -> pa.Buffer:
    """All bytes of binary values, one value behind the other."""
    _, offsets, content = values.buffers()
    ends = np.frombuffer(offsets, np.int32)[values.offset :][: len(values) + 1]
    return content.slice(int(ends[0]), int(ends[-1] - ends[0])) if content else pa.py_buffer(b"")
