"""The schema that travels inside the pipeline."""

from __future__ import annotations

from pathlib import Path

from tfx.types import standard_artifacts
from tfx.utils import io_utils

from components.curated_schema.component import CuratedSchema
from components.curated_schema.executor import Executor

TEXT = 'feature { name: "AGE" type: FLOAT }\n'


def test_tfx_reads_the_schema_that_was_given(tmp_path: Path) -> None:
    schema = standard_artifacts.Schema()
    schema.uri = str(tmp_path)

    Executor().Do({}, {"schema": [schema]}, {"content": TEXT})

    read = io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(schema.uri))
    assert [feature.name for feature in read.feature] == ["AGE"]


def test_another_schema_is_another_execution() -> None:
    assert CuratedSchema(TEXT).exec_properties != CuratedSchema("").exec_properties
