"""One run on this machine, stage by stage, with its records and what a person sees of it."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from pipeline.config import RunConfig, Settings, resolve
from pipeline.display import RunDisplay, results_table, waiting
from pipeline.errors import UserError
from pipeline.logs import terminal_and_log
from pipeline.run_record import StageRecord, recorded, versions

logger = logging.getLogger(__name__)

RUN_FILE = "run.json"
PAGE_FILE = "page.html"
_INTERRUPTED = 128 + signal.SIGINT
_LONGEST_MESSAGE = 2000
_CACHED = "stages that were finished and whose input is unchanged are taken from the cache."
_AFTER_INTERRUPT = f"Run the same command to go on: {_CACHED}"
_AFTER_FAILURE = f"Put it right and run the same command again: {_CACHED}"


def run(settings: Settings) -> int:
    """Runs the pipeline.

    Args:
        settings: A person's choices.

    Returns:
        0 when the run came to its end, 1 when a stage failed, 2 for a mistake in the input,
        130 when it was interrupted.
    """
    # TensorFlow reads these when it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    run_id = datetime.now().strftime("%Y%m%dT%H%M%S.%f")
    log_file = settings.root.resolve() / "logs" / f"{run_id}.log"
    with terminal_and_log(log_file) as console:
        try:
            with waiting(console, "reading the study file and the data's headers"):
                config = resolve(settings)
        except UserError as error:
            console.print(f"[red]Not started.[/red] {escape(str(error))}")
            return 2
        except KeyboardInterrupt:
            console.print("[red]Interrupted[/red] before the first stage.")
            return _INTERRUPTED
        console.print(
            f"[bold]{escape(config.study.title or config.study.study)}[/bold]  run {run_id}\n"
            f"[dim]data {config.data_root}\nlog  {log_file}[/dim]"
        )
        return _run(config, console, run_id, log_file)


def _run(config: RunConfig, console: Console, run_id: str, log_file: Path) -> int:
    records = Path(config.pipeline_root).parent / "records" / run_id
    try:
        outputs = _run_stages(config, console, run_id, records)
    except KeyboardInterrupt:
        logger.warning("interrupted")
        console.print(f"\n[red]Interrupted.[/red] {_AFTER_INTERRUPT}")
        return _INTERRUPTED
    except UserError as error:
        console.print(f"\n[red]Stopped.[/red] {escape(str(error))}")
        console.print(_AFTER_FAILURE)
        return 1
    except Exception as error:
        logger.exception("the run failed")
        told = escape(f"{type(error).__name__}: {error}"[:_LONGEST_MESSAGE])
        console.print(f"\n[red]A stage failed:[/red] {told}")
        console.print(f"The whole story is in {log_file}. {_AFTER_FAILURE}")
        return 1
    # TFX's CLI only asks what the pipeline is: then nothing ran.
    if outputs:
        _write_run_file(config, run_id, records, outputs)
        shutil.copyfile(outputs["RunPage"]["html"], records / PAGE_FILE)
        _show_result(console, config, outputs, records)
    return 0


def _run_stages(
    config: RunConfig, console: Console, run_id: str, records: Path
) -> dict[str, dict[str, str]]:
    display = RunDisplay(console)
    with waiting(console, "loading TensorFlow and TFX"):
        from pipeline.pipeline import create_pipeline
        from pipeline.tfx_local import StageRunner

    record_versions = versions(config.code_version)

    class Stages(StageRunner):
        """Shows and records every stage."""

        def run_stage(self, stage: str, launch: Any) -> None:
            record = StageRecord(run=run_id, stage=stage, versions=record_versions)
            with display.stage(stage) as shown, recorded(record, records):
                if not launch():
                    record.status = "cached"
                    shown.cached = True

    runner = Stages()
    runner.run(create_pipeline(config))
    return runner.outputs


def _write_run_file(
    config: RunConfig, run_id: str, records: Path, outputs: dict[str, dict[str, str]]
) -> None:
    content = {
        "run": run_id,
        "study": config.study.study,
        "study_digest": config.study.digest(),
        "fingerprint": config.fingerprint,
        "seed": config.seed,
        "steps": config.steps,
        "data_root": config.data_root,
        "code_version": config.code_version,
        "outputs": outputs,
    }
    records.mkdir(parents=True, exist_ok=True)
    (records / RUN_FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _show_result(
    console: Console, config: RunConfig, outputs: dict[str, dict[str, str]], records: Path
) -> None:
    folder = Path(outputs["TrialEvaluator"]["verdict"])
    metrics = json.loads((folder / "metrics.json").read_text())
    verdict = json.loads((folder / "verdict.json").read_text())
    console.print()
    console.print(results_table(metrics["records"]))
    console.print("[green]blessed[/green]" if verdict["blessed"] else "[red]refused[/red]")
    for note in verdict["notes"]:
        console.print(f"  {note}")
    for reason in verdict["reasons"]:
        console.print(f"  [red]✗[/red] {escape(reason['message'])}")
    if verdict["not_judged"]:
        console.print(
            f"  {len(verdict['not_judged'])} groups are too small to judge "
            f"(fewer than {metrics['smallest_group']} subjects with a known label)"
        )
    console.print(f"\nmetrics   {folder / 'metrics.json'}")
    console.print(f"model     {outputs['Trainer']['model']}")
    if verdict["blessed"]:
        console.print(f"serving   {config.serving_dir}")
    console.print(f"records   {records}")
    console.print(f"page      {records / PAGE_FILE}")
