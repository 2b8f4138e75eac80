"""Small pieces that the panels share: buttons, rows, guarded callbacks, uploads."""

from __future__ import annotations

import html
import io
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import numpy.typing as npt
from PIL import Image

from edgegan_widget.base.errors import EdgeGANError

__all__ = [
    "button",
    "error_html",
    "guard",
    "heading",
    "picture_png",
    "row",
    "show",
    "style_and_script",
    "thumb",
    "toggle",
    "uploaded",
]

U8 = npt.NDArray[np.uint8]

log = logging.getLogger(__name__)

STYLES = ("style.css", "training.css", "data.css", "evaluate.css")
SCRIPTS = ("pad.js", "sheet.js")


def button(label: str, on_click: Callable[..., None], tooltip: str, css_class: str = "") -> widgets.Button:
    """A button with words on it; icons would come from another server."""
    made = widgets.Button(description=label, tooltip=tooltip)
    made.on_click(on_click)
    if css_class:
        made.add_class(css_class)
    return made


def row(children: Sequence[widgets.Widget]) -> widgets.Box:
    """Children side by side, wrapping where the page is narrow."""
    made = widgets.Box(list(children))
    made.add_class("eg-row")
    return made


def heading(text: str) -> widgets.HTML:
    """A small heading."""
    return widgets.HTML(f'<div class="eg-heading">{html.escape(text)}</div>')


def toggle(widget: widgets.Widget, css_class: str, on: object) -> None:
    """Give a widget a class of the page's style, or take it away."""
    (widget.add_class if on else widget.remove_class)(css_class)


def show(widget: widgets.Widget, shown: object) -> None:
    """Show a widget where ``shown`` is true, or hide it without giving up its place in the box around it."""
    toggle(widget, "eg-hidden", not shown)


def guard(
    action: Callable[..., None], say: Callable[[Exception | None], None], keep_arguments: bool = False
) -> Callable[..., None]:
    """``action`` as a callback whose errors are shown on the page; unguarded, Voilà swallows them."""

    def guarded(*arguments: Any) -> None:
        try:
            action(*arguments) if keep_arguments else action()
        except Exception as error:
            log.warning("a callback failed", exc_info=not isinstance(error, EdgeGANError))
            say(error)

    return guarded


def error_html(error: Exception) -> str:
    """One sentence for a person: the message of our own errors, and a plain word for any other."""
    text = str(error) if isinstance(error, EdgeGANError) else f"Something went wrong ({type(error).__name__}: {error})."
    text = text[:1].upper() + text[1:]
    return f'<span class="eg-error" role="alert">{html.escape(text)}</span>'


def uploaded(upload: widgets.FileUpload) -> Iterator[tuple[str, bytes]]:
    """Name and content of the files just chosen; the widget is emptied, so the same file can be chosen again."""
    files = [(str(file["name"]), bytes(file["content"])) for file in upload.value]
    if files:
        upload.value = ()
    yield from files


def picture_png(pixels: U8) -> bytes:
    """uint8 [H, W, 3], [H, W, 4] or [H, W] as PNG."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def thumb(picture: U8, tooltip: str = "", on_click: Callable[..., None] | None = None) -> widgets.Box:
    """A small picture, which is a button where something happens on a click."""
    parts: list[widgets.Widget] = [widgets.Image(value=picture_png(picture), format="png")]
    if on_click is not None:
        parts.append(button("", on_click, tooltip))
    made = widgets.Box(parts)
    made.add_class("eg-thumb")
    return made


def style_and_script() -> str:
    """The page's style sheets and the browser's side of pad and contact sheet, as HTML to display once."""
    here = Path(__file__).parent / "static"
    style, script = ("".join((here / name).read_text("utf-8") for name in names) for names in (STYLES, SCRIPTS))
    return f"<style>{style}</style><script>{script}</script>"
