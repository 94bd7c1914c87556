"""Hooks of the documentation site (mkdocs.yml): pages from the project's root, links between them.

README.md and its siblings stay where people look for them and are pages of the site as well. Links
in all pages are relative to the repository, so that they work where the repository is read; here
they are translated to the site. A link to a source file becomes its text, since the site holds no
sources. A link to nothing fails the strict build.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

logger = logging.getLogger("mkdocs.hooks.site_hooks")

ROOT_PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security-policy.md",
    "CHANGELOG.md": "changelog.md",
}
"""Files of the project's root by the page that each becomes."""

_LINK = re.compile(r"(?P<bang>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")
_CODE = re.compile(r"(^```.*?^```|`[^`\n]*`(?!\]))", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages from the project's root."""
    root = Path(config.config_file_path).parent
    for name, page in ROOT_PAGES.items():
        files.append(File.generated(config, page, content=(root / name).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Translates a page's links from the repository to the site."""
    root = Path(config.config_file_path).parent
    source = page.file.src_uri
    # The path that the page has in the repository.
    own = {value: key for key, value in ROOT_PAGES.items()}.get(source, f"docs/{source}")

    def translate(link: re.Match[str]) -> str:
        target, _, anchor = link["target"].partition("#")
        if not target or ":" in target:
            return link[0]
        path = os.path.normpath(Path(own).parent / target)
        on_site = ROOT_PAGES.get(path, path.removeprefix("docs/"))
        if (path in ROOT_PAGES or path.startswith("docs/")) and files.get_file_from_path(on_site):
            relative = os.path.relpath(on_site, Path(source).parent)
            return f"{link['bang']}[{link['text']}]({relative}{'#' + anchor if anchor else ''})"
        if not (root / path).exists():
            logger.warning("%s links to %s, which does not exist", own, link["target"])
        return link["text"]

    # Odd parts are code.
    parts = _CODE.split(markdown)
    parts[::2] = [_LINK.sub(translate, part) for part in parts[::2]]
    return "".join(parts)
