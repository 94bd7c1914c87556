"""Compiles a study's pipeline, for TFX's CLI: `trial compile` by the path of a script.

With the environment's programs on the path:
`tfx pipeline compile --engine=vertex --pipeline_path=kubeflow/compile.py`. The CLI hands over no
arguments, so every choice can also be made by an environment variable (TRIAL_STUDY,
TRIAL_SETTINGS, TRIAL_OUT, TRIAL_TUNE, TRIAL_VALIDATE, TRIAL_MODEL, TRIAL_UPDATE).
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and Path(sys.path[0]).resolve() == Path(__file__).resolve().parent:
    # As a script this file's own folder comes first on the path.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from pipeline.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["compile", *sys.argv[1:]]))
