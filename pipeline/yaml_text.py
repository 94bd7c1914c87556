"""Reads YAML that a user wrote, within limits, so that no file can occupy the program for ever."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

MOST_CHARACTERS = 1_000_000
DEEPEST = 50
MOST_VALUES = 100_000
"""Most values of a file, those that an alias repeats counted as often as they are repeated."""

_TAG = "tag:yaml.org,2002:"

_READ_OTHERWISE = re.compile(r"[\t\r\x85\u2028\u2029\ufeff\ud800-\udfff!?]|---|[|>][-+0-9]*#")
"""What libyaml takes for something else than PyYAML's own parser, or counts other lines of."""


@dataclass
class _Open:
    """A mapping or sequence that has begun.

    Attributes:
        anchor: Its anchor, if it has one.
        values: Number of values in it so far, itself included.
    """

    anchor: str | None
    values: int = 1


@dataclass
class _Sizes:
    """Counts the values of a file, aliases expanded, without making them."""

    open: list[_Open] = field(default_factory=lambda: [_Open(None, 0)])
    of_anchor: dict[str, int] = field(default_factory=dict)

    def take(self, event: Any) -> None:
        """Counts an event of the parser.

        Raises:
            MarkedYAMLError: A limit is passed, or an alias stands in what it repeats.
        """
        if isinstance(event, yaml.CollectionStartEvent):
            self.open.append(_Open(event.anchor))
            if len(self.open) - 1 > DEEPEST:
                raise _refused(f"found more than {DEEPEST} levels of nesting", event)
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = self.open.pop()
            self._add(ended.anchor, ended.values, event)
        elif isinstance(event, yaml.AliasEvent):
            if any(item.anchor == event.anchor for item in self.open):
                raise _refused("found an alias that stands in what it repeats", event)
            # An alias without an anchor is reported when the nodes are composed.
            self._add(None, self.of_anchor.get(str(event.anchor), 1), event)
        elif isinstance(event, yaml.ScalarEvent):
            self._add(event.anchor, 1, event)

    def _add(self, anchor: str | None, values: int, event: Any) -> None:
        if anchor is not None:
            self.of_anchor[anchor] = values
        self.open[-1].values += values
        if self.open[-1].values > MOST_VALUES:
            raise _refused(f"found more than {MOST_VALUES} values, repeated ones included", event)


class _Values(SafeConstructor):
    """Makes values; names the line of one that is not what its tag says."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Hashable:
        """Makes the value of a node.

        Raises:
            ConstructorError: There is no such value, such as the 31st of February.
        """
        try:
            return super().construct_object(node, deep)
        # What PyYAML's constructors of numbers, dates and booleans let through.
        except (ValueError, AttributeError, LookupError, TypeError, OverflowError) as error:
            kind = node.tag.removeprefix(_TAG)
            raise yaml.constructor.ConstructorError(
                None, None, f"found a value that is no valid {kind}", node.start_mark
            ) from error


class _Loader(_Values, yaml.SafeLoader):
    """PyYAML's own parser, which says best what is wrong; counts values before they are made."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._sizes = _Sizes()

    def get_event(self) -> Any:
        """Takes the parser's next event.

        Raises:
            MarkedYAMLError: A limit is passed.
        """
        event = super().get_event()  # type: ignore[no-untyped-call]
        self._sizes.take(event)
        return event


def _loader_by_libyaml() -> Any:
    """The same with libyaml's parser, five times as fast; None where PyYAML lacks it."""
    if not yaml.__with_libyaml__:
        return None
    from yaml._yaml import CParser

    # Nodes are composed by PyYAML, which asks for each event: libyaml would pass them by.
    class Loader(Composer, _Values, Resolver, CParser):
        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            Composer.__init__(self)
            SafeConstructor.__init__(self)
            Resolver.__init__(self)
            self._sizes = _Sizes()

        def get_event(self) -> Any:
            event = super().get_event()
            self._sizes.take(event)
            if isinstance(event, yaml.ScalarEvent):
                event.style = event.style or None
            return event

    return Loader


_FAST_LOADER = _loader_by_libyaml()


def _refused(problem: str, event: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(None, None, problem, event.start_mark)


def parse_yaml(text: str) -> tuple[yaml.Node | None, Any]:
    """Reads a YAML document.

    Args:
        text: The document.

    Returns:
        Its root node, which knows lines, and its content; None for both where it is empty.

    Raises:
        yaml.YAMLError: It is not YAML, a value is not what its form says, or a limit is passed.

    Examples:
        >>> parse_yaml("study: ist")[1]
        {'study': 'ist'}
    """
    if len(text) > MOST_CHARACTERS:
        raise yaml.MarkedYAMLError(problem=f"found more than {MOST_CHARACTERS} characters")
    if _FAST_LOADER is None or _READ_OTHERWISE.search(text):
        return _read(_Loader(text))
    try:
        return _read(_FAST_LOADER(text))
    except yaml.YAMLError:
        # Said in the words of the other parser, with its lines.
        return _read(_Loader(text))


def _read(loader: Any) -> tuple[yaml.Node | None, Any]:
    try:
        root = loader.get_single_node()
        return root, None if root is None else loader.construct_document(root)
    finally:
        loader.dispose()
