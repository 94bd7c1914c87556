"""The ledger of releases: what each subject contributed to each run whose numbers are shown.

Two runs whose data differ by few subjects disclose these by subtraction. So a run is shown only if
it differs from every earlier release of the study, whatever changed, by no subject or by at least
the smallest group: in who is in it, in each column of the examples, and in each arm and split.
A run that is shown is added before its first number is; one that is not leaves the ledger as it is,
so that the subjects who are new from night to night add up.

Layout beside the registry's root, for each study; files are their owner's alone::

    <registry root>-subjects/<study>/releases/<UTC time>-<file's digest>.parquet   each release
    <registry root>-subjects/<study>/releases/ledger.lock                held while one is compared

There is no value of a subject in it, but digests by the subject key
(`pipeline.reading.contributions`).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import storage
from pipeline.errors import UserError
from pipeline.file_lock import lock_within
from pipeline.names import ARM
from pipeline.reading.contributions import PART, Contributions
from pipeline.results.release import EarlierRelease, Release
from pipeline.runs.divisions import subjects_root

SUBJECTS = "subjects"
"""Name of the difference in who is in two releases at all."""

_GROUPS = (ARM, PART)
"""Columns whose groups every release shows with numbers of their own."""

_SUBJECT = "subject"
_TIME = "%Y%m%dT%H%M%S.%f"
_ENDING = ".parquet"
_LOCK = "ledger.lock"
_DIGITS = 16
_LONGEST_SECONDS = 600.0
_POLL_SECONDS = 0.05
_DATA_DIGITS = 12


@dataclass(frozen=True)
class Cut:
    """What a release is made of.

    Attributes:
        found: What each subject contributes.
        key_id: Identifies the subject key of the pseudonyms.
        fingerprint: Fingerprint of the data.
    """

    found: Contributions
    key_id: str
    fingerprint: str


def releases_folder(registry_root: str, study: str) -> str:
    """Folder with the releases of a study.

    Examples:
        >>> releases_folder("runs/registry", "ist")
        'runs/registry-subjects/ist/releases'
    """
    return f"{subjects_root(registry_root)}/{study}/releases"


def claim(registry_root: str, study: str, cut: Cut, smallest: int) -> Release:
    """Decides whether a run is shown, and adds it to the ledger if it is a new release.

    Args:
        registry_root: Root of the registry.
        study: Name of the study.
        cut: What the run is made of.
        smallest: The study's smallest group.

    Raises:
        UserError: The ledger can't be read or written, or another run holds it for too long.
    """
    folder = releases_folder(registry_root, study)
    with _held(folder):
        known = _names(folder)
        is_new = True
        for name in known:
            release = _read(f"{folder}/{name}")
            if release is None:
                continue
            if reason := _reason(release, cut, smallest):
                return Release(smallest_group=smallest, earlier=_earlier(name, release, reason))
            is_new = is_new and not _is_same(release, cut)
        if is_new:
            content = _content(cut)
            own = f"{datetime.now(UTC).strftime(_TIME)}-{_digest(content)}{_ENDING}"
            storage.write_private(f"{folder}/{own}", content)
            # No lock holds an object store: what was added meanwhile is seen now.
            for name in set(_names(folder)) - {*known, own}:
                release = _read(f"{folder}/{name}")
                if release and (reason := _reason(release, cut, smallest)):
                    storage.remove_file(f"{folder}/{own}")
                    return Release(smallest_group=smallest, earlier=_earlier(name, release, reason))
    return Release(smallest_group=smallest)


def differences(earlier: Contributions, later: Contributions) -> dict[str, int]:
    """By how many subjects two releases differ.

    Args:
        earlier: One of them.
        later: The other.

    Returns:
        Numbers of subjects: of `SUBJECTS`, who are in one release alone; of each column, those and
        the ones whose value differs; of each group of an arm or split, those of them who are in it
        in either release and differ in any column. A column that one of the releases lacks counts
        as missing there.
    """
    everyone = np.union1d(earlier.subjects, later.subjects)
    places = [np.searchsorted(everyone, cut.subjects) for cut in (earlier, later)]
    inside = np.zeros((2, len(everyone)), bool)
    for row, place in zip(inside, places, strict=True):
        row[place] = True
    alone = inside[0] != inside[1]
    found = {SUBJECTS: int(alone.sum())}
    any_change = alone.copy()
    of_groups: dict[str, list[NDArray[np.uint32]]] = {}
    for name in sorted({*earlier.columns, *later.columns}):
        values = [
            _spread(cut.columns.get(name), place, len(everyone))
            for cut, place in zip((earlier, later), places, strict=True)
        ]
        changed = alone | (values[0] != values[1])
        found[name] = int(changed.sum())
        any_change |= changed
        if name in _GROUPS:
            of_groups[name] = values
    for name, (before, after) in of_groups.items():
        groups = np.unique(np.concatenate([before[inside[0]], after[inside[1]]]))
        for number, group in enumerate(groups):
            members = (inside[0] & (before == group)) | (inside[1] & (after == group))
            found[f"{name} {number}"] = int((members & any_change).sum())
    return found


def _spread(
    values: NDArray[np.uint32] | None, place: NDArray[np.int64], size: int
) -> NDArray[np.uint32]:
    spread = np.zeros(size, np.uint32)
    if values is not None:
        spread[place] = values
    return spread


def _reason(release: Cut, cut: Cut, smallest: int) -> str | None:
    """Why a run is held back because of an earlier release; None where it is not."""
    if release.key_id != cut.key_id:
        return "other_key"
    differing = differences(release.found, cut.found).values()
    return "near" if any(0 < number < smallest for number in differing) else None


def _is_same(release: Cut, cut: Cut) -> bool:
    return not any(differences(release.found, cut.found).values())


def _earlier(name: str, release: Cut, reason: str) -> EarlierRelease:
    shown = datetime.strptime(name.partition("-")[0], _TIME)
    return EarlierRelease.model_validate(
        {
            "shown": f"{shown:%Y-%m-%d %H:%M}",
            "data": release.fingerprint[:_DATA_DIGITS],
            "reason": reason,
        }
    )


@contextmanager
def _held(folder: str) -> Iterator[None]:
    """Holds the ledger, so that of two runs at once one is compared with the other."""
    if storage.is_remote(folder):
        yield
        return
    path = f"{folder}/{_LOCK}"
    with storage.errors_for_people(path):
        if not Path(path).exists():
            storage.write_private(path, b"")
    with storage.errors_for_people(path), Path(path).open("rb") as stream:
        if not lock_within(stream, _LONGEST_SECONDS, _POLL_SECONDS):
            raise UserError(
                f"{path}: another run holds the ledger of releases for {_LONGEST_SECONDS / 60:.0f} "
                "minutes. Wait for it to end, or end it, and rerun."
            )
        yield


def _names(folder: str) -> list[str]:
    """Names of the releases, the earliest first."""
    return [
        name
        for name in storage.files_below(folder)
        if name.endswith(_ENDING) and not name.startswith(".")
    ]


def _content(cut: Cut) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    columns = {_SUBJECT: pa.array(cut.found.subjects)}
    columns |= {f"={name}": pa.array(values) for name, values in cut.found.columns.items()}
    table = pa.table(columns).replace_schema_metadata(
        {"key_id": cut.key_id, "fingerprint": cut.fingerprint}
    )
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    return buffer.getvalue()


def _digest(content: bytes) -> str:
    """Digest of a file, which its name has: a damaged one is not even parsed."""
    return sha256(content).hexdigest()[:_DIGITS]


def _read(path: str) -> Cut | None:
    """Reads a release; None where another run has just taken its own back from an object store.

    Raises:
        UserError: The file is damaged.
    """
    content = storage.read(path)
    if content is None:
        return None
    if _digest(content) != Path(path).stem.partition("-")[2]:
        raise UserError(
            f"{path}: this file of the ledger of releases is damaged, so it is not known from "
            "which earlier release the run may differ by few subjects. Restore it from a backup."
        )
    return _parsed(content)


def _parsed(content: bytes) -> Cut:
    from pyarrow import parquet

    table = parquet.read_table(io.BytesIO(content))
    described = {name.decode(): text.decode() for name, text in table.schema.metadata.items()}
    found = Contributions(
        table[_SUBJECT].to_numpy(),
        {name[1:]: table[name].to_numpy() for name in table.column_names if name != _SUBJECT},
    )
    return Cut(found, described["key_id"], described["fingerprint"])
