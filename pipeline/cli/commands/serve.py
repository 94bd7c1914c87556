"""`trial serve`: answers for single patients with the champion of a study, over HTTP."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.answer import Answer
from pipeline.cli.completion import complete_studies
from pipeline.cli.lazy import Command
from pipeline.cli.options import (
    WholeNumber,
    json_option,
    path_option,
    prediction_log_option,
    root_option,
    variable_option,
)
from pipeline.permissions import check_store_of, is_unblinded
from pipeline.study.shipped import DEFAULT_STUDY


@click.command(cls=Command)
@click.argument("study", default=DEFAULT_STUDY, shell_complete=complete_studies)
@root_option
@variable_option(
    "--registry",
    metavar="ADDRESS",
    help="Root of the registry of models; `registry` below the root if not given.",
)
@variable_option(
    "--host", default="127.0.0.1", show_default=True, help="Address that it listens on."
)
@variable_option(
    "--port",
    type=WholeNumber(),
    default=8080,
    show_default=True,
    help="Port that it listens on; 0 takes a free one.",
)
@path_option(
    "--tokens",
    envvar="TRIAL_TOKENS",
    show_envvar=True,
    metavar="FILE",
    help="Accepted tokens, a line each: `predict` or `admin` and the SHA-256 of the token.",
)
@path_option("--certificate", metavar="FILE", help="TLS certificate chain, as PEM.")
@path_option("--key", metavar="FILE", help="Private key of the certificate, as PEM.")
@click.option(
    "--most-bytes",
    type=WholeNumber(1),
    default=2**20,
    show_default=True,
    help="Largest body of a request.",
)
@click.option(
    "--most-requests",
    type=WholeNumber(),
    default=500,
    show_default=True,
    help="Requests a second of a client; 0 for any number.",
)
@click.option(
    "--look",
    type=WholeNumber(1),
    default=5,
    show_default=True,
    help="Seconds between two looks at the registry.",
)
@variable_option(
    "--shadow",
    metavar="MODEL",
    help="Registered model, or `newest`, that sees the same requests; it answers none.",
)
@prediction_log_option("Where predictions are kept, but for those of the page; off if not given: ")
@json_option
def serve(
    study: str,
    root: Path,
    registry: str | None,
    host: str,
    port: int,
    tokens: Path | None,
    certificate: Path | None,
    key: Path | None,
    most_bytes: int,
    most_requests: int,
    look: int,
    shadow: str | None,
    prediction_log: str | None,
) -> Answer:
    """Answer for single patients with the champion of STUDY, over HTTP.

    STUDY is the name of a study or a study file; the synthetic one if not given.
    """
    from pipeline.cli.logs import log_service
    from pipeline.study.load import load_study

    log_service("pipeline.service")
    if prediction_log:
        check_store_of(root, prediction_log, "--prediction-log")
    # A server has no study file: the registry has that of its champion.
    if Path(study).suffix in (".yaml", ".yml"):
        study = load_study(Path(study), is_unblinded(root)).study
    from pipeline.service.server import Place
    from pipeline.service.server import serve as run_service

    place = Place(
        host=host,
        port=port,
        tokens=tokens,
        certificate=certificate,
        key=key,
        most_bytes=most_bytes,
        seconds=look,
        most_requests=most_requests,
        shadow=shadow or "",
        prediction_log=prediction_log or "",
    )
    run_service(registry or str(root.resolve() / "registry"), study, place)
    return Answer({"study": study})
