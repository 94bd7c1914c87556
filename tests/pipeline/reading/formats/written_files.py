"""Small writers of the formats under test, and reading back whole files."""

import gzip
import json
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.reading import formats

REPOSITORY = Path(__file__).parents[4]
DATA = Path(os.environ.get("TRIAL_DATA_DIR", REPOSITORY / ".." / "shared" / "data"))

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="real trial data is absent; set TRIAL_DATA_DIR to its folder"
)


def as_read(text: str | None) -> str | None:
    """A text as every reader hands it on: without outer blanks, None where nothing is left."""
    return (text or "").strip() or None


def read_all(path: Any, fmt: Any, columns: Any = None, **sizes: Any) -> Any:
    """Reads a file as `read_table` does, into lists by column."""
    return read_table(path, fmt, columns, **sizes).to_pydict()


def read_table(
    path: Any,
    fmt: Any,
    columns: Any = None,
    *,
    rows_per_extent: Any = 500_000,
    batch_rows: Any = 20_000,
) -> Any:
    """Reads a file extent by extent and checks that each batch knows its place."""
    types = formats.column_types(str(path), fmt)
    columns = list(types) if columns is None else columns
    batches = []
    rows = 0
    for extent in formats.extents(str(path), fmt, rows_per_extent):
        for first, batch in formats.read(extent, fmt, columns, batch_rows):
            assert first == rows
            assert 0 < batch.num_rows <= batch_rows
            assert batch.schema.names == columns
            rows += batch.num_rows
            batches.append(batch)
    if not batches:
        return pa.table({column: pa.array([], pa.null()) for column in columns})
    return pa.Table.from_batches(batches)


def fail_to_read(path: Any, fmt: Any, columns: Any = ("A",)) -> Any:
    """Reads a file that is wrong and returns the message."""
    with pytest.raises(formats.DataFileError) as caught:
        for _ in formats.read(formats.Extent(str(path)), fmt, list(columns)):
            pass
    return str(caught.value)


def _record(text: Any) -> Any:
    return text.encode("latin-1").ljust(80)


def _header(section: Any, tail: Any = "0" * 30) -> Any:
    return _record(f"HEADER RECORD*******{section:<8}HEADER RECORD!!!!!!!{tail}")


def _filled(data: Any, filler: Any = b" ") -> Any:
    return data + filler * (-len(data) % 80)


def xpt_library(version: Any = 5) -> Any:
    return _header("LIBRARY" if version == 5 else "LIBV8") + _record("SAS") * 2


def xpt_member(
    variables: Any, records: Any, *, version: Any = 5, count: Any = None, labels: Any = b""
) -> Any:
    """One data set of an XPT file, from the layout in SAS's TS-140.

    variables: (name, "num" or "char", length, display format); records: each the bytes of its
    fields; count: what stands in version 8's observation header.
    """
    v8 = version == 8
    namestrs = b""
    position = 0
    for number, (name, kind, length, display) in enumerate(variables, 1):
        namestrs += struct.pack(
            ">hhhh8s40s8shhh2s8shhi32sh18s",
            1 if kind == "num" else 2,
            0,
            length,
            number,
            name[:8].encode().ljust(8),
            b" " * 40,
            display[:8].encode().ljust(8),
            *(0, 0, 0),
            b"",
            b" " * 8,
            *(0, 0),
            position,
            name.encode().ljust(32) if v8 else b"",
            0,
            b"",
        )
        position += length
    observations = _header("OBSV8", f"{count:>15}") if v8 else _header("OBS")
    return b"".join(
        [
            _header("MEMBV8" if v8 else "MEMBER", "0" * 17 + "1600000000140"),
            _header("DSCPTV8" if v8 else "DSCRPTR"),
            _record("SAS") * 2,
            _header("NAMSTV8" if v8 else "NAMESTR", f"{len(variables):010d}" + "0" * 20),
            _filled(namestrs),
            labels,
            observations,
            _filled(b"".join(records)),
        ]
    )


def xpt_labels_v9(entries: Any) -> Any:
    """The section of long names, labels, formats and informats of version 9."""
    body = b""
    for number, *texts in entries:
        fields = [text.encode() for text in texts]
        body += struct.pack(">HHHHH", number, *map(len, fields)) + b"".join(fields)
    return _header("LABELV9", str(len(entries))) + _filled(body)


def dataset_json(
    columns: Any, rows: Any, *, records: Any = None, rows_first: Any = False, version: Any = "1.1.0"
) -> Any:
    """A Dataset-JSON document; columns: (name, dataType) or (name, dataType, targetDataType)."""
    described = [
        {
            "itemOID": f"IT.{name}",
            "name": name,
            "label": name,
            "dataType": kind,
            **({"targetDataType": target[0]} if target else {}),
        }
        for name, kind, *target in columns
    ]
    document = {
        "datasetJSONCreationDateTime": "2024-11-11T15:09:14",
        "datasetJSONVersion": version,
        "sourceSystem": {"name": "test", "version": "1"},
        "itemGroupOID": "IG.X",
        "records": len(rows) if records is None else records,
        "name": "X",
        "label": "rows of the test",
        "columns": described,
        "rows": rows,
    }
    if rows_first:
        document = {"rows": document.pop("rows"), **document}
    return document


def write_dataset_json(folder: Any, document: Any, encoding: Any) -> Any:
    """Writes a document as json, ndjson, dsjc (gzip) or dsjc-zlib; returns the file."""
    path = Path(folder) / f"x.{encoding.split('-')[0]}"
    if encoding == "json":
        path.write_text(json.dumps(document), encoding="utf-8")
        return path
    metadata = {key: value for key, value in document.items() if key != "rows"}
    lines = [json.dumps(metadata), *(json.dumps(row) for row in document["rows"])]
    text = ("\n".join(lines) + "\n").encode()
    compress = {"ndjson": bytes, "dsjc": gzip.compress, "dsjc-zlib": zlib.compress}[encoding]
    path.write_bytes(compress(text))  # type: ignore[operator]
    return path
