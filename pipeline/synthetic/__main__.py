"""`python -m pipeline.synthetic`, replaced by `trial synthetic`."""

from __future__ import annotations

import sys

from pipeline.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["synthetic", *sys.argv[1:]]))
