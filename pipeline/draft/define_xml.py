"""What a Define-XML document beside the data says of their columns.

Labels, types, origins and code lists are those of CDISC's Define-XML 2.0 and 2.1, and of 1.0, whose
labels are attributes. Elements are found by their names, whatever the version's namespace.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from pipeline.draft.data_files import DatasetDraft
from pipeline.errors import UserError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DefinedColumn:
    """A variable as Define-XML describes it.

    Attributes:
        label: What it means; empty if it does not say.
        type: Its data type, such as `integer` or `partialDate`.
        origin: Where its values come from, such as `Derived`; empty if it does not say.
        codes: Values of its code list, each with its decode or with nothing.
    """

    label: str
    type: str
    origin: str
    codes: tuple[tuple[str, str], ...]

    @property
    def described(self) -> str:
        """Type and origin in words."""
        origin = f", origin {self.origin}" if self.origin else ""
        return f"{self.type}{origin}"


def with_definitions(datasets: Sequence[DatasetDraft], folder: Path) -> list[DatasetDraft]:
    """Adds what the Define-XML documents below a folder say; what the data files say goes first.

    Args:
        datasets: The datasets of the folder.
        folder: The data folder.

    Returns:
        The same datasets, found in the documents by their names or those of their files.
    """
    defined: dict[str, dict[str, DefinedColumn]] = {}
    for path in sorted(folder.rglob("*.xml")):
        if path.name.lower().startswith("define"):
            try:
                defined |= read_define(path)
            except UserError as error:
                logger.warning("Skipped: %s", error)
    return [_with_columns(dataset, defined) for dataset in datasets]


def read_define(path: Path) -> dict[str, dict[str, DefinedColumn]]:
    """Reads a Define-XML document.

    Args:
        path: The document.

    Returns:
        By the name of a dataset, in capitals, its columns by name.

    Raises:
        UserError: The document is no XML, or declares entities.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import parse

    try:
        root = parse(path).getroot()
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise UserError(
            f"{path}: no Define-XML document that can be read ({type(error).__name__}); expected "
            "XML without declared entities. Write it again."
        ) from error
    codes = {item.get("OID", ""): tuple(_codes(item)) for item in _all(root, "CodeList")}
    items = {item.get("OID", ""): item for item in _all(root, "ItemDef")}
    return {
        group.get("Name", "").upper(): {
            item.get("Name", ""): _column(item, codes)
            for reference in _all(group, "ItemRef")
            if (item := items.get(reference.get("ItemOID", ""))) is not None
        }
        for group in _all(root, "ItemGroupDef")
    }


def _column(item: Element, codes: dict[str, tuple[tuple[str, str], ...]]) -> DefinedColumn:
    lists = [codes.get(used.get("CodeListOID", ""), ()) for used in _all(item, "CodeListRef")]
    origins = [origin.get("Type", "") for origin in _all(item, "Origin")]
    label = _text(item, "Description") or _attribute(item, "Label")
    origin = ", ".join(filter(None, dict.fromkeys(origins))) or _attribute(item, "Origin")
    data_type = item.get("DataType", "")
    return DefinedColumn(label, data_type, origin, lists[0] if lists else ())


def _codes(code_list: Element) -> Iterator[tuple[str, str]]:
    for item in code_list:
        if _name(item.tag) in ("CodeListItem", "EnumeratedItem"):
            yield item.get("CodedValue", ""), _text(item, "Decode")


def _text(element: Element, child: str) -> str:
    """The first text in a child of an element."""
    for parent in element:
        if _name(parent.tag) == child:
            texts = [text.text or "" for text in _all(parent, "TranslatedText")]
            return " ".join("".join(texts[:1]).split())
    return ""


def _attribute(element: Element, name: str) -> str:
    found = (value for key, value in element.attrib.items() if _name(key) == name)
    return " ".join(next(found, "").split())


def _all(element: Element, name: str) -> list[Element]:
    return [found for found in element.iter() if _name(found.tag) == name]


def _name(tag: Any) -> str:
    """A name without its namespace; comments and processing instructions have none."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _with_columns(
    dataset: DatasetDraft, defined: dict[str, dict[str, DefinedColumn]]
) -> DatasetDraft:
    names = (dataset.name.upper(), PurePath(dataset.pattern).stem.upper())
    said = next((defined[name] for name in names if name in defined), {})
    columns = {
        name: replace(
            column,
            label=column.label or found.label,
            labelled=column.labelled or found.codes,
            defined=found.described,
        )
        if (found := said.get(name))
        else column
        for name, column in dataset.columns.items()
    }
    return replace(dataset, columns=columns)
