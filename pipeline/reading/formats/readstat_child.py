"""The process in which pyreadstat reads SAS, SPSS and Stata files.

ReadStat is C code, and a damaged file may crash it: only this process then ends. It runs as a
script and imports nothing of the project, so that it starts quickly. A request is a line of JSON on
standard input; the answer is a line of JSON on standard output, followed by as many bytes of an
Arrow stream as the line says. `pipeline.reading.formats.readstat` is its other side.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyreadstat

_READERS: dict[str, Any] = {
    "sas7bdat": pyreadstat.read_sas7bdat,
    "stata": pyreadstat.read_dta,
    "spss": pyreadstat.read_sav,
}
Answer = tuple[dict[str, Any], bytes]


def main() -> None:
    """Answers requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    # What a library prints must not get between the answers.
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        answer, content = _answer(json.loads(line))
        answers.write(json.dumps({**answer, "bytes": len(content)}).encode() + b"\n")
        answers.write(content)
        answers.flush()


def _answer(request: dict[str, Any]) -> Answer:
    act = _rows if "columns" in request else _header
    try:
        # Of two columns of one name pyreadstat renames the second with a warning.
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return act(request)
    except pyreadstat.ReadstatError as error:
        return {"error": "readstat", "text": str(error)}, b""
    except UnicodeDecodeError:
        return {"error": "encoding"}, b""
    except UserWarning as error:
        return {"error": "duplicate" if "duplicated" in str(error) else "other"}, b""
    except Exception as error:
        return {"error": "other", "text": type(error).__name__}, b""


def _read(request: dict[str, Any], **options: Any) -> Any:
    return _READERS[request["format"]](
        request["path"],
        encoding=request["encoding"],
        disable_datetime_conversion=True,
        output_format="dict",
        **options,
    )


def _header(request: dict[str, Any]) -> Answer:
    _, meta = _read(request, metadataonly=True)
    if not all(meta.column_names):
        return {"error": "other", "text": "a column has no name"}, b""
    labels = meta.variable_value_labels
    variables = [
        {
            "name": name,
            "is_text": meta.readstat_variable_types[name] == "string",
            "display": meta.original_variable_types[name] or "",
            "label": label or "",
            "levels": list(labels.get(name, {}).items()),
        }
        for name, label in zip(meta.column_names, meta.column_labels, strict=True)
    ]
    return {"variables": variables, "rows": meta.number_rows}, b""


def _rows(request: dict[str, Any]) -> Answer:
    columns = request["columns"]
    data, meta = _read(
        request,
        usecols=columns,
        user_missing=True,
        row_offset=request["first"],
        row_limit=request["rows"],
    )
    arrays, missing = [], {}
    for name in columns:
        is_text = meta.readstat_variable_types[name] == "string"
        ranges = meta.missing_ranges.get(name, [])
        has_tags = name in meta.missing_user_values
        array, codes = (_texts if is_text else _numbers)(data[name], ranges, has_tags)
        arrays.append(array)
        if codes:
            missing[name] = codes
    batch = pa.RecordBatch.from_arrays(arrays, names=columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return {"missing": missing}, sink.getvalue().to_pybytes()


def _texts(values: list[Any], ranges: list[Any], _: bool) -> tuple[pa.Array, dict[str, int]]:
    """Texts with None for those that the file declares missing, and how often these occur."""
    codes = {str(item["lo"]).rstrip() for item in ranges}
    if not codes:
        return pa.array(values, pa.string()), {}
    found = Counter(text.rstrip() for text in values if text is not None)
    kept = [None if text is None or text.rstrip() in codes else text for text in values]
    return pa.array(kept, pa.string()), {code: found[code] for code in codes if found[code]}


def _numbers(
    values: list[Any], ranges: list[Any], has_tags: bool
) -> tuple[pa.Array, dict[str, int]]:
    """Numbers with null for those that the file declares missing, and how often these occur."""
    counts: dict[str, int] = {}
    if has_tags:
        counts = dict(Counter(f".{value}" for value in values if isinstance(value, str)))
        values = [None if isinstance(value, str) else value for value in values]
    array = pa.array(values, pa.float64())
    if not ranges:
        return array, counts
    numbers = array.to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        declared = [(item["lo"] <= numbers) & (numbers <= item["hi"]) for item in ranges]
    is_missing = np.any(declared, axis=0)
    codes, times = np.unique(numbers[is_missing], return_counts=True)
    counts |= {f"{code:g}": int(n) for code, n in zip(codes, times, strict=True)}
    return pa.array(numbers, mask=is_missing | np.isnan(numbers)), counts


if __name__ == "__main__":
    main()
