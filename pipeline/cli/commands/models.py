"""`trial models`: what is registered of a study, what is served, and who decided it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.actor import current_actor, decision_options
from pipeline.cli.answer import Answer, ExitCode
from pipeline.cli.decision_places import decision_places
from pipeline.cli.lazy import Command, LazyGroup
from pipeline.cli.options import (
    Decorated,
    json_option,
    root_option,
    study_option,
    variable_option,
)
from pipeline.permissions import is_unblinded
from pipeline.study.shipped import DEFAULT_STUDY

if TYPE_CHECKING:
    from pipeline.runs.changes import Change, Changed


def place_options(command: Decorated) -> Decorated:
    """The options that say which registry and which study."""
    options: tuple[Callable[[Decorated], Decorated], ...] = (
        study_option(default=DEFAULT_STUDY, show_default=True),
        root_option,
        variable_option(
            "--registry",
            metavar="ADDRESS",
            help="Root of the registry of models; `registry` below the root if not given.",
        ),
        json_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


_NEWEST = "newest"

model_argument = click.argument("model")


@click.group(cls=LazyGroup)
def models() -> None:
    """See and decide which registered model is served."""


@models.command("list", cls=Command)
@place_options
def list_models(study: str, root: Path, registry: str | None) -> Answer:
    """List the models of a study, the newest first, and the audit trail."""
    from pipeline.cli.models_view import print_list
    from pipeline.runs.overview import overview

    found = overview(_registry_root(root, registry), _name(study, root))
    print_list(found)
    return Answer(found.to_json())


@models.command(cls=Command)
@model_argument
@place_options
def show(model: str, study: str, root: Path, registry: str | None) -> Answer:
    """Show MODEL, an id: run, data, code, lock, card, verdict, and what was decided on it."""
    from pipeline.cli.models_view import print_model
    from pipeline.runs.overview import overview

    found = overview(_registry_root(root, registry), _name(study, root)).only(model)
    print_model(found)
    return Answer(found.to_json())


@models.command(cls=Command)
@model_argument
@click.argument("other", default="")
@place_options
def compare(model: str, other: str, study: str, root: Path, registry: str | None) -> Answer:
    """Compare MODEL with OTHER, or with the champion: tasks, metrics, data, code."""
    from pipeline.cli.models_view import print_comparison
    from pipeline.runs.overview import overview

    found = overview(_registry_root(root, registry), _name(study, root)).comparison(model, other)
    print_comparison(found)
    return Answer(found.to_json())


@models.command(cls=Command)
@model_argument
@place_options
@decision_options
@click.option(
    "--although-not-compared",
    is_flag=True,
    help="Promote a model that was compared with another champion than the one of now.",
)
@decision_places
def promote(model: str, although_not_compared: bool, **given: Any) -> Answer:
    """Make MODEL the champion; two persons must where the study file says so.

    MODEL is its id, the id of the run that registered it, or `newest` for the model that was
    registered last.
    """
    from pipeline.runs.changes import Rules
    from pipeline.runs.changes import promote as promote_model
    from pipeline.runs.overview import overview
    from pipeline.study.load import load_study
    from pipeline.study.shipped import find_study_file

    study = load_study(find_study_file(given["study"]), is_unblinded(given["root"]))
    place = (_registry_root(given["root"], given["registry"]), study.study)
    named, model = model, _model_of(model, *place)
    if model != named and model == overview(*place).champion:
        click.echo(f"champion  {model} (the model of `{named}`, already)")
        return Answer({"before": model, "champion": model, "approvals_missing": 0})
    rules = Rules(study.registry.promotion, study.evaluation.drop_tasks, study.digest())
    return _decide(
        given,
        lambda root, change: promote_model(root, change, model, rules, although_not_compared),
    )


@models.command(cls=Command)
@place_options
@decision_options
@click.option("--to", metavar="ID", default="", help="Former champion; the last if not given.")
@decision_places
def rollback(to: str, **given: Any) -> Answer:
    """Make a former champion the champion again; no run promotes until `trial models resume`."""
    from pipeline.runs.changes import roll_back

    return _decide(given, lambda root, change: roll_back(root, change, to))


@models.command(cls=Command)
@model_argument
@place_options
@decision_options
@decision_places
def retire(model: str, **given: Any) -> Answer:
    """Withdraw MODEL for good; after the champion, the one before it is served again."""
    from pipeline.runs.changes import retire as retire_model

    return _decide(given, lambda root, change: retire_model(root, change, model))


@models.command(cls=Command)
@place_options
@decision_options
@decision_places
def resume(**given: Any) -> Answer:
    """Let runs promote their models again after a rollback."""
    from pipeline.runs.changes import resume as resume_promotion

    return _decide(given, resume_promotion)


@models.command(cls=Command)
@place_options
@click.option(
    "--noted",
    metavar="DIGEST",
    default="",
    help="Digest of the trail's end that you have noted: the trail must still lead through it.",
)
def verify(study: str, root: Path, registry: str | None, noted: str) -> Answer:
    """Check the audit trail, the registrations and the files of the models against each other."""
    from dataclasses import asdict

    from pipeline.cli.models_view import print_verified
    from pipeline.runs.verify import verify as verify_registry

    found = verify_registry(_registry_root(root, registry), _name(study, root), noted)
    print_verified(found)
    code = ExitCode.USER_MUST_FIX if found.problems else ExitCode.DONE
    return Answer(asdict(found), code)


@models.command(cls=Command)
@place_options
@decision_options
def recover(study: str, root: Path, registry: str | None, **given: Any) -> Answer:
    """Make champion.json again from the audit trail, where it was lost."""
    from pipeline.runs.verify import recover as recover_pointer

    place = (_registry_root(root, registry), _name(study, root))
    entry = recover_pointer(*place, current_actor(given["name"]), given["reason"])
    click.echo(f"champion  {entry.champion or 'none'}")
    _tell_mlflow(*place)
    return Answer({"champion": entry.champion or None, "entry": entry.model_dump()})


@models.command(cls=Command)
@place_options
def mlflow(study: str, root: Path, registry: str | None) -> Answer:
    """Let the MLflow server of TRIAL_MLFLOW hold what the registry holds."""
    import os
    from dataclasses import asdict

    from pipeline.errors import UserError
    from pipeline.mlflow.follow import follow
    from pipeline.mlflow.server import ADDRESS_VARIABLE, server_of

    server = server_of(os.environ)
    if server is None:
        raise UserError(
            f"No MLflow server is named: set {ADDRESS_VARIABLE} to its address, such as "
            "https://mlflow.example.org."
        )
    found = follow(_registry_root(root, registry), _name(study, root), server)
    click.echo(
        f"mlflow    {server.address}: {found.models} models, {found.added} of them new; champion "
        f"{f'version {found.champion}' if found.champion else 'none'}"
    )
    return Answer({"address": server.address, **asdict(found)})


def _tell_mlflow(root: str, study: str) -> None:
    """Lets MLflow follow a decision, and warns where it can't: the decision holds all the same."""
    from pipeline.mlflow.follow import tell

    if problem := tell(root, study):
        click.echo(f"Warning: {problem}", err=True)


