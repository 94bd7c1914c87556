"""What happens to each kind of output that holds rows of subjects, by its name in the register."""

from __future__ import annotations

REWRITTEN = (
    "examples",
    "parts and folds of subjects",
    "copy of the champion's division",
    "predictions of models that never saw the subject",
    "scored subjects",
    "predictions of a scoring",
    "division of a registered model",
)
"""Files below a root and beside a registry that are written again without the subject's rows."""

REMOVED = ("snapshot of a database", "log of a run")
"""Files of the study that are removed: the first holds original keys and is taken again by the next
run, the second may quote a value that can't be looked for."""

LOGGED = (
    "files of the prediction log",
    "rows of the prediction log",
)
"""What the prediction log itself forgets."""

LEFT = {
    "rejected rows": "they name rows of files by their number, no subject and no value",
    "ledger of releases": (
        "it holds digests alone, which a later run is compared with, so that no two releases show "
        "the subject by subtraction"
    ),
    "list of forgotten subjects": "it holds digests alone",
    "list of forgotten subjects elsewhere": "it holds digests alone",
    "synthetic trial": "input files are yours: take the subject out of them",
    "root of unblinded runs": "a root of its own: a named reader names it as the root (--root)",
    "predictions of a scoring elsewhere": "a file that you have named: remove it",
    "backup": "a restore leaves the subject out; remove backups that are no longer needed",
    "log of a task": "the cluster keeps it: let it expire",
    "traceback of a command": "a file of the machine's temporary folder: remove it",
}
"""Outputs that the command leaves alone, and why, or what to do with them."""
