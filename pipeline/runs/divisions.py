"""The divisions of champions: a part of the registry of their own, which holds pseudonyms.

Layout beside the registry's root, for each study::

    <registry root>-subjects/<study>/<id>/predictions.parquet   part or fold of each subject
    <registry root>-subjects/<study>/<id>/evaluation.json       how the run evaluated its model

What serves or exports a model reads below the root alone. Locally folders and files are readable
by their owner only; in an object store the prefix gets a policy of its own. `<id>` is that of the
registration. There is no label in it, and no value of a subject but pseudonym and predictions.
"""

from __future__ import annotations

_SUFFIX = "-subjects"


def subjects_root(registry_root: str) -> str:
    """Root of the divisions of a registry.

    Examples:
        >>> subjects_root("s3://bucket/registry/")
        's3://bucket/registry-subjects'
    """
    return f"{registry_root.rstrip('/')}{_SUFFIX}"


def division_folder(registry_root: str, study: str, identifier: str) -> str:
    """Folder with the division of a registration's run."""
    return f"{subjects_root(registry_root)}/{study}/{identifier}"
