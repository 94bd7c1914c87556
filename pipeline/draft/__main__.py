"""`python -m pipeline.draft`, replaced by `trial draft`."""

from __future__ import annotations

import sys

from pipeline.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["draft", *sys.argv[1:]]))
