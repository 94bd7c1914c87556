"""Converts an executed notebook into one self-contained HTML file in the pages' style."""

from __future__ import annotations

import re
from pathlib import Path

from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode

from pipeline.html.page import style

_TEMPLATE = Path(__file__).parent / "template"
_SECTION = re.compile(r"^## +(.+?) *$", re.MULTILINE)
_TITLE = re.compile(r"^# +(.+?) *$", re.MULTILINE)


def to_html(notebook: NotebookNode, name: str) -> str:
    """Converts a notebook: prose and outputs, without the cells' code.

    Args:
        notebook: The executed notebook.
        name: Its name, for the footer and as the default title.

    Returns:
        A self-contained HTML document.
    """
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    title = _TITLE.search(prose)
    page = {
        "title": title[1] if title else name,
        "style": style(),
        "sections": [{"title": found, "id": _anchor(found)} for found in _SECTION.findall(prose)],
        "footer": f"Made by the notebook {name}; its code is in {name}.ipynb beside this file.",
    }
    # nbconvert's default template loads scripts for mathematics and diagrams from a public server;
    # the project's template loads none.
    exporter = HTMLExporter(
        template_name=_TEMPLATE.name, extra_template_basedirs=[str(_TEMPLATE.parent)]
    )
    html, _ = exporter.from_notebook_node(notebook, resources={"page": page})
    return html


def _anchor(title: str) -> str:
    """Id that nbconvert gives a heading."""
    return title.replace(" ", "-")
