"""The console script without an installation: `python -m pipeline.cli` is `trial`."""

from __future__ import annotations

import sys

from pipeline.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
