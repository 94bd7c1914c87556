"""A root made by hand, in which two subjects are in every kind of file that holds rows."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from components.trial_example_gen.subject_hashes import subject_hash
from pipeline.predictions.open_log import open_log
from pipeline.runs.forgotten import Forgotten, newly_forgotten
from tests.pipeline.predictions.hand_made import add as add_predictions
from tests.pipeline.runs.governed import add as add_model

STUDY = "ist"
KEY = "a key of the subjects, for this test"
JANE, JOHN = (subject_hash(STUDY, name, KEY.encode()).decode() for name in ("Jane", "John"))
RUN = "20261130T120000.000000"
SCORED = "20261130T130000.000000"

TABLES = (
    "artifacts/TrialExampleGen/examples/3/dealt/part-0.parquet",
    "artifacts/ChampionModel/division/1/predictions.parquet",
    "artifacts/CrossFit/predictions/9/predictions.parquet",
    "artifacts/CrossFit/predictions/9/uncertainty/predictions.parquet",
    "artifacts/ReferenceModels/predictions/10/predictions.parquet",
    "scoring/artifacts/BatchScoring/scored/5/part-00000.parquet",
    f"scoring/records/{SCORED}/predictions.parquet",
)
"""Tables below the folder of the study."""

EXAMPLES = (
    "artifacts/TrialExampleGen/examples/3/Split-train/data_tfrecord-00000-of-00001.gz",
    "validation/artifacts/TrialExampleGen/examples/2/Split-test/data_tfrecord-00000-of-00001.gz",
    "scoring/artifacts/TrialExampleGen/examples/2/Split-test/data_tfrecord-00000-of-00001.gz",
)
"""Examples below it."""


def record(content: bytes) -> bytes:
    """A record of TFRecord; its checksums are copied, not looked at."""
    return len(content).to_bytes(8, "little") + b"sum1" + content + b"sum2"


def records_of(content: bytes) -> list[bytes]:
    """Contents of records."""
    found, rest = [], content
    while rest:
        length = int.from_bytes(rest[:8], "little")
        found.append(rest[12 : 12 + length])
        rest = rest[16 + length :]
    return found


def example(pseudonym: str) -> bytes:
    """What stands for an example: the pseudonym has letters of the alphabet of its digits before
    and behind it."""
    return b"age=61,subject_hash=ab" + pseudonym.encode() + b"cd" if pseudonym else b"age=61"


def made_root(root: Path) -> str:
    """Makes the root; returns the address of its prediction log."""
    own = root / STUDY
    for name in TABLES:
        is_text = name.startswith("scoring")
        names = [name if is_text else name.encode() for name in (JANE, JOHN, JANE)]
        _write_table(own / name, names)
    for name in EXAMPLES:
        content = b"".join(record(example(name)) for name in (JOHN, JANE, ""))
        _write(own / name, gzip.compress(content))
    _write_table(own / "snapshots" / "0123456789" / "dm.parquet", ["Jane", "John"], "USUBJID")
    _write(own / "snapshots" / "0123456789" / "snapshot.json", b"{}")
    _write(own / "artifacts/TrialExampleGen/examples/2/unfinished/x", JANE.encode())
    _write(own / f".predictions.parquet.{'0' * 32}", JANE.encode())
    for name in ("", "validation", "scoring"):
        _write(own / name / "run.lock", b"")
    for run, place in ((RUN, ""), (SCORED, "scoring")):
        _write(root / "logs" / f"{run}.log", f"no number: {JANE}\n".encode())
        stage = ("BatchScoring", "scored", 5) if place else ("TrialExampleGen", "examples", 3)
        path = "/".join(("/another/root/ist", place or ".", "artifacts", *map(str, stage)))
        outputs = {"outputs": {stage[0]: {stage[1]: path}}}
        _write(own / place / "records" / run / "run.json", json.dumps(outputs).encode())
    _write(root / "logs" / "of-another-study.log", b"its own")
    registered = add_model(str(root / "registry"), root.parent / "models", "first").entry
    division = root / "registry-subjects" / STUDY / registered.id / "predictions.parquet"
    _write_table(division, [JANE.encode(), JOHN.encode()])
    _write(division.with_name("evaluation.json"), b"{}")
    log = str(root / "predictions")
    add_predictions(open_log(log), JANE, JOHN, study=STUDY)
    return log


def jane() -> Forgotten:
    """Jane, who withdrew consent."""
    return newly_forgotten(STUDY, [JANE]).of(STUDY)


def _write_table(path: Path, names: Sequence[bytes | str], column: str = "subject_hash") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({column: names, "fold": list(range(len(names)))})
    pq.write_table(table.replace_schema_metadata({"kept": "as it was"}), path)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
