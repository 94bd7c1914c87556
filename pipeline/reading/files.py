"""Which files a dataset of a study is in, and how they are read."""

from __future__ import annotations

from pipeline.reading.readers import FileFormat
from pipeline.storage import file_systems
from pipeline.study import Dataset


def find_files(data_root: str, pattern: str) -> tuple[tuple[str, int], ...]:
    """Files that a pattern matches: (path, size in bytes), sorted by path."""
    files = file_systems()
    [match] = files.match([files.join(data_root, pattern)])
    return tuple(sorted((item.path, item.size_in_bytes) for item in match.metadata_list))


def file_format(dataset: Dataset) -> FileFormat:
    """How a dataset's files are read, as the study file describes it."""
    return FileFormat(
        format=dataset.format,
        encoding=dataset.encoding,
        delimiter=dataset.delimiter,
        missing=dataset.missing,
    )
