"""The curated schema of a blinded study: without the columns that its examples lack."""

from __future__ import annotations

from pipeline.names import ARM, slice_key
from pipeline.study.study import Study


def blinded_schema(content: str, study: Study) -> str:
    """The curated schema as the examples of a study have it.

    Args:
        content: The curated schema as text, of all that the study file names.
        study: The study.

    Returns:
        The content without arm, features and slicings that the study hides; unchanged, where
        it hides nothing.
    """
    if study.hidden is None:
        return content
    # Its import takes a second, which other studies need not wait for.
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    hidden = {ARM, *study.hidden.features, *map(slice_key, study.hidden.slicings)}
    schema = text_format.Parse(content, schema_pb2.Schema())
    kept = [feature for feature in schema.feature if feature.name not in hidden]
    del schema.feature[:]
    schema.feature.extend(kept)
    return str(text_format.MessageToString(schema))
