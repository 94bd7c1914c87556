"""What is below the root of a registry of models, and below its part of subjects."""

from __future__ import annotations

from pipeline.outputs.output import Audience, Disclosure, Output, Within


def _registered(
    name: str, disclosure: Disclosure, form: str, written_by: str, *places: str
) -> Output:
    """An output below the folder of a study, for who serves its champion or decides on it."""
    found = tuple(f"<study>/{place}" for place in places)
    return Output(
        name,
        Audience.OPERATOR,
        disclosure,
        form,
        Within.REGISTRY,
        found,
        f"pipeline.runs.{written_by}",
    )


REGISTRY = (
    _registered(
        "registered model",
        Disclosure.INTERNAL,
        "SavedModel",
        "register",
        "models/<model>/**",
    ),
    _registered(
        "statistics of a registered model",
        Disclosure.INTERNAL,
        "protocol buffer",
        "register",
        "statistics/<model>/Split-train/FeatureStats.pb",
    ),
    _registered(
        "documents of a registered model",
        Disclosure.PUBLIC,
        "JSON, HTML",
        "register",
        "documents/<model>/*",
    ),
    _registered(
        "entry of a registered model",
        Disclosure.PUBLIC,
        "JSON",
        "entries",
        "history/<entry>.json",
        "updates/<entry>.json",
    ),
    _registered("audit trail", Disclosure.PUBLIC, "JSON", "trail", "trail/<entry>.json"),
    _registered(
        "pointer to the champion",
        Disclosure.PUBLIC,
        "JSON",
        "trail",
        "champion.json",
    ),
    _registered("lock of the pointer", Disclosure.NONE, "empty", "trail", "champion.json.lock"),
    _registered("looks", Disclosure.NONE, "JSON", "looks", "looks/<labels>/<settings>.json"),
    _registered("frozen protocol", Disclosure.NONE, "JSON", "looks", "frozen/<protocol>.json"),
    Output(
        "division of a registered model",
        Audience.OWNER,
        Disclosure.PATIENT,
        "JSON, Parquet",
        Within.SUBJECTS,
        ("<study>/<model>/evaluation.json", "<study>/<model>/predictions.parquet"),
        "pipeline.runs.divisions",
    ),
    Output(
        "ledger of releases",
        Audience.OWNER,
        Disclosure.PATIENT,
        "Parquet: digests by the subject key",
        Within.SUBJECTS,
        ("<study>/releases/*.parquet",),
        "pipeline.runs.releases",
    ),
    Output(
        "list of forgotten subjects",
        Audience.OWNER,
        Disclosure.PATIENT,
        "JSON: digests of pseudonyms",
        Within.SUBJECTS,
        ("<study>/forgotten.json",),
        "pipeline.runs.forgotten",
    ),
    Output(
        "lock of the list of forgotten subjects",
        Audience.OWNER,
        Disclosure.NONE,
        "empty",
        Within.SUBJECTS,
        ("<study>/forgotten.json.lock",),
        "pipeline.runs.forgotten",
    ),
    Output(
        "lock of the ledger of releases",
        Audience.OWNER,
        Disclosure.NONE,
        "empty",
        Within.SUBJECTS,
        ("<study>/releases/ledger.lock",),
        "pipeline.runs.releases",
    ),
)
"""All files of a registry."""
