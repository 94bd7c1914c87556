"""Whether files of the register of outputs are whole: each is read to its end by its format."""

from __future__ import annotations

import json
import logging
import re
import sqlite3
import struct
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from google.protobuf import text_format
from google.protobuf.message import Message

from pipeline.outputs.output import Output
from pipeline.outputs.register import written
from tests.output_contents import contents

logger = logging.getLogger(__name__)

_CARD_OF_SAS = 80
_COUNT_OF_PAGES = slice(28, 32)
"""In the header of a SQLite file."""

_FRAME = struct.Struct("<QI")
_CHECKSUM_BYTES = 4


class Register:
    """The register's files below a root, of which each version is read once.

    Args:
        root: The root.

    Attributes:
        seen: Names of the outputs that had a file.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._whole: set[tuple[str, int, int, int]] = set()
        self.seen: set[str] = set()

    def torn(self, unfinished: frozenset[str]) -> list[str]:
        """Files that can't be read to their end.

        Args:
            unfinished: Folders whose files count for nothing yet, which a next start removes;
                paths from the root.
        """
        found = []
        for output, path in written(self._root):
            place = path.relative_to(self._root)
            if unfinished.isdisjoint({str(place), *map(str, place.parents)}):
                self.seen.add(output.name)
                found += self._read(output, path)
        return sorted(found)

    def _read(self, output: Output, path: Path) -> list[str]:
        state = path.stat()
        version = (str(path), state.st_ino, state.st_mtime_ns, state.st_size)
        if version not in self._whole:
            if not is_whole(path):
                return [f"{output.name}: {path.relative_to(self._root)}"]
            self._whole.add(version)
        return []


def is_whole(path: Path) -> bool:
    """Whether a file can be read to its end.

    Raises:
        ValueError: No reader is known for it.
    """
    reader = _READERS[form_of(path)]
    try:
        reader(path)
    except Exception:
        logger.exception("%s is not whole", path)
        return False
    return True


def form_of(path: Path) -> str:
    """The form of a file by its name, as a regular expression.

    Raises:
        ValueError: No reader is known for it.
    """
    for pattern in _READERS:
        if re.fullmatch(pattern, path.name):
            return pattern
    raise ValueError("no reader is known for it")


def _json(path: Path) -> None:
    json.loads(path.read_bytes())


def _lines(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if text and not text.endswith("\n"):
        raise ValueError("the last line has no end")
    for line in text.splitlines():
        json.loads(line)


def _html(path: Path) -> None:
    if not path.read_text(encoding="utf-8").rstrip().endswith("</html>"):
        raise ValueError("</html> is not its end")


def _shown(path: Path) -> None:
    """What a stage shows in Kubeflow: HTML, Markdown or JSON."""
    text = path.read_text(encoding="utf-8")
    if text.lower().startswith(("<!doctype", "<html")):
        _html(path)
    elif text.startswith("{"):
        json.loads(text)
    elif not text.strip():
        raise ValueError("it is empty")


def _parquet(path: Path) -> None:
    pq.read_table(path)


def _records(path: Path) -> None:
    """TFRecords, packed or not: length, its checksum, content, its checksum."""
    *_, content = contents(path)
    if path.suffix == ".gz" and not path.stat().st_size:
        raise ValueError("it is not packed")
    place = 0
    while place < len(content):
        length, _ = _FRAME.unpack_from(content, place)
        place += _FRAME.size + length + _CHECKSUM_BYTES
    if place != len(content):
        raise ValueError("its last record is not whole")


def _sqlite(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        (answer,) = database.execute("PRAGMA integrity_check").fetchone()
        (page,) = database.execute("PRAGMA page_size").fetchone()
    content = path.read_bytes()
    pages = int.from_bytes(content[_COUNT_OF_PAGES])
    if answer != "ok" or len(content) != page * pages:
        raise ValueError(f"{answer}: {len(content)} bytes are not {pages} pages of {page}")


def _transport(path: Path) -> None:
    content = path.read_bytes()
    if not content.startswith(b"HEADER RECORD") or len(content) % _CARD_OF_SAS:
        raise ValueError("it is no whole number of cards")


def _parsed(message: Callable[[], Message]) -> Callable[[Path], None]:
    def parse(path: Path) -> None:
        content = path.read_bytes()
        if not content:
            raise ValueError("it is empty")
        message().ParseFromString(content)

    return parse


def _schema(path: Path) -> None:
    from tensorflow_metadata.proto.v0 import schema_pb2

    if not text_format.Parse(path.read_text(encoding="utf-8"), schema_pb2.Schema()).feature:
        raise ValueError("it has no column")


def _variables(path: Path) -> None:
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(path.with_name("variables")))
    for name in reader.get_variable_to_shape_map():
        reader.get_tensor(name)


def _model() -> Message:
    from tensorflow.core.protobuf import saved_model_pb2

    return saved_model_pb2.SavedModel()


def _fingerprint() -> Message:
    from tensorflow.core.protobuf import fingerprint_pb2

    return fingerprint_pb2.FingerprintDef()


def _statistics() -> Message:
    from tensorflow_metadata.proto.v0 import statistics_pb2

    return statistics_pb2.DatasetFeatureStatisticsList()


def _anomalies() -> Message:
    from tensorflow_metadata.proto.v0 import anomalies_pb2

    return anomalies_pb2.Anomalies()


def _any(path: Path) -> None:
    """A log grows, a vocabulary has no end of its own."""
    path.read_bytes()


def _nothing(path: Path) -> None:
    if path.stat().st_size:
        raise ValueError("it is not empty")


_READERS: Mapping[str, Callable[[Path], Any]] = {
    r".*\.(json|ipynb)|asset_map": _json,
    r".*\.jsonl": _lines,
    r".*\.html": _html,
    r".*\.parquet": _parquet,
    r".*\.(gz|tfrecord)": _records,
    r".*\.sqlite": _sqlite,
    r".*\.xpt": _transport,
    r".*\.pbtxt": _schema,
    r"saved_model\.pb": _parsed(_model),
    r"fingerprint\.pb": _parsed(_fingerprint),
    r"FeatureStats\.pb": _parsed(_statistics),
    r"SchemaDiff\.pb": _parsed(_anomalies),
    r"variables\.(index|data-.*)": _variables,
    r"BLESSED|NOT_BLESSED|NO_CHAMPION|(champion\.json|ledger)\.lock": _nothing,
    r".*\.log|run\.lock|categories": _any,
    r"\d+": _shown,
}
"""By names of files."""

ENDLESS = frozenset(
    pattern for pattern, reader in _READERS.items() if reader in (_any, _nothing, _shown)
)
"""Forms of which a part looks like the whole."""
