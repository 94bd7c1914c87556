"""One run on this machine, stage by stage, with its records and what a person sees of it."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from pipeline.beam.failure import meaning
from pipeline.config import RunConfig, Settings, resolve
from pipeline.errors import UserError
from pipeline.results.documents import Verdict, read_result
from pipeline.runners.local.display import RunDisplay, results_table, waiting
from pipeline.runners.local.logs import terminal_and_log
from pipeline.runners.local.outcome import RunOutcome
from pipeline.runs.run_file import RunFile, Status
from pipeline.runs.run_record import StageRecord, describe_unexpected, recorded, versions

logger = logging.getLogger(__name__)

PAGE_FILE = "page.html"
_LONGEST_MESSAGE = 2000
_CACHED = "stages that were finished and whose input is unchanged are taken from the cache."
_AFTER_INTERRUPT = f"Rerun the same command to continue: {_CACHED}"
_AFTER_FAILURE = f"Fix the problem and rerun the same command: {_CACHED}"


def run(settings: Settings) -> RunOutcome:
    """Runs the pipeline.

    Args:
        settings: A person's choices.

    Returns:
        How the run ended; every failure is shown, recorded and logged, none is raised.
    """
    # TensorFlow reads these when it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    run_id = datetime.now().strftime("%Y%m%dT%H%M%S.%f")
    log_file = settings.root.resolve() / "logs" / f"{run_id}.log"
    with terminal_and_log(log_file) as console:
        try:
            with waiting(console, "reading the study file and the data's headers"):
                config = resolve(settings, run_id)
        except UserError as error:
            console.print(f"[red]Not started.[/red] {escape(str(error))}")
            return RunOutcome(
                run_id,
                "not started",
                {"log": log_file},
                error=str(error),
                is_users_to_fix=True,
            )
        except KeyboardInterrupt:
            console.print("[red]Interrupted[/red] before the first stage.")
            return RunOutcome(run_id, "interrupted", {"log": log_file})
        except Exception as error:
            unexpected = _show_unexpected(console, error, log_file)
            return RunOutcome(run_id, "not started", {"log": log_file}, error=unexpected)
        console.print(
            f"[bold]{escape(config.study.title or config.study.study)}[/bold]  run {run_id}\n"
            f"[dim]data {config.data_root}\nlog  {log_file}[/dim]"
        )
        return _run(config, console, run_id, log_file)


@dataclass
class _Story:
    """What is known of a run while it goes on."""

    run: str
    started: datetime
    stage: str = ""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)


def _run(config: RunConfig, console: Console, run_id: str, log_file: Path) -> RunOutcome:
    records = Path(config.pipeline_root).parent / "records" / run_id
    story = _Story(run_id, datetime.now(UTC))
    paths = {"log": log_file, "records": records}
    try:
        _run_stages(config, console, records, story)
    except KeyboardInterrupt:
        logger.warning("interrupted")
        console.print(f"\n[red]Interrupted.[/red] {_AFTER_INTERRUPT}")
        _leave(config, console, records, story, "interrupted", "interrupted")
        return RunOutcome(run_id, "interrupted", paths, failed_stage=story.stage)
    except UserError as error:
        console.print(f"\n[red]Stopped.[/red] {escape(str(error))}")
        console.print(_AFTER_FAILURE)
        _leave(config, console, records, story, "failed", str(error))
        return RunOutcome(
            run_id,
            "failed",
            paths,
            failed_stage=story.stage,
            error=str(error),
            is_users_to_fix=True,
        )
    except Exception as error:
        unexpected = _show_unexpected(console, error, log_file, config.beam_args)
        console.print(_AFTER_FAILURE)
        _leave(config, console, records, story, "failed", unexpected)
        return RunOutcome(run_id, "failed", paths, failed_stage=story.stage, error=unexpected)
    # TFX's CLI only asks what the pipeline is: then nothing ran.
    if not story.outputs:
        return RunOutcome(run_id, "done", paths)
    shutil.copyfile(story.outputs["RunPage"]["html"], records / PAGE_FILE)
    verdict = _show_result(console, config, story.outputs, records)
    story.stage = ""
    _leave(config, console, records, story, "done", None)
    return RunOutcome(
        run_id,
        "done",
        paths | _result_paths(config, story.outputs, records, verdict.blessed),
        "blessed" if verdict.blessed else "refused",
        tuple(reason.message for reason in verdict.reasons),
    )


def _show_unexpected(
    console: Console, error: Exception, log_file: Path, beam_args: Sequence[str] = ()
) -> str:
    """Logs an exception with its traceback and shows its type: its message may hold anything.

    Returns:
        What may be shown of it.
    """
    logger.error("the run failed", exc_info=error)
    console.print(f"\n[red]Unexpected {type(error).__name__};[/red] see the run's log: {log_file}")
    if cause := meaning(error, beam_args):
        console.print(cause)
    return describe_unexpected(type(error).__name__)


def _run_stages(config: RunConfig, console: Console, records: Path, story: _Story) -> None:
    display = RunDisplay(console)
    with waiting(console, "loading TensorFlow and TFX"):
        from pipeline.pipeline import create_pipeline
        from pipeline.runners.local.stages import StageRunner

    record_versions = versions(config.code_version)

    class Stages(StageRunner):
        """Shows and records every stage."""

        def run_stage(self, stage: str, launch: Any) -> None:
            story.stage = stage
            record = StageRecord(run=story.run, stage=stage, versions=record_versions)
            with display.stage(stage) as shown, recorded(record, records):
                if not launch():
                    record.status = "cached"
                    shown.cached = True

    runner = Stages()
    story.outputs = runner.outputs
    runner.run(create_pipeline(config))


def _leave(
    config: RunConfig,
    console: Console,
    records: Path,
    story: _Story,
    status: Status,
    reason: str | None,
) -> None:
    """Writes down how the run ended and exports it; a store that is down does not undo it."""
    file = RunFile(
        run=story.run,
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
        started=story.started,
        ended=datetime.now(UTC),
        status=status,
        failed_stage=story.stage,
        reason=reason,
        store=str(config.store),
        outputs=story.outputs,
    )
    file.write(records)
    if not config.store:
        return
    from pipeline.store.export import export_local_run

    try:
        rows = export_local_run(records)
        console.print(f"store     {config.store} ({rows:,} rows)")
    except UserError as error:
        logger.warning("the run was not exported: %s", error)
        console.print(f"\n[yellow]Not exported.[/yellow] {escape(str(error))}")
        console.print(
            f"The run's result stands. Repeat the export with: make export RUN={story.run}"
        )


def _show_result(
    console: Console, config: RunConfig, outputs: dict[str, dict[str, str]], records: Path
) -> Verdict:
    folder = Path(outputs["TrialEvaluator"]["verdict"])
    metrics = json.loads((folder / "metrics.json").read_text())
    verdict = read_result(Verdict, str(folder))
    console.print()
    console.print(results_table(metrics["records"]))
    console.print("[green]blessed[/green]" if verdict.blessed else "[red]refused[/red]")
    for note in verdict.notes:
        console.print(f"  {note}")
    for reason in verdict.reasons:
        console.print(f"  [red]✗[/red] {escape(reason.message)}")
    if verdict.not_judged:
        console.print(
            f"  {len(verdict.not_judged)} groups are too small to judge "
            f"(fewer than {metrics['smallest_group']} subjects with a known label)"
        )
    paths = _result_paths(config, outputs, records, verdict.blessed)
    console.print()
    for name in ("metrics", "model", "serving", "records", "page"):
        if name in paths:
            console.print(f"{name:<9} {paths[name]}")
    return verdict


def _result_paths(
    config: RunConfig, outputs: dict[str, dict[str, str]], records: Path, blessed: bool
) -> dict[str, Path]:
    """Where the results of a finished run are."""
    folder = Path(outputs["TrialEvaluator"]["verdict"])
    paths = {
        "metrics": folder / "metrics.json",
        "verdict": folder / "verdict.json",
        "model": Path(outputs["Trainer"]["model"]),
        "records": records,
        "page": records / PAGE_FILE,
    }
    if blessed and config.serving_dir:
        paths["serving"] = Path(config.serving_dir)
    return paths
