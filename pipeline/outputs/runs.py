"""What a run leaves below its root beside its artifacts: records, pages, logs."""

from __future__ import annotations

from pipeline.outputs.artifacts import ALL, RUN, SCORING
from pipeline.outputs.output import Audience, Disclosure, Output, Within
from pipeline.permissions import ACCESS_LOG, UNBLINDED_FOLDER


def _file(
    name: str,
    audience: Audience,
    disclosure: Disclosure,
    form: str,
    written_by: str,
    *places: str,
    of: tuple[str, ...] = (RUN,),
) -> Output:
    """An output whose places are below the folders of some kinds of runs."""
    found = tuple(f"{folder}/{place}" for folder in of for place in places)
    return Output(name, audience, disclosure, form, Within.ROOT, found, written_by)


RECORDS = (
    _file(
        "record of a run",
        Audience.OPERATOR,
        Disclosure.PUBLIC,
        "JSON",
        "pipeline.runs.run_file",
        "records/<run>/run.json",
        of=ALL,
    ),
    _file(
        "record of a stage",
        Audience.OPERATOR,
        Disclosure.PUBLIC,
        "JSON",
        "pipeline.runs.run_record",
        "records/<run>/<Stage>.json",
        of=ALL,
    ),
    _file(
        "page of a run",
        Audience.RESULTS,
        Disclosure.PUBLIC,
        "HTML",
        "pipeline.runners.local.run",
        "records/<run>/page.html",
        of=ALL,
    ),
    _file(
        "predictions of a scoring",
        Audience.OWNER,
        Disclosure.PATIENT,
        "Parquet; with `--with-subject` original keys",
        "pipeline.results.scored_output",
        "records/<run>/predictions.parquet",
        of=(SCORING,),
    ),
    _file(
        "report",
        Audience.RESULTS,
        Disclosure.PUBLIC,
        "HTML",
        "pipeline.pages.write_report",
        "records/<run>/report.html",
    ),
    _file(
        "internal report",
        Audience.OWNER,
        Disclosure.INTERNAL,
        "HTML",
        "pipeline.internal_report",
        "records/<run>/report.internal.html",
    ),
    _file(
        "notebooks",
        Audience.RESULTS,
        Disclosure.PUBLIC,
        "Jupyter, HTML",
        "notebooks.execute",
        "records/<run>/notebooks/*.ipynb",
        "records/<run>/notebooks/*.html",
    ),
    _file(
        "metadata of TFX",
        Audience.OPERATOR,
        Disclosure.PUBLIC,
        "SQLite",
        "pipeline.runners.local.stages",
        "metadata.sqlite",
        of=ALL,
    ),
    _file(
        "lock of a run",
        Audience.OPERATOR,
        Disclosure.NONE,
        "empty",
        "pipeline.runs.alive",
        "run.lock",
        of=ALL,
    ),
    _file(
        "served model",
        Audience.OPERATOR,
        Disclosure.INTERNAL,
        "SavedModel",
        "pipeline.runs.publish",
        "serving/<version>/**",
        "serving/pushed/<version>/**",
    ),
)
"""What a run writes into the folder of its study."""

BESIDE = (
    Output(
        "log of a run",
        Audience.OWNER,
        Disclosure.PATIENT,
        "text; a foreign exception may quote a value",
        Within.ROOT,
        ("logs/<run>.log",),
        "pipeline.runners.local.logs",
    ),
    Output(
        "store of a root",
        Audience.RESULTS,
        Disclosure.PUBLIC,
        "SQLite",
        Within.ROOT,
        ("store.sqlite",),
        "pipeline.store.engine",
    ),
    Output(
        "page of boards",
        Audience.RESULTS,
        Disclosure.PUBLIC,
        "HTML",
        Within.ROOT,
        ("boards.html",),
        "grafana.page.write_boards",
    ),
    Output(
        "synthetic trial",
        Audience.DATA,
        Disclosure.PATIENT,
        "SAS transport, Parquet, JSON",
        Within.ROOT,
        ("data/<trial>/**",),
        "pipeline.synthetic.write",
    ),
    Output(
        "snapshot of a database",
        Audience.OWNER,
        Disclosure.PATIENT,
        "Parquet, JSON",
        Within.ROOT,
        ("<study>/snapshots/<snapshot>/**",),
        "pipeline.reading.database.snapshot",
    ),
    Output(
        "root of unblinded runs",
        Audience.UNBLINDED,
        Disclosure.PATIENT,
        "all that a root holds, with results by arm",
        Within.ROOT,
        (f"{UNBLINDED_FOLDER}/**",),
        "pipeline.runs.unblinded",
    ),
    Output(
        "access log of a root of unblinded runs",
        Audience.UNBLINDED,
        Disclosure.NONE,
        "JSON",
        Within.ROOT,
        (ACCESS_LOG, f"{ACCESS_LOG}.lock", "access/<entry>.json"),
        "pipeline.runs.unblinded",
    ),
)
"""What all runs of a root share."""
