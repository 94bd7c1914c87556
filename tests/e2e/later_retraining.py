"""`python -m tests.e2e.later_retraining DAYS ...`: `trial retrain ...`, decided so many days later.

The decision asks for the moment in one place; everything else, the run too, has the real clock.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, tzinfo

from pipeline.cli.main import main
from pipeline.retraining import webhook


class _Later(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + timedelta(days=int(sys.argv[1]))


if __name__ == "__main__":
    vars(webhook)["datetime"] = _Later
    sys.exit(main(["retrain", *sys.argv[2:]]))
