"""Draws the README's picture of a run: `python -m benchmarks.picture ist /data/ist docs/run.svg`.

Runs a study and keeps what the terminal shows, then writes it as an SVG file without fonts from a
network and with neutral paths.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME
from rich.text import Text

from pipeline.config import Settings
from pipeline.errors import UserError
from pipeline.runners.local import logs
from pipeline.runners.local.run import run

TITLE = "clinical-trial-pipeline"
_ID = "trial-run"
_WIDTH = 80
_WIDEST = 100
"""Columns of the picture; longer lines are wrapped between words."""
_STYLE = """
    .{unique_id}-matrix {{
        font-family: DejaVu Sans Mono, Menlo, Consolas, monospace;
        font-size: {char_height}px;
        line-height: {line_height}px;
        font-variant-east-asian: full-width;
    }}
    .{unique_id}-title {{
        font-size: 18px;
        font-weight: bold;
        font-family: DejaVu Sans, Helvetica, Arial, sans-serif;
    }}
    {styles}
"""
_FORMAT = (
    '<svg class="rich-terminal" viewBox="0 0 {width} {height}" '
    'xmlns="http://www.w3.org/2000/svg">\n'
    f"<style>{_STYLE}</style>\n"
    '<defs><clipPath id="{unique_id}-clip-terminal">'
    '<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>\n'
    "{lines}</defs>\n{chrome}\n"
    '<g transform="translate({terminal_x}, {terminal_y})" '
    'clip-path="url(#{unique_id}-clip-terminal)">\n'
    '{backgrounds}\n<g class="{unique_id}-matrix">\n{matrix}\n</g>\n</g>\n</svg>\n'
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a study and writes the picture.

    Raises:
        UserError: The run did not reach its end.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study")
    parser.add_argument("data", type=Path)
    parser.add_argument("picture", type=Path)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "runs"
        shown = terminal_of(Settings(study=chosen.study, data=str(chosen.data), root=root))
    data = f"/data/{chosen.study}"
    command = f"$ trial run --study {chosen.study} --data {data}\n"
    neutral = {str(root): "runs", str(chosen.data.resolve()): data}
    chosen.picture.write_text(draw(command + shown, neutral), encoding="utf-8")


def terminal_of(settings: Settings) -> str:
    """Runs the pipeline.

    Args:
        settings: The choices for the run.

    Returns:
        What its terminal shows, with the control sequences of colours.

    Raises:
        UserError: The run did not reach its end.
    """
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder) / "terminal"
        with record_terminal(shown):
            outcome = run(settings)
        if outcome.status != "done":
            raise UserError(
                f"The run of {settings.study} ended as {outcome.status}: {outcome.error}"
            )
        return shown.read_text(encoding="utf-8")


@contextmanager
def record_terminal(shown: Path) -> Iterator[None]:
    """Writes what a run shows to a file.

    A run works in a child process: what its console kept in memory would be lost.

    Args:
        shown: The file.
    """
    with shown.open("w", encoding="utf-8") as terminal:
        console = Console(
            file=terminal, color_system="truecolor", width=_WIDTH, highlight=False, soft_wrap=True
        )
        with mock.patch.object(logs, "Console", return_value=console):
            yield


def draw(shown: str, neutral: Mapping[str, str]) -> str:
    """Draws what a terminal shows.

    Args:
        shown: Lines with the control sequences of colours.
        neutral: Text in them to what the picture has in its place, such as paths.

    Returns:
        The SVG file's content.
    """
    for found, shown_instead in neutral.items():
        shown = shown.replace(found, shown_instead)
    text = Text.from_ansi(shown.rstrip())
    longest = max(len(line) for line in text.plain.splitlines())
    console = Console(file=io.StringIO(), record=True, width=min(longest, _WIDEST), highlight=False)
    console.print(text)
    return console.export_svg(
        title=TITLE, theme=DEFAULT_TERMINAL_THEME, code_format=_FORMAT, unique_id=_ID
    )


if __name__ == "__main__":
    main()
