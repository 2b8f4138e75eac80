"""Panels as a person sees them: what is shown, found by the words on it, and the text that can be read."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any, TypeVar

import ipywidgets as widgets

Kind = TypeVar("Kind", bound=widgets.Widget)


def has(widget: widgets.Widget, css_class: str) -> bool:
    """Whether a widget has this class of the page's style."""
    return css_class in widget.get_state(["_dom_classes"])["_dom_classes"]


def is_shown(widget: widgets.Widget) -> bool:
    return not has(widget, "eg-hidden")


def shown(root: widgets.Widget) -> Iterator[widgets.Widget]:
    """A widget and all that is in it, from top to bottom, without what is hidden."""
    if is_shown(root):
        yield root
        for child in getattr(root, "children", ()):
            yield from shown(child)


def every(root: widgets.Widget, label: str) -> list[Any]:
    """All controls with these words on them or before them."""
    return [widget for widget in shown(root) if getattr(widget, "description", None) == label]


def find(root: widgets.Widget, label: str) -> Any:
    """The one control with these words."""
    found = every(root, label)
    assert len(found) == 1, f"{len(found)} controls are called {label!r} among {labels(root)}"
    return found[0]


def labels(root: widgets.Widget) -> list[str]:
    """The words on the controls."""
    return [words for widget in shown(root) if (words := getattr(widget, "description", ""))]


def part(root: widgets.Widget, kind: type[Kind]) -> Kind:
    """The one part of this kind, shown or not."""
    found = parts(root, kind)
    assert len(found) == 1, f"{len(found)} parts are of {kind.__name__}"
    return found[0]


def parts(root: widgets.Widget, kind: type[Kind]) -> list[Kind]:
    """All parts of this kind, shown or not."""
    return [widget for widget in _all(root) if isinstance(widget, kind)]


def styled(root: widgets.Widget, css_class: str) -> list[Any]:
    """All parts that have this class of the page's style."""
    return [widget for widget in shown(root) if has(widget, css_class)]


def said(root: widgets.Widget) -> str:
    """The text on screen, a line for each place of it."""
    texts = [read(widget) for widget in shown(root) if isinstance(widget, widgets.HTML)]
    return "\n".join(text for text in texts if text)


def read(widget: widgets.HTML) -> str:
    """What a person reads there."""
    spaced = widget.value.replace("><", "> <")
    return " ".join(html.unescape(re.sub("<[^>]+>", "", spaced)).split())


def pictures(root: widgets.Widget) -> list[bytes]:
    """The pictures on screen."""
    return [widget.value for widget in shown(root) if isinstance(widget, widgets.Image)]


def options(choice: widgets.Dropdown) -> list[str]:
    """What a list offers, in words."""
    return [option if isinstance(option, str) else option[0] for option in choice.options]


def choose(choice: widgets.Dropdown, words: str) -> None:
    """Choose what begins so."""
    choice.index = next(place for place, option in enumerate(options(choice)) if option.startswith(words))


def _all(root: widgets.Widget) -> Iterator[widgets.Widget]:
    yield root
    for child in getattr(root, "children", ()):
        yield from _all(child)
