"""Values of a study file that YAML reads as something else than what a person sees."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

_TAG = "tag:yaml.org,2002:"
_KINDS = {"bool": "true or false", "null": "nothing", "timestamp": "a date", "int": "a number"}
_KINDS["float"] = _KINDS["int"]
_AS_SEEN = {
    "int": re.compile(r"[-+]?(0|[1-9][0-9]*)"),
    "float": re.compile(
        r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?\.(inf|nan)", re.I
    ),
}


def misread_values(node: yaml.Node | None) -> Iterator[tuple[int, str]]:
    """Finds numbers that YAML reads in base 8, 16 or 60, and keys that are no text.

    Args:
        node: The file's root.

    Yields:
        Line (from 0) of each, and what to do.
    """
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if (kind := _kind(key)) is not None:
                yield key.start_mark.line, f"{_reading(key.value, kind)}{in_quotes(key)}"
            yield from misread_values(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from misread_values(item)
    elif isinstance(node, yaml.ScalarNode):
        kind = _kind(node)
        pattern = _AS_SEEN.get(kind or "")
        if pattern is not None and not pattern.fullmatch(node.value):
            number = yaml.safe_load(node.value)
            yield (
                node.start_mark.line,
                f"YAML reads {node.value} as {number}. Write {number} if that is meant, or"
                f"{in_quotes(node)}",
            )


def hint_for_text(node: yaml.Node | None) -> str:
    """Says how to write a text that YAML took for something else.

    Args:
        node: The value; None where it is not known.

    Returns:
        What YAML made of it, and the quoted form; empty where YAML reads a text.
    """
    kind = _kind(node)
    if kind is None or not isinstance(node, yaml.ScalarNode):
        return ""
    return f" {_reading(node.value, kind)}{in_quotes(node)}"


def in_quotes(node: yaml.Node) -> str:
    """The text as it stands in the file, in quotes."""
    return f' write it in quotes if it is a text: "{node.value}".'


def _reading(text: str, kind: str) -> str:
    return f"YAML reads {text or 'an empty value'} without quotes as {_KINDS[kind]}:"


def _kind(node: yaml.Node | None) -> str | None:
    """What YAML reads a plain value as, if it is no text."""
    if not isinstance(node, yaml.ScalarNode) or node.style is not None:
        return None
    kind = node.tag.removeprefix(_TAG)
    return kind if kind in _KINDS else None
