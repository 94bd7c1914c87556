"""Writes docs/outputs.md from the register of outputs: `python -m docs.list_outputs`.

A test compares the page with the register.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline.outputs.output import Audience, Disclosure, Output, Within
from pipeline.outputs.register import REGISTER, outputs_within

FILE = Path(__file__).parent / "outputs.md"

_INTRODUCTION = """# Outputs

Everything that the project writes or answers: who may read it, and what it shows of subjects. The
page is made from the register (`python -m docs.list_outputs`, `pipeline/outputs/`). Tests walk runs
and fail for a file, a table, a route, a command or an event that is not in it, for an entry that
nothing produces, for a file that others than its readers can open, and for a secret, an identifier
or a text that one subject has where it must not be. Not walked: what Kubeflow keeps, and files for
which an option names the place.
"""

_AUDIENCES = {
    Audience.OWNER: "the account that runs the pipeline: 0600, whatever `--readers` says",
    Audience.DATA: "who may read the trial's data as well; below a root the owner, or with "
    "`--readers data` the group of the data",
    Audience.OPERATOR: "who serves a model, or looks after runs, registry, store or service",
    Audience.RESULTS: "who gets pages, reports, cards, boards and notebooks, reads the store, or "
    "asks the service",
    Audience.PUBLIC: "all people",
    Audience.UNBLINDED: "named persons, while a trial goes on",
}
_DISCLOSURES = {
    Disclosure.NONE: "nothing: made from code and settings",
    Disclosure.PUBLIC: "what [disclosure.md](disclosure.md) calls public",
    Disclosure.INTERNAL: "groups of any size, levels of few subjects, extreme values",
    Disclosure.PATIENT: "values, predictions or rows of single subjects",
    Disclosure.SECRET: "a key, a token, a password",
}
_PLACES = {
    Within.ROOT: "Below the root of the runs",
    Within.REGISTRY: "Below the root of the registry",
    Within.SUBJECTS: "Below `<registry>-subjects`",
    Within.STORE: "Tables of the store",
    Within.PREDICTION_LOG: "Below the address of the prediction log, if one is named",
    Within.SERVICE: "Routes of the prediction service",
    Within.WEBHOOK: "Routes of the webhook that starts retrainings",
    Within.TERMINAL: "What commands show, as text or with `--json`",
    Within.CHOSEN: "What commands write where an option says",
    Within.MLFLOW: "What an MLflow server gets",
    Within.OTLP: "What a receiver of traces, metrics and logs gets",
    Within.KUBEFLOW: "What Kubeflow keeps beside the artifacts",
    Within.CHECKOUT: "Below the project's folder",
    Within.MACHINE: "In the machine's folder for temporary files",
}
_AFTER = """
By default all below a root is 0600 and 0700: what others are to read is handed to them, or opened
with [`--readers data`](cli.md#who-may-read-what-is-written). In a path `<name>` is the name of one
file or folder, `<Name>` one that begins with a capital, and `**` all that is below.
"""


def page() -> str:
    """The whole page."""
    return "\n".join((_INTRODUCTION, *_legend(), _AFTER, *_sections()))


def _legend() -> Iterator[str]:
    yield from ("| audience | who |", "|---|---|")
    yield from (f"| {audience} | {words} |" for audience, words in _AUDIENCES.items())
    yield from ("", "| disclosure | what it shows of subjects |", "|---|---|")
    yield from (f"| {disclosure} | {words} |" for disclosure, words in _DISCLOSURES.items())


def _sections() -> Iterator[str]:
    for within, title in _PLACES.items():
        yield from (f"## {title}", "")
        yield "| output | audience | disclosure | format | where | written by |"
        yield "|---|---|---|---|---|---|"
        yield from map(_row, outputs_within(within))
        yield ""


def _row(output: Output) -> str:
    where = "<br>".join(f"`{place}`" for place in output.places)
    cells = (
        output.name,
        output.audience,
        output.disclosure,
        output.format,
        where,
        f"`{output.written_by}`",
    )
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Writes the page; returns the exit code."""
    FILE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{FILE}: {len(REGISTER)} outputs\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
