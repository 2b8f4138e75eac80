"""Robustness as drawings in the page: how accuracy and F-score fall as drawings are distorted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgegan_widget.evaluation.report.parts import text

__all__ = ["curves"]

Json = dict[str, Any]

_COLOURS = ("#2f86c9", "#d9534f", "#3a9d4a", "#9467bd", "#e08214", "#17a2b8")  # told apart on light and dark


def curves(report: Json) -> Iterator[str]:
    """One small plot a distortion, all models in each."""
    rows = [row for row in report["models"] if "robustness" in row]
    if not rows:
        return
    yield "<h2>Distorted drawings</h2><p>Solid: right class. Dashed: F-score of the lines. Both from 0 to 1.</p>"
    yield '<div class="tiles">'
    for name, curve in rows[0]["robustness"].items():
        lines = "".join(_curve(row["robustness"][name], place) for place, row in enumerate(rows))
        yield (
            f'<figure style="width:16rem"><svg viewBox="-4 -4 108 68" role="img" aria-label="{name}">'
            f'<rect width="100" height="60" fill="none" stroke="#888"/>{lines}</svg>'
            f"<figcaption>{name}: {text(curve['meaning'])}; against {text(curve['against'])}</figcaption></figure>"
        )
    names = ", ".join(f'<span style="color:{_COLOURS[k % 6]}">{text(row["name"])}</span>' for k, row in enumerate(rows))
    yield f"</div><p>{names}</p>"


def _curve(curve: Json, place: int) -> str:
    drawn = []
    for key, dashes in (("accuracy", ""), ("f_score", ' stroke-dasharray="3 2"')):
        points = " ".join(f"{100 * x:.1f},{60 * (1 - y):.1f}" for x, y in zip(curve["strengths"], curve[key]))
        drawn.append(f'<polyline points="{points}" fill="none" stroke="{_COLOURS[place % 6]}"{dashes}/>')
    return "".join(drawn)
