"""Colours of pages and charts: safe for the colour-blind, dark or light.

Charts are drawn in the light colours; in a page each of them becomes a CSS variable, so that a
dark screen gets the dark one. The series are Okabe and Ito's (Color Universal Design, 2008).
"""

from __future__ import annotations

from typing import Literal

Tone = Literal["neutral", "good", "warn", "bad", "muted"]
"""Meaning of a number or notice, shown by a sign as well as by a colour."""

INK = "#1c2127"
MUTED = "#59626c"
RULE = "#d3d8de"
PAPER = "#fdfdfc"
LIMIT = "#bf5200"
"""Colour of thresholds and of what fails them."""

SERIES = ("#0071b0", "#008f69", "#b8609a", "#4d4fa8", "#8a6d00")
"""Colours of compared series; the first one for a single model."""

VARIABLES: dict[str, str] = {
    INK: "--ink",
    MUTED: "--muted",
    RULE: "--rule",
    PAPER: "--paper",
    LIMIT: "--limit",
    **{colour: f"--series-{place}" for place, colour in enumerate(SERIES, start=1)},
}
"""CSS variable of each colour of a chart."""

DARK: dict[str, str] = {
    "--ink": "#e4e7ea",
    "--muted": "#a3abb5",
    "--rule": "#3b434c",
    "--paper": "#14181c",
    "--limit": "#ff9a4d",
    "--series-1": "#5bb4ee",
    "--series-2": "#3ccfa4",
    "--series-3": "#e79fcb",
    "--series-4": "#a5a7f2",
    "--series-5": "#d9b93c",
}
"""The same variables on a dark screen."""
