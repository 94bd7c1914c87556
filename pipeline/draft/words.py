"""Formats pieces of YAML for drafts."""

from __future__ import annotations

import re


def quoted(text: str) -> str:
    """A text as YAML, in quotes where it would be read as something else."""
    plain = re.fullmatch(r"[A-Za-z_][\w./-]*", text, re.ASCII)
    is_word = text.lower() in ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
    if plain and not is_word:
        return text
    return as_text(text)


def as_text(text: str) -> str:
    """A text as YAML, in quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '"'