def _decide(given: dict[str, Any], decide: Callable[[str, Change], Changed]) -> Answer:
    """Carries a decision out, then lets the serving folder follow."""
    from pipeline.cli.exported_decision import export_decision
    from pipeline.cli.models_view import print_change
    from pipeline.runs.changes import Change
    from pipeline.runs.publish import publish

    study = _name(given["study"], given["root"])
    root = _registry_root(given["root"], given["registry"])
    actor = current_actor(given["name"])
    changed = decide(root, Change(study, actor, given["reason"], given["seen"]))
    serving = _serving(given, study)
    served = publish(root, study, serving) if serving else None
    print_change(changed, served, serving)
    _tell_mlflow(root, study)
    export_decision(given["store"], given["root"], given["registry"], study)
    return Answer(
        {
            "before": changed.before or None,
            "champion": changed.now or None,
            "approvals_missing": changed.missing,
            "version": served.version if served else None,
            "entry": changed.entry.model_dump(),
        }
    )


def _model_of(named: str, root: str, study: str) -> str:
    """Id of the model that a person has named by its id, by its run or as the newest one."""
    from pipeline.runs.overview import overview
    from pipeline.runs.registry import Registry

    if named == _NEWEST:
        return overview(root, study).models[0].entry.id
    registered = reversed(Registry(root).history(study))
    return next((entry.id for entry in registered if entry.run == named), named)


def _serving(given: dict[str, Any], study: str) -> str:
    if given["serving"]:
        return str(given["serving"])
    beside = given["root"].resolve() / study / "serving"
    return str(beside) if given["registry"] is None and beside.is_dir() else ""


def _registry_root(root: Path, registry: str | None) -> str:
    if registry and "://" in registry:
        return registry
    return str(Path(registry).resolve() if registry else root.resolve() / "registry")


def _name(study: str, root: Path) -> str:
    """Name of a study: of a file, or as it is: what is registered needs no file."""
    from pipeline.study.load import load_study
    from pipeline.study.shipped import find_study_file

    if study.isidentifier():
        return study
    return load_study(find_study_file(study), is_unblinded(root)).study
