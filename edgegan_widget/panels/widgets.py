"""Small pieces that the panels share: buttons, rows, lists, guarded callbacks, uploads."""

from __future__ import annotations

import html
import io
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import ipywidgets as widgets
from PIL import Image

from edgegan_widget.base.errors import EdgeGANError
from edgegan_widget.base.needs import without_torch
from edgegan_widget.base.units import U8

__all__ = [
    "Say",
    "Silence",
    "button",
    "classed",
    "error_html",
    "folded",
    "free",
    "guard",
    "heading",
    "offer",
    "picture_png",
    "refill",
    "row",
    "show",
    "starting",
    "style_and_script",
    "thumb",
    "toggle",
    "uploaded",
]

Say = Callable[[Exception | None], None]  # shows an exception, or takes away what was shown of one
Made = TypeVar("Made", bound=widgets.Widget)

log = logging.getLogger(__name__)

STYLES = ("style.css", "training.css", "data.css", "evaluate.css", "photo.css")
SCRIPTS = ("names.js", "sheet.js")

_LEFT: WeakKeyDictionary[widgets.Widget, tuple[widgets.Widget, ...]] = WeakKeyDictionary()  # what was in a box before


def button(label: str, on_click: Callable[..., None], tooltip: str, css_class: str = "") -> widgets.Button:
    """A button with words on it; icons would come from another server."""
    made = widgets.Button(description=label, tooltip=tooltip)
    made.on_click(on_click)
    return classed(made, *css_class.split())


@contextmanager
def starting(start: widgets.Button) -> Iterator[None]:
    """What a button starts, which a second click must not start again; it can be pressed anew after an error alone."""
    start.disabled = True
    try:
        yield
    except Exception:
        start.disabled = False
        raise


def classed(widget: Made, *css_classes: str) -> Made:
    """The widget with these classes of the page's style."""
    for css_class in css_classes:
        widget.add_class(css_class)
    return widget


def row(children: Sequence[widgets.Widget]) -> widgets.Box:
    """Children side by side, wrapping where the page is narrow."""
    return classed(widgets.Box(list(children)), "eg-row")


def refill(box: widgets.Box, children: Sequence[widgets.Widget]) -> None:
    """Put other children in a box, and free those before with what is in them; the page would keep them for good.

    They are freed one time later: a page that is being opened may be about to show them, and finds no model else.
    """
    old, box.children = box.children, tuple(children)
    for child in _LEFT.pop(box, ()):
        free(child)
    if old:
        _LEFT[box] = old


def free(widget: widgets.Widget) -> None:
    """Close a widget with all that is in it; ipywidgets keeps for good what is not closed.

    It goes before its parts: a page that is opened meanwhile is told of none whose parts are gone.
    """
    inside = (*getattr(widget, "children", ()), *_LEFT.pop(widget, ()))
    # Each widget has its own. A canvas's manager holds the canvas it drew on last, and with it all who listen to it.
    own = [getattr(widget, part, None) for part in ("layout", "style", "_canvas_manager")]
    widget.close()
    for child in inside:
        free(child)
    for part in own:
        if part is not None:
            part.close()


def offer(choice: widgets.Dropdown, options: Sequence[tuple[str, Any]], place: int = 0) -> None:
    """New options in a list, only if they differ, since one that is open in the browser would close.

    What is chosen stays where it can, else the one at ``place`` is.
    """
    if tuple(choice.options) == tuple(options):
        return
    values = [value for _, value in options]
    chosen = choice.value if choice.value in values else (values[min(place, len(values) - 1)] if values else None)
    with choice.hold_sync():
        choice.options = tuple(options)
        choice.value = chosen


class Silence:
    """Tells an observer whether values are set by the program: ``with silence: ...`` sets, ``if silence`` asks."""

    def __init__(self) -> None:
        self._depth = 0

    def __bool__(self) -> bool:
        return self._depth > 0

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, *error: object) -> None:
        self._depth -= 1


def folded(title: str, child: widgets.Widget) -> widgets.Accordion:
    """A part that is folded away until its title is clicked."""
    return classed(widgets.Accordion([child], titles=(title,), selected_index=None), "eg-folded")


def heading(text: str) -> widgets.HTML:
    """A small heading."""
    return widgets.HTML(f'<h2 class="eg-heading">{html.escape(text)}</h2>')


def toggle(widget: widgets.Widget, css_class: str, on: object) -> None:
    """Give a widget a class of the page's style, or take it away."""
    (widget.add_class if on else widget.remove_class)(css_class)


def show(widget: widgets.Widget, shown: object) -> None:
    """Show a widget where ``shown`` is true, or hide it without giving up its place in the box around it."""
    toggle(widget, "eg-hidden", not shown)


def guard(action: Callable[..., None], say: Say, keep_arguments: bool = False) -> Callable[..., None]:
    """``action`` as a callback whose errors are shown on the page; unguarded, Voilà swallows them."""

    def guarded(*arguments: Any, **named: Any) -> None:
        try:
            action(*arguments, **named) if keep_arguments else action()
        except Exception as error:
            log.warning("a callback failed", exc_info=not isinstance(error, EdgeGANError))
            say(error)

    return guarded


def error_html(error: Exception) -> str:
    """One sentence for a person: the message of our own errors, and a plain word for any other."""
    other = without_torch(error) or f"Something went wrong ({type(error).__name__}: {error})."
    text = str(error) if isinstance(error, EdgeGANError) else other
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
    return classed(widgets.Box(parts), "eg-thumb")


def style_and_script() -> str:
    """The page's style sheets and the browser's side of names and of the contact sheet, as HTML to display once."""
    here = Path(__file__).parent / "static"
    style, script = ("".join((here / name).read_text("utf-8") for name in names) for names in (STYLES, SCRIPTS))
    return f"<style>{style}</style><script>{script}</script>"
