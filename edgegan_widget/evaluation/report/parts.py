"""What report pages are built of: the page itself, pictures in it, text."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgegan_widget.evaluation.evaluate import Evaluation
from edgegan_widget.evaluation.scoring import Scored
from edgegan_widget.sketch.scaling import scaled

__all__ = ["data_url", "document", "drawn_figure", "figure", "part", "text", "tiles"]

U8 = npt.NDArray[np.uint8]

_FOLDER = Path(__file__).parent / "pages"


def part(name: str) -> str:
    """One of the files that are put into pages."""
    return (_FOLDER / name).read_text("utf-8")


def document(title: str, body: Iterable[str]) -> str:
    """HTML with everything in it: no file beside it, nothing fetched."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{part('report.css')}</style></head><body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def text(value: object) -> str:
    """A value as HTML text."""
    return html.escape(str(value))


def tiles(figures: Iterable[str]) -> str:
    """Figures in rows that wrap."""
    return f'<div class="tiles">{"".join(figures)}</div>'


def data_url(planes: Sequence[U8]) -> str:
    """Pictures uint8 [S, S] or [S, S, 3] side by side, all as large as the largest, as a PNG in an address."""
    side = max(map(len, planes))
    large = [scaled(plane, side) for plane in planes]
    strip = [np.repeat(plane[..., None], 3, axis=2) if plane.ndim == 2 else plane for plane in large]
    stream = io.BytesIO()
    Image.fromarray(np.concatenate(strip, axis=1)).save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def figure(planes: Sequence[U8], about: str) -> str:
    """Pictures side by side, each as large on the page whatever their number."""
    width_rem = 4 * len(planes)
    return (
        f'<figure style="width:{width_rem}rem"><img alt="" src="{data_url(planes)}">'
        f"<figcaption>{text(about)}</figcaption></figure>"
    )


def drawn_figure(scored: Scored, one: int, evaluation: Evaluation) -> str:
    """Drawing, the model's own edge map and picture ``one`` of a set, with what was seen in it."""
    drawn, classes = scored.drawn, evaluation.train.classes
    number = int(drawn.number[one])
    asked, seen = classes[drawn.labels[one]], classes[scored.seen[one]]
    verdict = asked if asked == seen else f"{asked}, seen as {seen}"
    about = f"{verdict}; F {scored.f_score[one]:.2f}; {drawn.inputs.sources[number]}"
    return figure([drawn.inputs.sketches_u8[number], drawn.edges_u8[one], drawn.pictures_u8[one]], about)
