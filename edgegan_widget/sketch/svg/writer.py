"""Strokes -> SVG that any program shows, and that reads back to the last digit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree import ElementTree

from edgegan_widget.sketch.stroke import Stroke

__all__ = ["svg_of_strokes"]

SVG_SIDE = 512  # user units of the exported SVG


def svg_of_strokes(strokes: Iterable[Stroke], note: Mapping[str, Any] | None = None) -> str:
    """SVG, black on white, erased parts white; time, pressure and a note are kept as data."""
    root = ElementTree.Element(
        "svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {SVG_SIDE} {SVG_SIDE}",
        width=str(SVG_SIDE), height=str(SVG_SIDE),
    )  # fmt: skip
    if note is not None:
        root.set("data-look", json.dumps(dict(note)))
    ElementTree.SubElement(root, "rect", width="100%", height="100%", fill="#fff")
    for stroke in strokes:
        corners = stroke.points[:, :2] * SVG_SIDE
        moves = " L".join(f"{x:.6g} {y:.6g}" for x, y in corners)
        ElementTree.SubElement(
            root, "path", {
                "d": f"M{moves}" + (f" L{corners[0, 0]:.6g} {corners[0, 1]:.6g}" if len(stroke) == 1 else ""),
                "fill": "none", "stroke": "#000" if stroke.tool == "pen" else "#fff",
                "stroke-width": f"{stroke.width * SVG_SIDE:.6g}",
                "stroke-linecap": "round", "stroke-linejoin": "round", "data-tool": stroke.tool,
                "data-points": json.dumps(stroke.points.tolist(), separators=(",", ":")),
                "data-width": repr(stroke.width),
            },
        )  # fmt: skip
    return ElementTree.tostring(root, encoding="unicode")
