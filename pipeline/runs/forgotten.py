"""The list of forgotten subjects: who withdrew consent, by digests of their pseudonyms.

A study's list lies beside its divisions, `<registry root>-subjects/<study>/forgotten.json`: no run
is made on data that hold one of them. A second list, of several studies, is where a person says:
outside of what backups keep, so that no earlier backup brings a forgotten subject back.

There is no pseudonym in it. It holds SHA-256 of them: who has a pseudonym can find it in the list,
and who has the list alone finds no one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from pipeline import storage
from pipeline.documents import Document, parse_document
from pipeline.errors import UserError
from pipeline.permissions import Readers, new_files_for
from pipeline.runs.divisions import subjects_root
from pipeline.swap import replace_seen, see

FORGOTTEN_FILE = "forgotten.json"

_PSEUDONYM = re.compile(rb"(?=([0-9a-f]{32}))")
"""At every place, since what stands before one in a file may look like a part of it."""

_REMEDY = "Put back the list that was there."
_TRIES = 100


class ForgottenList(Document):
    """Forgotten subjects.

    Attributes:
        subjects: By study and digest, the day (UTC, ISO 8601) on which each was forgotten.
    """

    subjects: dict[str, dict[str, str]] = {}

    def of(self, study: str) -> Forgotten:
        """Those of a study."""
        return Forgotten(study, self.subjects.get(study, ()))

    def joined(self, other: ForgottenList) -> ForgottenList:
        """Those of both lists; who is in both was forgotten on the earlier day."""
        studies = self.subjects.keys() | other.subjects.keys()
        found = {}
        for study in sorted(studies):
            own, others = self.subjects.get(study, {}), other.subjects.get(study, {})
            found[study] = {
                digest: min(days[digest] for days in (own, others) if digest in days)
                for digest in sorted(own.keys() | others.keys())
            }
        return ForgottenList(subjects=found)


class Forgotten:
    """The forgotten subjects of a study.

    Args:
        study: Name of the study.
        digests: Their digests.
    """

    def __init__(self, study: str, digests: Iterable[str]) -> None:
        self.study = study
        self.digests = frozenset(digests)

    def __bool__(self) -> bool:
        return bool(self.digests)

    def has(self, pseudonym: bytes) -> bool:
        """Whether a subject is one of them.

        Examples:
            >>> found = Forgotten("ist", [pseudonym_digest("ist", b"a pseudonym")])
            >>> found.has(b"a pseudonym"), found.has(b"another one")
            (True, False)
        """
        return pseudonym_digest(self.study, pseudonym) in self.digests

    def is_named_in(self, content: bytes) -> bool:
        """Whether the pseudonym of one of them stands anywhere in a content."""
        return any(self.has(match[1]) for match in _PSEUDONYM.finditer(content))


def pseudonym_digest(study: str, pseudonym: bytes) -> str:
    """What a list holds of a subject."""
    return hashlib.sha256(b"\x1f".join((b"forgotten", study.encode(), pseudonym))).hexdigest()


def forgotten_path(registry_root: str, study: str) -> str:
    """Where the list of a study is.

    Examples:
        >>> forgotten_path("runs/registry", "ist")
        'runs/registry-subjects/ist/forgotten.json'
    """
    return f"{subjects_root(registry_root)}/{study}/{FORGOTTEN_FILE}"


def read_forgotten(path: str, must_exist: bool = False) -> ForgottenList:
    """Reads a list; an empty one where there is no file.

    Args:
        path: The file: a local path or `s3://bucket/file`.
        must_exist: Whether a missing file is a mistake.

    Raises:
        UserError: It is damaged, or missing though it must exist.
    """
    content = storage.read(path)
    if content is None:
        if must_exist:
            raise UserError(f"{path}: there is no such list. Name that of `trial forget`.")
        return ForgottenList()
    return _parsed(path, content)


def _parsed(path: str, content: bytes) -> ForgottenList:
    return parse_document(ForgottenList, content, path, "a list of forgotten subjects", _REMEDY)


def write_forgotten(path: str, forgotten: ForgottenList) -> None:
    """Writes a list, readable by its owner alone where the file system has owners."""
    storage.write_private(path, _content(forgotten))


def add_forgotten(path: str, new: ForgottenList) -> None:
    """Adds subjects to a list, readable as `write_forgotten` has it.

    Of commands at the same time each adds its own: a subject that one of them lost would come back
    with the next restore.

    Args:
        path: The file: a local path or `s3://bucket/file`.
        new: Who is added.

    Raises:
        UserError: The list is damaged, can't be written, or is changed all the time.
    """
    for _ in range(_TRIES):
        seen = see(path)
        known = ForgottenList() if seen.content is None else _parsed(path, seen.content)
        with new_files_for(Readers.OWNER, ()):
            if replace_seen(path, _content(known.joined(new)), seen):
                return
    raise UserError(f"{path}: too many commands change this list at once. Try again.")


def _content(forgotten: ForgottenList) -> bytes:
    return forgotten.model_dump_json(indent=1).encode()


def newly_forgotten(study: str, pseudonyms: Iterable[str]) -> ForgottenList:
    """A list of subjects who are forgotten today."""
    day = datetime.now(UTC).date().isoformat()
    digests = {pseudonym_digest(study, pseudonym.encode()): day for pseudonym in pseudonyms}
    return ForgottenList(subjects={study: digests})
