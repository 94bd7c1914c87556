"""Stages of a run that are shown, noted and recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.results.release import read_release
from pipeline.runners.local.display import RunDisplay
from pipeline.runners.local.side_process import SideProcess
from pipeline.runners.local.stages import StageRunner
from pipeline.runs.run_record import recorded
from pipeline.runs.stage_record import StageRecord


class ObservedStages(StageRunner):
    """Shows, notes and records every stage.

    Args:
        display: Where stages are shown.
        records: Folder of the run's records.
        new_record: Makes the record of a stage.
        started: Called before the first stage.
        note: Called with a stage that starts and whether it runs beside this process's.
        side: The process of the second lane; None runs one stage at a time.
        beside: The stages of the second lane.

    Attributes:
        failed: Stages that failed or were ended.
    """

    def __init__(
        self,
        *,
        display: RunDisplay,
        records: Path,
        new_record: Callable[[str], StageRecord],
        started: Callable[[], None],
        note: Callable[[str, bool], None],
        side: SideProcess | None,
        beside: Sequence[str],
    ) -> None:
        super().__init__(side, beside)
        self._display, self._records = display, records
        self._new_record, self._started, self._note = new_record, started, note
        self.failed: set[str] = set()

    @property
    def _is_held_back(self) -> bool:
        """Whether no number of the run is shown, as far as is known by now."""
        rejects = self.outputs.get("TrialExampleGen", {}).get("rejects")
        return rejects is not None and read_release(rejects).is_held_back

    def begin(self) -> None:
        """Starts the run, and tells the display the order of the lines."""
        self._started()
        self._display.begin(self.order)

    def run_stage(self, stage: str, launch: Callable[[], bool]) -> None:
        """Runs one stage and records it."""
        is_beside = stage in self.beside
        side = self.side.process_id if self.side else None
        record = self._new_record(stage)
        try:
            with (
                self._display.stage(stage, is_beside) as shown,
                recorded(record, self._records, side, is_beside),
            ):
                # What is left of it if its process dies.
                record.write(self._records)
                self._note(stage, is_beside)
                try:
                    if not launch():
                        record.status = "cached"
                        shown.cached = True
                finally:
                    if self._is_held_back:
                        record.rows.clear()
        except BaseException:
            self.failed.add(stage)
            raise
