"""Runs the pipeline's first stages: what the local runner does, up to a stage.

Takes the local runner's options, and the last stage from the variable BENCHMARK_LAST_STAGE.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from pipeline.cli.commands.run import parse_settings
from pipeline.config import resolve
from pipeline.errors import UserError
from pipeline.runs.run_record import recorded, versions
from pipeline.runs.stage_record import StageRecord

LAST_STAGE_VARIABLE = "BENCHMARK_LAST_STAGE"

logger = logging.getLogger(__name__)


class _LastStageDone(Exception):  # noqa: N818 (it is no error)
    """The last stage that was asked for has ended."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the pipeline up to a stage and writes the stages' records.

    Args:
        argv: The local runner's options; those of the process by default.

    Returns:
        0, or 2 for a mistake in the input.
    """
    last_stage = os.environ[LAST_STAGE_VARIABLE]
    try:
        config = resolve(parse_settings(sys.argv[1:] if argv is None else argv))
    except UserError as error:
        logger.error("%s", error)
        return 2
    from pipeline.pipeline import create_pipeline
    from pipeline.runners.local.stages import StageRunner

    run_id = datetime.now().strftime("%Y%m%dT%H%M%S.%f")
    records = Path(config.pipeline_root).parent / "records" / run_id
    record_versions = versions(config.code_version)

    class Stages(StageRunner):
        """Records every stage, and stops after the last one."""

        def run_stage(self, stage: str, launch: Callable[[], bool]) -> None:
            record = StageRecord(run=run_id, stage=stage, versions=record_versions)
            with recorded(record, records):
                launch()
            if stage == last_stage:
                raise _LastStageDone

    try:
        Stages().run(create_pipeline(config))
    except _LastStageDone:
        logger.info("Ended after %s.", last_stage)
    return 0


if __name__ == "__main__":
    # The stages say in their log records how many rows they saw.
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    sys.exit(main())
