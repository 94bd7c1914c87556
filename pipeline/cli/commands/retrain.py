"""`trial retrain`: decides whether a model is trained again, says why, and starts the run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.beam.choices import BEAM_CHOICES
from pipeline.cli.actor import current_actor
from pipeline.cli.answer import Answer, ExitCode
from pipeline.cli.commands.run import BEAM_OPTION, beam_options, build_settings, exit_code
from pipeline.cli.lazy import Command
from pipeline.cli.options import (
    Decorated,
    WholeNumber,
    json_option,
    path_option,
    root_option,
    store_option,
    variable_option,
)
from pipeline.errors import UserError
from pipeline.permissions import is_unblinded

if TYPE_CHECKING:
    from pipeline.retraining.policy import Decision, Situation
    from pipeline.retraining.start import KubeflowStart
    from pipeline.retraining.webhook import Retraining
    from pipeline.study.study import Study

_OF_RUN = ("seed", "steps", "store")
_OF_KUBEFLOW = ("namespace", "experiment", "service_account")


def _kubeflow_options(command: Decorated) -> Decorated:
    options: tuple[Callable[[Decorated], Decorated], ...] = (
        click.option("--endpoint", help="Address of Kubeflow Pipelines: the run is started there."),
        path_option("--package", help="With --endpoint: YAML file that `trial compile` wrote."),
        path_option("--parameters", help="With --endpoint: YAML file with values of the form."),
        click.option(
            "--set", "lines", multiple=True, metavar="NAME=VALUE", help="A value of the form."
        ),
        click.option("--namespace", help="The profile, where Kubeflow has several users."),
        click.option("--experiment", help="What the run is filed under."),
        click.option("--service-account", help="Service account of the tasks."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _webhook_options(command: Decorated) -> Decorated:
    options: tuple[Callable[[Decorated], Decorated], ...] = (
        click.option(
            "--listen",
            metavar="HOST:PORT",
            help="Wait for alerts of Grafana at this address and decide at each.",
        ),
        path_option(
            "--tokens",
            metavar="FILE",
            help="With --listen: accepted tokens, a line each: `admin` and the SHA-256 of it.",
        ),
        path_option("--certificate", metavar="FILE", help="TLS certificate chain, as PEM."),
        path_option("--key", metavar="FILE", help="Private key of the certificate, as PEM."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command(
    cls=Command,
    epilog="Exit code 2 where a feed is broken: people must look. A run's own exit codes are those "
    "of `trial run`.",
)
@click.argument("study")
@click.argument("data", default="")
@root_option
@variable_option(
    "--registry",
    metavar="ADDRESS",
    help="Root of the registry of models; `registry` below the root if not given.",
)
@click.option(
    "--monitoring",
    metavar="ADDRESS",
    help="A `monitoring.json`; the newest below the root if not given.",
)
@click.option("--only-decide", is_flag=True, help="Say what would be done; nothing is recorded.")
@variable_option("--seed", type=WholeNumber(), help="Seed of training.")
@variable_option(
    "--steps", type=WholeNumber(), help="Training steps; 0 trains until the eval split stops it."
)
@store_option("Address of the SQL store; a SQLite file below the root if not given.")
@_kubeflow_options
@_webhook_options
@beam_options
@BEAM_OPTION
@json_option
def retrain(study: str, data: str, root: Path, registry: str | None, **given: Any) -> Answer:
    """Train the model of STUDY again on DATA, if the section `retrain` of the study file says so.

    DATA is the newest cut of the data, with the subjects of the earlier ones; leave it out for a
    study that reads a database.
    """
    from pipeline.study.load import load_study
    from pipeline.study.shipped import find_study_file

    if is_unblinded(root):
        raise UserError(
            f"{root}: runs with the arms of an ongoing trial are started by its named readers "
            "alone (`trial run --unblinded`)."
        )
    if bool(given["endpoint"]) != bool(given["package"]):
        raise UserError("A run on Kubeflow needs both --endpoint and --package.")
    if registry and not (given["endpoint"] or given["only_decide"]):
        _check_registry(registry, root)
    loaded = load_study(find_study_file(study))
    retraining = _retraining(loaded, study, data, root, registry, given)
    if given["listen"]:
        if given["only_decide"]:
            raise UserError("--listen starts runs: leave out --only-decide.")
        _listen(retraining, given)
        return Answer({"study": loaded.study})
    if given["only_decide"]:
        return _shown(retraining.decision(), "")
    if given["endpoint"]:
        return _shown(*retraining.ask())
    return _run_here(retraining, study, data, root, given)


def _check_registry(registry: str, root: Path) -> None:
    """Refuses a registry that the run would neither compare with nor register in."""
    from pipeline.storage import is_remote

    own = root.resolve() / "registry"
    if is_remote(registry) or Path(registry).resolve() != own:
        raise UserError(
            f"--registry {registry}: a run that is started here registers its model in {own}. "
            "Leave --registry out, or name the root of that registry with --root."
        )


def _retraining(
    loaded: Study,
    study: str,
    data: str,
    root: Path,
    registry: str | None,
    given: dict[str, Any],
) -> Retraining:
    from pipeline.retraining.situation import newest_monitoring, read_situation
    from pipeline.retraining.start import LocalStart
    from pipeline.retraining.webhook import Retraining

    def look(now: datetime) -> Situation:
        address = given["monitoring"] or newest_monitoring(root, loaded.study)
        return read_situation(root, loaded.study, address, now)

    words = ["--study", study, "--root", str(root), *(["--data", data] if data else [])]
    start = _on_kubeflow(data, given) if given["endpoint"] else LocalStart(_words(words, given))
    place = registry or str(root.resolve() / "registry")
    return Retraining(place, loaded, current_actor(None), start, look)


def _words(words: list[str], given: dict[str, Any]) -> list[str]:
    """Options of `trial run`."""
    own = {f"--{name}": given[name] for name in _OF_RUN}
    own |= {choice.options[0]: given[choice.name] for choice in BEAM_CHOICES}
    named = [word for name, value in own.items() if value is not None for word in (name, value)]
    return [*words, *map(str, named), *(f"--beam={option}" for option in given["beam"])]


def _on_kubeflow(data: str, given: dict[str, Any]) -> KubeflowStart:
    from pipeline.retraining.start import KubeflowStart
    from pipeline.runners.kubeflow.form import read_form, read_values
    from pipeline.runners.kubeflow.submit import Target

    chosen = {name: given[name] for name in _OF_KUBEFLOW if given[name]}
    form = read_form(given["package"])
    lines = (*([f"data_root={data}"] if data else []), *given["lines"])
    values = read_values(form, given["parameters"], lines)
    return KubeflowStart(Target(endpoint=given["endpoint"], **chosen), form, values)


def _run_here(
    retraining: Retraining, study: str, data: str, root: Path, given: dict[str, Any]
) -> Answer:
    """Decides and runs the pipeline in this process."""
    chosen = {name: given[name] for name in (*_OF_RUN, *(c.name for c in BEAM_CHOICES), "beam")}
    settings = build_settings({**chosen, "study": study, "data": data or None, "root": root})
    decision = retraining.decided()
    shown = _shown(decision, "")
    if not decision.retrain:
        return shown
    from pipeline.runners.local.run import run as run_pipeline

    outcome = run_pipeline(settings)
    content = {**shown.content, **outcome.to_json(), "why": list(decision.reasons)}
    return Answer(content, exit_code(outcome, fail_if_refused=False))


def _shown(decision: Decision, started: str) -> Answer:
    click.echo(f"{'Retraining' if decision.retrain else 'No retraining'}: {decision.text}")
    if started:
        click.echo(f"run {started}")
    content = {
        "retrain": decision.retrain,
        "why": list(decision.reasons),
        "is_for_people": decision.is_for_people,
    }
    code = ExitCode.USER_MUST_FIX if decision.is_for_people else ExitCode.DONE
    return Answer({**content, **({"run": started} if started else {})}, code)


def _listen(retraining: Retraining, given: dict[str, Any]) -> None:
    from pipeline.cli.logs import log_service
    from pipeline.retraining.webhook import listen
    from pipeline.service.server import Place

    host, colon, port = given["listen"].rpartition(":")
    if not (host and colon and port.isdigit() and int(port) < 2**16):
        raise UserError("--listen: expected HOST:PORT, such as 127.0.0.1:8090.")
    if given["tokens"] is None:
        raise UserError("The webhook starts runs: name the accepted tokens (--tokens FILE).")
    log_service("pipeline.retraining")
    place = Place(
        host=host.strip("[]"),
        port=int(port),
        tokens=given["tokens"],
        certificate=given["certificate"],
        key=given["key"],
    )
    listen(retraining, place)
