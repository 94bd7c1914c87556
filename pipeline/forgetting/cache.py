"""Which executions of ML Metadata may no longer give their outputs to later runs."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

METADATA = "metadata.sqlite"
_PARTS_OF_A_PLACE = 3


def bar_executions(metadata: Path, artifacts: Collection[str]) -> int:
    """Takes executions whose outputs were rewritten out of the cache.

    A run that took an output from the cache has an execution of its own for it, so all are looked
    for by the artifact.

    Args:
        metadata: SQLite file of ML Metadata.
        artifacts: The artifacts, as `<Stage>/<output>/<number>`: a root may have been moved.

    Returns:
        How many there were.
    """
    if not artifacts or not metadata.exists():
        return 0
    from ml_metadata.metadata_store import metadata_store
    from ml_metadata.proto import metadata_store_pb2

    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(metadata)
    config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE
    store = metadata_store.MetadataStore(config)
    found = [
        artifact.id
        for artifact in store.get_artifacts()
        if "/".join(artifact.uri.rstrip("/").split("/")[-_PARTS_OF_A_PLACE:]) in artifacts
    ]
    events = store.get_events_by_artifact_ids(found) if found else []
    outputs = {
        event.execution_id for event in events if event.type == metadata_store_pb2.Event.Type.OUTPUT
    }
    executions = store.get_executions_by_id(sorted(outputs)) if outputs else []
    for execution in executions:
        execution.last_known_state = metadata_store_pb2.Execution.CANCELED
    if executions:
        store.put_executions(executions)
    return len(executions)
