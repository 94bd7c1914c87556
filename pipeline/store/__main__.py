"""`python -m pipeline.store migrate|export`: today `trial store migrate` and `trial export`."""

from __future__ import annotations

import sys

from pipeline.cli.main import main

if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(["store", *given] if given[:1] == ["migrate"] else given))
