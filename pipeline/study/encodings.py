"""Which names are encodings of text files."""

from __future__ import annotations

import codecs

_NO_FILES = frozenset(
    # Python's codecs of names, of source text and of Windows' own settings.
    {"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "mbcs", "oem"}
)


def is_text_encoding(name: str) -> bool:
    """Whether Python can decode text files of an encoding.

    Args:
        name: A name such as `utf-8` or `windows-1252`.

    Examples:
        >>> [is_text_encoding(name) for name in ("latin-1", "utf-16", "idna", "rot13", "hex", "")]
        [True, True, False, False, False, False]
    """
    try:
        codec = codecs.lookup(name)
        b"a".decode(name)
    except UnicodeDecodeError:
        # A single byte is no text of UTF-16.
        return codec.name not in _NO_FILES
    # ValueError: a name with a null character.
    except (LookupError, ValueError):
        return False
    return codec.name.replace("_", "-") not in _NO_FILES
