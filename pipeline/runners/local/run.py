"""Runs the pipeline on this machine, shows its stages, and records how it ended."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.markup import escape

from pipeline import interrupts
from pipeline.beam.failure import find_user_error, meaning
from pipeline.config import RunConfig, Settings, resolve
from pipeline.errors import reason_of
from pipeline.names import TRAINING
from pipeline.observability.address import is_observed
from pipeline.observability.runs import sent_log
from pipeline.runners.local.display import RunDisplay, print_words, waiting
from pipeline.runners.local.exhausted import what_was_lacking
from pipeline.runners.local.importing import collection_paused
from pipeline.runners.local.lanes import BESIDE, stages_beside
from pipeline.runners.local.logs import terminal_and_log
from pipeline.runners.local.outcome import RunOutcome
from pipeline.runners.local.record import (
    close_runs,
    export_run,
    note_records,
    noted_records,
    record_run,
    record_start,
)
from pipeline.runners.local.result import result_paths, show_result
from pipeline.runners.local.side_process import SideProcess, SideProcessDied
from pipeline.runners.scratch import abandoned
from pipeline.runners.supervise import Death, supervise
from pipeline.runs.alive import FolderInUseError, living_run
from pipeline.runs.closing import close_run
from pipeline.runs.run_file import RECORDS, RunFile, Status
from pipeline.runs.run_record import versions
from pipeline.runs.stage_record import StageRecord, describe_unexpected
from pipeline.storage import write_whole
from pipeline.study.blinded import conduct_note
from pipeline.study.slicing_titles import study_titles
from pipeline.titles import title_or_name

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline

    from pipeline.results.documents import Verdict
    from pipeline.runners.local.observed import ObservedStages

logger = logging.getLogger(__name__)

PAGE_FILE = "page.html"
_CACHED = "finished stages with unchanged input are taken from the cache."
_AFTER_INTERRUPT = f"Rerun the same command to continue: {_CACHED}"
_AFTER_FAILURE = f"Fix the problem and rerun the same command: {_CACHED}"


def run(settings: Settings) -> RunOutcome:
    """Runs the pipeline.

    Args:
        settings: The user's choices.

    Returns:
        The outcome; a failure of a stage is shown, recorded and logged, not raised.

    Raises:
        OSError: A file or folder can't be used before the first stage.
    """
    return run_graph(lambda run_id: resolve(settings, run_id), LocalRun, settings.root)


def run_graph(
    resolving: Callable[[str], RunConfig], made: Callable[..., LocalRun], root: Path
) -> RunOutcome:
    """Runs a graph in a child process.

    Args:
        resolving: Makes the configuration of a run with an id.
        made: What runs the configuration.
        root: Folder that everything is written below.

    Returns:
        The outcome; a failure of a stage is shown, recorded and logged, not raised.

    Raises:
        OSError: A file or folder can't be used before the first stage.
        UserError: The address of a receiver of traces is none.
    """
    is_observed()
    # TensorFlow reads these when it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    run_id = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    log_file = root.resolve() / "logs" / f"{run_id}.log"
    return supervise(
        lambda notes: _run(resolving, made, run_id, log_file, notes),
        lambda death, notes: _report_death(death, notes, run_id, log_file),
        root,
    )


def _run(
    resolving: Callable[[str], RunConfig],
    made: Callable[..., LocalRun],
    run_id: str,
    log_file: Path,
    notes: Path,
) -> RunOutcome:
    """Runs the pipeline in this process.

    Args:
        resolving: Makes the configuration of a run with an id.
        made: What runs the configuration.
        run_id: The run's id.
        log_file: Its log.
        notes: Folder for what must be known of the run if this process dies.
    """
    with terminal_and_log(log_file) as console, sent_log(run_id, file=log_file):
        config = _resolve(resolving, run_id, console, log_file)
        if isinstance(config, RunOutcome):
            return config
        data = str(config.data_root) or config.prediction_log or "the study's database"
        title = title_or_name(config.study.study, config.study.title)
        console.print(
            f"[bold]{escape(title)}[/bold]  run {run_id}\n"
            f"[dim]data {escape(data)}\nlog  {escape(str(log_file))}[/dim]"
        )
        if note := conduct_note(config.study):
            print_words(console, f"[yellow]{escape(note)}[/yellow]")
        return made(config, console, run_id, log_file, notes).execute()


def _report_death(death: Death, notes: Path, run_id: str, log_file: Path) -> RunOutcome:
    """Shows and records a run whose process died.

    Args:
        death: How it died.
        notes: What it left.
        run_id: The run's id.
        log_file: Its log.
    """
    records = noted_records(notes)
    status: Literal["failed", "killed"] = "killed" if death.is_kill else "failed"
    closed = (
        close_run(records, status, f"its process {death}", datetime.now(UTC)) if records else None
    )
    reason = (closed and closed.reason) or f"Before the first stage the run's process {death}."
    paths = {"log": log_file}
    with terminal_and_log(log_file) as console, sent_log(run_id, file=log_file):
        logger.error("the run failed: %s", reason)
        console.show_cursor()
        print_words(
            console,
            f"\n[red]✗ {escape(reason)}[/red] See {escape(str(log_file))}. {_AFTER_FAILURE}",
        )
        if not (records and closed):
            return RunOutcome(run_id, "not started", paths, error=reason)
        export_run(closed, records, console)
    return RunOutcome(
        run_id,
        status,
        paths | {"records": records},
        failed_stage=closed.failed_stage,
        error=reason,
    )


def _resolve(
    resolving: Callable[[str], RunConfig], run_id: str, console: Console, log_file: Path
) -> RunConfig | RunOutcome:
    """The run's configuration; or the outcome, where the configuration is invalid."""
    paths = {"log": log_file}
    try:
        with waiting(console, "reading the study file and the data's headers"):
            return resolving(run_id)
    except OSError:
        # The caller knows which paths the user named.
        raise
    except KeyboardInterrupt:
        return _ended_before(run_id, paths, console)
    except Exception as error:
        # Beam, which generates the synthetic trial, wraps an interrupt.
        if interrupts.received():
            return _ended_before(run_id, paths, console)
        if mistake := find_user_error(error):
            print_words(console, f"[red]Not started.[/red] {escape(str(mistake))}")
            return RunOutcome(
                run_id, "not started", paths, error=str(mistake), is_users_to_fix=True
            )
        unexpected = _show_unexpected(console, error, log_file)
        return RunOutcome(run_id, "not started", paths, error=unexpected)


