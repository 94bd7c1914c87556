"""The root of the unblinded runs of ongoing trials: who may open it, and who did.

It lies below an ordinary root, and holds all that a root holds: runs, registry, store. A file
`access.json` marks it. Every command that is given a path in it asks here first.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline import storage
from pipeline.documents import parse_document
from pipeline.errors import UserError
from pipeline.permissions import ACCESS_LOG, UNBLINDED_FOLDER, account_name, unblinded_root_of
from pipeline.results.access import AccessEntry, AccessLog
from pipeline.runs.chain import chained, read_chain
from pipeline.study.study import Study
from pipeline.swap import Seen, replace_seen, see

_ENTRIES = "access"
_OWNER_ALONE = 0o700
_TRIES = 50
_REPAIR = "Restore it from a backup: until then no account opens this root."


def open_root(root: Path, study: Study, source: str, command: str) -> Path:
    """Makes or opens the root of unblinded runs below a root, for a run.

    Args:
        root: The ordinary root, or the unblinded one itself.
        study: The study as it is written.
        source: Its file, for messages.
        command: What for.

    Returns:
        The unblinded root, which its owner alone can read.

    Raises:
        UserError: The trial is not ongoing, or this account is no named reader.
    """
    if not study.is_unblinded:
        raise UserError(
            f"{source}: an unblinded run is of a trial that is ongoing (`conduct: ongoing`) and "
            "has arms; this one's results may be seen by all: run it without --unblinded."
        )
    place = unblinded_root_of(root) or Path(os.path.realpath(root)) / UNBLINDED_FOLDER
    if account_name() not in study.unblinded_readers:
        if unblinded_root_of(place):
            _record_refusal(place, _entry(command, allowed=False))
        raise UserError(_refusal(source, study.unblinded_readers))
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(_OWNER_ALONE)
    if (place / ACCESS_LOG).is_file():
        check_access(place, command, but=study.study)
    _append(
        place,
        _entry(command, readers=study.unblinded_readers),
        {study.study: study.unblinded_readers},
    )
    return place


def check_access(place: Path, command: str, run: str = "", but: str = "") -> None:
    """Lets a named reader in, and records every access and every refusal.

    Args:
        place: The unblinded root.
        command: The command.
        run: The run that it names.
        but: A study whose readers are not asked, since the caller has newer ones.

    Raises:
        UserError: This account is not named for every study in the root; or the log is damaged, or
            can't be written.
    """
    log, _ = _read(place)
    others = {name: readers for name, readers in log.readers.items() if name != but}
    refused = [name for name, readers in others.items() if account_name() not in readers]
    if refused:
        _record_refusal(place, _entry(command, run=run, allowed=False))
        raise UserError(_refusal(str(place), others[refused[0]]))
    if not but:
        try:
            _append(place, _entry(command, run=run), {})
        except (OSError, UserError) as error:
            raise UserError(
                f"{place}: the access can't be recorded, so nothing is opened: {error}"
            ) from error


def read_accesses(place: Path) -> tuple[AccessEntry, ...]:
    """All entries of a root's log, the oldest first.

    Raises:
        UserError: The log is damaged.
    """
    log, _ = _read(place)
    folder = str(place / _ENTRIES)
    return read_chain(AccessEntry, folder, log.end, "the access log", _REPAIR)


def _record_refusal(place: Path, entry: AccessEntry) -> None:
    """Records a refusal, where the account may write there at all."""
    with suppress(OSError, UserError):
        _append(place, entry, {})


def _append(place: Path, entry: AccessEntry, readers: dict[str, tuple[str, ...]]) -> None:
    """Adds an entry; of writers at the same time each adds its own."""
    for _ in range(_TRIES):
        log, seen = _read(place)
        end, files = chained(str(place / _ENTRIES), log.end, [entry])
        for path, content in files.items():
            storage.write_whole(path, content)
        new = AccessLog(readers={**log.readers, **readers}, end=end)
        if replace_seen(str(place / ACCESS_LOG), new.model_dump_json(indent=1).encode(), seen):
            return
        for path in files:
            storage.remove_file(path)
        time.sleep(0.02)
    raise UserError(f"{place / ACCESS_LOG}: too many commands open this root at once. Try again.")


def _read(place: Path) -> tuple[AccessLog, Seen]:
    path = str(place / ACCESS_LOG)
    seen = see(path)
    if seen.content is None:
        # A first opening that was interrupted leaves a first entry that no end names yet.
        if not all(map(_is_first, (place / _ENTRIES).glob("[!.]*"))):
            raise UserError(f"{path}: the end of the access log is missing. {_REPAIR}")
        return AccessLog(readers={}), seen
    return parse_document(AccessLog, seen.content, path, "the access log's end", _REPAIR), seen


def _is_first(path: Path) -> bool:
    """Whether a file is an entry that follows no other one."""
    entry = parse_document(
        AccessEntry, path.read_bytes(), str(path), "an entry of the access log", _REPAIR
    )
    return entry.number == 1 and not entry.previous


def _refusal(where: str, readers: tuple[str, ...]) -> str:
    named = "names none" if not readers else "does not name you"
    return (
        f"{where}: results by arm of an ongoing trial are for named readers alone, and its study "
        f"file {named} (account {account_name()}; `unblinded_readers`)."
    )


def _entry(command: str, **said: Any) -> AccessEntry:
    return AccessEntry(
        at=datetime.now(UTC).isoformat(timespec="microseconds"),
        account=f"{account_name()}@{socket.gethostname()}",
        command=command,
        **said,
    )
