"""Whether a run shows its numbers: what the ledger of releases says of it, `release.json`.

TrialExampleGen decides it once (`pipeline.runs.releases`) and writes it beside the examples and
beside the rejects; every stage that writes numbers for people reads it there.
"""

from __future__ import annotations

from typing import Literal

from pipeline.documents import Document, parse_document
from pipeline.storage import read

RELEASE_FILE = "release.json"

HELD_BACK = "held back"
"""In place of a number."""


class EarlierRelease(Document):
    """The release that a run is too near to.

    Attributes:
        shown: When it was made, UTC, `YYYY-MM-DD HH:MM`.
        data: Beginning of the fingerprint of its data, which its page shows.
        reason: `near`: they differ by fewer subjects than the smallest group; `other_key`: its
            pseudonyms were made with another subject key, so that they can't be compared.
    """

    shown: str
    data: str
    reason: Literal["near", "other_key"] = "near"


class Release(Document):
    """`release.json`.

    Attributes:
        smallest_group: Fewest subjects that two releases of the study may differ by.
        earlier: The release because of which the run's numbers are held back; null where they are
            shown.
    """

    smallest_group: int = 0
    earlier: EarlierRelease | None = None

    @property
    def is_held_back(self) -> bool:
        """Whether no number of the run is shown."""
        return self.earlier is not None

    @property
    def sentence(self) -> str:
        """What people read in place of the numbers; empty where these are shown.

        Examples:
            >>> earlier = EarlierRelease(shown="2026-11-29 04:00", data="3fa9c1d2e4b5")
            >>> Release(smallest_group=10, earlier=earlier).sentence.partition(":")[0]
            "This run's numbers are held back"
        """
        if self.earlier is None:
            return ""
        cut = f"the release of {self.earlier.shown} UTC (data {self.earlier.data})"
        if self.earlier.reason == "other_key":
            return (
                f"This run's numbers are held back: whether its data differ by few subjects from "
                f"{cut} is not known, since its pseudonyms were made with another subject key. "
                "Use that key, or read docs/disclosure.md on a key that is lost."
            )
        return (
            f"This run's numbers are held back: its data differ from {cut} by fewer than "
            f"{self.smallest_group} subjects, whose values would follow by subtraction. Read that "
            f"release; the next one is shown when at least {self.smallest_group} subjects differ."
        )


def read_release(folder: str) -> Release:
    """Reads `release.json` beside examples or rejects.

    Args:
        folder: Folder of the artifact; one of an earlier version, or of a run without a registry,
            has no such file, and its numbers are shown.

    Raises:
        UserError: The file is damaged.
    """
    path = f"{folder}/{RELEASE_FILE}"
    content = read(path)
    if content is None:
        return Release()
    return parse_document(
        Release, content, path, "what TrialExampleGen writes", "Run the pipeline again."
    )
