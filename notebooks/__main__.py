"""`python -m notebooks`, replaced by `trial notebooks`."""

from __future__ import annotations

import sys

from pipeline.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["notebooks", *sys.argv[1:]]))
