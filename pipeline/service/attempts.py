"""When something that failed is tried again."""

from __future__ import annotations

from collections.abc import Hashable

_MOST_LOOKS_WAITED = 64


class Attempts:
    """Lets what failed be tried again after 1, 2, 4, ... looks, and anything else at once."""

    def __init__(self) -> None:
        self._failed: Hashable = None
        self._wait = self._waited = 0

    def may_try(self, wanted: Hashable) -> bool:
        """Whether it may be tried at this look; to be asked once a look."""
        if wanted != self._failed:
            self._wait = self._waited = 0
            return True
        self._waited += 1
        return self._waited >= self._wait

    def note_failure(self, wanted: Hashable) -> bool:
        """Notes that it failed; whether it had not failed at the attempt before."""
        is_first = wanted != self._failed
        self._failed = wanted
        self._wait = min(max(1, 2 * self._wait), _MOST_LOOKS_WAITED)
        self._waited = 0
        return is_first

    def note_success(self) -> None:
        """Forgets what failed."""
        self._failed = None
