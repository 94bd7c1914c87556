"""A page as a tree, read without a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

_VOID = {"meta", "link", "br", "use", "path", "rect", "line"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    parent: Element | None = None
    content: list[str | Element] = field(default_factory=list)

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """Elements inside, in their order, of a tag and with these attributes."""
        return [
            element
            for element in self._below()
            if tag in ("", element.tag)
            and all(element.attributes.get(name) == value for name, value in attributes.items())
        ]

    def one(self, tag: str = "", **attributes: str) -> Element:
        (found,) = self.all(tag, **attributes)
        return found

    @property
    def text(self) -> str:
        """Its own text and that of all elements inside, as it is read."""
        pieces = (item if isinstance(item, str) else item.text for item in self.content)
        return re.sub(r"[ \n]+", " ", " ".join(pieces)).strip()

    def _below(self) -> Iterator[Element]:
        for item in self.content:
            if isinstance(item, Element):
                yield item
                yield from item._below()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("document", {})
        self._open = self.root

    def handle_starttag(self, tag: Any, attrs: Any) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self._open)
        self._open.content.append(element)
        if tag not in _VOID:
            self._open = element

    def handle_startendtag(self, tag: Any, attrs: Any) -> None:
        self._open.content.append(Element(tag, {k: v or "" for k, v in attrs}, self._open))

    def handle_endtag(self, tag: Any) -> None:
        if tag in _VOID:
            return
        assert self._open.tag == tag, f"<{self._open.tag}> is closed by </{tag}>"
        assert self._open.parent is not None
        self._open = self._open.parent

    def handle_data(self, data: Any) -> None:
        self._open.content.append(data)


def read_html(text: str) -> Element:
    """Reads a document; every element must be closed in its place."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader._open is reader.root
    return reader.root