def _ended_before(run_id: str, paths: Mapping[str, Path], console: Console) -> RunOutcome:
    """Shows that a signal ended the run before its first stage."""
    interrupts.handle()
    console.print(f"[red]{interrupts.end_reason().capitalize()}[/red] before the first stage.")
    return RunOutcome(run_id, interrupts.end_status(), paths)


def _show_unexpected(console: Console, error: Exception, log_file: Path) -> str:
    """Logs an exception and shows its type; only an OSError's message is free of data.

    Returns:
        The text that may be recorded.
    """
    logger.error("the run failed", exc_info=error)
    what = f"{type(error).__name__}: {error}" if isinstance(error, OSError) else ""
    print_words(
        console,
        f"\n[red]Unexpected {escape(what or type(error).__name__)};[/red] see the run's log: "
        f"{escape(str(log_file))}",
    )
    lacking = what_was_lacking(error)
    if lacking:
        print_words(console, escape(lacking))
    return f"{describe_unexpected(type(error).__name__)} {lacking}".rstrip()


class LocalRun:
    """A run whose settings are resolved; a subclass runs another graph.

    Attributes:
        page_stage: The stage that writes the page, its output `html`.
        beside: Stages of the graph that may run beside others.
    """

    page_stage = "RunPage"
    beside: Collection[str] = BESIDE

    def __init__(
        self, config: RunConfig, console: Console, run_id: str, log_file: Path, notes: Path
    ) -> None:
        self._config = config
        self._notes = notes
        self._console = console
        self._run = run_id
        self._log_file = log_file
        self._own = Path(config.pipeline_root).parent
        self._records = self._own / RECORDS / run_id
        self._stage = ""
        self._has_started = False
        self._is_recorded = True
        self._lock = threading.Lock()
        self._started = datetime.now(UTC)
        self._stages: ObservedStages | None = None

    def execute(self) -> RunOutcome:
        """Runs every stage, and records and shows how the run ended.

        Of two runs of a study in a root at once, the second is refused.
        """
        try:
            with living_run(self._own) as living:
                unclosed = close_runs(self._own, living.unclosed, self._console)
                living.name(self._run, *unclosed)
                outcome = self._execute()
                # The next start closes a run that could not record its end, as one that died.
                living.name(*([] if self._is_recorded else [self._run]), *unclosed)
        except FolderInUseError as error:
            print_words(self._console, f"[red]Not started.[/red] {escape(str(error))}")
            return RunOutcome(
                self._run,
                "not started",
                {"log": self._log_file},
                error=str(error),
                is_users_to_fix=True,
            )
        return outcome

    def _execute(self) -> RunOutcome:
        try:
            self._run_stages()
            return self._finish()
        except KeyboardInterrupt:
            return self._end_by_signal()
        except SideProcessDied as died:
            if interrupts.received():
                return self._end_by_signal()
            logger.error("the run failed: %s", died)
            print_words(
                self._console,
                f"\n[red]✗ {escape(str(died))}[/red] See {escape(str(self._log_file))}. "
                f"{_AFTER_FAILURE}",
            )
            return self._end_early("killed" if died.death.is_kill else "failed", str(died))
        except Exception as error:
            if interrupts.received():
                return self._end_by_signal()
            if mistake := find_user_error(error):
                logger.error("the run was stopped", exc_info=error)
                print_words(self._console, f"\n[red]Stopped.[/red] {escape(str(mistake))}")
                print_words(self._console, _AFTER_FAILURE)
                return self._end_early("failed", str(mistake), is_users_to_fix=True)
            unexpected = _show_unexpected(self._console, error, self._log_file)
            if cause := meaning(error, self._config.beam_args):
                print_words(self._console, cause)
            print_words(self._console, _AFTER_FAILURE)
            return self._end_early("failed", unexpected)

    def _end_by_signal(self) -> RunOutcome:
        interrupts.handle()
        reason = interrupts.end_reason()
        logger.warning(reason)
        print_words(
            self._console, f"\n[red]{reason[0].upper()}{reason[1:]}.[/red] {_AFTER_INTERRUPT}"
        )
        return self._end_early(interrupts.end_status(), reason)

    def _run_stages(self) -> None:
        # TFX's own command line may only ask for the pipeline: it has loaded TFX before.
        if "tfx" not in sys.modules:
            self._start()
        display = RunDisplay(self._console)
        beside = stages_beside(self.beside, self._config.stages_at_once, self._config.beam_args)
        record_versions = versions(self._config.code_version)
        side = SideProcess() if beside else None
        try:
            with waiting(self._console, "loading TensorFlow and TFX"), collection_paused():
                from pipeline.runners.local.observed import ObservedStages

                pipeline = self.create_pipeline()
            self._stages = ObservedStages(
                display=display,
                records=self._records,
                new_record=lambda stage: StageRecord(
                    run=self._run, stage=stage, versions=record_versions
                ),
                started=self._start_stages,
                note=self._note,
                side=side,
                beside=beside,
            )
            self._stages.run(pipeline)
        finally:
            display.finish()
            if side:
                side.close()

    def _start(self) -> None:
        """Records that the run has started, once."""
        if not self._has_started:
            self._has_started = True
            record_start(self._file("running", None, ""), self._records)
            note_records(self._records, self._notes)

    def _start_stages(self) -> None:
        """Removes what runs that died have left, before the first stage."""
        from pipeline.runners.local.leftovers import clear, registry_leftovers
        from pipeline.runs.unfinished import old_drafts

        self._start()
        config = self._config
        further = abandoned(self._log_file.parents[1], self._notes.parent)
        further += old_drafts(self._own / RECORDS)
        if config.kind == TRAINING:
            registry = str(config.registry_root)
            further += registry_leftovers(self._own, registry, config.study.study)
        found = clear(str(config.metadata_path), config.pipeline_root, config.serving_dir, further)
        if text := str(found):
            logger.info("%s", text)
            print_words(self._console, f"[dim]{escape(text)}[/dim]")

    def create_pipeline(self) -> Pipeline:
        """The graph."""
        from pipeline.pipeline import create_pipeline

        return create_pipeline(self._config)

    def _finish(self) -> RunOutcome:
        paths = {"log": self._log_file, "records": self._records}
        outputs = self._outputs
        # TFX's CLI only asks for the pipeline: then nothing ran.
        if not outputs:
            return RunOutcome(self._run, "done", paths)
        page = self._records / PAGE_FILE
        write_whole(str(page), Path(outputs[self.page_stage]["html"]).read_bytes())
        outcome = self.end(outputs, page, paths)
        self._record("done", None)
        return outcome

    def end(
        self, outputs: Mapping[str, Mapping[str, str]], page: Path, paths: Mapping[str, Path]
    ) -> RunOutcome:
        """Shows the result of the run whose stages have finished.

        Args:
            outputs: URI of each output of each stage.
            page: The run's page.
            paths: What the run has written beside its outputs.
        """
        from pipeline.results.documents import Verdict, read_result

        verdict = read_result(Verdict, outputs["TrialEvaluator"]["verdict"])
        return RunOutcome(
            self._run,
            "done",
            {**paths, **self.show(outputs, page, verdict)},
            verdict.decision,
            {task: found.verdict for task, found in verdict.tasks.items()},
            verdict.reason_texts(study_titles(self._config.study)),
        )

    def show(
        self, outputs: Mapping[str, Mapping[str, str]], page: Path, verdict: Verdict
    ) -> dict[str, Path]:
        """Shows the result of the finished run.

        Args:
            outputs: URI of each output of each stage.
            page: The run's page.
            verdict: The verdict on the model.

        Returns:
            Paths of what the run wrote.
        """
        paths = result_paths(self._config, outputs, page, verdict.blessed)
        titles = study_titles(self._config.study)
        show_result(self._console, verdict, {**paths, "records": self._records}, titles)
        return paths

    def _end_early(
        self,
        status: Literal["failed", "interrupted", "killed"],
        reason: str,
        is_users_to_fix: bool = False,
    ) -> RunOutcome:
        try:
            self._record(status, reason)
        except OSError as error:
            self._is_recorded = False
            logger.warning("the end of the run was not recorded: %s", error)
            print_words(
                self._console,
                f"The end of the run can't be recorded ({reason_of(error)}): the next start does "
                "it.",
            )
        return RunOutcome(
            self._run,
            status,
            {"log": self._log_file, "records": self._records},
            failed_stage=self._failed_stage,
            error=reason,
            is_users_to_fix=is_users_to_fix,
        )

    @property
    def _outputs(self) -> dict[str, dict[str, str]]:
        return self._stages.outputs if self._stages else {}

    @property
    def _failed_stage(self) -> str:
        """The stage that failed; of two, the earlier one in the order of the run."""
        stages = self._stages
        return next((name for name in stages.order if name in stages.failed), "") if stages else ""

    def _file(self, status: Status, reason: str | None, failed_stage: str) -> RunFile:
        """`run.json` of the run as it stands now."""
        config = self._config
        return RunFile(
            run=self._run,
            study=config.study.study,
            study_file=config.study.to_content(),
            study_digest=config.study.digest(),
            fingerprint=str(config.fingerprint),
            data_root=str(config.data_root),
            data_modified=config.data_modified,
            seed=config.seed,
            steps=config.steps,
            code_version=config.code_version,
            started_by=config.started_by,
            started=self._started,
            ended=None if status == "running" else datetime.now(UTC),
            status=status,
            failed_stage=failed_stage,
            reason=reason,
            store=str(config.store),
            outputs=self._outputs,
            kind=config.kind,
        )

    def _record(self, status: Status, reason: str | None) -> None:
        file = self._file(status, reason, self._failed_stage)
        self._is_recorded = record_run(file, self._records, self._console)

    def _note(self, stage: str, is_beside: bool) -> None:
        """Writes down a stage that starts, for the case that the run's process dies."""
        with self._lock:
            if not is_beside:
                self._stage = stage
            self._file("running", None, self._stage or stage).write(self._records)
