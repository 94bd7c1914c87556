"""Which files that a run wrote hold something of a subject."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.names import SUBJECT_HASH
from tests.whole_runs import Run

IDENTIFIER = re.compile(rb"SYN01-\d+-\d+")
"""An identifier of a subject of the synthetic trial."""


def written(run: Run) -> Iterator[tuple[Path, bytes]]:
    """Every file below the root but the trial's data, unpacked."""
    for path in run.root.rglob("*"):
        if path.is_file() and not path.is_relative_to(run.root / "data"):
            content = path.read_bytes()
            packed = content[:2] == b"\x1f\x8b"
            yield path, gzip.decompress(content) if packed else content


def holders_of_identifiers(run: Run) -> list[Path]:
    """Files that hold an identifier of a subject, of which the data are full."""
    data = Path(run.file["data_root"])
    assert IDENTIFIER.search(next(data.glob("adsl-*")).read_bytes())
    return [path for path, content in written(run) if IDENTIFIER.search(content)]


def holders_of(pseudonyms: Sequence[bytes], run: Run) -> list[Path]:
    """Files that hold one of some pseudonyms and may not.

    Predictions by pseudonym, and who was in which part of the champion's run, are artifacts, and a
    part of the registry, of their own.
    """
    assert pseudonyms
    artifacts = run.root / run.study / "artifacts"
    allowed = (
        artifacts / "TrialExampleGen" / "examples",
        artifacts / "CrossFit" / "predictions",
        artifacts / "ReferenceModels" / "predictions",
        artifacts / "ChampionModel" / "division",
        run.root / "registry-subjects",
    )
    return [
        path
        for path, content in written(run)
        if not any(path.is_relative_to(folder) for folder in allowed)
        and any(name in content for name in pseudonyms)
    ]


def pseudonyms_in(examples: Path) -> list[bytes]:
    """Pseudonyms of the subjects of a folder of examples."""
    import tensorflow as tf

    records = tf.data.TFRecordDataset(
        [str(file) for file in sorted(examples.glob("*.gz"))], compression_type="GZIP"
    )
    features = [tf.train.Example.FromString(record.numpy()).features.feature for record in records]
    return [feature[SUBJECT_HASH].bytes_list.value[0] for feature in features]
