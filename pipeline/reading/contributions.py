"""What each subject contributes to a run: a keyed digest of every value in the examples.

Two runs are compared by it without keeping a value. Weights are left out but for whether a label is
known: they follow from the follow-up of all subjects, so that one subject more changes each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.names import FOLDS, SUBJECT_HASH, weight_key
from pipeline.reading.examples import decoded_batches

if TYPE_CHECKING:
    from tfx.types.artifact import Artifact

PART = "part"
"""Column with the split that a subject is in."""

_MISSING = 0


@dataclass(frozen=True)
class Contributions:
    """What n subjects contribute.

    Attributes:
        subjects: Digest of each subject's pseudonym, rising; uint64 `[n]`.
        columns: Digest of the subject's value by column, 0 where it is missing; uint32 `[n]`.
    """

    subjects: NDArray[np.uint64]
    columns: Mapping[str, NDArray[np.uint32]]


def read_contributions(examples: Artifact, splits: Sequence[str], key: bytes) -> Contributions:
    """Reads what the subjects of some examples contribute.

    Args:
        examples: The examples, one tf.Example per subject.
        splits: Their splits.
        key: The subject key.
    """
    secret = hashlib.sha256(b"releases" + key).digest()
    subjects: list[NDArray[np.uint64]] = []
    batches: list[dict[str, NDArray[np.uint32]]] = []
    for split in splits:
        for batch in decoded_batches(examples, [split]):
            found = {
                name: _digests(name, batch.column(name), secret)
                for name in batch.schema.names
                if name not in (FOLDS, SUBJECT_HASH)
            }
            part = _digest(f"{PART}={split}".encode(), secret)
            found[PART] = np.full(batch.num_rows, part, np.uint32)
            batches.append(found)
            names = batch.column(SUBJECT_HASH).flatten().to_pylist()
            hashes = [_whole(name, secret) for name in names]
            subjects.append(np.array(hashes, np.uint64))
    sizes = [len(part) for part in subjects]
    columns = {
        name: np.concatenate(
            [
                found.get(name, np.full(size, _MISSING, np.uint32))
                for found, size in zip(batches, sizes, strict=True)
            ]
        )
        for name in sorted({name for found in batches for name in found})
    }
    all_subjects = np.concatenate([np.empty(0, np.uint64), *subjects])
    order = np.argsort(all_subjects)
    return Contributions(
        all_subjects[order], {name: values[order] for name, values in columns.items()}
    )


def _digests(name: str, column: pa.Array, secret: bytes) -> NDArray[np.uint32]:
    """Digest of each row's values, 0 for a row without one."""
    if name.startswith(weight_key("")):
        return _of_texts(name, [[bool(np.any(np.array(row)))] for row in _lists(column)], secret)
    lengths = np.asarray(column.value_lengths().fill_null(0))
    if lengths.max(initial=0) > 1:
        return _of_texts(name, _lists(column), secret)
    codes = column.flatten().dictionary_encode()
    of_value = np.array(
        [_digest(f"{name}={[value]}".encode(), secret) for value in codes.dictionary.to_pylist()],
        np.uint32,
    )
    found = np.full(len(lengths), _MISSING, np.uint32)
    found[lengths == 1] = of_value[codes.indices.to_numpy(zero_copy_only=False)]
    return found


def _lists(column: pa.Array) -> list[list[Any]]:
    return [value or [] for value in column.to_pylist()]


def _of_texts(name: str, rows: Sequence[Sequence[Any]], secret: bytes) -> NDArray[np.uint32]:
    return np.array(
        [_digest(f"{name}={row}".encode(), secret) if row else _MISSING for row in rows], np.uint32
    )


def _digest(text: bytes, secret: bytes) -> int:
    found = hashlib.blake2b(text, key=secret, digest_size=4).digest()
    return int.from_bytes(found, "big") or 1


def _whole(text: bytes, secret: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(text, key=secret, digest_size=8).digest(), "big")
