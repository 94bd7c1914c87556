"""Values of a column as text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.reading.exact_numbers import LARGEST_WHOLE, number_text


def trimmed(texts: pa.Array) -> pa.Array:
    """Text as every format's reader hands it on: without outer blanks, null where nothing is left.

    Trailing blanks mean nothing in SAS, whose variables have a fixed width, and leading ones come
    from right-aligned numbers; so "Y " and " Y" are "Y", whichever file they were read from. Blanks
    are those of Unicode, such as the no-break space that spreadsheets and web pages write.

    Args:
        texts: Strings, shape [n].

    Returns:
        Strings, shape [n].
    """
    clean = pc.ascii_trim_whitespace(texts)
    return null_if_empty(clean if _is_plain(clean) else pc.utf8_trim_whitespace(clean))


def _is_plain(texts: pa.Array) -> bool:
    """Whether no text has a character that is a blank in Unicode alone.

    Unicode's blanks include the separators 1C to 1F of ASCII: whether they are trimmed must not
    depend on what else a batch holds.
    """
    _, offsets, content = texts.buffers()
    if offsets is None or content is None or not len(texts):
        return True
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    used = np.frombuffer(content, np.uint8)[ends[0] : ends[-1]]
    return not ((used >= 128) | ((used >= 0x1C) & (used <= 0x1F))).any()


def null_if_empty(texts: pa.Array) -> pa.Array:
    """Makes the empty text missing.

    Args:
        texts: Strings, shape [n].

    Returns:
        Strings, shape [n]; null where they are empty.
    """
    validity, offsets, content = texts.buffers()
    if not len(texts) or offsets is None:
        return texts
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    is_empty = ends[1:] == ends[:-1]
    if not is_empty.any():
        return texts
    if texts.null_count or texts.offset:
        return pc.if_else(pa.array(is_empty), pa.scalar(None, pa.string()), texts)
    validity = pa.py_buffer(np.packbits(~is_empty, bitorder="little"))
    return pa.Array.from_buffers(pa.string(), len(texts), [validity, offsets, content])


def as_text(array: pa.Array) -> pa.Array:
    """Text of a column, the same for one value in every format.

    Args:
        array: Text, numbers, dates or moments, shape [n].

    Returns:
        Strings, shape [n]; numbers without exponent or trailing zeros, dates and moments in ISO
        8601.

    Examples:
        >>> as_text(pa.array([701.0, 1.5, None])).to_pylist()
        ['701', '1.5', None]
    """
    kind = array.type
    if pa.types.is_string(kind):
        return array
    if pa.types.is_timestamp(kind):
        return pc.strftime(array, format="%Y-%m-%dT%H:%M:%S")
    if not pa.types.is_floating(kind):
        return pc.cast(array, pa.string())
    values = array.to_numpy(zero_copy_only=False)
    known = ~np.isnan(values)
    if (np.abs(values[known]) <= LARGEST_WHOLE).all() and (values[known] % 1 == 0).all():
        whole = np.where(known, values, 0).astype(np.int64)
        return pa.array(whole, mask=~known).cast(pa.string())
    return pa.array([None if np.isnan(v) else _float_text(v) for v in values.tolist()], pa.string())


def _float_text(value: float) -> str:
    return str(value) if np.isinf(value) else number_text(value)
