"""The documentation site: built strictly, every internal link resolves, nothing from a network."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from pipeline.version import PROJECT
from tests.docs.built_site import BuiltPage, build
from tests.each import each

_URL = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = build(folder)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, BuiltPage]:
    found = {path: BuiltPage.read(path) for path in sorted(site.rglob("*.html"))}
    assert len(found) > 15
    return found


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the site is built from, without the API: its build takes less time."""
    project = tmp_path / "project"
    shutil.copytree(PROJECT / "docs", project / "docs", ignore=shutil.ignore_patterns("api"))
    for page in PROJECT.glob("*.md"):
        shutil.copy(page, project)
    # Links to sources are checked, too.
    for folder in ("pipeline", "schema"):
        (project / folder).symlink_to(PROJECT / folder)
    settings = (PROJECT / "mkdocs.yml").read_text("utf-8")
    settings = re.sub(r"      - API:\n( {10}.*\n)+", "", settings)
    (project / "mkdocs.yml").write_text(settings, encoding="utf-8")
    return project


def is_local(address: str) -> bool:
    parts = urlsplit(address)
    return not parts.netloc and parts.scheme in ("", "data")


def target(page: Path, link: str) -> tuple[Path, str]:
    parts = urlsplit(link)
    path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    return path / "index.html" if path.is_dir() else path, unquote(parts.fragment)


def test_every_internal_link_leads_to_a_page_and_an_anchor_that_exist(pages: Any) -> None:
    wrong, checked = [], 0
    for page, content in pages.items():
        # Links of the page for unknown addresses are absolute.
        for link in content.links if page.name != "404.html" else ():
            if urlsplit(link).scheme or urlsplit(link).netloc:
                continue
            path, anchor = target(page, link)
            checked += 1
            if not path.is_file() or (anchor and anchor not in pages[path].anchors):
                wrong.append(f"{page.name}: {link}")
    assert wrong == []
    assert checked > 500


def test_no_page_loads_anything_from_a_network(pages: Any) -> None:
    loads = [(page.name, address) for page, content in pages.items() for address in content.loads]
    assert len(loads) > 50
    assert [load for load in loads if not is_local(load[1])] == []


def test_whatever_a_page_loads_is_part_of_the_site(pages: Any) -> None:
    missing = [
        f"{page.name}: {address}"
        for page, content in pages.items()
        for address in content.loads
        if page.name != "404.html"
        if not address.startswith("data:") and not target(page, address)[0].is_file()
    ]
    assert missing == []


def test_no_style_loads_anything_from_a_network(site: Path, pages: Any) -> None:
    texts = [path.read_text("utf-8") for path in site.rglob("*.css")]
    assert texts
    texts += [style for content in pages.values() for style in content.styles]
    addresses = [one or other for text in texts for one, other in _URL.findall(text)]
    assert [address for address in each(addresses) if not is_local(address)] == []


def test_nothing_makes_the_theme_load_its_diagrams_from_a_network(site: Path) -> None:
    """The theme fetches Mermaid where a page has a diagram of it."""
    assert [
        path for path in each(site.rglob("*.html")) if 'class="mermaid"' in path.read_text()
    ] == []


def test_the_readme_is_the_first_page(site: Path) -> None:
    first = (site / "index.html").read_text("utf-8")
    assert "A TFX pipeline for machine learning on clinical trial data" in first
    assert 'href="study-file.html"' in first


def test_the_interface_of_every_component_is_shown(site: Path) -> None:
    text = (site / "api" / "components.html").read_text("utf-8")
    components = [path.parent.name for path in (PROJECT / "components").glob("*/component.py")]
    assert len(components) > 10
    assert [name for name in components if f'id="components.{name}.component"' not in text] == []


def test_every_schema_is_linked(pages: dict[Path, BuiltPage]) -> None:
    schemas = (PROJECT / "docs" / "schemas").glob("*.json")
    (page,) = [content for path, content in pages.items() if path.name == "schemas.html"]
    assert {f"schemas/{path.name}" for path in schemas} <= set(page.links)


def test_the_copy_builds(copy: Path, tmp_path: Path) -> None:
    built = build(tmp_path / "site", copy)
    assert built.returncode == 0, built.stderr


def test_each_broken_link_fails_the_build(copy: Path, tmp_path: Path) -> None:
    broken = {
        "page": ("docs/cli.md", "[gone](no_page.md)"),
        "anchor": ("docs/cli.md", "[gone](store.md#no_anchor)"),
        "own anchor": ("docs/store.md", "[gone](#no_own_anchor)"),
        "source": ("docs/cli.md", "[gone](../pipeline/no_source.py)"),
        "page of the root's": ("README.md", "[gone](docs/no_page_from_root.md)"),
        "anchor of the root's": ("README.md", "[gone](docs/store.md#no_anchor_from_root)"),
        "image": ("CONTRIBUTING.md", "![gone](docs/no_image.svg)"),
    }
    for page, link in broken.values():
        with (copy / page).open("a", encoding="utf-8") as file:
            file.write(f"\n\n{link}\n")
    built = build(tmp_path / "site", copy)
    assert built.returncode == 1
    warnings = [line for line in built.stderr.splitlines() if line.startswith("WARNING")]
    for _, link in broken.values():
        (missing,) = re.findall(r"no_\w+", link)
        assert sum(bool(re.search(rf"{missing}\b", line)) for line in warnings) == 1
    assert len(warnings) == len(broken)
