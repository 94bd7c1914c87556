"""The content fingerprint of a study's input: new content, new examples."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from apache_beam.io.filesystem import CompressionTypes

from pipeline.reading.files import files_of_dataset, find_files
from pipeline.storage import file_systems
from pipeline.study.digest import digest_of
from pipeline.study.parts import part_for_examples
from pipeline.study.study import Study

_BLOCK = 2**22


def content_fingerprint(
    study: Study,
    data_root: str,
    snapshot: str = "",
    datasets: Collection[str] | None = None,
) -> str:
    """Fingerprint of the input files and of what TrialExampleGen reads of the study file.

    It is taken when a run is created and given to the component as an explicit parameter,
    so that it decides about caching on every runner.

    Args:
        study: The study.
        data_root: Folder of its data.
        snapshot: Folder of the snapshot of its database, if it has one.
        datasets: Names of the datasets that are read; all, where not given.

    Returns:
        SHA-256 in hexadecimal, over each dataset's name, file names and bytes, and the
        study file's section.
    """
    found = [
        (name, path.removeprefix(folder).lstrip("/"), size, _digest(path))
        for name, dataset in sorted(study.datasets.items())
        if datasets is None or name in datasets
        for folder, found_files in [
            (snapshot, files_of_dataset(data_root, name, dataset, snapshot))
            if dataset.is_sql
            else (data_root, find_files(data_root, dataset.file))
        ]
        for path, size in found_files
    ]
    return digest_of([part_for_examples(study).to_content(), found])


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    with file_systems().open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
