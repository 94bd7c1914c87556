"""`python -m tests.e2e.aborting_run MARKER ...`: `trial run ...` on the graph of `aborting_stage`.

The graph takes the place of the pipeline's own before anything loads TensorFlow, as in a run of
the whole pipeline.
"""

from __future__ import annotations

import sys
import types
from typing import Any

from pipeline.cli.main import main


def create_pipeline(config: Any) -> Any:
    """The graph; called where a run builds its pipeline."""
    from tests.e2e.aborting_stage import graph

    return graph(config, sys.argv[1])


if __name__ == "__main__":
    stub: Any = types.ModuleType("pipeline.pipeline")
    stub.create_pipeline = create_pipeline
    sys.modules["pipeline.pipeline"] = stub
    sys.exit(main(["run", *sys.argv[2:]]))
