"""`trial backup` and `trial restore`: registry, trail, store, metadata, prediction log."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.answer import Answer
from pipeline.cli.lazy import Command
from pipeline.cli.options import (
    json_option,
    prediction_log_option,
    root_option,
    store_option,
    variable_option,
)
from pipeline.errors import UserError

registry_option = variable_option(
    "--registry",
    metavar="ADDRESS",
    help="Root of the registry of models; `registry` below the root if not given.",
)
"""Where the registry is that a command keeps, restores or forgets subjects in."""


@click.command(cls=Command)
@click.argument("target")
@root_option
@registry_option
@store_option("Store that is kept; the SQLite file of the root if not given and there.")
@prediction_log_option("Prediction log that is kept; none if not given: ")
@json_option
def backup(
    target: str, root: Path, registry: str | None, store: str | None, prediction_log: str | None
) -> Answer:
    """Keep what runs can't make again in TARGET, a new folder or s3://bucket/folder.

    Registry with its audit trail, ledger of releases, store, metadata of TFX, prediction log, and
    the id of the subject key: never the key, which has to be kept elsewhere. It is not encrypted.
    """
    from pipeline.backup.manifest import Places
    from pipeline.backup.take import take_backup

    file = root / "store.sqlite"
    if store is None and file.is_file():
        store = f"sqlite:///{file}"
    places = Places(root, registry or str(root / "registry"), store or "", prediction_log or "")
    key = _present_key()
    manifest = take_backup(places, target, key)
    size = sum(found.bytes for found in manifest.files.values())
    click.echo(f"Files: {len(manifest.files):,}, {size / 2**20:,.1f} MB, in {target}")
    click.echo(f"Store: {manifest.store.kind}; prediction log: {manifest.prediction_log.kind}")
    click.echo(
        f"Subject key: only its id, {key}. Keep the key itself elsewhere."
        if key
        else "Subject key: there is none here."
    )
    return Answer(
        {
            "backup": target,
            "files": len(manifest.files),
            "bytes": size,
            "store": manifest.store.kind,
            "prediction_log": manifest.prediction_log.kind,
            "subject_key": key,
        }
    )


@click.command(cls=Command)
@click.argument("source")
@root_option
@registry_option
@store_option("Where the store goes; a SQLite file goes to the root if not given.")
@prediction_log_option("Where the prediction log goes: ")
@variable_option(
    "--forgotten",
    metavar="FILE",
    required=True,
    help="List of subjects who were forgotten (`trial forget --forgotten FILE`), so that the "
    "backup does not bring them back; `none` if none was forgotten since it was taken.",
)
@json_option
def restore(
    source: str,
    root: Path,
    registry: str | None,
    store: str | None,
    prediction_log: str | None,
    forgotten: str,
) -> Answer:
    """Write the backup SOURCE to places that hold nothing yet, after all its files were checked.

    Subjects who were forgotten are left out: those of the list and those that the backup knows of.
    """
    from pipeline.backup.manifest import Places
    from pipeline.backup.restore import opened, restore_backup
    from pipeline.runs.forgotten import ForgottenList, read_forgotten

    known = ForgottenList() if forgotten == "none" else read_forgotten(forgotten, must_exist=True)
    with opened(source) as (folder, manifest):
        if store is None and manifest.store.kind == "sqlite":
            store = f"sqlite:///{root / 'store.sqlite'}"
        places = Places(root, registry or str(root / "registry"), store or "", prediction_log or "")
        removed = restore_backup(folder, manifest, places, known)
    click.echo(f"Restored: {len(manifest.files):,} files, taken {manifest.taken}")
    click.echo(f"Rows of forgotten subjects that were left out: {removed:,}")
    key = _present_key()
    if manifest.subject_key != key:
        click.echo(
            f"The subject key here ({key or 'none'}) is not that of the backup "
            f"({manifest.subject_key or 'none'}): with another one no subject is known again. "
            "Put it back before the next run."
        )
    click.echo("Check it: trial models verify")
    return Answer(
        {
            "root": str(root),
            "files": len(manifest.files),
            "taken": manifest.taken,
            "forgotten_rows": removed,
            "subject_key": manifest.subject_key,
            "is_key_here": manifest.subject_key == key,
        }
    )


def _present_key() -> str:
    """Id of this machine's subject key; empty where there is none that can be read."""
    from pipeline.config import SUBJECT_KEY_FILE
    from pipeline.subject_key import key_id, load_key, local_key

    try:
        return key_id(load_key(local_key(SUBJECT_KEY_FILE)))
    except UserError:
        return ""
